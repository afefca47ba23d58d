"""The Ray runner on real workers, with stages made for the purpose."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from synth_dspy.errors import ConfigError, SetupError
from synth_dspy.outcomes import Failed
from synth_dspy.runners.local import LocalRunner
from synth_dspy.runners.progress import Reporter
from synth_dspy.runners.ray import Ceilings, Cluster, Crew, RayWorkbench, connect
from synth_dspy.runners.workbench import Workbench
from synth_dspy.stages.engine import Stopped
from synth_dspy.stages.results import counts_only, results, summaries
from synth_dspy.store.run_directory import RunDirectory
from synth_dspy.store.shards import shards_of
from tests.commands.ray_projects import all_gone
from tests.runners.ray_stages import (
    Counting,
    Doubling,
    Dying,
    Number,
    Opening,
    Spending,
    refuse,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with connect(cpus=2) as joined:
        yield joined


@contextmanager
def leading(
    cluster: Cluster, path: Path, opening: Opening, fresh: frozenset[str] = frozenset()
) -> Iterator[tuple[LocalRunner, Crew]]:
    """A run in `path` with two workers."""
    directory = RunDirectory(path)
    directory.lock()
    crew = Crew(cluster, opening, path, Ceilings(), workers=2)
    bench = RayWorkbench(directory, crew, fresh=fresh)
    try:
        yield LocalRunner(bench, Reporter(Console(file=io.StringIO()))), crew
    finally:
        bench.close()
        directory.unlock()


def maps(opening: Opening) -> list[Doubling | Counting]:
    return [Doubling(opening.notes), Counting(opening.notes)]


def numbers(values: Sequence[int]) -> list[Number]:
    return [Number(value) for value in values]


def local(path: Path, opening: Opening, values: Sequence[int]) -> list[Number]:
    bench = Workbench(RunDirectory(path))
    runner = LocalRunner(bench, Reporter(Console(file=io.StringIO())))
    try:
        return list(asyncio.run(runner.run_maps(maps(opening), numbers(values))))
    finally:
        bench.close()


def on_ray(cluster: Cluster, path: Path, opening: Opening, values: Sequence[int]) -> list[Number]:
    with leading(cluster, path, opening) as (runner, _):
        return list(asyncio.run(runner.run_maps(maps(opening), numbers(values))))


def notes(opening: Opening) -> Counter[str]:
    """How often each stage was given each record."""
    lines = opening.notes.read_text().splitlines() if opening.notes.exists() else []
    return Counter(line.rpartition(" ")[0] for line in lines)


def begun(opening: Opening, count: int) -> None:
    """Wait until the stages have been given so many records."""
    deadline = time.monotonic() + 60
    while notes(opening).total() < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def present(path: Path) -> dict[str, list[object]]:
    """What a run left of each stage, in order."""
    run = RunDirectory(path)
    return {
        kind.name: [(key, outcome) for key, outcome, _ in results(run, kind)]
        for kind in (Doubling, Counting)
    }


@dataclass(frozen=True, slots=True)
class Both:
    """One hundred numbers on Ray and here: run directories, notes and what was made."""

    ray: Path
    local: Path
    on_ray: Opening
    here: Opening
    made: tuple[list[Number], list[Number]]
    pids: list[int]


@pytest.fixture(scope="module")
def both(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Both:
    base, values = tmp_path_factory.mktemp("both"), range(100)
    there, here = Opening(base / "there.txt"), Opening(base / "here.txt")
    with leading(cluster, base / "ray", there) as (runner, crew):
        pids = crew.pids
        made = list(asyncio.run(runner.run_maps(maps(there), numbers(values))))
    whole = local(base / "local", here, values)
    return Both(base / "ray", base / "local", there, here, (made, whole), pids)


def test_a_run_on_ray_makes_and_leaves_what_a_local_one_does(both: Both) -> None:
    assert both.made[0] == both.made[1]
    assert present(both.ray) == present(both.local)


def test_workers_are_given_each_record_once(both: Both) -> None:
    assert notes(both.on_ray) == notes(both.here)


def test_both_workers_work(both: Both) -> None:
    lines = both.on_ray.notes.read_text().splitlines()
    assert {int(line.split()[2]) for line in lines} == set(both.pids)


def test_summaries_count_what_workers_did(both: Both) -> None:
    on_ray, here = (
        counts_only(summaries(RunDirectory(path), [Doubling, Counting]))
        for path in (both.ray, both.local)
    )
    assert on_ray == here
    assert on_ray["doubling"]["dropped"] == {"seventh": 15}


def test_no_shard_is_left_of_a_stage_that_ended(both: Both) -> None:
    journals = [both.ray / folder / "journal.jsonl" for folder in ("doubled", "counted")]
    assert [shards_of(journal) for journal in journals] == [[], []]


def test_closing_ends_the_workers(both: Both) -> None:
    assert all_gone(both.pids)


@pytest.mark.parametrize("first", ["ray", "local"])
def test_what_one_runner_finished_the_other_does_not_do_again(
    cluster: Cluster, tmp_path: Path, first: str
) -> None:
    opening, path = Opening(tmp_path / "notes.txt"), tmp_path / "run"
    runs = [lambda: on_ray(cluster, path, opening, range(30))]
    runs.append(lambda: local(path, opening, range(30)))
    one, other = runs if first == "ray" else reversed(runs)
    made = one()
    assert other() == made
    assert set(notes(opening).values()) == {1}


def test_a_killed_worker_costs_only_what_it_had_in_flight(cluster: Cluster, tmp_path: Path) -> None:
    opening = Opening(tmp_path / "notes.txt", pause_s=0.02)
    with leading(cluster, tmp_path / "run", opening) as (runner, crew):
        stages = maps(opening)
        in_flight = sum(runner.bench.width(stage) for stage in stages) // crew.size

        async def main() -> list[Number]:
            running = asyncio.create_task(runner.run_maps(stages, numbers(range(200))))
            await asyncio.to_thread(begun, opening, 60)
            os.kill(crew.pids[0], signal.SIGKILL)
            return list(await running)

        killed = crew.pids[0]
        made = asyncio.run(main())
        replaced = crew.pids[0] != killed
    whole = local(tmp_path / "local", Opening(tmp_path / "other.txt"), range(200))
    again = sum(count - 1 for count in notes(opening).values())
    assert (made == whole, replaced) == (True, True)
    assert again <= in_flight
    assert present(tmp_path / "run") == present(tmp_path / "local")


def test_a_record_waits_for_a_worker_that_is_just_being_replaced(
    cluster: Cluster, tmp_path: Path
) -> None:
    opening = Opening(tmp_path / "notes.txt")
    with leading(cluster, tmp_path / "run", opening) as (runner, crew):

        async def main() -> tuple[bool, list[Number]]:
            for member in crew._members:
                await member.changing.acquire()
            running = asyncio.create_task(runner.run_maps(maps(opening), numbers([1])))
            await asyncio.sleep(0.2)
            waited = not running.done() and not notes(opening)
            for member in crew._members:
                member.changing.release()
            return waited, list(await running)

        assert asyncio.run(main()) == (True, [Number(2), Number(0)])


def test_the_next_run_takes_up_what_workers_of_a_killed_one_had_finished(
    cluster: Cluster, tmp_path: Path
) -> None:
    opening, path = Opening(tmp_path / "notes.txt", pause_s=0.01), tmp_path / "run"
    with leading(cluster, path, opening) as (runner, crew):

        async def main() -> None:
            running = asyncio.create_task(runner.run_maps(maps(opening), numbers(range(100))))
            await asyncio.to_thread(begun, opening, 50)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            for pid in crew.pids:
                os.kill(pid, signal.SIGKILL)

        asyncio.run(main())
        first = notes(opening)
    left = shards_of(path / "doubled" / "journal.jsonl")
    quick = Opening(opening.notes)
    assert local(path, quick, range(100)) == local(tmp_path / "other", here(tmp_path), range(100))
    again = sum(count - 1 for count in notes(opening).values())
    assert left
    assert first.total() >= 50 > again


def here(tmp_path: Path) -> Opening:
    return Opening(tmp_path / "here.txt")


@pytest.mark.parametrize("at_once", [1, 10])
def test_a_record_that_kills_every_worker_fails_and_the_others_go_on(
    cluster: Cluster, tmp_path: Path, at_once: int
) -> None:
    opening, path = Opening(tmp_path / "notes.txt"), tmp_path / "run"
    with leading(cluster, path, opening) as (runner, _):
        stage = Dying(opening.notes, concurrency=at_once)
        made = list(asyncio.run(runner.run_maps([stage], numbers(range(10, 20)))))
    outcomes = [outcome for _, outcome, _ in results(RunDirectory(path), Dying)]
    failed = [outcome for outcome in outcomes if isinstance(outcome, Failed)]
    assert [number.value for number in made] == [11, 12, 13, 15, 16, 17, 18, 19, 20]
    assert [(one.reason, one.retryable) for one in failed] == [("worker_died", True)]


def test_a_budget_that_is_reached_in_a_worker_stops_the_run(
    cluster: Cluster, tmp_path: Path
) -> None:
    opening = Opening(tmp_path / "notes.txt")
    with leading(cluster, tmp_path / "run", opening) as (runner, _):
        stage = Spending(opening.notes, concurrency=1)
        with pytest.raises(Stopped, match="The budget is reached"):
            asyncio.run(runner.run_maps([stage], numbers(range(50))))
        assert runner.tallies["spending"].kept < 50


def test_what_is_wrong_in_a_worker_is_said_as_it_is(cluster: Cluster, tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    run.lock()
    with pytest.raises(ConfigError, match="nothing can be made of this"):
        Crew(cluster, refuse, tmp_path, Ceilings(), workers=1)
    run.unlock()


def test_a_worker_that_cannot_see_the_run_directory_says_so(
    cluster: Cluster, tmp_path: Path
) -> None:
    opening = Opening(tmp_path / "notes.txt")
    with pytest.raises(SetupError, match="does not see the run directory"):
        Crew(cluster, opening, tmp_path / "elsewhere", Ceilings(), workers=1)


def test_a_fresh_run_does_everything_again_and_leaves_the_same(
    cluster: Cluster, tmp_path: Path
) -> None:
    opening, path = Opening(tmp_path / "notes.txt"), tmp_path / "run"
    local(path, opening, range(30))
    before = present(path)
    fresh = frozenset({"doubling", "counting"})
    with leading(cluster, path, opening, fresh) as (runner, _):
        asyncio.run(runner.run_maps(maps(opening), numbers(range(30))))
    assert present(path) == before
    assert set(notes(opening).values()) == {2}
    assert not list(path.rglob("*.worker-*"))
