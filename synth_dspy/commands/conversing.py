"""inspect-traces: the calls to models, as `traces/conversations.jsonl` holds them."""

from __future__ import annotations

from collections import deque
from typing import Any

import orjson

from synth_dspy.commands.context import Context, print_json_lines, show
from synth_dspy.errors import StageError
from synth_dspy.recipes.registry import stage_named

_LONG = 600


def inspect_conversations(
    context: Context,
    *,
    stage: str,
    failed: bool,
    success: bool = False,
    count: int,
    index: int | None = None,
    full: bool = False,
    json_lines: bool = False,
) -> None:
    """Print the last calls to models, of one stage or all, or only those that failed or did not.

    Args:
        index: only the call of this number, as printed; negative ones count from the last.
        full: whole messages and replies, not their beginnings.

    Raises:
        StageError: no conversation was written.
    """
    path = context.config.output_dir / "traces" / "conversations.jsonl"
    if not path.exists():
        raise StageError(f"{path} does not exist: no model was asked yet, or --no-trace was given.")
    wanted = stage_named(context.config.recipe, stage).name if stage else ""
    last: deque[dict[str, Any]] = deque(maxlen=count or None if index is None else None)
    with path.open("rb") as file:
        for number, line in enumerate(file):
            call = orjson.loads(line)
            if (not wanted or call["stage"] == wanted) and (
                not (failed or success) or bool(call["error"]) == failed
            ):
                last.append({"index": number, **call})
    if index is not None:
        last = deque([_chosen(last, index)])
    if json_lines:
        print_json_lines(last)
        return
    for call in last:
        _show_call(call, full=full or index is not None)
    if not last:
        show("nothing")


def _chosen(calls: deque[dict[str, Any]], index: int) -> dict[str, Any]:
    """The call of that number.

    Raises:
        StageError: there is none.
    """
    found = next((call for call in calls if call["index"] == index), None)
    if found is None and -len(calls) <= index < 0:
        found = calls[index]
    if found is None:
        numbers = f"{calls[0]['index']} to {calls[-1]['index']}" if calls else "there are none"
        raise StageError(f"--index {index}: no such call is among those asked for: {numbers}.")
    return found


def _show_call(call: dict[str, Any], *, full: bool) -> None:
    show("=" * 78)
    show(
        f"[{call['index']}] {call['stage']} {call['step']} {call['model']} "
        f"attempt {call['attempt'] + 1}, {call['tries']} requests, "
        f"{call['input_tokens']} + {call['output_tokens']} tokens, {call['latency_ms']:.0f} ms"
        f"{', replayed' if call['replayed'] else ''}; record {call['record']}"
    )
    for message in call["messages"]:
        content = message["content"]
        text = content if isinstance(content, str) else _readable(content)
        show(f"--- {message['role']}\n{text if full else _short(text)}")
    show(f"--- reply\n{call['reply'] if full else _short(call['reply'])}")
    if call["error"]:
        show(f"--- error\n{call['error']}")


def _readable(parts: list[Any]) -> str:
    return "".join(p if isinstance(p, str) else f"[{orjson.dumps(p).decode()}]" for p in parts)


def _short(text: str) -> str:
    if len(text) <= _LONG:
        return text
    return f"{text[:_LONG]} ... ({len(text)} characters; --full shows all)"
