"""What a report is told of something that was dropped."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_dspy.dataset.show_samples import show_rejected
from synth_dspy.outcomes import Dropped
from synth_dspy.records import Candidate, Image, Step, Task, to_dict
from synth_dspy.stages import analyze
from synth_dspy.stages.analyze import Analyze, Surroundings, rejection
from synth_dspy.stages.conversations import analyze as conversations
from tests.dataset.made import chunk

IMAGE = Image("i", "0" * 64, "image/png", "output", path="images/a.png")
CANDIDATE = Candidate(
    task=Task("t", "code_generation", "multimodal", "easy", "chunk-3", image_id="i"),
    chunk=chunk(3, images=(IMAGE,), heading="Gauges"),
    question="Write a function.",
    answer="def f(): ...",
    test_code="def check(candidate): ...",
    steps={"write_test": Step("big-one", attempts=3)},
)
DROPPED = Dropped("test_failed", "It failed.", {**to_dict(CANDIDATE), "errors": ["one", "two"]})


def test_a_dropped_candidate_keeps_the_history_of_its_errors() -> None:
    assert rejection("answer", DROPPED).errors == ("one", "two")


def test_it_says_where_it_came_from_and_who_made_it() -> None:
    metadata = rejection("answer", DROPPED).metadata
    assert metadata["source"]["path"] == "docs/3.ipynb"
    assert metadata["source"]["heading"] == "Gauges"
    assert metadata["source"]["span"] == [CANDIDATE.chunk.start, CANDIDATE.chunk.end]
    assert metadata["steps"]["write_test"]["model"] == "big-one"


def test_it_is_shown_with_its_picture_and_its_reason() -> None:
    shown = show_rejected(rejection("answer", DROPPED))
    assert (shown.image, shown.stage, shown.reason) == ("images/a.png", "answer", "test_failed")
    assert [part.title for part in shown.parts] == ["Question", "Answer", "Test"]


def test_what_was_dropped_without_a_record_is_shown_by_its_reason() -> None:
    shown = show_rejected(rejection("plan", Dropped("not_possible", "Nothing to ask.")))
    assert (shown.title, shown.state, shown.detail) == (
        "(no question)", "rejected", "Nothing to ask.",
    )  # fmt: skip


AROUND = Surroundings(
    chunks=list, rejected=list, summaries=dict, steady=dict, sweep=list, contamination=lambda: None
)
DIALOGUES_AROUND = conversations.Around(
    show=lambda _dialogue: pytest.fail("nothing is shown"),
    rejected=list, summaries=dict, steady=dict, distribution=dict, rates=dict,
)  # fmt: skip


def test_another_version_of_the_program_draws_a_report_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = Analyze(tmp_path, "small", AROUND, (0.7, 0.15, 0.15))
    dialogues = conversations.AnalyzeConversations(tmp_path, "small", DIALOGUES_AROUND)
    before = samples.fingerprint(), dialogues.fingerprint()
    assert (samples.fingerprint(), dialogues.fingerprint()) == before
    monkeypatch.setattr(analyze, "__version__", "99")
    monkeypatch.setattr(conversations, "__version__", "99")
    assert not {samples.fingerprint(), dialogues.fingerprint()} & set(before)
