"""info --plan: which stages a run would do again, and of how many records, before it does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Any

from synth_dspy.commands.context import Context, print_json, show
from synth_dspy.errors import UserError
from synth_dspy.lm.replies import ReplyStore
from synth_dspy.recipes.registry import flow_of
from synth_dspy.recipes.resources import Resources
from synth_dspy.runners.foretelling import ForetellingEngine, Foretold
from synth_dspy.runners.workbench import Workbench
from synth_dspy.store.run_directory import RunDirectory


def show_plan(context: Context, *, json_lines: bool) -> None:
    """Print a stage a line; sources are listed and hashed, nothing is parsed, asked or written.

    Raises:
        UserError: the configuration or a source is wrong.
    """
    found = foretell(context)
    redo, follow = sum(f.redo for f in found), sum(f.may_follow for f in found)
    if json_lines:
        print_json({"plan": [asdict(f) for f in found], "redo": redo, "may_follow": follow})
        return
    show(f"{'stage':<20}{'records':>9}{'redo':>7}{'may follow':>12}")
    for line in found:
        more = f"~{line.may_follow}" if line.may_follow else ""
        show(f"{line.stage:<20}{line.records:>9}{line.redo:>7}{more:>12}")
    if any(line.until_full and line.redo for line in found):
        show(
            "some tasks more may be begun before the quotas are known to be met; summaries count "
            "them as `beyond`"
        )
    if not redo and not follow:
        show("nothing would be done again")
    if follow:
        show(
            "redo: certain. may follow: an estimate, where what is redone before comes out "
            "differently; an equal result stops there"
        )


def foretell(context: Context) -> list[Foretold]:
    """What a run of the whole recipe would do, by stage, in order."""
    config = context.config
    recipe = flow_of(config.recipe)
    recipe.check(config, recipe.stages)
    resources = Resources(config, lambda _: None, trace=False)
    resources.replies = ReplyStore(Path(":memory:"))  # what a run paid for stays unopened
    bench = Workbench(RunDirectory(config.output_dir), looking=True)
    flow = recipe(resources, lambda _: None)
    engine = ForetellingEngine(bench)
    try:
        asyncio.run(_lead(engine, flow.pipeline(engine)))
    finally:
        flow.close()
        bench.close()
        asyncio.run(resources.aclose())
    for stage in flow.wired:
        engine.stages.setdefault(stage.name, Foretold(stage.name))
    return [engine.stages[stage.name] for stage in flow.wired]


async def _lead(engine: ForetellingEngine, pipeline: Coroutine[Any, Any, object]) -> None:
    try:
        await pipeline
    except UserError:
        # Nothing is known of what would enter a later stage, so it cannot be gone on with.
        if not any(line.redo for line in engine.stages.values()):
            raise
