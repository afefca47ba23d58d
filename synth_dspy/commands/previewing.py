"""preview: a few records through every step of a recipe, with prompts, replies and verdicts.

It has a run directory of its own and shares the run's replies: what a preview asked is not paid
again by the run.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from synth_dspy.commands.context import Context, print_json, show
from synth_dspy.commands.execution import DONE, INTERRUPTED, Execution, Options
from synth_dspy.config import Config
from synth_dspy.outcomes import Dropped, Failed, Kept, Outcome
from synth_dspy.recipes.registry import flow_of
from synth_dspy.recipes.resources import REPLIES
from synth_dspy.runners.progress import Reporter
from synth_dspy.stages.results import results
from synth_dspy.store.run_directory import RunDirectory

_SHORT = 220
_HOW_TO_REPLY = "\n\nRespond with the corresponding output fields"
_FIELD = re.compile(r"^\[\[ ## (\w+) ## \]\]$", re.MULTILINE)


def run_preview(context: Context, *, count: int, full: bool, json_lines: bool) -> int:
    """Run the preview and print it; the exit code.

    Args:
        count: records wanted, and files read of each source.
        full: whole prompts and replies, not their beginnings.

    Raises:
        UserError: as the run itself would.
    """
    config = for_preview(context.config, count)
    traces = config.output_dir / "traces" / "conversations.jsonl"
    before = traces.stat().st_size if traces.exists() else 0
    with Reporter(replace(context, config=config).console, quiet=True) as reporter:
        code = Execution(config, reporter, Options(quiet=True, skip_analysis=True)).pipeline()
    if code == INTERRUPTED:
        return code
    found = preview_of(config, traces, count, paid_from=before)
    if json_lines:
        print_json(found)
    else:
        _show(found, full=full)
    return DONE


def for_preview(config: Config, count: int) -> Config:
    """The configuration of a preview: few files, few records, the run's replies."""
    small = flow_of(config.recipe).for_trial(config, count)
    sources = tuple(
        source.model_copy(update={"max_files": min(source.max_files or count, count)})
        for source in config.sources
    )
    shared = config.replies.path or str(config.output_dir / REPLIES)
    Path(shared).parent.mkdir(parents=True, exist_ok=True)
    return small.model_copy(
        update={
            "sources": sources,
            "replies": config.replies.model_copy(update={"path": shared}),
            "tracking": config.tracking.model_copy(update={"enabled": False}),
            "output_dir": Path(f"{config.output_dir}-preview"),
        }
    )


def preview_of(config: Config, traces: Path, count: int, *, paid_from: int = 0) -> dict[str, Any]:
    """Each stage's first `count` records that a model was asked about, and what came of them.

    Args:
        paid_from: bytes of the file that earlier previews wrote; only later calls are counted.
    """
    asked_about: dict[tuple[str, str], dict[tuple[str, int], dict[str, Any]]] = defaultdict(dict)
    totals = {"calls": 0, "tokens": 0, "cost_usd": 0.0}
    for start, call in _lines(traces):
        # A record that was asked about again, by a later preview, is shown once.
        asked_about[call["stage"], call["record"]][call["step"], call["attempt"]] = call
        if start >= paid_from and not call["replayed"]:
            totals["calls"] += 1
            totals["tokens"] += call["input_tokens"] + call["output_tokens"]
            totals["cost_usd"] += call["cost_usd"]
    calls = {place: list(steps.values()) for place, steps in asked_about.items()}
    run, stages = RunDirectory(config.output_dir), []
    for stage in flow_of(config.recipe).all_stages():
        if not any(name == stage.name for name, _ in calls):
            continue
        asked = [
            {"record": key, **_verdict(outcome), "calls": calls[stage.name, key]}
            for key, outcome, _ in results(run, stage)
            if calls.get((stage.name, key))
        ]
        stages.append({"stage": stage.name, "asked_about": len(asked), "records": asked[:count]})
    return {"run": str(config.output_dir), "stages": stages, **totals}


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each call, and where its line starts."""
    start = 0
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                yield start, orjson.loads(line)
                start += len(line)


def _verdict(outcome: Outcome) -> dict[str, str]:
    if isinstance(outcome, Kept):
        return {"outcome": "kept", "reason": "", "detail": ""}
    if isinstance(outcome, Dropped):
        return {"outcome": "dropped", "reason": outcome.reason, "detail": outcome.detail}
    assert isinstance(outcome, Failed)
    return {"outcome": "failed", "reason": outcome.reason, "detail": outcome.error}


def _show(found: dict[str, Any], *, full: bool) -> None:
    for stage in found["stages"]:
        shown = len(stage["records"])
        show(f"{'=' * 78}\n{stage['stage']}: {shown} of {stage['asked_about']} records")
        for record in stage["records"]:
            why = ": ".join(part for part in (record["reason"], record["detail"]) if part)
            show(f"{'-' * 78}\n{record['outcome']}{f' ({why})' if why else ''}")
            for call in record["calls"]:
                again = f", attempt {call['attempt'] + 1}" if call["attempt"] else ""
                show(f"[{call['step']}] {call['model']}{again}")
                for line in _call_lines(call, full=full):
                    show(line)
                if call["error"]:
                    show(f"--- error\n{call['error']}")
    show("=" * 78)
    show(
        f"{found['calls']} new calls, {found['tokens']} tokens, ${found['cost_usd']:.4f}; "
        f"kept in {found['run']}. The run itself does not pay these calls again."
    )


def _call_lines(call: dict[str, Any], *, full: bool) -> Iterator[str]:
    if full:
        for message in call["messages"]:
            yield f"--- {message['role']}\n{_text(message['content'])}"
        yield f"--- reply\n{call['reply']}"
        return
    asked, *_ = _text(call["messages"][-1]["content"]).partition(_HOW_TO_REPLY)
    yield from _fields(asked)
    yield "  ->"
    yield from _fields(call["reply"])


def _fields(text: str) -> Iterator[str]:
    """The fields of a message, a line each, without those that are empty; `--full` shows all."""
    _, *parts = _FIELD.split(text)
    if not parts:
        yield f"  {_short(text)}"
    for name, value in zip(parts[::2], parts[1::2], strict=True):
        if (value := value.strip()) and name != "completed" and value != "None":
            yield f"  {name}: {_short(value)}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHORT else f"{line[:_SHORT]} ... ({len(text)} characters)"


def _text(content: Any) -> str:
    return content if isinstance(content, str) else orjson.dumps(content).decode()
