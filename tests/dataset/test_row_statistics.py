"""Figures of rows of any recipe, and the plots that they have figures for."""

from pathlib import Path

from synth_dspy.dataset.plots import draw_plots
from synth_dspy.dataset.report import write_report
from synth_dspy.dataset.row_statistics import row_statistics
from synth_dspy.dataset.show_conversations import show_conversation
from synth_dspy.dataset.shown import Shown, Turn
from tests.dataset.whole import SUMMARIES


def dialogue(number: int, **changes: object) -> Shown:
    rejected = ("judge", "off_topic", "It left the topic.") if number % 4 == 3 else ("", "", "")
    return show_conversation(
        f"c{number}",
        [
            {"role": "user", "content": f"What does gauge {number} show?"},
            {
                "role": "assistant",
                "content": [{"type": "text", "text": "Rain."}, {"type": "image"}],
            },
        ],
        facets={"persona": ("farmer", "student")[number % 2], "split": "train"},
        metadata={"fact": number},
        source="facts.txt",
        rejected=rejected,
    )


def test_the_facets_of_accepted_rows_are_counted() -> None:
    counts = row_statistics([dialogue(n) for n in range(8)])["counts"]
    assert counts["persona"] == {"farmer": 4, "student": 2}
    assert counts["source"] == {"facts.txt": 6}


def test_rejected_rows_are_counted_by_stage_and_reason() -> None:
    rejected = row_statistics([dialogue(n) for n in range(8)])["rejected"]
    assert rejected == {"total": 2, "by_stage": {"judge": {"off_topic": 2}}}


def test_a_turn_in_parts_is_shown_by_its_texts() -> None:
    (part,) = dialogue(0).parts
    assert part.turns == (Turn("user", "What does gauge 0 show?"), Turn("assistant", "Rain."))


def test_only_plots_with_figures_are_drawn(tmp_path: Path) -> None:
    stats = row_statistics([dialogue(n) for n in range(8)], stage_summaries=SUMMARIES)
    assert {path.stem for path in draw_plots(stats, tmp_path)} == {
        "split_distribution", "type_distribution", "source_analysis", "drop_funnel",
        "cost_by_stage", "lengths",
    }  # fmt: skip


def test_a_report_needs_no_more_than_them(tmp_path: Path) -> None:
    rows = [dialogue(n) for n in range(8)]
    stats = row_statistics(rows, stage_summaries=SUMMARIES)
    text = write_report(stats, rows, tmp_path, tmp_path, name="Dialogues").read_text()
    assert "6 rows from 1 sources" in text
    assert "tests executed" not in text
