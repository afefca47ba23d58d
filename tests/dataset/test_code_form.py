"""Programs that differ only in names and comments are equal."""

import ast

import pytest

from synth_dspy.dataset.code_form import normal_code

ORIGINAL = (
    "def area(width, height):\n    # the product\n    result = width * height\n    return result\n"
)


def test_comments_and_layout_do_not_count() -> None:
    assert normal_code("x = 1   # one\n\n\ny = (x)") == normal_code("x = 1\ny = x")


def test_local_names_do_not_count() -> None:
    renamed = "def area(w, h):\n    r = w * h\n    return r\n"
    assert normal_code(renamed) == normal_code(ORIGINAL)


def test_the_name_of_a_function_counts() -> None:
    assert normal_code(ORIGINAL.replace("area", "volume")) != normal_code(ORIGINAL)


def test_what_is_computed_counts() -> None:
    assert normal_code(ORIGINAL.replace("*", "+")) != normal_code(ORIGINAL)


def test_two_variables_are_not_made_one() -> None:
    assert normal_code("a = 1\nb = 2\nprint(a)") != normal_code("a = 1\nb = 2\nprint(b)")


def test_an_inner_function_sees_the_names_of_the_outer() -> None:
    one = "def f(a):\n    def g():\n        return a\n    return g\n"
    other = "def f(z):\n    def g():\n        return z\n    return g\n"
    assert normal_code(one) == normal_code(other)


def test_imported_names_stay() -> None:
    assert "numpy" in normal_code("import numpy\nx = numpy.zeros(3)")


@pytest.mark.parametrize(
    "code",
    [
        ORIGINAL,
        "try:\n    f()\nexcept ValueError as error:\n    print(error)\n",
        "def f(*args, key=1, **rest):\n    global g\n    g = lambda x, y=2: x + y\n    return g\n",
        (
            "async def f(a):\n    b = 1\n    def g():\n        nonlocal b\n        b += a\n"
            "    return g\n"
        ),
        "squares = [n * n for n in range(9) if (m := n)]\n",
    ],
)
def test_the_form_is_still_python_and_normalising_it_again_changes_nothing(code: str) -> None:
    form = normal_code(code)
    ast.parse(form)
    assert normal_code(form) == form


def test_code_that_does_not_parse_only_loses_its_comments() -> None:
    assert normal_code("x = = 1  # why\n").strip() == "x = = 1"


@pytest.mark.parametrize("code", ["x = '''never closed", "(" * 5000, "x = 1\x00"])
def test_code_that_cannot_even_be_read_is_handed_back_or_read_in_part(code: str) -> None:
    assert isinstance(normal_code(code), str)


def test_docstrings_stay_unless_only_what_runs_is_asked_for() -> None:
    code = 'def f():\n    """Say it."""\n'
    assert "Say it" in normal_code(code)
    assert normal_code(code, docstrings=False) == "def f():\n    pass"
