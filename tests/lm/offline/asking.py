"""Asks the offline model as the program does: dspy.Predict over dspy.LM and ChatAdapter."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dspy

from synth_dspy.lm.offline import OfflineModel

if TYPE_CHECKING:
    from collections.abc import Sequence


class Refusing:
    """Stands where DSPy wants a synchronous engine; no test calls it."""

    def complete(self, request: object) -> object:
        raise AssertionError("the synchronous engine was called")

    def __deepcopy__(self, memo: object) -> Refusing:
        return self


@dataclass(frozen=True)
class Result:
    ok: bool
    value: str = ""
    error: str = ""


async def evaluate(source: str, expressions: Sequence[str]) -> list[Result]:
    """A tiny executor, for the tests' own harmless functions."""
    space: dict[str, Any] = {}
    exec(source, space)
    results = []
    for expression in expressions:
        try:
            results.append(Result(True, repr(eval(expression, space))))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            results.append(Result(False, "", f"{type(error).__name__}: {error}"))
    return results


def ask(
    signature: Any,
    *,
    demos: Sequence[dspy.Example] = (),
    model: OfflineModel | None = None,
    **inputs: Any,
) -> Any:
    """The prediction for one question; text inputs that are left out are empty."""
    engine = model or OfflineModel()
    lm = dspy.LM(
        "offline/offline", engine=Refusing(), async_engine=engine, cache=False, num_retries=0
    )
    predict = dspy.Predict(signature)
    predict.demos = list(demos)
    given = dict.fromkeys(signature.input_fields, "") | {"variant": 0, "difficulty": "easy"}
    given = {k: v for k, v in (given | inputs).items() if k in signature.input_fields}

    async def run() -> Any:
        adapter = dspy.ChatAdapter(use_json_adapter_fallback=False)
        with dspy.context(adapter=adapter, disable_history=True, trace=None):
            return await predict.acall(lm=lm, **given)

    return asyncio.run(run())


def passes(program: str, test: str, entry_point: str) -> bool:
    """Whether a program passes a test."""
    space: dict[str, Any] = {}
    exec(f"{program}\n\n{test}", space)
    try:
        space["check"](space[entry_point])
    except (AssertionError, TypeError, ValueError, ArithmeticError, LookupError):
        return False
    return True


def indented(body: str) -> str:
    """A body as the adapter hands it on, which strips the first line: with its indent again."""
    return body if body.startswith("    ") else f"    {body}"
