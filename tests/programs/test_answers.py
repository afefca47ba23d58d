"""The last gate of an answer: what passes only here and now is not kept."""

from __future__ import annotations

import asyncio

import pytest

from sandbox import Limits, Verdict, open_sandbox
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.programs.answers import AnswerWriter, Verification
from synth_dspy.records import Candidate, Chunk, Task

CHUNK = Chunk("c", "d", "a.md", "s", "md", "0" * 64, "text", 0, 4)
TASK = Task("t", "code_generation", "text", "easy", "c")
PASSED = Verdict(True, "ok", 1, "", "split", "process", 0.01)


def gated(answer: str, test: str, *, runs: int = 1) -> Outcome:
    """What the gate makes of an answer that has passed its test."""
    candidate = Candidate(TASK, CHUNK, "q", test_code=test, entry_point="f", answer=answer)

    async def work() -> Outcome:
        async with open_sandbox("process", limits=Limits(timeout_s=5.0), workers=1) as box:
            settings = Verification(timeout_s=5.0, max_mutants=0, flaky_runs=runs)
            return await AnswerWriter(box, settings)._gate(candidate, PASSED)

    return asyncio.run(work())


FLAKY = {
    "order of a set": (
        "def f(): return list({'a', 'b', 'c', 'd', 'e'})\n",
        "def check(candidate):\n    assert candidate() == {0}\n",
    ),
    "random number": (
        "import random\ndef f(): return random.random()\n",
        "def check(candidate):\n    assert candidate() == {0}\n",
    ),
    "year": (
        "import datetime\ndef f(): return datetime.date.today().year\n",
        "def check(candidate):\n    assert candidate() == {0}\n",
    ),
}


def seen(answer: str) -> str:
    """The value that `f()` has in the sandbox, as its author may have written it down."""

    async def work() -> str:
        async with open_sandbox("process", workers=1) as box:
            return (await box.evaluate(answer, ["f()"]))[0].value

    return asyncio.run(work())


@pytest.mark.parametrize("name", FLAKY)
def test_a_test_that_passes_here_and_now_alone_is_dropped(name: str) -> None:
    answer, test = FLAKY[name]
    outcome = gated(answer, test.format(seen(answer)))
    assert isinstance(outcome, Dropped)
    assert outcome.reason == "flaky_test"
    assert "another hash seed" in outcome.detail


@pytest.mark.parametrize("name", FLAKY)
def test_without_further_runs_nobody_looks(name: str) -> None:
    answer, test = FLAKY[name]
    assert isinstance(gated(answer, test.format(seen(answer)), runs=0), Kept)


def test_a_sound_pair_is_kept() -> None:
    answer = "def f(): return sorted({'b', 'a', 'c'})\n"
    test = "def check(candidate):\n    assert candidate() == ['a', 'b', 'c']\n"
    assert isinstance(gated(answer, test, runs=3), Kept)
