"""rows: what the command line says -> a configuration, kept in the run directory, and its run.

Flags enter. The configuration that they come to is a file like any user's, so every other command
(`inspect`, `pipeline`, `stats`) knows the run by it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import yaml

from synth_dspy.commands.context import Context
from synth_dspy.commands.execution import Options
from synth_dspy.commands.finishing import Push
from synth_dspy.commands.loading import load_to_folder
from synth_dspy.commands.running import run_pipeline
from synth_dspy.config import Config, default_config_path
from synth_dspy.config.rows import OUTPUT_FORMATS
from synth_dspy.config.variables import environment
from synth_dspy.errors import ConfigError, UserError
from synth_dspy.programs.row_customs import custom_format
from synth_dspy.programs.row_formats import FORMATS
from synth_dspy.records import digest
from synth_dspy.store.run_directory import write_bytes

GEMINI = "gemini/gemini-2.5-flash"
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_DEFAULTS = {"temperature": 0.4, "top_p": 0.95}
_HEAD = b"# Written by `rows`, from its flags; --config with this file goes on with the same run.\n"


@dataclass(frozen=True, slots=True)
class Asked:
    """The flags of `rows`; None is one that was not given."""

    query: str | None = None
    documents: Path | None = None
    loader: str | None = None
    refine: bool = True
    format: str | None = None
    custom_format_file: str | None = None
    samples: int | None = None
    batch_size: int | None = None
    max_retries: int | None = None
    model: str | None = None
    base_url: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    output_prefix: str | None = None
    output_format: tuple[str, ...] = ()
    incremental_save: bool = False
    log_level: str = "INFO"


def run_rows(
    asked: Asked,
    file: Path | None,
    overrides: Sequence[str],
    options: Options,
    *,
    push: Push = Push(),  # noqa: B008 - frozen
) -> int:
    """The whole recipe; the exit code.

    Raises:
        UserError: flags that exclude one another, or a value that means nothing.
    """
    _set_level(asked.log_level)
    _refuse_both(asked)
    if asked.loader is not None:
        asked = replace(asked, documents=load_to_folder(asked.loader, asked.documents))
    if file is None:
        told, why = configuration(asked)
        written = _written(told)
        context = Context.load(written, overrides, quiet=options.quiet)
    else:
        context, why = _of_file(file, asked, overrides, options)
    return run_pipeline(context, options, push=push, model=why)


def configuration(asked: Asked) -> tuple[dict[str, Any], str]:
    """What flags alone come to, as YAML has it, and which model was chosen and why.

    Raises:
        UserError: as `run_rows`.
    """
    _refuse_both(asked)
    if asked.query is None and asked.documents is None:
        raise UserError("rows needs --query TEXT or --documents PATH.")
    if asked.format is None and asked.custom_format_file is None:
        raise UserError(f"rows needs --format {{{','.join(FORMATS)}}} or --custom-format-file.")
    endpoint, why = _endpoint(asked)
    documents = asked.documents.expanduser().absolute() if asked.documents else None
    if documents is None and endpoint["model_name"] == "offline":
        documents = _quickstart()
        why += f"; the query chooses passages of {documents}"
    section = _section(asked)
    name = _format_name(asked)
    origin = str(documents) if asked.documents else asked.query
    told: dict[str, Any] = {
        "recipe": "rows",
        "dataset": {
            "name": f"rows-{name}-{digest(origin, name, asked.custom_format_file)[:8]}",
            "description": f"Rows of the format {name}, made from "
            + (f"the query {_literal(asked.query)!r}." if asked.query else "documents."),
        },
        "models": {"endpoints": [endpoint]},
        "rows": section,
        "tracking": {"enabled": False},
    }
    if documents is not None:
        told["sources"] = [{"path": str(documents)}]
    return told, why


def _literal(text: str) -> str:
    """Text of the user's, in which no variable of the environment is meant."""
    return text.replace("${", "$${")


