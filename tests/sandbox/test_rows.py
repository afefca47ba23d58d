"""A row of a dataset as a job."""

from __future__ import annotations

import pytest

from sandbox import job_from_row

PROMPT = 'import math\n\ndef f(x):\n    """Doc."""\n'


def test_a_body_is_put_after_its_prompt() -> None:
    row = {
        "prompt": PROMPT,
        "canonical_solution": "    return x\n",
        "test": "t",
        "entry_point": "f",
    }
    job = job_from_row(row)
    assert job.solution == PROMPT + "    return x\n"
    assert (job.test, job.entry_point) == ("t", "f")


@pytest.mark.parametrize(
    "code", ["def f(x): return x\n", "f = abs\n", "from math import sin as f\n"]
)
def test_a_whole_program_stands_alone(code: str) -> None:
    assert (
        job_from_row({"prompt": PROMPT, "code": code, "test": "t", "entry_point": "f"}).solution
        == code
    )


def test_a_prompt_in_prose_is_not_code() -> None:
    row = {
        "prompt": "Write a function.",
        "code": "def g(): pass\n",
        "test": "t",
        "entry_point": "f",
    }
    assert job_from_row(row).solution == "def g(): pass\n"


def test_the_first_column_that_is_there_counts_and_columns_can_be_named() -> None:
    row = {"solution": None, "answer": "a = 1\n", "mine": "b = 1\n", "test_code": "t"}
    assert job_from_row(row).solution == "a = 1\n"
    assert job_from_row(row, solution="mine").solution == "b = 1\n"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"test": "t"}, "no solution: looked for 'solution'"),
        (
            {"code": "x = 1"},
            "no test: looked for 'test' or 'test_code', the row's columns are 'code'",
        ),
        ({"code": 7, "test": "t"}, "column 'code' is int, not text: 7"),
    ],
)
def test_a_row_that_is_no_job_says_what_it_lacks(row: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError) as info:
        job_from_row(row)
    assert said in str(info.value)
