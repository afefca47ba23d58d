"""Exceptions as short text for whoever corrects the program: values, the line, no paths.

Enters: an exception. Leaves: bounded text. It shows frames of `solution.py` and the line of the
test; frames of the sandbox itself are left out.
"""

from __future__ import annotations

import linecache
import reprlib
import types
from typing import Any

MAX_TEXT = 2_000
MAX_FRAMES = 6

_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother, _SHORT.maxlong = 5, 300, 300, 80
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxset = _SHORT.maxfrozenset = _SHORT.maxdeque = 30
_SHORT.maxdict = 20


def show(value: Any) -> str:
    """`repr(value)`, cut in the middle where it is long, whatever its `__repr__` does."""
    try:
        return str(_SHORT.repr(value))[:1_000]
    except Exception as error:
        return f"<{type(value).__name__} whose repr raises {type(error).__name__}>"


def text_of(error: BaseException) -> str:
    """`str(error)`, bounded, whatever its `__str__` does."""
    try:
        return str(error)[:MAX_TEXT]
    except Exception:
        return "<no text>"


def solution_frames(error: BaseException) -> list[str]:
    """The lines of the solution that led to `error`, outermost first."""
    remote = getattr(error, "_sandbox_frames", None)
    if isinstance(remote, list):
        return [str(line)[:300] for line in remote[:MAX_FRAMES]]
    frames, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == "solution.py":
            source = linecache.getline("solution.py", trace.tb_lineno).strip()
            place = "" if code.co_name == "<module>" else f", in {code.co_name}"
            frames.append(f"solution.py, line {trace.tb_lineno}{place}: {source}"[:300])
        trace = trace.tb_next
    if len(frames) > MAX_FRAMES:
        frames = [*frames[:2], f"... {len(frames) - 4} more ...", *frames[-2:]]
    return frames


def line_of_test(trace: types.TracebackType | None) -> tuple[int, str]:
    """The innermost line of the test (its number from 1, its text); (0, "") if there is none."""
    line = 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "test.py":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line, linecache.getline("test.py", line).strip() if line else ""


def describe(error: BaseException) -> str:
    """What went wrong, as a person would want to read it."""
    line, source = line_of_test(error.__traceback__)
    text = text_of(error)
    frames = solution_frames(error)
    if isinstance(error, AssertionError) and not frames:
        head = f"test line {line}: {text or source or 'assertion failed'}"
        return (head if line else text or "AssertionError")[:MAX_TEXT]
    if isinstance(error, SyntaxError):
        where = f"{error.filename}, line {error.lineno}: {error.msg}: {(error.text or '').strip()}"
        return f"{type(error).__name__}: {where}"[:MAX_TEXT]
    parts = [f"{type(error).__name__}: {text}" if text else type(error).__name__, *frames]
    if line:
        parts.append(f"called by test line {line}: {source}")
    return "\n".join(parts)[:MAX_TEXT]
