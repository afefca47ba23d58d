"""What a command cannot do with this recipe or this run: one sentence, exit code 2, what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_dspy.errors import UserError
from synth_dspy.recipes.programs import unbound_program
from tests.commandline import ROOT, Result, overrides
from tests.commands.rows_runs import here

PAGE = "# Rain gauges\n\nA rain gauge collects rain and measures its depth over a period of time.\n"
CONFIG = "dataset: {name: small}\nsources: [{path: docs}]\ntracking: {enabled: false}\n"
ROWS = str(ROOT / "configs" / "rows.yaml")
ROUTING = str(ROOT / "configs" / "routing.yaml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory with a configuration and one page."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "rain.md").write_text(PAGE)
    (tmp_path / "config.yaml").write_text(CONFIG)
    return tmp_path


def refused(result: Result, *said: str) -> None:
    assert result.code == 2, result.err
    for words in said:
        assert words in result.err


def test_only_the_assistant_allocates(folder: Path) -> None:
    result = here(folder, "analyze-allocation", "--config", ROWS)
    refused(result, "is for the recipe assistant", "rows.yaml has recipe: rows")


def test_a_recipe_without_gold_has_nothing_to_compile(folder: Path) -> None:
    result = here(folder, "compile", "--step", "all", "--config", ROUTING)
    refused(result, "has gold, so nothing can be compiled", "--step NAME --gold FILE")


def test_a_recipe_without_a_program_is_told_where_its_line_goes() -> None:
    with pytest.raises(UserError, match=r"'headings' has no Program.*recipes/programs\.py"):
        unbound_program("headings")


@pytest.mark.parametrize(
    ("recipe", "step"),
    [(ROUTING, "write_queries"), (ROWS, "judge_row"),
     (str(ROOT / "configs" / "conversations.yaml"), "judge_conversation")],
)  # fmt: skip
def test_the_prompts_of_every_recipe_are_shown(folder: Path, recipe: str, step: str) -> None:
    result = here(folder, "info", "--prompts", "--config", recipe)
    assert result.code == 0, result.err
    assert step in result.out


def test_no_program_in_use_is_said_with_how_to_name_one(folder: Path) -> None:
    result = here(folder, "programs", "show", "judge", "--config", "config.yaml")
    refused(result, "No compiled program of judge is in use", "`programs list` shows them")


def test_a_step_that_was_never_promoted_cannot_be_rolled_back(folder: Path) -> None:
    result = here(folder, "programs", "rollback", "judge", "--config", "config.yaml")
    refused(result, "no compiled program of assistant/judge was ever promoted")


def test_rows_from_a_query_alone_have_nothing_to_parse(folder: Path) -> None:
    endpoint = "[{name: a, model_name: m, base_url: 'http://127.0.0.1:9/v1'}]"
    given = overrides(rows__query="rain", sources="[]", models__endpoints=endpoint)
    result = here(folder, "parse", "--config", ROWS, *given)
    refused(result, "no documents to parse: it goes by rows.query alone")


def test_rows_from_documents_without_text_say_where_the_reasons_are(folder: Path) -> None:
    (folder / "docs" / "rain.md").write_text("![nothing](gone.png)\n")
    given = overrides(sources=f"[{{path: {folder / 'docs'}}}]", tracking__enabled="false")
    result = here(folder, "pipeline", "--config", ROWS, *given)
    refused(result, "No passage was left to write rows from", "inspect --stage chunk --dropped")


def test_content_of_documents_without_text_is_refused_and_not_written(folder: Path) -> None:
    (folder / "docs" / "rain.md").write_text("![nothing](gone.png)\n")
    assert here(folder, "parse", "--config", "config.yaml").code == 0
    result = here(folder, "content", "load", "--config", "config.yaml")
    refused(result, "(1) hold no section with text", "name other sources")
    assert not (folder / "content.duckdb").exists()


def test_a_journal_that_was_changed_by_hand_is_named_with_the_way_on(folder: Path) -> None:
    assert here(folder, "parse", "--config", "config.yaml").code == 0
    journal = folder / "outputs" / "small" / "parsed" / "journal.jsonl"
    journal.write_text(journal.read_text().replace('"text":', '"txet":'))
    result = here(folder, "transcribe", "--config", "config.yaml")
    refused(result, f"{journal} is not a Document", "text", "with --no-cache")
    again = here(folder, "parse", "--no-cache", "--config", "config.yaml")
    assert again.code == 0, again.err
    assert here(folder, "transcribe", "--config", "config.yaml").code == 0


@pytest.mark.docker
def test_a_base_image_that_is_nowhere_is_named(folder: Path) -> None:
    result = here(folder, "sandbox", "build", "--base", "nowhere/none:1", "--config", "config.yaml")
    refused(result, "the base image 'nowhere/none:1' is neither here nor can it be pulled")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"conversations__turns": "{9: 1}"}, "conversations.turns: 9 turns: a dialogue has 1 to 8"),
        ({"conversations__turns": "{1: -1}"}, "the weight -1.0 of 1 turns is below 0"),
        ({"conversations__turns": "{1: 0}"}, "conversations.turns"),
        ({"conversations__today": "soon"}, "write it as 2026-01-31"),
        ({"conversations__personas": "[]"}, "conversations.personas: the list is empty"),
        ({"routing__backend__document_type": "a b"}, "'a b' is not a name of Vespa's"),
        ({"routing__backend__fields": "{id: a;b}"}, "'a;b' is not a name of Vespa's"),
    ],
)  # fmt: skip
def test_a_setting_of_a_recipe_that_cannot_be_is_named(
    folder: Path, setting: dict[str, str], said: str
) -> None:
    refused(here(folder, "validate-config", "--config", "config.yaml", *overrides(**setting)), said)
