"""Which compiled program is in use, and the way back."""

from __future__ import annotations

import shutil
from pathlib import Path

import orjson
import pytest

from synth_dspy.errors import ArtefactError
from synth_dspy.programs.promotions import CompiledPrograms, not_replaced, promoted_programs
from tests.programs.compiled import classify_artefact


@pytest.fixture
def programs(tmp_path: Path) -> CompiledPrograms:
    return CompiledPrograms("assistant", [tmp_path / "mine", tmp_path / "shipped"])


def made(programs: CompiledPrograms, instructions: str) -> str:
    artefact = classify_artefact(instructions)
    programs.write(artefact)
    return artefact.sha256


def test_without_a_pointer_nothing_is_in_use(programs: CompiledPrograms) -> None:
    made(programs, "One.")
    assert programs.promoted("classify") is None


def test_the_promoted_program_is_in_use(programs: CompiledPrograms) -> None:
    one = made(programs, "One.")
    programs.promote("classify", one)
    assert programs.promoted("classify") == classify_artefact("One.")


def optimizers(programs: CompiledPrograms, sha256: str) -> list[str]:
    meta = programs.named("classify", sha256).meta
    return [record["optimizer"] for record in (*meta.get("earlier", ()), meta)]


def test_a_prompt_that_is_found_again_in_another_way_keeps_both_records(
    programs: CompiledPrograms,
) -> None:
    for optimizer in ("labeled", "bootstrap", "mipro"):
        artefact = classify_artefact("One.", optimizer=optimizer)
        programs.write(artefact)
    assert optimizers(programs, artefact.sha256) == ["labeled", "bootstrap", "mipro"]
    assert "earlier" not in programs.named("classify", artefact.sha256).meta["earlier"][1]


def test_a_prompt_that_is_found_again_in_the_same_way_has_one_record(
    programs: CompiledPrograms,
) -> None:
    for optimizer, date in (("labeled", "1"), ("mipro", "2"), ("mipro", "3"), ("labeled", "4")):
        artefact = classify_artefact("One.", optimizer=optimizer, date=date)
        programs.write(artefact)
    assert optimizers(programs, artefact.sha256) == ["mipro", "labeled"]
    assert programs.named("classify", artefact.sha256).meta["date"] == "4"


def test_the_record_of_a_prompt_that_ships_is_kept_in_the_folder_that_is_written(
    tmp_path: Path,
) -> None:
    shipped = CompiledPrograms("assistant", [tmp_path / "shipped"])
    one = made(shipped, "One.")
    both = CompiledPrograms("assistant", [tmp_path / "mine", tmp_path / "shipped"])
    both.write(classify_artefact("One.", optimizer="mipro"))
    assert optimizers(both, one) == ["labeled", "mipro"]
    assert optimizers(shipped, one) == ["labeled"]


def test_a_damaged_program_is_replaced_when_its_prompt_is_found_again(
    programs: CompiledPrograms,
) -> None:
    one = made(programs, "One.")
    programs.path_of("classify", one).write_text("{")
    assert made(programs, "One.") == one
    assert optimizers(programs, one) == ["labeled"]


def test_a_rollback_puts_back_what_was_in_use_before(programs: CompiledPrograms) -> None:
    one, two = made(programs, "One."), made(programs, "Two.")
    programs.promote("classify", one)
    programs.promote("classify", two)
    assert programs.rollback("classify").current == one
    assert programs.rollback("classify").current == ""
    with pytest.raises(ArtefactError, match="as written in the code is in use, and nothing was"):
        programs.rollback("classify")


def test_every_change_is_in_the_history(programs: CompiledPrograms) -> None:
    one = made(programs, "One.")
    programs.promote("classify", one, forced=True)
    programs.rollback("classify")
    told = [(c["action"], c["sha256"], c["forced"]) for c in programs.pointer("classify").history]
    assert told == [("promote", one, True), ("rollback", "", False)]


def test_to_promote_what_is_in_use_changes_nothing(programs: CompiledPrograms) -> None:
    one = made(programs, "One.")
    first = programs.promote("classify", one)
    assert programs.promote("classify", one) == first


def test_the_beginning_of_a_hash_is_enough(programs: CompiledPrograms) -> None:
    one = made(programs, "One.")
    assert programs.named("classify", one[:6]).sha256 == one


def test_a_hash_that_is_none_is_refused_with_those_there_are(programs: CompiledPrograms) -> None:
    one = made(programs, "One.")
    with pytest.raises(ArtefactError, match=f"no compiled program.*There is: {one[:12]}"):
        programs.named("classify", "zzzz")


def test_a_beginning_that_is_too_short_is_refused(programs: CompiledPrograms) -> None:
    one = made(programs, "One.")
    with pytest.raises(ArtefactError, match="too short"):
        programs.named("classify", one[:2])


def test_a_program_that_was_deleted_is_said(programs: CompiledPrograms) -> None:
    one = made(programs, "One.")
    programs.promote("classify", one)
    programs.path_of("classify", one).unlink()
    with pytest.raises(ArtefactError, match=r"is not there.*programs rollback classify"):
        programs.promoted("classify")


def test_a_program_under_anothers_name_is_refused(programs: CompiledPrograms) -> None:
    one = made(programs, "One.")
    other = programs.path_of("classify", "ab" * 32)
    shutil.copy(programs.path_of("classify", one), other)
    with pytest.raises(ArtefactError, match="has the name of another"):
        programs.named("classify", "abab")


def test_a_program_in_another_steps_folder_is_refused(programs: CompiledPrograms) -> None:
    one = made(programs, "One.")
    there = programs.path_of("judge", one)
    there.parent.mkdir(parents=True)
    shutil.copy(programs.path_of("classify", one), there)
    with pytest.raises(ArtefactError, match="lies in the folder of assistant/judge"):
        programs.named("judge", one)


def test_a_damaged_pointer_says_what_to_do(programs: CompiledPrograms, tmp_path: Path) -> None:
    path = tmp_path / "mine" / "assistant" / "classify" / "promoted.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(orjson.dumps({"current": 1}))
    with pytest.raises(ArtefactError, match=r"must hold `current`, `before` and"):
        programs.promoted("classify")


def test_the_working_directorys_pointer_goes_before_the_shipped_one(tmp_path: Path) -> None:
    shipped = CompiledPrograms("assistant", [tmp_path / "shipped"])
    shipped.promote("classify", made(shipped, "Shipped."))
    both = CompiledPrograms("assistant", [tmp_path / "mine", tmp_path / "shipped"])
    in_use = both.promoted("classify")
    assert in_use is not None
    assert in_use.state["classify_sample"]["signature"]["instructions"] == "Shipped."
    both.rollback("classify")
    assert both.promoted("classify") is None
    assert shipped.promoted("classify") is not None


def test_the_list_tells_refused_programs_with_the_reason(programs: CompiledPrograms) -> None:
    path = programs.path_of("classify", made(programs, "One."))
    path.write_bytes(path.read_bytes().replace(b"One.", b"Two."))
    (entry,) = programs.entries()
    assert entry.artefact is None
    assert "was changed" in entry.fault


def test_the_users_own_prompt_goes_before_a_promoted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    programs = CompiledPrograms("assistant")
    programs.promote("classify", made(programs, "One."))
    found = promoted_programs("assistant")
    assert set(not_replaced(found, {"judge_sample": "Judge."})) == {"classify"}
    assert not not_replaced(found, {"classify_sample": "Choose."})
