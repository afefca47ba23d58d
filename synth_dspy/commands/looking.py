"""inspect, inspect-traces and stats: what stages made, said and cost, as it lies on disk."""

from __future__ import annotations

import random as chance
from collections import deque
from collections.abc import Iterator
from typing import Any

import orjson

from synth_dspy.commands.context import Context, print_json, print_json_lines, show
from synth_dspy.errors import StageError
from synth_dspy.outcomes import Dropped, Failed, Kept, Outcome
from synth_dspy.recipes.registry import flow_of, stage_named
from synth_dspy.records import to_dict
from synth_dspy.stages.contract import Stage
from synth_dspy.stages.results import results, summaries
from synth_dspy.store.run_directory import RunDirectory, read_json

_LONG = 600


def inspect_stage(
    context: Context,
    name: str,
    *,
    count: int | None,
    random: bool,
    dropped: bool,
    failed: bool,
    json_lines: bool,
) -> None:
    """Print a stage's output records, or what it dropped or failed on.

    Args:
        count: at most so many; None or 0: all.

    Raises:
        StageError: the stage is unknown or has not run.
    """
    stage = stage_named(context.config.recipe, name)
    if not context.config.output_dir.exists():
        raise StageError(
            f"There is no run in {context.config.output_dir} yet: run "
            "`python -m synth_dspy.run pipeline` first."
        )
    found = list(_records(context.run, stage, dropped=dropped, failed=failed))
    if random:
        chance.shuffle(found)
    if count:
        found = found[:count]
    if json_lines:
        print_json_lines(found)
        return
    for record in found:
        _show_record(record)
    if not found:
        show("nothing")


def _records(
    run: RunDirectory, stage: type[Stage], *, dropped: bool, failed: bool
) -> Iterator[dict[str, Any]]:
    for key, outcome, meta in results(run, stage):
        if dropped or failed:
            if (line := _rejected(key, outcome, meta, dropped=dropped, failed=failed)) is not None:
                yield line
        elif isinstance(outcome, Kept):
            yield from outcome.outputs


def _rejected(
    key: str, outcome: Outcome, meta: dict[str, Any], *, dropped: bool, failed: bool
) -> dict[str, Any] | None:
    if dropped and isinstance(outcome, Dropped):
        return {"key": key, **to_dict(outcome), "meta": meta}
    if failed and isinstance(outcome, Failed):
        return {"key": key, **to_dict(outcome), "meta": meta}
    return None


def _show_record(record: dict[str, Any]) -> None:
    show("-" * 78)
    for name, value in record.items():
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        if len(text) > _LONG:
            text = f"{text[:_LONG]} ... ({len(text)} characters)"
        show(f"{name}: {text}" if "\n" not in text else f"{name}:\n{text}")


def inspect_conversations(
    context: Context,
    *,
    stage: str,
    failed: bool,
    count: int,
    index: int | None = None,
    full: bool = False,
    json_lines: bool = False,
) -> None:
    """Print the last calls to models, of one stage or all, or only those that failed.

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
            if (not wanted or call["stage"] == wanted) and (not failed or call["error"]):
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


def print_stats(context: Context, *, json_lines: bool) -> None:
    """Print the summaries of all stages and the dataset's counts.

    Raises:
        StageError: nothing has run in the run directory.
    """
    run = context.run
    found = summaries(run, flow_of(context.config.recipe).all_stages())
    if not found:
        raise StageError(
            f"There is no run in {run.path} yet: run `python -m synth_dspy.run pipeline` first."
        )
    statistics = read_json(run.folder("analysis") / "statistics.json") or {}
    counts = statistics.get("counts", {})
    if json_lines:
        print_json({"run": str(run.path), "stages": list(found.values()), "counts": counts})
        return
    show(f"{'stage':<20}{'in':>7}{'kept':>7}{'out':>7}{'dropped':>9}{'failed':>8}{'calls':>8}"
         f"{'tokens':>10}{'cost':>10}")  # fmt: skip
    for name, summary in found.items():
        total = summary["total"]
        show(
            f"{name:<20}{summary['in']:>7}{summary['kept']:>7}{summary['out']:>7}"
            f"{sum(summary['dropped'].values()):>9}{summary['failed']:>8}{total['llm_calls']:>8}"
            f"{total['tokens']:>10}{total['cost_usd']:>10.4f}"
        )
        for reason, number in sorted(summary["dropped"].items(), key=lambda item: -item[1]):
            show(f"{'':<20}  {number} {reason}")
    for name, values in counts.items():
        show(f"{name:<12} " + ", ".join(f"{key} {number}" for key, number in values.items()))
