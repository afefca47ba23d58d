"""Gold sets on disk, and that the shipped ones are what they say."""

from __future__ import annotations

from pathlib import Path

import dspy
import orjson
import pytest

from signatures.answers import WriteProgram
from signatures.classify import ClassifySample
from signatures.conversations import JudgeConversation, ValidateQa
from signatures.judge import JudgeSample
from signatures.questions import WriteQuestion
from signatures.rows import JudgeRow
from synth_dspy.errors import UserError
from synth_dspy.optimize.gold import (
    GOLD_STEPS,
    GoldStep,
    check_gold,
    gold_path,
    gold_set,
    gold_step,
    load_gold,
    write_gold,
)
from tests.commandline import ROOT
from tests.optimize.made_gold import gold, items

SHIPPED = ROOT / "configs" / "gold"


@pytest.mark.parametrize("step", GOLD_STEPS, ids=lambda step: step.name)
def test_a_shipped_set_has_no_problem(step: GoldStep) -> None:
    report = check_gold(load_gold(step.name, SHIPPED / step.recipe / f"{step.name}.jsonl"))
    assert report.problems == ()


@pytest.mark.parametrize(
    "step",
    [step for step in GOLD_STEPS if step.scoring in ("category", "verdict")],
    ids=lambda step: step.name,
)
def test_a_shipped_set_that_is_scored_by_label_is_large_enough_for_an_interval(
    step: GoldStep,
) -> None:
    found = load_gold(step.name, SHIPPED / step.recipe / f"{step.name}.jsonl")
    assert len(found.split("train")) >= 60
    assert len(found.split("validation")) >= 40
    assert len(found.split("heldout")) >= 100


def test_every_shipped_set_is_listed_with_its_sizes() -> None:
    text = (SHIPPED / "README.md").read_text(encoding="utf-8")
    for step in GOLD_STEPS:
        found = load_gold(step.name, SHIPPED / step.recipe / f"{step.name}.jsonl")
        sizes = " | ".join(str(len(found.split(s))) for s in ("train", "validation", "heldout"))
        assert f"| `{step.recipe}/{step.name}.jsonl` | {sizes} |" in text


def test_written_items_are_read_back(tmp_path: Path) -> None:
    made = gold()
    write_gold(tmp_path / "a" / "g.jsonl", made.items)
    assert load_gold("classify", tmp_path / "a" / "g.jsonl") == made


def test_the_hash_is_that_of_the_content_not_of_its_spelling(tmp_path: Path) -> None:
    made = gold()
    lines = [orjson.loads(orjson.dumps(item)) for item in made.items]
    spelled = "\n\n".join(
        str(orjson.dumps(dict(reversed(line.items()))), "utf-8") for line in lines
    )
    (tmp_path / "g.jsonl").write_text(spelled)
    assert load_gold("classify", tmp_path / "g.jsonl").sha256 == made.sha256


def test_a_changed_label_changes_the_hash() -> None:
    assert gold(labels={"category": "stars"}).sha256 != gold().sha256


def test_examples_know_their_inputs() -> None:
    example = gold().examples("train")[0]
    assert set(example.inputs().keys()) == {"question", "answer", "heading", "categories"}
    assert example.category == "rivers"


def test_a_file_of_the_working_directory_goes_before_the_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert gold_path("classify") == SHIPPED / "assistant" / "classify.jsonl"
    own = tmp_path / "configs" / "gold" / "assistant" / "classify.jsonl"
    write_gold(own, items())
    assert gold_path("classify").resolve() == own


def test_a_step_is_known_by_its_name_in_the_program_too() -> None:
    assert gold_step("judge_sample") is gold_step("judge")


def test_an_unknown_step_is_refused_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"no gold for a step 'clasify'\. Did you mean 'classify'"):
        load_gold("clasify")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.jsonl cannot be read: No such file"):
        load_gold("judge", tmp_path / "none.jsonl")


GOOD = '{"id":"a","split":"train","inputs":{"x":"y"},"labels":{"z":1},"source":"s","license":"MIT"}'


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: a gold item has exactly id, split, .*; found list"),
        ('{"id":"a"}', "line 2: a gold item has exactly .*; found id"),
        (GOOD.replace('"a"', '""'), "line 2: id must be a text that is not empty"),
        (GOOD.replace('"MIT"', "3"), "line 2: license must be a text"),
        (GOOD.replace('"train"', '"test"'), "line 2: split is 'test'; splits are train"),
        (GOOD.replace('{"x":"y"}', "{}"), "line 2: inputs must be an object of fields"),
        (GOOD.replace('{"z":1}', '"z"'), "line 2: labels must be an object of fields"),
    ],
)
def test_a_line_that_is_no_gold_item_is_named(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "g.jsonl").write_text(f"{GOOD}\n{line}\n")
    with pytest.raises(UserError, match=said):
        load_gold("judge", tmp_path / "g.jsonl")


def test_an_empty_file_is_an_empty_set(tmp_path: Path) -> None:
    (tmp_path / "g.jsonl").write_text("")
    assert load_gold("judge", tmp_path / "g.jsonl") == gold_set("judge", [])


SIGNATURES: dict[str, type[dspy.Signature]] = {
    "classify_sample": ClassifySample,
    "judge_sample": JudgeSample,
    "write_program": WriteProgram,
    "write_question": WriteQuestion,
    "judge_conversation": JudgeConversation,
    "validate_qa": ValidateQa,
    "judge_row": JudgeRow,
}


@pytest.mark.parametrize("step", GOLD_STEPS, ids=lambda step: step.name)
def test_a_shipped_item_can_be_asked_and_shown_as_it_is(step: GoldStep) -> None:
    signature = SIGNATURES[step.predictor]
    for item in load_gold(step.name, SHIPPED / step.recipe / f"{step.name}.jsonl").items:
        assert set(item.inputs) == set(signature.input_fields)
        assert set(signature.output_fields) <= set(item.labels)
