"""Asks for a function of the document: as a stub to complete, or as an order in words.

A `Function` and what is known of a picture enter; the question's text leaves. It states nothing
that the function's own documentation, signature and examples do not state.
"""

from __future__ import annotations

import ast
import re
import textwrap
from typing import TYPE_CHECKING

from synth_dspy.lm.offline import figures
from synth_dspy.lm.offline.checks import assemble
from synth_dspy.lm.offline.functions import Function, functions, header
from synth_dspy.lm.offline.verbs import third_person

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN_EXAMPLES = 2


def choose_stub(passage: str, prior_code: str, image_code: str, variant: int) -> Function | None:
    """The function that a stub asks for; None beyond the last one."""
    return _at(functions(passage, prior_code, image_code), variant)


def choose_task(passage: str, prior_code: str, image_code: str, variant: int) -> Function | None:
    """The function that an order asks for: counted from the end, so that stubs ask for others."""
    found = functions(passage, prior_code, image_code)
    middle = len(found) // 2
    order = found[::-1]
    if len(found) % 2:
        # The middle one last: else the order and the stub of one variant would meet there.
        order = (*(f for f in order if f is not found[middle]), found[middle])
    return _at(order, variant)


def _at(found: Sequence[Function], variant: int) -> Function | None:
    return found[variant] if 0 <= variant < len(found) else None


def stub(function: Function, figure: str = "") -> str:
    """Imports and helpers, signature, docstring, `pass`.

    Args:
        figure: the title or caption of the figure that the function draws; "" without one.
    """
    header = function.source.split("\n")
    node = ast.parse(function.source).body[0]
    assert isinstance(node, ast.FunctionDef)
    end = node.body[0].lineno - 1
    lines = header[:end] if end else []
    signature = "\n".join(lines).rstrip() if lines else f"def {function.signature}:"
    if not signature.endswith(":"):
        signature = f"def {function.signature}:"
    doc = function.doc
    if figure:
        doc = _with_figure(doc, f'The figure "{figure}" shows results of this function.')
    quotes = '"""' if '"""' not in doc else "'''"
    raw = "r" if "\\" in doc else ""
    closing = "\n" if "\n" in doc else ""
    text = textwrap.indent(f"{raw}{quotes}{doc}{closing}{quotes}", "    ")
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return assemble([*function.requirement_sources, ("function", f"{signature}\n{text}\n    pass")])


def _with_figure(doc: str, line: str) -> str:
    """The docstring with a line on the figure before its first example or section."""
    paragraphs = doc.split("\n\n")
    place = 1
    for index, paragraph in enumerate(paragraphs[1:], 1):
        first = paragraph.strip().split("\n")[0]
        if first.startswith(">>>") or re.fullmatch(r"\w+( \w+)?:?", first):
            break
        place = index + 1
    return "\n\n".join([*paragraphs[:place], line, *paragraphs[place:]])


def order(function: Function, figure: str = "") -> str:
    """The order in words, with the signature, the constants' values and examples."""
    first, *rest = function.prose.split(". ", 1)
    clause = third_person(first.rstrip("."))
    lead = f"Write a Python function `{function.signature}`"
    opening = f"{lead} that {clause}." if clause else f"{lead}. {first.rstrip('.')}."
    parts = [opening, *rest]
    for definition in function.requirements:
        if definition.kind == "constant":
            parts.append(f"Define the constant `{' '.join(definition.source.split())}`.")
        elif definition.kind in ("function", "class"):
            parts.append(_helper(definition.node))
    shown = [e for e in function.examples if e.outcome == "value"][:_SHOWN_EXAMPLES]
    if shown:
        said = [f"`{e.expression}` gives `{e.expected}`" for e in shown]
        parts.append(f"For example, {' and '.join(said)}.")
    if figure:
        parts.append(f'The figure "{figure}" shows results of this function.')
    parts.append("Give the whole program: its imports, and every function that it needs.")
    return " ".join(part if part.endswith((".", ":", "?", "!")) else f"{part}." for part in parts)


def _helper(node: ast.stmt) -> str:
    """What an order says of a helper: its signature and the first sentence of its docstring."""
    if isinstance(node, ast.FunctionDef):
        named = f"`{header(ast.unparse(node))}`"
    else:
        named = f"`{getattr(node, 'name', '')}`"
    doc = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())  # type: ignore[arg-type]
    said = third_person(doc.rstrip("."))
    return f"It uses a helper {named} that {said}." if said else f"It uses a helper {named}."


def figure_name(image_code: str, image_description: str) -> str:
    """How a question names the figure; "" when nothing names it."""
    return figures.subject(image_description, image_code).name
