"""MLflow: one run for each run of a recipe, with what was asked, what came of it, and its plots.

Enters: a configuration and a finished run directory. Leaves: the tracking URI. Nothing of a key
comes here: parameters are those of the redacted configuration.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from synth_dspy.config import Config
from synth_dspy.store.run_directory import read_json

_PARAM_CHARS = 500
_STORE = Path("outputs") / "mlflow.db"


def tracking_uri(config: Config) -> str:
    """The configured server, or a SQLite file in `outputs/` of the working directory."""
    return config.tracking.uri or f"sqlite:///{_STORE}"


def log_run(config: Config, run_dir: Path, *, say: Callable[[str], None]) -> str:
    """Log a finished run; returns the URI, or "" when MLflow could not be reached.

    A tracking server that is down must not take a finished dataset with it: it is said, and the
    run goes on.
    """
    # MLflow takes seconds to import, and only the end of a run needs it.
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            experiment = open_tracking(config)
            with mlflow.start_run(experiment_id=experiment, run_name=run_dir.name):
                mlflow.log_params(_params(config.redacted()))
                mlflow.set_tags({"recipe": config.recipe, "run_dir": str(run_dir)})
                mlflow.set_tags(_compiled(run_dir))
                mlflow.log_metrics(_metrics(run_dir))
                _log_files(mlflow, run_dir)
    except (MlflowException, OSError) as error:
        say(f"tracking: not logged: {str(error).splitlines()[0]} (the dataset is not affected)")
        return ""
    return tracking_uri(config)


def open_tracking(config: Config) -> str:
    """Point MLflow at the configured store; returns the experiment's id.

    Raises:
        MlflowException, OSError: the store cannot be opened.
    """
    os.environ.setdefault("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    import mlflow

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    uri = tracking_uri(config)
    if uri.startswith("sqlite:///"):
        Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    mlflow.set_tracking_uri(uri)
    return _experiment(mlflow, config.tracking.experiment or config.dataset.name)


def _experiment(mlflow: Any, name: str) -> str:
    """The experiment's id. Artefacts of a local store lie beside it, in `outputs/mlruns`."""
    found = mlflow.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    local = mlflow.get_tracking_uri().startswith("sqlite:")
    place = (_STORE.parent / "mlruns").resolve().as_uri() if local else None
    return str(mlflow.create_experiment(name, artifact_location=place))


def _params(settings: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Dotted keys and short values; lists by index."""
    flat: dict[str, str] = {}
    for key, value in settings.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat.update(_params(value, f"{name}."))
        elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
            flat.update(_params({str(i): item for i, item in enumerate(value)}, f"{name}."))
        elif value not in (None, "", [], ()):
            flat[name] = str(value)[:_PARAM_CHARS]
    return flat


def _compiled(run_dir: Path) -> dict[str, str]:
    """The compiled programs that a run used, and the runs in which they were compiled."""
    used = (read_json(run_dir / "run.json") or {}).get("compiled", {})
    hashes = {f"compiled.{step}": one["sha256"] for step, one in used.items()}
    return hashes | {f"compiled.{step}.run": one["run"] for step, one in used.items() if one["run"]}


def _metrics(run_dir: Path) -> dict[str, float]:
    """Counts of the dataset and of every stage's summary."""
    metrics: dict[str, float] = {}
    for path in sorted(run_dir.glob("*/*summary.json")):
        summary = read_json(path)
        stage = summary["stage"]
        for name in ("in", "kept", "out", "failed", "llm_calls", "tokens", "cost_usd", "seconds"):
            metrics[f"{stage}.{name}"] = float(summary[name])
        metrics[f"{stage}.dropped"] = float(sum(summary["dropped"].values()))
    statistics = read_json(run_dir / "analysis" / "statistics.json") or {}
    metrics["samples"] = float(statistics.get("total", 0))
    for facet in ("type", "split", "modality"):
        for name, count in statistics.get("counts", {}).get(facet, {}).items():
            metrics[f"samples.{facet}.{name}"] = float(count)
    return metrics


def _log_files(mlflow: Any, run_dir: Path) -> None:
    analysis = run_dir / "analysis"
    for path in sorted([*analysis.glob("*.png"), analysis / "statistics.json"]):
        if path.exists():
            mlflow.log_artifact(str(path), "analysis")
    for path in (analysis / "report.html", run_dir / "final" / "README.md", run_dir / "run.json"):
        if path.exists():
            mlflow.log_artifact(str(path))
