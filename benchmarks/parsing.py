"""Parsing documents of every kind, beside reading their bytes."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.table import Group, Row
from synth_dspy.parsing import ImageStore, ParseOptions, parse_file
from synth_dspy.records import SourceFile
from synth_dspy.sources.files import list_files

MB = 1e6


def parsing(folder: Path, *, repetitions: int = 5) -> Group:
    """The documents below `folder`, in turn read and parsed, `repetitions` times."""
    files, _ = list_files(folder.resolve(), name="bench", include=[], exclude=[])
    by_kind: dict[str, list[SourceFile]] = {}
    for file in files:
        by_kind.setdefault(file.kind, []).append(file)
    read: list[float] = []
    parsed: dict[str, list[float]] = {kind: [] for kind in by_kind}
    with tempfile.TemporaryDirectory() as run_dir:
        images, options = ImageStore(Path(run_dir)), ParseOptions()
        for _ in range(repetitions + 1):
            start = time.perf_counter()
            for file in files:
                (Path(file.root) / file.path).read_bytes()
            read.append(time.perf_counter() - start)
            for kind, some in by_kind.items():
                start = time.perf_counter()
                for file in some:
                    parse_file(file, images=images, options=options)
                parsed[kind].append(time.perf_counter() - start)
    # The first round imports the parsers and writes the images.
    rows = [Row("a bare read", read[1:], _megabytes(files), "MB/s")]
    rows += [
        Row(f"parse {kind} ({len(by_kind[kind])})", times[1:], _megabytes(by_kind[kind]), "MB/s")
        for kind, times in sorted(parsed.items())
    ]
    return Group("read a megabyte of documents", rows)


def _megabytes(files: list[SourceFile]) -> float:
    return sum(file.size for file in files) / MB
