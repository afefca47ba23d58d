"""Compiled programs on disk: what is written is read, and nothing else is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dspy
import orjson
import pytest

from synth_dspy.errors import ArtefactError
from synth_dspy.programs.artefact import (
    apply_artefact,
    make_artefact,
    read_artefact,
    write_artefact,
)
from synth_dspy.recipes.programs import unbound_program
from tests.programs.compiled import DEMO, classify_artefact

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "program.json"
    write_artefact(classify_artefact(), file)
    return file


def changed(path: Path, change: Change, *, hashed_again: bool = False) -> Path:
    """The file after `change`; as a careful attacker would, with hashes that fit."""
    found = orjson.loads(path.read_bytes())
    change(found)
    if hashed_again:
        state = {key: found[key] for key in ("schema", "program", "state")}
        found["sha256"] = digest(state)
        found["meta"].pop("sha256")
        found["meta"]["sha256"] = digest(found["meta"])
    path.write_bytes(orjson.dumps(found))
    return path


def digest(value: Any) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()


def classifier() -> dspy.Predict:
    return unbound_program("assistant").predictors_of("classify_sample")[0]


def test_what_is_written_is_read(path: Path) -> None:
    assert read_artefact(path) == classify_artefact()


def test_the_file_has_exactly_the_keys_of_the_format(path: Path) -> None:
    found = orjson.loads(path.read_bytes())
    assert set(found) == {"schema", "dspy", "program", "sha256", "meta", "state"}
    assert set(found["state"]["classify_sample"]) == {"demos", "signature"}


def test_a_predictor_gets_instructions_and_examples_and_keeps_its_model(path: Path) -> None:
    predictor, lm = classifier(), dspy.LM("openai/none")
    predictor.lm = lm
    apply_artefact(read_artefact(path), {"classify_sample": [predictor]})
    assert predictor.signature.instructions == "Choose well."
    assert [dict(demo) for demo in predictor.demos] == [DEMO]
    assert predictor.lm is lm


def test_the_same_prompt_has_the_same_hash_whenever_it_was_compiled() -> None:
    assert classify_artefact(date="2027").sha256 == classify_artefact().sha256


def test_another_prompt_has_another_hash() -> None:
    assert classify_artefact("Choose better.").sha256 != classify_artefact().sha256


def test_changed_instructions_are_refused(path: Path) -> None:
    def change(found: dict[str, Any]) -> None:
        found["state"]["classify_sample"]["signature"]["instructions"] = "Say data."

    with pytest.raises(ArtefactError, match=r"was changed after it was written.*`state`"):
        read_artefact(changed(path, change))


def test_a_changed_score_is_refused(path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"was changed after it was written.*`meta`"):
        read_artefact(changed(path, lambda found: found["meta"].update(n=100_000)))


def test_an_address_smuggled_into_the_state_is_refused_though_the_hashes_fit(path: Path) -> None:
    def change(found: dict[str, Any]) -> None:
        found["state"]["classify_sample"]["config"] = {"api_base": "http://evil.example/v1"}

    with pytest.raises(ArtefactError, match=r"only demos, signature may be there.*config"):
        read_artefact(changed(path, change, hashed_again=True))


def test_a_model_smuggled_into_the_state_is_refused(path: Path) -> None:
    def change(found: dict[str, Any]) -> None:
        found["state"]["classify_sample"]["lm"] = {"model": "openai/x", "api_base": "http://e"}

    with pytest.raises(ArtefactError, match="only demos, signature"):
        read_artefact(changed(path, change, hashed_again=True))


def test_an_attribute_smuggled_into_the_signature_is_refused(path: Path) -> None:
    def change(found: dict[str, Any]) -> None:
        found["state"]["classify_sample"]["signature"]["__name__"] = "Other"

    with pytest.raises(ArtefactError, match="signature: only fields, instructions"):
        read_artefact(changed(path, change, hashed_again=True))


def test_a_key_beside_the_formats_own_is_refused(path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"must have the keys dspy, meta.*api_key"):
        read_artefact(changed(path, lambda found: found.update(api_key="k")))


def test_another_schema_is_refused(path: Path) -> None:
    with pytest.raises(ArtefactError, match="schema 2; this version reads 1"):
        read_artefact(changed(path, lambda found: found.update(schema=2)))


def test_what_is_not_json_is_refused(path: Path) -> None:
    path.write_bytes(b"\x80\x04pickle")
    with pytest.raises(ArtefactError, match="is not JSON"):
        read_artefact(path)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"none\.json cannot be read"):
        read_artefact(tmp_path / "none.json")


def test_instructions_that_are_no_text_are_refused(path: Path) -> None:
    def change(found: dict[str, Any]) -> None:
        found["state"]["classify_sample"]["signature"]["instructions"] = ["a"]

    with pytest.raises(ArtefactError, match="instructions is no text"):
        read_artefact(changed(path, change, hashed_again=True))


def test_fewer_fields_than_the_signature_has_are_refused(path: Path) -> None:
    artefact = read_artefact(
        changed(
            path,
            lambda found: found["state"]["classify_sample"]["signature"]["fields"].pop(),
            hashed_again=True,
        )
    )
    with pytest.raises(ArtefactError, match="compiled with 4 fields, and the signature has 5"):
        apply_artefact(artefact, {"classify_sample": [classifier()]})


def test_a_field_that_has_changed_since_is_refused(path: Path) -> None:
    def change(found: dict[str, Any]) -> None:
        found["state"]["classify_sample"]["signature"]["fields"][0]["description"] = "else"

    artefact = read_artefact(changed(path, change, hashed_again=True))
    with pytest.raises(ArtefactError, match="'Question:' is another than it was compiled with"):
        apply_artefact(artefact, {"classify_sample": [classifier()]})


def test_an_example_with_a_field_that_is_none_is_refused(path: Path) -> None:
    def change(found: dict[str, Any]) -> None:
        found["state"]["classify_sample"]["demos"][0]["api_base"] = "http://evil.example"

    artefact = read_artefact(changed(path, change, hashed_again=True))
    with pytest.raises(ArtefactError, match="worked example has api_base, which the signature"):
        apply_artefact(artefact, {"classify_sample": [classifier()]})


def test_an_artefact_of_another_step_is_refused() -> None:
    judge = unbound_program("assistant").predictors_of("judge_sample")[0]
    with pytest.raises(ArtefactError, match="for classify_sample, and judge_sample is asked"):
        apply_artefact(classify_artefact(), {"judge_sample": [judge]})


def test_a_program_without_the_step_refuses_it() -> None:
    artefact = make_artefact("Other", {"no_such_step": classifier()}, {"recipe": "r", "step": "s"})
    with pytest.raises(ArtefactError, match="for no_such_step, and nothing is asked"):
        unbound_program("assistant").use_compiled([artefact])


def test_a_picture_in_an_example_is_refused_when_it_is_written() -> None:
    predictor = classifier()
    predictor.demos = [dspy.Example(question=object(), category="data")]
    with pytest.raises(ArtefactError, match="classify_sample: a worked example holds"):
        make_artefact("AssistantProgram", {"classify_sample": predictor}, {})


def test_the_programs_hash_is_part_of_what_identifies_the_step() -> None:
    plain, compiled = unbound_program("assistant"), unbound_program("assistant")
    compiled.use_compiled([classify_artefact()])
    assert plain.fingerprint(plain.classifier) != compiled.fingerprint(compiled.classifier)
    assert plain.fingerprint(plain.judge) == compiled.fingerprint(compiled.judge)


def test_what_gold_has_beside_the_fields_does_not_get_into_the_prompt() -> None:
    predictor = classifier()
    predictor.demos = [dspy.Example(**DEMO, test_code="assert True")]
    artefact = make_artefact("AssistantProgram", {"classify_sample": predictor}, {})
    assert artefact.state["classify_sample"]["demos"] == [DEMO]
