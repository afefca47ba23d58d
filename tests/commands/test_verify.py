"""`verify`: any dataset of programs and tests, its verdicts in order, its tests' strength."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.commandline import Result, overrides, run

BACKEND = overrides(sandbox__backend="process")
TEST = "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(-1) == -2\n"
HUMAN_EVAL = {
    "task_id": "HumanEval/0",
    "prompt": 'from typing import List\n\n\ndef double(x: int) -> int:\n    """Twice."""\n',
    "entry_point": "double",
    "canonical_solution": "    return 2 * x\n",
    "test": f"\n\nMETADATA = {{}}\n\n\n{TEST}\n",
}
RIGHT = {"code": "def double(x):\n    return x + x\n", "test": TEST, "entry_point": "double"}
WRONG = {"code": "def double(x):\n    return x * x\n", "test": TEST, "entry_point": "double"}
WEAK = {
    "code": "def double(x):\n    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(0) == 0\n",
    "entry_point": "double",
}


def verify(folder: Path, *rows: dict[str, Any], flags: tuple[str, ...] = ()) -> Result:
    """`verify` on a file of these rows."""
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return run("verify", str(path), *BACKEND, *flags, cwd=folder)


def lines(result: Result) -> list[dict[str, Any]]:
    """The JSON lines that were printed."""
    return [json.loads(line) for line in result.out.splitlines()]


def test_a_humaneval_file_works_as_it_was_published(tmp_path: Path) -> None:
    path = tmp_path / "HumanEval.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(HUMAN_EVAL).encode() + b"\n"))
    result = run("verify", str(path), "--json", *BACKEND, cwd=tmp_path)
    assert result.code == 0
    (line,) = lines(result)
    assert line.keys() == {
        "index", "task_id", "passed", "reason", "tests", "message", "assurance", "isolation",
        "seconds",
    }  # fmt: skip
    assert (line["task_id"], line["passed"], line["assurance"]) == ("HumanEval/0", True, "split")


def test_records_come_in_order_and_one_that_fails_makes_the_exit_code_1(tmp_path: Path) -> None:
    slow = {**RIGHT, "code": "import time\ntime.sleep(0.3)\n" + RIGHT["code"]}
    result = verify(tmp_path, slow, WRONG, RIGHT, flags=("--json",))
    assert result.code == 1
    assert [line["index"] for line in lines(result)] == [0, 1, 2]
    assert [line["reason"] for line in lines(result)] == ["ok", "assertion", "ok"]
    assert "2 of 3 passed, 1 assertion" in result.err
    assert "split in process" in result.err


def test_without_json_only_what_fails_is_listed(tmp_path: Path) -> None:
    result = verify(tmp_path, RIGHT, WRONG)
    assert result.out.startswith("1: assertion: ")
    assert len(result.out.splitlines()) == 1


def test_columns_can_be_named(tmp_path: Path) -> None:
    row = {"body": RIGHT["code"], "checks": TEST, "name": "double"}
    flags = ("--solution", "body", "--test", "checks", "--entry-point", "name")
    assert verify(tmp_path, row, flags=flags).code == 0


def test_stubs_and_mutants_measure_the_tests(tmp_path: Path) -> None:
    result = verify(tmp_path, RIGHT, WEAK, WRONG, flags=("--json", "--stubs", "--mutants"))
    strong, weak, wrong = lines(result)
    assert strong["stubs_run"] == 6
    assert strong["stubs_passed"] == []
    assert strong["mutants_killed"] == strong["mutants_run"] > 0
    assert weak["stubs_passed"] == ["return 0"]
    assert weak["survivors"]
    assert weak["mutants_killed"] == weak["mutants_run"] - len(weak["survivors"])
    assert "mutants_run" not in wrong
    assert "tests: 1 of 2 let a stub through" in result.err


def test_stubs_alone_make_no_mutants(tmp_path: Path) -> None:
    (line,) = lines(verify(tmp_path, WEAK, flags=("--json", "--stubs")))
    assert (line["stubs_passed"], line["mutants_run"]) == (["return 0"], 0)


def test_the_number_of_mutants_can_be_limited(tmp_path: Path) -> None:
    flags = ("--json", "--mutants", "--max-mutants", "1")
    (line,) = lines(verify(tmp_path, RIGHT, flags=flags))
    assert line["mutants_run"] == 1


@pytest.mark.parametrize(
    "data", [b"\x1f\x8b broken", b'\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03{"']
)
def test_a_broken_archive_is_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(data)
    result = run("verify", str(path), *BACKEND, cwd=tmp_path)
    assert result.code == 2
    assert f"{path} cannot be read" in result.err


def test_a_package_that_is_not_pinned_is_an_error_before_anything_runs(tmp_path: Path) -> None:
    result = verify(tmp_path, RIGHT, flags=("--set", "sandbox.packages=[numpy]"))
    assert result.code == 2
    assert "'numpy' is not pinned" in result.err
    assert result.out == ""


def test_a_package_that_does_not_exist_is_one_error_before_anything_runs(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(RIGHT) + "\n")
    nowhere = {
        f"{tool}_{name}": value
        for tool in ("PIP", "UV")
        for name, value in (("NO_INDEX", "1"), ("FIND_LINKS", str(tmp_path)))
    }
    result = run(
        "verify", str(path), *BACKEND, "--set", "sandbox.packages=[nosuch==1.0]", cwd=tmp_path,
        env={**nowhere, "XDG_CACHE_HOME": str(tmp_path / "cache")},
    )  # fmt: skip
    assert (result.code, result.out) == (2, "")
    assert "nosuch==1.0 cannot be installed" in result.err
    assert "Traceback" not in result.err


def test_without_an_engine_the_sandbox_commands_say_so_and_end_well(tmp_path: Path) -> None:
    nowhere = {"DOCKER_HOST": "unix:///nowhere.sock"}
    built = run("sandbox", "build", cwd=tmp_path, env=nowhere)
    removed = run("sandbox", "gc", cwd=tmp_path, env=nowhere)
    assert (built.code, removed.code) == (0, 0)
    assert "no image is needed" in built.out
    assert "there is nothing to remove" in removed.out


def test_a_mark_of_the_byte_order_before_the_first_record_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(RIGHT) + "\n", encoding="utf-8-sig")
    assert run("verify", str(path), *BACKEND, cwd=tmp_path).code == 0


def test_a_packed_file_of_one_endless_line_is_refused_before_it_fills_the_memory(
    tmp_path: Path,
) -> None:
    path = tmp_path / "bomb.jsonl.gz"
    with gzip.open(path, "wb") as file:
        for _ in range(64):
            file.write(bytes(1 << 20))
    result = run("verify", str(path), *BACKEND, cwd=tmp_path)
    assert result.code == 2
    assert "line 1, is longer than 16 MiB" in " ".join(result.err.split())
