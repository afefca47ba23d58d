"""From a reply to a score: runs what the metric needs to know, and speaks every optimizer's form.

A gold example and a prediction enter, a `Score` leaves. Code is run in the sandbox here, so that
the metrics themselves stay pure.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import dspy

from sandbox import Job, Sandbox, Verdict
from synth_dspy.lm.bridge import Background
from synth_dspy.optimize.gold_steps import GoldStep
from synth_dspy.optimize.metrics import Metric, Score, metric_for
from synth_dspy.optimize.subject import FAILURE
from synth_dspy.programs.code import extract_code

GOOD_ENOUGH = 0.999
"""From this score on a reply may serve as a worked example; DSPy's own test takes 0 for true."""

Run = Callable[[Coroutine[Any, Any, Verdict]], Verdict]


class Scorer:
    """The metric of a step, with its sandbox.

    Args:
        sandbox: for steps that are scored by tests.
        timeout_s: of one test.
    """

    def __init__(self, step: GoldStep, sandbox: Sandbox | None = None, timeout_s: float = 10.0):
        self._metric: Metric = metric_for(step.name)
        self._step, self._sandbox, self._timeout_s = step, sandbox, timeout_s
        self._background = Background()
        self._verdicts: dict[tuple[str, str], Verdict] = {}

    def __call__(self, example: dspy.Example, prediction: dspy.Prediction | None) -> Score:
        """The score of one prediction; 0 for none, and for a reply that could not be read."""
        if prediction is None:
            return Score(0.0, "There is no reply.")
        if FAILURE in prediction:
            return Score(0.0, f"The reply could not be used: {prediction[FAILURE]}")
        if self._step.scoring == "tests":
            prediction = dspy.Prediction(
                **{**prediction.toDict(), **self._run(example, prediction)}
            )
        return self._metric(example, prediction)

    def value(self, example: dspy.Example, prediction: Any, trace: Any = None) -> float:
        """As DSPy's evaluation and its bootstrapping call a metric."""
        del trace
        return self(example, prediction).value

    def explained(
        self,
        example: dspy.Example,
        prediction: Any,
        trace: Any = None,
        pred_name: Any = None,
        pred_trace: Any = None,
    ) -> dspy.Prediction:
        """As GEPA calls a metric: the score, and the feedback that it reflects on."""
        del trace, pred_name, pred_trace
        score = self(example, prediction)
        return dspy.Prediction(score=score.value, feedback=score.feedback)

    def close(self) -> None:
        """End the sandbox, where one was used, and its loop."""
        if self._sandbox is not None and self._background.started:
            self._background.run(self._sandbox.aclose())
        self._background.close()

    def _run(self, example: dspy.Example, prediction: dspy.Prediction) -> dict[str, Any]:
        if self._sandbox is None:
            return {"passed": False, "message": "there is no sandbox to run it in"}
        code = extract_code(str(prediction.get("program", "")))
        key = (code, str(example.test_code))
        verdict = self._verdicts.get(key)
        if verdict is None:
            job = Job(code, key[1], example.entry_point, timeout_s=self._timeout_s)
            verdict = self._verdicts[key] = self._background.run(self._sandbox.verify(job))
        return {"passed": verdict.passed, "message": verdict.message, "attempts": 1}
