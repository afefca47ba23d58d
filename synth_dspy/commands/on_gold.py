"""What commands share that ask models about gold: whose step it is, and where replies are kept."""

from __future__ import annotations

from synth_dspy.commands.context import Context
from synth_dspy.config import Config
from synth_dspy.errors import UserError
from synth_dspy.optimize.gold import GoldStep
from synth_dspy.recipes.resources import Resources


def check_recipe(step: GoldStep, config: Config) -> None:
    """Refuse a step of another recipe.

    Raises:
        UserError: it is one.
    """
    if step.recipe != config.recipe:
        raise UserError(
            f"{step.name} is a step of the recipe {step.recipe!r}, and the configuration is of "
            f"{config.recipe!r}: name one with --config FILE."
        )


def resources_apart(context: Context, folder: str) -> Resources:
    """Resources with replies in a folder of their own in the run directory: the sum of a run's
    replies is held against the run's own budget."""
    config = context.config
    own = config.model_copy(update={"output_dir": config.output_dir / folder})
    return Resources(own, context.say, trace=False)
