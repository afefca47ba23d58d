"""The engine itself: records through stages that do nothing, memory, resume, and quotas.

Each run through stages has a process of its own, so that its peak of memory is its own; the peak is
in the row's name.
"""

from __future__ import annotations

import asyncio
import io
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.table import Group, Row
from synth_dspy.dataset.quota import Quota
from synth_dspy.outcomes import Kept, Outcome
from synth_dspy.records import digest
from synth_dspy.runners.local import LocalRunner
from synth_dspy.runners.progress import Reporter
from synth_dspy.runners.workbench import Workbench
from synth_dspy.stages.contract import MapStage
from synth_dspy.store.journal import Journal, line
from synth_dspy.store.run_directory import RunDirectory

MILLION = 1_000_000
_TEXT = "A rain gauge collects rain and measures its depth. " * 4
_JOURNAL_LINE_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Passage:
    """What flows: 200 characters and a number."""

    number: int
    text: str


class First(MapStage[Passage, Passage]):
    """Hands a record on; with `ask`, asks a model in this process about it before."""

    name, folder = "first", "first"
    output_type = Passage
    concurrency = 16

    def __init__(self, ask: Callable[[str], Any] | None = None) -> None:
        self._ask = ask

    def settings(self) -> object:
        return ()

    async def process(self, record: Passage) -> Outcome:
        if self._ask is not None:
            await self._ask(f"{record.number} {record.text}")
        return Kept((record,))


class Second(First):
    """The second of three."""

    name, folder = "second", "second"


class Third(First):
    """The third of three."""

    name, folder = "third", "third"


class Passages:
    """So many records, made one at a time."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Passage]:
        return (Passage(number, _TEXT) for number in range(self._count))


def store(say: Callable[[str], None], *, million: bool = False) -> list[Group]:
    """Every group; 10^6 records only with `million`, since they take two minutes."""
    return [
        _streaming(say, million=million),
        _asking(say),
        _resuming(say),
        _quotas(say),
    ]


def _streaming(say: Callable[[str], None], *, million: bool) -> Group:
    rows = []
    for count in (10_000, 100_000, *((MILLION,) if million else ())):
        say(f"{count:,} records through three empty stages")
        seconds, peak_mb = _alone(run_empty, count)
        rows.append(Row(f"{count:,}, {peak_mb:,} MB", [seconds], count, "records/s"))
    return Group("three empty stages (a record)", rows)


def _asking(say: Callable[[str], None], count: int = 2_000) -> Group:
    say(f"{count:,} records through three stages that ask a model in this process")
    bare, _ = _alone(ask_bare, count)
    seconds, peak_mb = _alone(run_asking, count)
    return Group(
        "three stages with a DSPy call each (a record)",
        [
            Row("three DSPy calls, no stages", [bare], count, "records/s"),
            Row(f"{count:,} in three stages, {peak_mb:,} MB", [seconds], count, "records/s"),
        ],
    )


def _resuming(say: Callable[[str], None], count: int = MILLION) -> Group:
    say(f"opening a journal of {count:,} lines of 1 KB")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.jsonl"
        _write_journal(path, count)
        read = time.perf_counter()
        with path.open("rb") as file:
            while file.read(1 << 22):
                pass
        start = time.perf_counter()
        journal = Journal(path)
        end = time.perf_counter()
        found = len(journal)
        journal.close()
    rows = [Row("reading the file alone", [start - read]), Row(f"{found:,} keys", [end - start])]
    return Group("resume from a journal", rows)


def _quotas(say: Callable[[str], None]) -> Group:
    say("quotas of six cells at 40% acceptance")
    rows = []
    for in_flight in (1, 64):
        start = time.perf_counter()
        run, needed = simulate(in_flight)
        seconds = time.perf_counter() - start
        name = f"{in_flight} in flight: {run / needed:.2f} times the needed tasks"
        rows.append(Row(name, [seconds], run, "tasks/s"))
    return Group("quotas (a task)", rows)


def simulate(in_flight: int, *, seed: int = 1) -> tuple[int, int]:
    """Tasks run, and tasks needed, until six cells are full; verdicts come in any order."""
    chance = random.Random(seed)
    cells = [f"cell{i % 6}" for i in range(4_000)]
    passes = [chance.random() < 0.4 for _ in cells]
    quota: Quota[str, int] = Quota(cells, {f"cell{i}": 40 + 15 * i for i in range(6)}, _never)
    running: list[int] = []
    run = 0
    while not quota.done:
        while len(running) < in_flight and (rank := quota.admit()) is not None:
            running.append(rank)
            run += 1
        rank = running.pop(chance.randrange(len(running)))
        quota.report(rank, rank if passes[rank] else None)
    return run, len(quota.decided)


def _never(_rank: int, _value: int) -> bool:
    return False


def _alone(work: Callable[[int], float], count: int) -> tuple[float, int]:
    """Seconds and peak of memory in MB of `work` in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        seconds = pool.submit(work, count).result()
        return seconds, pool.submit(_peak_mb).result()


