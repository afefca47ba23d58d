"""MLflow: one run for each compiled step, its candidates below it, its prompt in the registry.

Enters: a configuration and what a compilation came to. Leaves: a run's id, which the artefact keeps
and dataset runs link to. The artefact is logged as the JSON that it is: MLflow's own model format
for DSPy is a pickle that holds keys. Where MLflow cannot be reached it is said once, and the
compilation goes on.
"""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Self

import orjson

from synth_dspy.config import Config
from synth_dspy.optimize.compile_records import Compiled
from synth_dspy.optimize.gold import SPLITS, GoldSet
from synth_dspy.optimize.gold_steps import GoldStep
from synth_dspy.optimize.tracking import open_tracking, tracking_uri

ALIAS = "promoted"
"""The alias of the registered prompt that is in use."""

_CHILDREN = 20


class CompileLog:
    """The MLflow run of one compilation.

    Attributes:
        run_id: "" where tracking is off or cannot be reached.
    """

    def __init__(self, config: Config, step: GoldStep, optimizer: str, say: Callable[[str], None]):
        self._config, self._step, self._optimizer, self._say = config, step, optimizer, say
        self._experiment = ""
        self.run_id = ""

    def __enter__(self) -> Self:
        if not self._config.tracking.enabled:
            return self
        # A server that is away must not hold a compilation up for minutes.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        with self._reaching() as mlflow:
            self._experiment = open_tracking(self._config)
            run = mlflow.MlflowClient().create_run(
                self._experiment,
                run_name=f"compile {self._step.name} ({self._optimizer})",
                tags={
                    "kind": "compile",
                    "recipe": self._step.recipe,
                    "step": self._step.name,
                    "optimizer": self._optimizer,
                },
            )
            self.run_id = run.info.run_id
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self.run_id:
            with self._reaching() as mlflow:
                status = "FINISHED" if kind is None else "FAILED"
                mlflow.MlflowClient().set_terminated(self.run_id, status)

    @property
    def where(self) -> str:
        """How to look at it; "" where nothing was logged."""
        if not self.run_id:
            return ""
        uri = tracking_uri(self._config)
        if uri.startswith("http"):
            return f"{uri.rstrip('/')}/#/experiments/{self._experiment}/runs/{self.run_id}"
        return f"mlflow ui --backend-store-uri {uri} (run {self.run_id})"

    def write(self, compiled: Compiled) -> None:
        """Log what a compilation came to."""
        if not self.run_id:
            return
        with self._reaching() as mlflow:
            with mlflow.start_run(run_id=self.run_id):
                mlflow.log_params(_params(compiled))
                mlflow.log_metrics(_metrics(compiled))
                mlflow.set_tags({"sha256": compiled.artefact.sha256, "gate": compiled.why[:500]})
                mlflow.log_artifact(compiled.path, "artefact")
                before, after = compiled.prompts
                mlflow.log_text(before, "prompt_before.txt")
                mlflow.log_text(after, "prompt_after.txt")
                table = _classes(compiled)
                if table["label"]:
                    mlflow.log_table(table, "classes.json")
                for split in SPLITS:
                    mlflow.log_input(_dataset(compiled.order.gold, split), context=split)
                _log_candidates(mlflow, compiled)
            if compiled.promoted:
                _register(mlflow, compiled)

    @contextlib.contextmanager
    def _reaching(self) -> Iterator[Any]:
        """MLflow; when it cannot be reached that is said, and nothing more is logged."""
        # It takes seconds to import.
        import mlflow
        from mlflow.exceptions import MlflowException

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield mlflow
        except (MlflowException, OSError) as error:
            self.run_id = ""
            self._say(
                f"tracking: not logged: {str(error).splitlines()[0]} (the compilation goes on)"
            )


def _params(compiled: Compiled) -> dict[str, Any]:
    order = compiled.order
    return {
        "recipe": order.step.recipe,
        "step": order.step.name,
        "predictor": order.step.predictor,
        "optimizer": order.optimizer.name,
        "model": order.model_name,
        "instructions_by": order.writer_name,
        "seed": order.seed,
        "max_demos": order.demos,
        "gold_sha256": order.gold.sha256,
        **{f"gold_{split}": len(order.gold.split(split)) for split in SPLITS},
        "dspy": compiled.artefact.dspy,
        "synth_dspy": compiled.artefact.meta["synth_dspy"],
    }


def _metrics(compiled: Compiled) -> dict[str, float]:
    metrics = {
        "gain": compiled.interval.gain,
        "gain_low": compiled.interval.low,
        "gain_high": compiled.interval.high,
        "promoted": float(compiled.promoted),
        "demos": float(compiled.artefact.demos),
        "llm_calls": float(compiled.calls),
        "tokens": float(compiled.tokens),
        "cost_usd": compiled.cost_usd,
        "seconds": compiled.seconds,
    }
    for when, scores in (("baseline", compiled.baseline), ("compiled", compiled.compiled)):
        for split in ("validation", "heldout"):
            for name, value in getattr(scores, split).figures().items():
                metrics[f"{when}.{split}.{name}"] = value
    return metrics


def _classes(compiled: Compiled) -> dict[str, list[Any]]:
    """Precision, recall and F1 of each label on held-out gold, before and after."""
    table: dict[str, list[Any]] = {
        name: [] for name in ("program", "label", "precision", "recall", "f1", "support")
    }
    for when, scores in (("baseline", compiled.baseline), ("compiled", compiled.compiled)):
        for row in scores.heldout.classes():
            table["program"].append(when)
            for name in ("label", "precision", "recall", "f1", "support"):
                table[name].append(getattr(row, name))
    return table


def _dataset(gold: GoldSet, split: Any) -> Any:
    import mlflow
    import pandas as pd

    rows = [
        {
            "id": item.id,
            "inputs": orjson.dumps(item.inputs).decode(),
            "labels": orjson.dumps(item.labels).decode(),
            "source": item.source,
            "license": item.license,
        }
        for item in gold.split(split)
    ]
    name = f"gold-{gold.step}-{split}"
    return mlflow.data.from_pandas(pd.DataFrame(rows), name=name, digest=gold.sha256[:12])


def _log_candidates(mlflow: Any, compiled: Compiled) -> None:
    # A child run is not in its parent's experiment of itself.
    here = mlflow.active_run().info.experiment_id
    for number, candidate in enumerate(compiled.candidates[:_CHILDREN], 1):
        predictor, name = candidate.program.step, f"candidate {number}"
        with mlflow.start_run(nested=True, experiment_id=here, run_name=name):
            mlflow.set_tags({"kind": "candidate", "step": compiled.order.step.name})
            mlflow.log_metrics(
                {"validation.score": candidate.score, "demos": float(len(predictor.demos))}
            )
            mlflow.log_text(predictor.signature.instructions, "instructions.txt")


def _register(mlflow: Any, compiled: Compiled) -> None:
    """The prompt as a version in the registry; the alias goes to the one in use."""
    order = compiled.order
    version = mlflow.genai.register_prompt(
        name=f"{order.step.recipe}-{order.step.name}",
        template=compiled.prompts[1],
        commit_message=f"{order.optimizer.name}: {compiled.why}"[:500],
        tags={"sha256": compiled.artefact.sha256, "run_id": order.mlflow_run},
    )
    mlflow.genai.set_prompt_alias(version.name, ALIAS, version.version)
