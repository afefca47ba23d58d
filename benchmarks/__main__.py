"""`python -m benchmarks [--only NAME]`: one table, measured in one run on this machine.

Absolute times say more about the machine than about the project; the ratios travel better, since
what is compared was measured in turns. Ends in a few minutes.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.dataset import duplicates, exporting
from benchmarks.endpoints import endpoints
from benchmarks.generate import generating
from benchmarks.parsing import parsing
from benchmarks.ray import on_ray
from benchmarks.rows import teaching
from benchmarks.sandbox import side_by_side
from benchmarks.service import service
from benchmarks.starting import starting
from benchmarks.store import store
from benchmarks.table import Group, render
from synth_dspy.config import default_config_path


def main(argv: list[str] | None = None) -> int:
    """Prints the table on standard output, progress on standard error."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--documents", type=Path, help="a folder of documents to parse, not the quickstart's"
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="this part alone; repeatable"
    )
    parser.add_argument("--million", action="store_true", help="10^6 records and questions, too")
    arguments = parser.parse_args(argv)
    documents = arguments.documents or default_config_path().parent / "docs"
    if not documents.is_dir():
        parser.error(f"--documents {str(documents)!r} is not a folder")
    measures: dict[str, Callable[[], Sequence[Group]]] = {
        "starting": lambda: [starting()],
        "sandbox": lambda: side_by_side(progress),
        "parsing": lambda: parsing(documents),
        "endpoints": lambda: endpoints(progress),
        "generate": lambda: generating(progress),
        "store": lambda: store(progress, million=arguments.million),
        "duplicates": lambda: [duplicates(progress, million=arguments.million)],
        "export": lambda: [exporting(progress)],
        "rows": lambda: [teaching(progress)],
        "ray": lambda: on_ray(progress),
        "service": lambda: [service(progress)],
    }
    unknown = [name for name in arguments.only if name not in measures]
    if unknown:
        parser.error(f"--only {unknown[0]!r} is not one of {', '.join(measures)}")
    groups: list[Group] = []
    for name, measure in measures.items():
        if name in (arguments.only or measures):
            progress(f"measuring {name}")
            groups += measure()
    sys.stdout.write(
        f"Medians on {os.cpu_count()} cores of {platform.machine()}, {platform.system()}, "
        f"Python {platform.python_version()}; ratio: times the first row of its group.\n\n"
        f"{render(groups)}\n"
    )
    return 0


def progress(line: str) -> None:
    """One line on standard error."""
    sys.stderr.write(f"bench: {line}\n")


if __name__ == "__main__":
    sys.exit(main())