def _section(asked: Asked) -> dict[str, Any]:
    given: dict[str, Any] = {
        "query": _literal(asked.query) if asked.query else None,
        "format": asked.format,
        "custom_format": _custom(asked),
        "samples": asked.samples,
        "batch_size": asked.batch_size,
        "max_retries": asked.max_retries,
        "output_prefix": asked.output_prefix,
        "output_formats": _output_formats(asked.output_format) or None,
        "refine": None if asked.refine else False,
        "incremental_save": asked.incremental_save or None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _of_file(
    file: Path, asked: Asked, overrides: Sequence[str], options: Options
) -> tuple[Context, str]:
    """A user's configuration, with what the flags say in its place."""
    _refuse_both(asked)
    replaced = _section(asked)
    if asked.query is not None or asked.documents is not None:
        replaced |= {"query": asked.query}
    if asked.format is not None or asked.custom_format_file is not None:
        replaced |= {"format": asked.format, "custom_format": _custom(asked)}
    changes: dict[str, Any] = {f"rows.{name}": value for name, value in replaced.items()}
    if asked.documents is not None:
        changes["sources"] = [{"path": str(asked.documents.expanduser().absolute())}]
    elif asked.query is not None:
        changes["sources"] = []
    endpoint, why = None, "as the configuration says"
    if asked.model is not None or asked.base_url is not None:
        endpoint, why = _endpoint(asked)
        changes["models.endpoints"] = [endpoint]
    elif sampling := _sampling(asked):
        changes |= {f"models.endpoints.0.{name}": value for name, value in sampling.items()}
    typed = [f"{key}={orjson.dumps(value).decode()}" for key, value in changes.items()]
    context = Context.load(file, [*typed, *overrides], quiet=options.quiet)
    if endpoint is None:
        why = _chosen(context.config)
    return context, why


def _chosen(config: Config) -> str:
    endpoint = config.endpoint_for("question")
    return f"{endpoint.model_name} (endpoint {endpoint.name!r} of {config.file})"


def _endpoint(asked: Asked) -> tuple[dict[str, Any], str]:
    """The endpoint that flags and environment come to, and why."""
    made: dict[str, Any] = {"name": "rows", **_DEFAULTS, **_sampling(asked)}
    if asked.base_url is not None:
        if asked.model is None:
            raise UserError("--base-url needs --model, the model's name at that address.")
        key = {"api_key": "${OPENAI_API_KEY:-}"}
        made |= {"model_name": asked.model, "base_url": asked.base_url, **key}
        return made, f"{asked.model} at {asked.base_url} (--model)"
    if asked.model is not None:
        if asked.model != "offline" and "/" not in asked.model:
            raise UserError(
                f"--model {asked.model!r}: a model is named with its provider (gemini/..., "
                "openai/..., anthropic/...), or with --base-url, or it is `offline`."
            )
        return made | {"model_name": asked.model}, f"{asked.model} (--model)"
    if environment().get("GOOGLE_API_KEY"):
        made |= {"model_name": GEMINI, "api_key": "${GOOGLE_API_KEY}"}
        return made, f"{GEMINI} (GOOGLE_API_KEY is set)"
    return made | {"model_name": "offline"}, "offline (no --model, no GOOGLE_API_KEY)"


def _sampling(asked: Asked) -> dict[str, Any]:
    given = {"temperature": asked.temperature, "top_p": asked.top_p, "top_k": asked.top_k}
    given["max_retries"] = asked.max_retries
    return {name: value for name, value in given.items() if value is not None}


def _refuse_both(asked: Asked) -> None:
    if asked.query is not None and asked.documents is not None:
        raise UserError("--query and --documents exclude each other; give one.")
    if asked.query is not None and asked.loader is not None:
        raise UserError("--query and --loader exclude each other; give one.")
    if asked.format is not None and asked.custom_format_file is not None:
        raise UserError("--format and --custom-format-file exclude each other; give one.")
    if asked.query is not None and not asked.query.strip():
        raise UserError("--query is empty; say what the rows are to be about.")
    if asked.format is not None and asked.format not in FORMATS:
        raise UserError(
            f"--format {asked.format!r} is not one of {', '.join(FORMATS)}; a format of your own "
            "is given with --custom-format-file."
        )


def _output_formats(given: Sequence[str]) -> list[str]:
    """The forms of `--output-format jsonl csv`, `jsonl,csv`, or repeated."""
    forms = [form.strip() for one in given for form in one.split(",") if form.strip()]
    for form in forms:
        if form not in (*OUTPUT_FORMATS, "all"):
            raise UserError(
                f"{form!r} is no output format; --output-format takes "
                f"{', '.join(OUTPUT_FORMATS)} or all."
            )
    return list(OUTPUT_FORMATS) if "all" in forms else list(dict.fromkeys(forms))


def _custom(asked: Asked) -> str | None:
    """The custom format with its path absolute: the configuration lies elsewhere."""
    named = asked.custom_format_file
    if named is None or _file_of(named) is None:
        return named
    return str(_file_of(named))


def _file_of(named: str) -> Path | None:
    is_module = ":" in named and not named.endswith(".json")
    return None if is_module else Path(named).expanduser().absolute()


def _format_name(asked: Asked) -> str:
    if asked.custom_format_file is None:
        return str(asked.format)
    return custom_format(asked.custom_format_file, _file_of(asked.custom_format_file)).name


def _quickstart() -> Path:
    try:
        return (default_config_path().parent / "docs").resolve()
    except ConfigError as error:
        raise UserError(
            "A query alone needs a model: no --model is given, GOOGLE_API_KEY is not set, and the "
            "quickstart's documents, which the offline model would use, are not here. Give "
            "--model, or --documents."
        ) from error


def _written(told: Mapping[str, Any]) -> Path:
    path = Path("outputs", told["dataset"]["name"], "rows.yaml")
    text = yaml.safe_dump(dict(told), sort_keys=False, allow_unicode=True, width=100)
    write_bytes(path, _HEAD + text.encode())
    return path


def _set_level(level: str) -> None:
    if level.upper() not in _LEVELS:
        raise UserError(f"--log-level {level!r} is not one of {', '.join(_LEVELS)}.")
    logging.basicConfig()
    logging.getLogger("synth_dspy").setLevel(level.upper())
