"""MLflow traces of a share of the samples: every model call, nested in its step and its stage.

Which samples is drawn from their task's id, so a rerun traces the same ones. DSPy's callback costs
30 ms of CPU a call and is therefore never in the global settings, but around sampled records only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import dspy

from synth_dspy.config import Config
from synth_dspy.optimize.tracking import open_tracking
from synth_dspy.records import Task, digest


class Tracer:
    """Opens a trace around sampled records.

    Make it in the thread that will start the event loop: DSPy's settings belong to that one.

    Args:
        say: takes a line when MLflow cannot be reached; the run goes on without traces.
    """

    def __init__(self, config: Config, say: Callable[[str], None]) -> None:
        self._rate, self._seed = config.tracking.sample_rate, config.seed
        self._callback: Any = None
        self._experiment = ""
        self._open(config, say)

    def watch(self, stage: str, task: Task) -> AbstractContextManager[object]:
        """A context for one record of a stage; one that does nothing for those not sampled."""
        if self._callback is None or not self.sampled(task):
            return nullcontext()
        return self._traced(stage, task)

    def sampled(self, task: Task) -> bool:
        """Whether a task is of the share."""
        return int(digest(self._seed, "trace", task.id)[:8], 16) / 16**8 < self._rate

    def close(self) -> None:
        """Wait until what was traced is logged."""
        if self._callback is not None:
            import mlflow

            with contextlib.suppress(Exception):
                mlflow.flush_trace_async_logging()

    def _open(self, config: Config, say: Callable[[str], None]) -> None:
        import mlflow
        from mlflow.exceptions import MlflowException

        try:
            self._experiment = open_tracking(config)
        except (MlflowException, OSError) as error:
            say(f"tracking: no traces: {str(error).splitlines()[0]}")
            return
        # Only `autolog` switches its callback on, and puts it where every call would pay for it.
        before = list(dspy.settings.callbacks)
        mlflow.dspy.autolog(log_traces=True, log_evals=False, log_compiles=False, silent=True)
        added = [c for c in dspy.settings.callbacks if c not in before]
        dspy.configure(callbacks=before)
        self._callback = added[-1] if added else None

    @contextlib.contextmanager
    def _traced(self, stage: str, task: Task) -> Iterator[object]:
        import mlflow

        destination = mlflow.entities.trace_location.MlflowExperimentLocation(self._experiment)
        given = {"task": task.id, "type": task.type, "modality": task.modality}
        with (
            dspy.context(callbacks=[self._callback]),
            mlflow.start_span(
                f"{stage} {task.id}", attributes=given, trace_destination=destination
            ) as span,
        ):
            mlflow.update_current_trace(
                tags={**given, "stage": stage}, metadata={"mlflow.trace.session": task.id}
            )
            span.set_inputs(given)
            yield span