def _peak_mb() -> int:
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) >> 10


def run_empty(count: int) -> float:
    """Seconds for `count` records through three stages that do nothing."""
    return _run(count, None)


def run_asking(count: int) -> float:
    """Seconds for `count` records through three stages, each with one DSPy call."""
    ask = _asker()
    asyncio.run(ask("to warm up"))
    return _run(count, ask)


def ask_bare(count: int) -> float:
    """Seconds for three DSPy calls for each of `count` records, and nothing else."""
    ask = _asker()

    async def some(numbers: range) -> None:
        for number in numbers:
            for _ in range(3):
                await ask(f"{number} {_TEXT}")

    async def every() -> float:
        await ask("to warm up")
        start = time.perf_counter()
        await asyncio.gather(*(some(range(at, count, 16)) for at in range(16)))
        return time.perf_counter() - start

    return asyncio.run(every())


def _run(count: int, ask: Callable[[str], Any] | None) -> float:
    with tempfile.TemporaryDirectory() as folder:
        reporter = Reporter(Console(file=io.StringIO()), quiet=True)
        runner = LocalRunner(Workbench(RunDirectory(Path(folder))), reporter)
        stages = [First(ask), Second(ask), Third(ask)]
        start = time.perf_counter()
        asyncio.run(runner.run_maps(stages, Passages(count)))
        seconds = time.perf_counter() - start
        runner.bench.close()
    return seconds


def _asker() -> Callable[[str], Any]:
    """One DSPy call to a model in this process that says yes at once."""
    import dspy
    from dspy import lm15

    from synth_dspy.lm.bridge import Background, SyncEngine
    from synth_dspy.lm.models import configure_dspy

    class Yes:
        async def complete(self, request: lm15.Request) -> lm15.Response:
            text = "[[ ## teaches ## ]]\nTrue\n\n[[ ## completed ## ]]"
            return lm15.Response(
                id=None,
                model=request.model,
                message=lm15.Message.assistant(text),
                finish_reason="stop",
                usage=lm15.Usage(input_tokens=100, output_tokens=5),
            )

        def __deepcopy__(self, memo: dict[int, Any]) -> Yes:
            return self

    configure_dspy()
    engine = Yes()
    predict = dspy.Predict("passage: str -> teaches: bool")
    predict.set_lm(
        dspy.LM("bench", engine=SyncEngine(engine, Background()), async_engine=engine, cache=False)
    )

    async def ask(text: str) -> None:
        await predict.acall(passage=text)

    return ask


def _write_journal(path: Path, count: int) -> None:
    padding = "x" * (_JOURNAL_LINE_BYTES - len(line(digest(0), Kept(("",)), {})))
    with path.open("wb", buffering=1 << 20) as file:
        for number in range(count):
            file.write(line(digest(number), Kept((padding,)), {}))
