"""What is wrong with a test or an answer goes back to the model, in so many words, so many times.

The model is scripted, at the other end of a socket; the code really runs, in a bare process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from sandbox import Limits, open_sandbox
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.programs.answers import Verification
from synth_dspy.records import Candidate
from tests.loopback import Loopback, Prompt
from tests.programs.made import candidate, chunk, program, task

SETTINGS = Verification(max_mutants=0, flaky_runs=0, timeout_s=5.0)
SOLID = (
    "def check(candidate):\n    assert candidate(1, 2) == 3\n    assert candidate(5, -2) == 3\n"
    "    assert candidate(0, 0) == 0\n"
)
RIGHT = "def add(a, b):\n    return a + b\n"
WRONG = "def add(a, b):\n    return a * b\n"


class Script:
    """Gives each field's values one after the other, the last one again and again.

    Attributes:
        reports: what the model was told in each correction.
    """

    def __init__(self, **fields: str | Sequence[str]) -> None:
        self._fields = {n: [v] if isinstance(v, str) else list(v) for n, v in fields.items()}
        self.reports: list[str] = []

    def __call__(self, prompt: Prompt) -> dict[str, str]:
        if prompt.given.get("report"):
            self.reports.append(prompt.given["report"])
        known = [name for name in prompt.asked if name in self._fields]
        return {name: self._next(self._fields[name]) for name in known}

    @staticmethod
    def _next(values: list[str]) -> str:
        return values.pop(0) if len(values) > 1 else values[0]


def through(
    folder: Path, script: Script, work: Callable[[Any], Any], settings: Verification = SETTINGS
) -> Outcome:
    """What a part of the Program makes of it."""

    async def main() -> Outcome:
        limits = Limits(timeout_s=5.0)
        async with (
            open_sandbox("process", limits=limits, workers=1) as box,
            program(folder, server, box, verification=settings) as made,
        ):
            outcome: Outcome = (await work(made)).outcome
            return outcome

    with Loopback(script) as server:
        return asyncio.run(main())


def answered(
    folder: Path, script: Script, record: Candidate, settings: Verification = SETTINGS
) -> Outcome:
    return through(folder, script, lambda p: p.answer_writer.acall(candidate=record), settings)


def written(folder: Path, script: Script, kind: str, settings: Verification = SETTINGS) -> Outcome:
    return through(
        folder, script, lambda p: p.question_writer.acall(task=task(kind), chunk=chunk()), settings
    )


def code(**changed: Any) -> Candidate:
    given = {"question": "Write `add(a, b)`.", "entry_point": "add", "test_code": SOLID}
    return candidate("code_generation", **(given | changed))


def dropped(outcome: Outcome, reason: str) -> Dropped:
    assert isinstance(outcome, Dropped), outcome
    assert outcome.reason == reason
    return outcome


def kept(outcome: Outcome) -> Candidate:
    assert isinstance(outcome, Kept), outcome
    (made,) = outcome.outputs
    assert isinstance(made, Candidate)
    return made


# --- answers that are programs ------------------------------------------------------------------


def test_a_wrong_program_is_repaired_with_what_the_sandbox_said(tmp_path: Path) -> None:
    script = Script(program=WRONG, repaired_program=["def add(a, b):\n    return 1 / 0\n", RIGHT])
    made = kept(answered(tmp_path, script, code()))
    assert made.answer == RIGHT
    assert made.steps["write_program"].attempts == 3
    first, second = script.reports
    assert first.startswith("assertion:")
    assert "ZeroDivisionError" in second


def test_a_program_is_repaired_as_often_as_configured_and_then_dropped(tmp_path: Path) -> None:
    repairs = [f"def add(a, b):\n    return {number}\n" for number in range(100, 120)]
    settings = Verification(max_mutants=0, flaky_runs=0, timeout_s=5.0, corrections=3)
    script = Script(program=WRONG, repaired_program=repairs)
    lost = dropped(answered(tmp_path, script, code(), settings), "test_failed")
    assert len(script.reports) == 3
    assert len(lost.record["errors"]) == 4


def test_a_repair_that_changes_nothing_ends_the_repairs(tmp_path: Path) -> None:
    script = Script(program=WRONG, repaired_program=WRONG)
    dropped(answered(tmp_path, script, code()), "test_failed")
    assert len(script.reports) == 1


def test_a_package_that_the_sandbox_lacks_is_not_repaired(tmp_path: Path) -> None:
    script = Script(program="import no_such_package_here\n" + RIGHT)
    dropped(answered(tmp_path, script, code()), "missing_package")
    assert not script.reports


# --- tests that notice too little ---------------------------------------------------------------

WEAK = "def check(candidate):\n    assert candidate(2, 0) == 2\n"
GATE = Verification(flaky_runs=0, timeout_s=5.0, max_mutants=20, mutation_threshold=0.6)


def test_a_weak_test_is_strengthened_with_the_mutants_that_survived(tmp_path: Path) -> None:
    script = Script(program=RIGHT, repaired_test=SOLID)
    made = kept(answered(tmp_path, script, code(test_code=WEAK), GATE))
    assert made.test_code.strip() == SOLID.strip()
    assert made.steps["strengthen_test"].attempts == 1
    (report,) = script.reports
    assert "the test notices 1 of 2 small changes" in report
    assert "`+` -> `-`" in report
    assert made.check is not None
    assert made.check.mutants_killed == made.check.mutants_run > 0


def test_a_stub_that_passes_the_test_is_named(tmp_path: Path) -> None:
    nothing = "def check(candidate):\n    assert candidate(0, 0) == 0\n"
    script = Script(program=RIGHT, repaired_test=SOLID)
    kept(answered(tmp_path, script, code(test_code=nothing), GATE))
    assert script.reports[0].startswith("stubs pass the test:")


def test_a_test_that_stays_weak_is_dropped_with_its_answer(tmp_path: Path) -> None:
    weaker = [WEAK + f"    assert candidate(2, 0) != {number}\n" for number in range(5, 12)]
    script = Script(program=RIGHT, repaired_test=weaker)
    dropped(answered(tmp_path, script, code(test_code=WEAK), GATE), "weak_test")
    assert len(script.reports) == GATE.test_corrections


def test_a_stronger_test_that_the_answer_fails_is_not_taken(tmp_path: Path) -> None:
    script = Script(program=RIGHT, repaired_test=SOLID.replace("== 3", "== 4"))
    dropped(answered(tmp_path, script, code(test_code=WEAK), GATE), "weak_test")


# --- answers in words ---------------------------------------------------------------------------

FAILS = "Call it:\n\n```python\nprint(undefined_name)\n```\n"
RUNS = "Call it:\n\n```python\nprint(1 + 1)\n```\n"


def test_code_in_an_answer_that_fails_when_it_is_run_is_repaired(tmp_path: Path) -> None:
    script = Script(answer=FAILS, repaired_answer=RUNS)
    assert kept(answered(tmp_path, script, candidate("qa"))).answer == RUNS.strip()
    assert "NameError" in script.reports[0]


def test_code_in_an_answer_that_never_runs_is_dropped(tmp_path: Path) -> None:
    script = Script(answer=FAILS, repaired_answer=FAILS)
    dropped(answered(tmp_path, script, candidate("qa")), "broken_code")


def test_code_in_an_answer_may_build_on_the_code_of_its_passage(tmp_path: Path) -> None:
    record = candidate("qa", chunk=chunk(prior_code="undefined_name = 3"))
    kept(answered(tmp_path, Script(answer=FAILS), record))


def test_what_a_sandbox_cannot_have_is_no_fault_of_an_answers_code(tmp_path: Path) -> None:
    kept(answered(tmp_path, Script(answer="```python\nopen('data.csv')\n```"), candidate("qa")))


def test_an_empty_answer_is_dropped(tmp_path: Path) -> None:
    dropped(answered(tmp_path, Script(answer=" "), candidate("qa")), "no_answer")


# --- tests as they are written ------------------------------------------------------------------

PROGRAM = {"task": "Write `add(a, b)`, which returns their sum.", "entry_point": "add"}


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("def check(candidate:\n    assert candidate(1, 2) == 3\n", "not python"),
        ("def check(candidate):\n    candidate(1, 2)\n", "assert"),
        ("def check(candidate):\n    assert 1 == 1\n", "candidate"),
        ("def test_add():\n    assert add(1, 2) == 3\n", "check"),
        ("def check(candidate):\n    assert candidate(1, 2) != 4\n", "does nothing"),
    ],
    ids=["syntax", "no assertion", "never called", "wrong entry point", "stub passes"],
)
def test_a_fault_of_a_test_is_told_and_mended(tmp_path: Path, test: str, said: str) -> None:
    script = Script(**PROGRAM, test_code=test, repaired_test=SOLID)
    made = kept(written(tmp_path, script, "code_generation"))
    assert made.test_code.strip() == SOLID.strip()
    assert made.steps["write_test"].attempts == 2
    assert said in script.reports[0].lower()


def test_a_test_is_repaired_three_times_and_then_dropped(tmp_path: Path) -> None:
    tests = [f"def check(candidate):\n    candidate({number})\n" for number in range(9)]
    script = Script(**PROGRAM, test_code="nonsense(", repaired_test=tests)
    dropped(written(tmp_path, script, "code_generation"), "invalid_test")
    assert len(script.reports) == 3


def test_a_task_for_which_no_test_is_written_is_dropped(tmp_path: Path) -> None:
    dropped(written(tmp_path, Script(**PROGRAM, test_code=" "), "code_generation"), "no_test")


def test_a_caption_without_a_picture_is_dropped(tmp_path: Path) -> None:
    dropped(written(tmp_path, Script(), "caption"), "no_image")
