"""A map stage that only computes: the local runner beside Ray with 1 and 2 workers, and Ray Data.

Starting is not counted, and stands in the rows' names. Ray Data runs the same function over the
same records, without keys, journals or outcomes; it starts workers of its own in every pass, so
there it is counted.
"""

from __future__ import annotations

import asyncio
import io
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
from synth_dspy.stages.contract import MapStage
from synth_dspy.store.run_directory import RunDirectory

BUSY_S = 0.005
_RECORDS = 600
_PROCESSORS = 2


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
    rows = [Row("the local runner", [_run(Workbench)], _RECORDS)]
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


def _with_workers(cluster: Cluster, workers: int, start_s: float) -> Row:
    began = ended = 0.0

    def bench(run: RunDirectory) -> Workbench:
        nonlocal began, ended
        began = time.perf_counter()
        crew = Crew(cluster, burners, run.path, Ceilings(), workers=workers)
        ended = time.perf_counter()
        return RayWorkbench(run, crew)

    seconds = _run(bench)
    plural = "s" if workers > 1 else ""
    name = f"Ray, {workers} worker{plural} (ready in {start_s:.1f} + {ended - began:.1f} s)"
    return Row(name, [seconds], _RECORDS)


def _run(opened: Callable[[RunDirectory], Workbench]) -> float:
    """Seconds that the records take."""
    with tempfile.TemporaryDirectory(prefix="synth-bench-") as folder:
        run = RunDirectory(Path(folder))
        run.lock()
        bench = opened(run)
        runner = LocalRunner(bench, Reporter(Console(file=io.StringIO())))
        try:
            started = time.perf_counter()
            made = asyncio.run(runner.run_maps([Burn()], [Number(n) for n in range(_RECORDS)]))
            seconds = time.perf_counter() - started
            assert len(made) == _RECORDS
        finally:
            bench.close()
            run.unlock()
        return seconds


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
