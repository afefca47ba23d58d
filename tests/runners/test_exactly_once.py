"""Any sequence of runs, crashes at any byte, changed settings and changed inputs: nothing finished
is lost or repeated, every summary adds up, and the result is that of a run without any of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from synth_dspy.errors import DocumentError, StageError
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.runners.workbench import GIVEN_UP_AFTER, TRIES_A_RUN
from synth_dspy.stages.contract import MapStage
from tests.runners.numbers import Doing, Number, Then, runner, summary

TORN = b'{"key":"0123456789abcdef0123456789abcdef","outputs":[{"va'
FATES = ("keep", "fan", "drop", "fail", "flaky")


def fate(value: int, setting: int) -> str:
    return FATES[(value * 7 + setting * 3) % len(FATES)]


def does(setting: int, value: int) -> Outcome:
    """What a stage makes of a value: a pure function, so a model can say it beforehand."""
    what = fate(value, setting)
    if what == "drop":
        return Dropped("odd")
    if what == "fail":
        raise DocumentError("unreadable")
    if what == "flaky":
        raise DocumentError("timeout", retryable=True)
    return Kept(tuple(Number(1000 * setting + 10 * value + i) for i in range(1 + (what == "fan"))))


def expected(setting: int, values: list[int]) -> list[int]:
    made = []
    for value in values:
        if fate(value, setting) in ("keep", "fan"):
            outcome = does(setting, value)
            assert isinstance(outcome, Kept)
            made += [number.value for number in outcome.outputs]
    return made


def finished(journal: Path) -> set[str]:
    """Keys of which no work may be repeated, read without the journal's own reader."""
    found: dict[str, bool] = {}
    whole, _, _ = (journal.read_bytes() if journal.exists() else b"").rpartition(b"\n")
    for line in filter(None, whole.split(b"\n")):
        entry = json.loads(line)
        may_pass = entry.get("failed", {}).get("retryable", False)
        found[entry["key"]] = not may_pass or entry["meta"]["tries"] >= GIVEN_UP_AFTER
    return {key for key, done in found.items() if done}


class Runs(RuleBasedStateMachine):
    """Two stages over one directory; `crash` stands for `kill -9` and for a power loss."""

    def __init__(self) -> None:
        super().__init__()
        self.path = Path(tempfile.mkdtemp())
        self.values = [0, 1, 2]
        self.settings = [0, 0]
        self.crashed = True

    def teardown(self) -> None:
        shutil.rmtree(self.path)

    def stages(self, crash_at: int | None = None) -> list[Doing]:
        """The stages as configured now; with `crash_at`, everything ends at that many records."""
        left = [crash_at]

        def work(setting: int, value: int) -> Outcome:
            if left[0] is not None:
                left[0] -= 1
                if left[0] < 0:
                    raise StageError("the lights went out")
            return does(setting, value)

        return [
            kind(lambda v, s=setting: work(s, v), settings=setting, concurrency=3)  # type: ignore[misc]
            for kind, setting in zip((Doing, Then), self.settings, strict=True)
        ]

    def start(self, stages: list[Doing], fresh: bool) -> list[int]:
        names = frozenset({"doing", "then"}) if fresh else frozenset[str]()
        engine = runner(self.path, fresh=names)
        try:
            made = asyncio.run(engine.run_maps(stages, [Number(v) for v in self.values]))
            return [number.value for number in made]
        finally:
            engine.bench.close()

    def journals(self) -> list[Path]:
        return [self.path / "done" / "journal.jsonl", self.path / "thereafter" / "journal.jsonl"]

    def still_to_do(self, stage: MapStage[Any, Any], values: list[int], journal: Path) -> set[int]:
        engine = runner(self.path)
        keys = {engine.bench.key(stage, Number(value)): value for value in values}
        engine.bench.close()
        return {value for key, value in keys.items() if key not in finished(journal)}

    @rule(values=st.lists(st.integers(0, 12), unique=True, max_size=8))
    def change_input(self, values: list[int]) -> None:
        self.values = values

    @rule(stage=st.integers(0, 1), setting=st.integers(0, 2))
    def change_setting(self, stage: int, setting: int) -> None:
        self.settings[stage] = setting

    @rule(fresh=st.booleans())
    def run_to_the_end(self, fresh: bool) -> None:
        stages = self.stages()
        between = expected(self.settings[0], self.values)
        inputs = (self.values, between)
        to_do = [
            set(values) if fresh else self.still_to_do(stage, values, journal)
            for stage, values, journal in zip(stages, inputs, self.journals(), strict=True)
        ]
        made = self.start(stages, fresh)
        assert made == expected(self.settings[1], between)
        for stage, wanted, setting in zip(stages, to_do, self.settings, strict=True):
            tries = {v: TRIES_A_RUN if fate(v, setting) == "flaky" else 1 for v in wanted}
            assert dict(stage.asked) == tries
        self.crashed = False

    @rule(
        at=st.integers(0, 8),
        fresh=st.booleans(),
        torn=st.integers(0, len(TORN)),
        lost=st.one_of(st.none(), st.floats(0, 1)),
    )
    def crash(self, at: int, fresh: bool, torn: int, lost: float | None) -> None:
        """End at any record; then a kill leaves half of a line more, or a power loss takes any
        share of the bytes that were written since."""
        before = [path.read_bytes() if path.exists() else b"" for path in self.journals()]
        with contextlib.suppress(StageError):
            self.start(self.stages(crash_at=at), fresh)
        for path, old in zip(self.journals(), before, strict=True):
            if not path.exists() or not path.read_bytes().startswith(old):
                continue
            with path.open("r+b") as file:
                end = file.seek(0, os.SEEK_END)
                if lost is None:
                    file.write(TORN[:torn])
                else:
                    file.truncate(len(old) + round((end - len(old)) * (1 - lost)))
        self.crashed = True

    @precondition(lambda self: not self.crashed)
    @invariant()
    def summaries_add_up(self) -> None:
        for folder in ("done", "thereafter"):
            found = summary(self.path, folder)
            assert found["in"] == found["kept"] + sum(found["dropped"].values()) + found["failed"]


Runs.TestCase.settings = settings(max_examples=40, stateful_step_count=12, deadline=None)
TestExactlyOnce = Runs.TestCase
