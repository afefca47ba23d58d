"""The Program of each recipe with nothing bound: for its steps, signatures and prompts.

A recipe's name enters, a Program that asks nobody leaves. A new recipe adds a line.
"""

from __future__ import annotations

from collections.abc import Callable

from sandbox import open_sandbox
from synth_dspy.config import Config
from synth_dspy.errors import ConfigError, UserError
from synth_dspy.programs.answers import Verification
from synth_dspy.programs.assistant import AssistantProgram
from synth_dspy.programs.program import Program
from synth_dspy.programs.row_formats import FORMATS
from synth_dspy.programs.rows import RowsProgram
from synth_dspy.recipes.resources import LazySandbox


def unbound_program(recipe: str) -> Program:
    """The Program of a recipe.

    Raises:
        UserError: the recipe has none.
    """
    made = _PROGRAMS.get(recipe)
    if made is None:
        raise UserError(
            f"The recipe {recipe!r} has no Program, and so no prompts; these have: "
            f"{', '.join(_PROGRAMS)}. A recipe of your own that asks models adds its line to "
            "synth_dspy/recipes/programs.py."
        )
    return made()


def check_prompts(config: Config) -> None:
    """Refuse `prompts` that name no step of the recipe, before anything is made.

    Raises:
        ConfigError: the text names the key and the nearest step; or a prompt has placeholders.
    """
    if not config.prompts:
        return
    try:
        unbound_program(config.recipe).replace_instructions(config.prompts)
    except ConfigError as error:
        raise ConfigError(f"{error} ({config.file or 'configuration'})") from None


def _assistant() -> Program:
    return AssistantProgram(LazySandbox(open_sandbox), verification=Verification(), categories={})


def _conversations() -> Program:
    from synth_dspy.programs.conversations import ConversationsProgram

    return ConversationsProgram(topics={})


def _rows() -> Program:
    return RowsProgram(FORMATS["triplet"])


def _routing() -> Program:
    from synth_dspy.config.routing import Routing
    from synth_dspy.programs.routing.program import RoutingProgram

    return RoutingProgram(Routing())


_PROGRAMS: dict[str, Callable[[], Program]] = {
    "assistant": _assistant,
    "conversations": _conversations,
    "routing": _routing,
    "rows": _rows,
}
