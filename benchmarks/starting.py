"""How long the command line takes to say what it can do, beside an interpreter doing nothing; and
what an installation of the core weighs."""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks.installed import closure, core_requirements, size_bytes
from benchmarks.table import Group, Row

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import typer, rich": ["-c", "import typer, rich.console"],
    "import synth_dspy.config, synth_dspy.run": ["-c", "import synth_dspy.config, synth_dspy.run"],
    "synth-dspy --help": ["-m", "synth_dspy.run", "--help"],
}


def starting(*, repetitions: int = 7) -> Group:
    """Each command in turn, `repetitions` times, after one that is not counted."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for round_ in range(repetitions + 1):
        for name, arguments in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
            if round_:
                times[name].append(time.perf_counter() - start)
    core = closure(core_requirements())
    weight = f"{len(core)} packages, {size_bytes(core.values()) / 1e6:,.0f} MB"
    return Group(f"start (core: {weight})", [Row(name, seconds) for name, seconds in times.items()])
