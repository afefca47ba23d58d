"""A map stage that only computes: the local runner beside Ray with 1 and 2 workers, and Ray Data.

    python -m benchmarks --only ray

Every row burns the same seconds of processor time (`burn` counts those of its thread, so what else
the machine does lengthens rows and shortens none). Starting is not counted, and stands in the rows'
names, as does what leader and workers burn besides. The local runner computes in its own process,
as stages do that mostly wait, and in two children, as `parse` does. Ray Data runs the same function
over the same records, without keys, journals or outcomes; it starts workers of its own in every
pass, so there it is counted.
"""

from __future__ import annotations

import asyncio
import io
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing import active_children
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.table import Group, Row
from synth_dspy.errors import SetupError
from synth_dspy.lm.shared import SharedLimits
from synth_dspy.outcomes import Kept, Outcome
from synth_dspy.runners.local import LocalRunner
from synth_dspy.runners.progress import Reporter
from synth_dspy.runners.ray import Ceilings, Cluster, Crew, RayWorkbench, connect
from synth_dspy.runners.workbench import Workbench
from synth_dspy.stages.children import Children
from synth_dspy.stages.contract import MapStage
from synth_dspy.store.run_directory import RunDirectory

BUSY_S = 0.02
_RECORDS = 300
_TO_WARM_UP = 20
_PROCESSORS = 2
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Number:
    """What flows here."""

    value: int


def burn(value: int) -> int:
    """Keep a processor busy for `BUSY_S`."""
    until = time.thread_time() + BUSY_S
    while time.thread_time() < until:
        pass
    return value


class Burn(MapStage[Number, Number]):
    """`burn` as a stage."""

    name, folder = "burn", "burnt"
    output_type = Number

    def settings(self) -> object:
        return ()

    async def process(self, record: Number) -> Outcome:
        return Kept((Number(burn(record.value)),))


class BurnInChildren(Burn):
    """`burn` in child processes."""

    def __init__(self) -> None:
        self.children = Children(count=_PROCESSORS)
        self.concurrency = self.children.count

    async def process(self, record: Number) -> Outcome:
        return Kept((Number(await self.children.call(burn, record.value)),))


@dataclass
class Burners:
    """The stages of a worker."""

    stages: Mapping[str, MapStage[Any, Any]] = field(default_factory=lambda: {"burn": Burn()})

    def stop(self) -> None:
        """They ask nobody."""

    async def aclose(self) -> None:
        """They hold nothing open."""


def burners(limits: SharedLimits, neighbours: int) -> Burners:
    """The opener of a worker's stages, which ask nobody and share nothing."""
    del limits, neighbours
    return Burners()


def on_ray(say: Callable[[str], None]) -> list[Group]:
    """Records a second; nothing where Ray is not installed."""
    say("the local runner")
    rows = [_row("the local runner, in its process", _run(Workbench, Burn()))]
    rows.append(_in_children())
    started = time.perf_counter()
    try:
        cluster = connect(cpus=_PROCESSORS)
    except SetupError as error:
        say(str(error))
        return []
    start_s = time.perf_counter() - started
    with cluster:
        for workers in (1, 2):
            say(f"Ray with {workers} workers")
            rows.append(_with_workers(cluster, workers, start_s))
        say("Ray Data")
        rows.append(Row("Ray Data alone, 2 workers, their start counted", [_ray_data()], _RECORDS))
    return [Group(f"a map stage that computes for {1000 * BUSY_S:g} ms", rows)]


@dataclass(frozen=True, slots=True)
class _Measured:
    """One pass.

    Attributes:
        besides_s: processor time of this process and of the workers, the burning left out.
    """

    seconds: float
    besides_s: float


def _row(name: str, measured: _Measured) -> Row:
    besides = f"{1000 * measured.besides_s / _RECORDS:.1f} ms besides"
    return Row(f"{name} ({besides})", [measured.seconds], _RECORDS)


def _in_children() -> Row:
    stage = BurnInChildren()
    asyncio.run(_started(stage.children))
    try:
        return _row("the local runner, in 2 children", _run(Workbench, stage, _children))
    finally:
        stage.children.close()


async def _started(children: Children) -> None:
    """Have every child started and warm."""
    await asyncio.gather(*(children.call(burn, 0) for _ in range(children.count)))


def _children() -> list[int]:
    return [child.pid for child in active_children() if child.pid is not None]


def _with_workers(cluster: Cluster, workers: int, start_s: float) -> Row:
    began = ended = 0.0
    crews: list[Crew] = []

    def bench(run: RunDirectory) -> Workbench:
        nonlocal began, ended
        began = time.perf_counter()
        crews.append(Crew(cluster, burners, run.path, Ceilings(), workers=workers))
        ended = time.perf_counter()
        return RayWorkbench(run, crews[0])

    measured = _run(bench, Burn(), lambda: crews[0].pids)
    plural = "s" if workers > 1 else ""
    name = f"Ray, {workers} worker{plural}, ready in {start_s:.1f} + {ended - began:.1f} s"
    return _row(name, measured)


def _run(
    opened: Callable[[RunDirectory], Workbench],
    stage: Burn,
    others: Callable[[], list[int]] = list,
) -> _Measured:
    """Seconds that the records take, and what they cost this process and `others`."""
    with tempfile.TemporaryDirectory(prefix="synth-bench-") as folder:
        run = RunDirectory(Path(folder))
        run.lock()
        bench = opened(run)
        runner = LocalRunner(bench, Reporter(Console(file=io.StringIO())))
        try:
            warm = [Number(-1 - n) for n in range(_TO_WARM_UP)]
            asyncio.run(runner.run_maps([stage], warm))
            used = sum(map(_processor_s, others())) + time.process_time()
            started = time.perf_counter()
            made = asyncio.run(runner.run_maps([stage], [Number(n) for n in range(_RECORDS)]))
            seconds = time.perf_counter() - started
            used = sum(map(_processor_s, others())) + time.process_time() - used
            assert len(made) == _RECORDS
        finally:
            bench.close()
            run.unlock()
        return _Measured(seconds, used - _RECORDS * BUSY_S)


def _processor_s(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


class _Burning:
    """`burn` as Ray Data calls it."""

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {"id": [burn(int(value)) for value in batch["id"]]}


def _ray_data() -> float:
    import logging

    import ray.data

    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    numbers = ray.data.range(_RECORDS, override_num_blocks=_RECORDS // 25).materialize()
    started = time.perf_counter()
    made = numbers.map_batches(_Burning, batch_size=25, compute=ray.data.ActorPoolStrategy(size=2))
    assert made.materialize().count() == _RECORDS
    return time.perf_counter() - started
