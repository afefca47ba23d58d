"""Stubs and orders, and the code that answers them."""

from __future__ import annotations

import ast

import pytest

from signatures.answers import CompleteFunction, RepairCode, WriteProgram
from signatures.questions import WriteStub, WriteTask
from synth_dspy.lm.offline import figures
from synth_dspy.lm.offline.functions import functions, named
from tests.lm.offline.asking import ask, indented
from tests.lm.offline.documents import CURVE_CODE, CURVE_TEXT, GAUGES


def test_a_stub_holds_what_the_function_needs_and_ends_with_pass() -> None:
    answer = ask(WriteStub, passage=GAUGES)
    assert (answer.possible, answer.entry_point) == (True, "rain")
    assert answer.stub.startswith(
        "STEP_MM = 0.2\n\n\ndef rain(tips: int, area: float = 1.0) -> float:"
    )
    assert answer.stub.rstrip().endswith("pass")
    assert "import math" not in answer.stub, "what it does not need stays out"
    assert "round(" not in answer.stub
    ast.parse(answer.stub)


def test_the_body_completes_the_stub_with_its_comments_and_without_docstring() -> None:
    stub = ask(WriteStub, passage=GAUGES).stub
    body = indented(ask(CompleteFunction, passage=GAUGES, stub=stub, entry_point="rain").body)
    assert body.startswith("    # a comment that stays\n    if tips < 0:")
    space: dict[str, object] = {}
    exec(f"{stub.rstrip().removesuffix('pass').rstrip()}\n{body}", space)
    assert space["rain"](7, 2.0) == 2.8  # type: ignore[operator]


def test_only_documented_deterministic_functions_are_asked_for() -> None:
    assert [f.name for f in functions(GAUGES)] == ["rain", "mean_level"]


def test_a_variant_beyond_the_functions_is_not_possible() -> None:
    asked = [ask(WriteStub, passage=GAUGES, variant=v) for v in range(3)]
    assert [a.possible for a in asked] == [True, True, False]
    assert (asked[2].stub, asked[2].entry_point) == ("", "")


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_stub_and_order_of_one_variant_ask_for_different_functions(count: int) -> None:
    code = "\n\n".join(
        f'def f{i}(x: int) -> int:\n    """Return x plus {i}.\n\n'
        f'    >>> f{i}(1)\n    {1 + i}\n    """\n'
        f"    y = x\n    return y + {i}"
        for i in range(count)
    )
    passage = f"```python\n{code}\n```"
    stubs = [ask(WriteStub, passage=passage, variant=v).entry_point for v in range(count)]
    orders = [ask(WriteTask, passage=passage, variant=v).entry_point for v in range(count)]
    assert sorted(stubs) == sorted(orders)
    assert all(stub != order for stub, order in zip(stubs, orders, strict=True))


def test_an_order_says_in_words_all_that_is_needed() -> None:
    order = ask(WriteTask, passage=GAUGES, variant=1).task
    assert order == (
        "Write a Python function `rain(tips: int, area: float = 1.0) -> float` that returns the "
        "rain in millimetres for a number of tips. Negative tips raise ValueError. "
        "Zero tips give 0.0. Define the constant `STEP_MM = 0.2`. "
        "For example, `rain(10)` gives `2.0` and `rain(0)` gives `0.0`. "
        "Give the whole program: its imports, and every function that it needs."
    )


def test_a_program_is_whole_and_minimal() -> None:
    program = ask(WriteProgram, passage=GAUGES, entry_point="rain").program
    space: dict[str, object] = {}
    exec(program, space)
    assert space["rain"](10) == 2.0  # type: ignore[operator]
    assert "mean_level" not in program
    assert "import math" not in program


PRIOR = '''\
import math
from bisect import bisect_right as right

LIMITS = [1, 2]


def clip(x: float) -> float:
    """Return x within the limits."""
    return min(max(x, LIMITS[0]), LIMITS[1])


def unused(x):
    return math.sin(x)
'''
USING = """\
The function `rank(x)` tells how many limits a value reaches.

```python
def rank(x: float) -> int:
    value = clip(x)
    return right(LIMITS, value)

print(rank(1.5))
```

```text
1
```
"""


