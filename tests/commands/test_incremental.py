"""One thing is touched: exactly what depends on it is done again, `info --plan` says so before, and
a server counts what the models were really asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.commandline import overrides, run
from tests.commands.test_endpoints import Served
from tests.commands.test_stages import asked
from tests.loopback import Loopback

SNOW = """# Snow gauges

A snow gauge is an instrument that collects snow and measures the water in it after melting. Slats
around its mouth break the wind, which would carry the flakes past it.

## Weighing

A weighing gauge is a snow gauge that stands on a scale and records its weight every minute. Oil on
the water keeps it from evaporating, and an antifreeze keeps it from turning to ice.
"""
CATEGORIES = (
    "[{name: instruments, description: Instruments that measure rain or snow.}, "
    "{name: programs, description: Functions in Python.}]"
)
DESCRIBED_ANEW = CATEGORIES.replace("Functions in Python.", "Python code with functions.")
IN_FLIGHT = 2
"""Tasks beside the one that fills the last quota; summaries count them as `beyond`."""


@dataclass(frozen=True)
class Project:
    """A finished run of two documents, and what it takes to run it again."""

    cwd: Path
    server: Loopback
    settings: tuple[str, ...]

    def plan(self, *extra: str) -> dict[str, dict[str, Any]]:
        """What `info --plan` foretells, by stage."""
        before = self.server.count
        result = run("info", "--plan", "--json", *self.settings, *extra, cwd=self.cwd)
        assert result.code == 0, result.err
        assert self.server.count == before
        return {line["stage"]: line for line in json.loads(result.out)["plan"]}

    def again(self, *extra: str) -> tuple[dict[str, int], int]:
        """Run: new records by stage, and how often a model was asked."""
        before = self.server.count
        result = run("pipeline", "--skip-analysis", *self.settings, *extra, cwd=self.cwd)
        assert result.code == 0, result.err
        return asked(result), self.server.count - before


@pytest.fixture
def finished(project: Path) -> Iterator[Project]:
    """Two documents, four samples, a model behind a socket."""
    (project / "docs" / "snow.md").write_text(SNOW)
    with Loopback(Served()) as server:
        settings = overrides(
            models__endpoints=f"[{{name: all, base_url: '{server.url}', model_name: m}}]",
            generation__target_samples=4,
            generation__llm_concurrency=1,
            generation__type_allocations="{qa: {ratio: 1, multimodal_ratio: 0}}",
        )
        whole = Project(project, server, ("--config", "config.yaml", *settings))
        categorised = Project(project, server, (*whole.settings, *overrides(categories=CATEGORIES)))
        assert sum(categorised.again()[0].values()) > 0
        yield categorised


def redone(plan: dict[str, dict[str, Any]]) -> dict[str, int]:
    """Stages that would certainly do something, with the number of their records."""
    return {stage: line["redo"] for stage, line in plan.items() if line["redo"]}


@pytest.mark.slow
def test_nothing_touched_asks_nothing(finished: Project) -> None:
    assert set(redone(finished.plan())) == {"analyze"}
    new, calls = finished.again()
    assert not any(new.values())
    assert calls == 0


def test_a_prompt_redoes_its_step_and_what_comes_out_differently_after_it(
    finished: Project,
) -> None:
    strict = overrides(prompts__judge_sample="Judge the sample by its source alone.")
    plan = finished.plan(*strict)
    assert redone(plan).keys() == {"curate"}
    new, calls = finished.again(*strict)
    assert new["curate"] == plan["curate"]["redo"] > 0
    assert plan["curate"]["redo"] <= calls <= plan["curate"]["redo"] + IN_FLIGHT
    assert {stage for stage, count in new.items() if count} == {"curate"}


@pytest.mark.slow
def test_a_plan_says_that_more_tasks_may_be_begun_than_the_quotas_need(finished: Project) -> None:
    strict = overrides(prompts__judge_sample="Judge the sample by its source alone.")
    result = run("info", "--plan", *finished.settings, *strict, cwd=finished.cwd)
    assert "some tasks more may be begun before the quotas are known to be met" in result.out


def test_a_category_redoes_the_classification_alone(finished: Project) -> None:
    anew = overrides(categories=DESCRIBED_ANEW)
    plan = finished.plan(*anew)
    assert redone(plan).keys() == {"classify"}
    new, calls = finished.again(*anew)
    assert new["classify"] == plan["classify"]["redo"] > 0
    assert plan["classify"]["redo"] <= calls <= plan["classify"]["redo"] + IN_FLIGHT
    assert not any(new[stage] for stage in ("parse", "plan", "answer", "curate"))


@pytest.mark.slow
def test_a_threshold_redoes_the_barrier_that_reads_it_and_asks_no_model(
    finished: Project,
) -> None:
    stricter = overrides(generation__similarity_threshold=0.9)
    plan = finished.plan(*stricter)
    assert redone(plan).keys() == {"build"}
    new, calls = finished.again(*stricter)
    assert new["build"] == plan["build"]["redo"] > 0
    assert calls == 0
    assert not any(new[stage] for stage in ("parse", "plan", "answer", "curate", "classify"))


@pytest.mark.slow
def test_a_document_redoes_its_own_records_and_no_other_documents(finished: Project) -> None:
    page = finished.cwd / "docs" / "snow.md"
    page.write_text(SNOW.replace("every minute", "every hour"))
    plan = finished.plan()
    assert redone(plan) == {"parse": 1}
    new, calls = finished.again()
    assert new["parse"] == plan["parse"]["redo"]
    for stage in ("transcribe", "filter-images", "chunk", "filter-chunks"):
        assert new[stage] <= plan[stage]["may_follow"]
    untouched = plan["plan"]["records"]
    assert 0 < new["plan"] <= plan["plan"]["may_follow"]
    assert untouched > 0
    assert calls > 0


@pytest.mark.slow
def test_another_target_may_choose_other_tasks_and_is_foretold_so(finished: Project) -> None:
    fewer = overrides(generation__target_samples=3)
    plan = finished.plan(*fewer)
    assert "allocate" in redone(plan)
    new, _ = finished.again(*fewer)
    for stage in ("plan", "filter-candidates", "answer", "curate", "classify"):
        assert plan[stage]["may_follow"] == 3, stage
        assert new[stage] <= plan[stage]["may_follow"] + IN_FLIGHT


def test_a_first_run_is_foretold_as_far_as_it_is_known_and_nothing_is_written(
    project: Path,
) -> None:
    before = sorted(project.rglob("*"))
    result = run("info", "--plan", "--config", "config.yaml", cwd=project)
    assert result.code == 0, result.err
    lines = {line.split()[0]: line.split()[1:] for line in result.out.splitlines()}
    assert lines["parse"] == ["1", "1"]
    assert lines["chunk"] == ["0", "0", "~1"]
    assert "redo: certain." in result.out
    assert sorted(project.rglob("*")) == before
