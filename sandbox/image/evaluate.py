"""A program, then expressions in its namespace, one after the other; one record line each."""

from __future__ import annotations

import contextlib
import io
from typing import Any

from . import codec, collect, feedback, pipes

MAX_PRINTED = 4_000
MAX_RECORD = 24_000  # characters of one value


def main(task_fd: int, sizes: tuple[int, int], record_fd: int) -> None:
    """Writes a record a line: `{"i": n, "value": encoded}` or `{"i": n, "error": text}`."""
    source = pipes.read_exactly(task_fd, sizes[0]).decode()
    config, _ = pipes.read_task(task_fd, sizes[1])
    nonce = config["nonce"]
    module = collect.load("solution", source)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(source, "solution.py", "exec", dont_inherit=True), module.__dict__)
    except BaseException as error:
        record = {"nonce": nonce, "i": -1, "error": feedback.describe(error)}
        pipes.write_record(record_fd, record)
        return
    budget = config["budget"]
    for index, expression in enumerate(config["expressions"]):
        record = _one(expression, module.__dict__)
        size = len(str(record.get("value", "")))
        if size > min(MAX_RECORD, budget):
            record = {"error": f"a value of {size} characters is too long", "printed": ""}
        budget -= min(size, budget)
        pipes.write_record(record_fd, {"nonce": nonce, "i": index, **record})


def _one(expression: str, scope: dict[str, Any]) -> dict[str, Any]:
    printed = io.StringIO()
    record: dict[str, Any] = {}
    try:
        with contextlib.redirect_stdout(printed):
            value = eval(
                compile(expression.strip(), "expression", "eval", dont_inherit=True), scope
            )
        record["value"] = codec.encode(value)
    except codec.Unsupported as error:
        record["error"] = f"its value is not plain data: {error}"
    except BaseException as error:
        record["error"] = feedback.describe(error).partition("\n")[0]
    record["printed"] = printed.getvalue()[:MAX_PRINTED]
    return record
