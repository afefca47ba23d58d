"""What is compiled: one step's own predictor, as the Program asks it, in a module of its own.

Gold inputs enter, a prediction leaves. A reply that cannot be read is a bad prediction, not an
error: optimizers count errors and give up after a few. A fault that every other example would meet
(no endpoint, no money, no disk) ends the compilation instead, and no further call is made.
"""

from __future__ import annotations

import threading
from typing import Any

import dspy
from dspy.utils.callback import BaseCallback
from dspy.utils.exceptions import LMError

from synth_dspy.errors import EndpointError, RecordError, SynthError, UserError
from synth_dspy.lm.faults import classify_error
from synth_dspy.optimize.gold_steps import GoldStep
from synth_dspy.programs.program import Program

FAILURE = "failure"
"""The field of a prediction whose reply could not be read: what was wrong with it."""


class Guard:
    """Ends a compilation at its first fault that another example would meet, too."""

    def __init__(self) -> None:
        self._fault: SynthError | None = None
        self._lock = threading.Lock()

    def __deepcopy__(self, memo: dict[int, Any]) -> Guard:
        return self  # one for all candidates

    def check(self) -> None:
        """Raises the fault that ended the compilation, where there was one."""
        if self._fault is not None:
            raise self._fault

    def stop(self, fault: SynthError) -> None:
        """End it; the first fault is the one that counts."""
        with self._lock:
            self._fault = self._fault or fault


class Watch(BaseCallback):
    """Notices faults of calls that optimizers make themselves, for instructions: they pass over
    them and would go on without."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def on_lm_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        """Stop the guard where nothing more can be asked."""
        del call_id, outputs
        if isinstance(exception, LMError):
            exception = classify_error(exception)
        if isinstance(exception, SynthError) and _ends_everything(exception):
            self._guard.stop(exception)


class Subject(dspy.Module):
    """A step alone. Its model is `dspy.settings.lm`: optimizers reset what a predictor is bound to.

    Attributes:
        step: the predictor.
    """

    def __init__(self, predictor: dspy.Predict, guard: Guard) -> None:
        super().__init__()
        self.step = predictor
        self._guard = guard
        fields = predictor.signature.input_fields
        self._absent = {n: "" if info.annotation is str else None for n, info in fields.items()}

    def forward(self, **inputs: Any) -> dspy.Prediction:
        """The reply; inputs that are not given are empty.

        Raises:
            SynthError: nothing more can be asked; every later call raises the same.
        """
        self._guard.check()
        try:
            return self.step(**{**self._absent, **inputs})
        except SynthError as error:
            if _ends_everything(error):
                self._guard.stop(error)
                raise
            return dspy.Prediction(**{FAILURE: str(error)})


def _ends_everything(error: SynthError) -> bool:
    """Whether every other call would meet it, too."""
    if isinstance(error, EndpointError):
        return error.retryable
    return not isinstance(error, RecordError)


def subject_of(program: Program, step: GoldStep, guard: Guard) -> Subject:
    """A step of a recipe's Program, alone, with a copy of its predictor.

    Raises:
        UserError: the Program has no such step.
    """
    found = program.predictors_of(step.predictor)
    if not found:
        raise UserError(
            f"{step.name}: the recipe {step.recipe!r} has no step {step.predictor!r} in this "
            "version."
        )
    return Subject(found[0].deepcopy(), guard)
