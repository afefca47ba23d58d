"""The recipes there are. A new one is one file with a `Flow` and one line here."""

from __future__ import annotations

import difflib
from importlib import import_module
from typing import TYPE_CHECKING

from synth_dspy.errors import StageError

if TYPE_CHECKING:
    from synth_dspy.recipes.flow import Flow
    from synth_dspy.stages.contract import Stage

_FLOWS = {
    "assistant": "synth_dspy.recipes.assistant_flow:AssistantFlow",
    "rows": "synth_dspy.recipes.rows_flow:RowsFlow",
    "conversations": "synth_dspy.recipes.conversations_flow:ConversationsFlow",
    "routing": "synth_dspy.recipes.routing_flow:RoutingFlow",
}


def flow_of(recipe: str) -> type[Flow]:
    """The flow of a recipe that the configuration's schema knows; imported when asked for."""
    module, _, name = _FLOWS[recipe].partition(":")
    found: type[Flow] = getattr(import_module(module), name)
    return found


def stage_named(recipe: str, name: str) -> type[Stage]:
    """The stage of a command's, a folder's or an older name.

    Raises:
        StageError: there is none; the text lists all and the nearest.
    """
    flow = flow_of(recipe)
    known: dict[str, type[Stage]] = {}
    for stage in flow.all_stages():
        for alias in (*stage.aliases, stage.folder, stage.name):
            known[alias] = stage
    if name in known:
        return known[name]
    for other in _FLOWS:
        if other != recipe and any(name in (s.name, s.folder) for s in flow_of(other).stages):
            raise StageError(
                f"{name!r} is a stage of the recipe {other!r}, and this configuration's is "
                f"{recipe!r}: name one of that recipe with --config."
            )
    near = difflib.get_close_matches(name, known, 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise StageError(
        f"There is no stage {name!r}.{hint} Stages are: "
        + ", ".join(stage.name for stage in flow.stages)
        + "."
    )