def test_what_stands_before_the_passage_is_used_transitively_and_nothing_else() -> None:
    program = ask(WriteProgram, passage=USING, prior_code=PRIOR, entry_point="rank").program
    assert "from bisect import bisect_right as right" in program
    assert "LIMITS = [1, 2]" in program
    assert "def clip" in program
    assert "unused" not in program
    assert "import math" not in program
    space: dict[str, object] = {}
    exec(program, space)
    assert space["rank"](1.5) == 1  # type: ignore[operator]


def test_a_sentence_that_introduces_a_function_becomes_its_docstring() -> None:
    stub = ask(WriteStub, passage=USING, prior_code=PRIOR).stub
    assert '"""The function `rank(x)` tells how many limits a value reaches."""' in stub


@pytest.mark.parametrize(
    "function",
    [
        'def f(x):\n    """Return x."""\n    return x',
        'def f():\n    """Return one."""\n    a = 1\n    return a + 1',
        'def f(x):\n    """Print x."""\n    y = x + 1\n    print(y)',
        'def f(x):\n    """Return the age."""\n    import time\n    return time.time() - x',
        'def f(x):\n    """Return the file."""\n    name = str(x)\n    return open(name).read()',
        'def f(x):\n    """Yield x."""\n    y = x\n    yield y',
        'def f(x):\n    """Return what nobody defined."""\n    y = x\n    return missing(y)',
        "def f(x):\n    y = x\n    return y + 1",
        'async def f(x):\n    """Return more."""\n    y = x\n    return y + 1',
    ],
)
def test_functions_that_cannot_be_tested_fairly_are_not_asked_for(function: str) -> None:
    passage = f"```python\n{function}\n\nf(1)\n```\n\n```text\n2\n```"
    assert not ask(WriteStub, passage=passage).possible


def test_a_function_without_any_call_is_not_asked_for() -> None:
    passage = '```python\ndef f(x):\n    """Return more."""\n    y = x\n    return y + 1\n```'
    assert not ask(WriteStub, passage=passage).possible


def test_with_a_figure_only_functions_that_draw_it_are_asked_for_and_it_is_named() -> None:
    described = figures.describe("chart", "", "", CURVE_CODE, CURVE_TEXT)
    shown = {"passage": GAUGES, "image_code": CURVE_CODE, "image_description": described}
    stub = ask(WriteStub, **shown)
    assert stub.entry_point == "rain"
    assert 'The figure "Rain by tips" shows results of this function.' in stub.stub
    ast.parse(stub.stub)
    assert not ask(WriteStub, **shown, variant=1).possible
    assert 'The figure "Rain by tips"' in ask(WriteTask, **shown).task
    without_code = shown | {"image_code": ""}
    assert not ask(WriteStub, **without_code).possible


def test_a_function_that_draws_through_a_value_counts_as_drawing() -> None:
    passage = GAUGES + "\n```python\nseries = [mean_level([1.0, i]) for i in range(4)]\n```\n"
    code = 'plt.plot(series)\nplt.title("Means of levels")'
    described = figures.describe("chart", "", "", code, "")
    stub = ask(WriteStub, passage=passage, image_code=code, image_description=described)
    assert stub.entry_point == "mean_level"


def test_a_repair_gives_the_documents_own_function_again() -> None:
    answer = ask(
        RepairCode, passage=GAUGES, entry_point="rain", previous_program="x", report="failed"
    )
    assert "return round(tips * STEP_MM * area, 3)" in answer.repaired_program
    unknown = ask(RepairCode, passage=GAUGES, entry_point="g", previous_program="x = 1", report="")
    assert unknown.repaired_program == "x = 1"


def test_a_body_that_shares_its_line_with_the_signature_is_still_found() -> None:
    passage = "```python\ndef f(x): return x * 2 + 1\n```"
    function = named("f", passage)
    assert function is not None
    assert function.body == "    return x * 2 + 1"


def test_notebook_magics_do_not_hide_the_code() -> None:
    passage = GAUGES.replace(
        "import math\n", "%matplotlib inline\n!pip install numpy\nimport math\n"
    )
    assert [f.name for f in functions(passage)] == ["rain", "mean_level"]
