"""Stubs and mutants: different from the original, from each other, and the same every time."""

from __future__ import annotations

import ast

import pytest

from sandbox.mutate import mutants, sample, stubs

SOURCE = '''
def grade(points, top=100):
    """A docstring with a number: 3."""
    share: float = points / top
    if share < 0.5 and not points == 7:
        return "fail"
    for i in range(3):
        if i:
            break
        print(i)
    return -points
'''


def test_every_mutant_is_python_and_differs_from_all_others() -> None:
    found = list(mutants(SOURCE))
    sources = [ast.unparse(ast.parse(m.source)) for m in found]
    assert len(set(sources)) == len(sources)
    assert ast.unparse(ast.parse(SOURCE)) not in sources


@pytest.mark.parametrize(
    "label",
    [
        "line 5: `<` -> `<=`",
        "line 5: `and` -> `or`",
        "line 5: `==` -> `!=`",
        "line 4: `/` -> `*`",
        "line 6: `'fail'` -> `'failXX'`",
        "line 6: `return 'fail'` -> `return None`",
        "line 9: `break` -> `pass`",
        "line 10: `print(i)` -> `pass`",
        "line 11: `-points` -> `points`",
        "line 2: `100` -> `101`",
        "line 8: condition `i` -> `False`",
    ],
)
def test_each_kind_of_change_is_made_and_named_with_its_line(label: str) -> None:
    assert label in [m.label for m in mutants(SOURCE)]


def test_docstrings_and_annotations_are_left_alone() -> None:
    assert all("A docstring with a number: 3." in m.source for m in mutants(SOURCE))
    assert all("share: float" in m.source for m in mutants(SOURCE))


def test_a_sample_is_no_longer_than_asked_and_depends_on_the_seed_alone() -> None:
    first = sample(SOURCE, 5, 1)
    assert len(first) == 5
    assert first == sample(SOURCE, 5, 1)
    assert first != sample(SOURCE, 5, 2)


def test_stubs_replace_the_entry_point_alone() -> None:
    found = stubs("def helper():\n    return 1\ndef f():\n    return helper()\n", "f")
    assert [m.label for m in found][:2] == ["pass", "return 0"]
    assert all("return 1" in m.source for m in found)
    assert all("return helper()" not in m.source for m in found)


def test_stubs_without_an_entry_point_replace_every_function() -> None:
    found = stubs("class A:\n    def f(self):\n        return 5\n")
    assert all("return 5" not in m.source for m in found)
    assert len(found) == 6


def test_a_program_without_functions_has_no_stubs() -> None:
    assert stubs("x = 1\n") == []
