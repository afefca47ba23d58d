"""init: a commented configuration for one's own documents, from three answers."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from synth_dspy.commands.context import show
from synth_dspy.config import load_config
from synth_dspy.errors import UserError
from synth_dspy.sources.peek import may_hold_images

_OFFLINE = """\
    # The built-in offline model: extractive, free, no network. Replace it by a model of yours
    # with `init --model` (openai/..., gemini/..., anthropic/..., or a name with --base-url).
    - name: model
      model_name: offline"""

_HOSTED = """\
    - name: model
      model_name: {model}{address}
      api_key: ${{{variable}:-}}      # from the environment or .env, never in this file
      # price_per_million_input: 0.15   # in US dollars, where the model's price is not known
      # price_per_million_output: 0.60
      # requests_per_minute: 500"""

_CONFIG = """\
# {name}: a dataset from {documents}
#
#   python -m synth_dspy.run validate-config --config {file}
#   python -m synth_dspy.run plan --estimate --config {file}     calls and cost, before any
#   python -m synth_dspy.run preview --config {file}             a few records, step by step
#   python -m synth_dspy.run pipeline --config {file}            all of it; resumes after a kill
recipe: assistant

dataset:
  name: {name}                  # also names the run directory: outputs/{name}
  license: apache-2.0
  # Refuse benchmark items: JSONL files of HumanEval, MBPP or your own held-out set.
  # decontaminate: [humaneval.jsonl]

sources:
  # Relative to this file. Patterns are those of a .gitignore.
  - path: {path}
    # include_patterns: ["*.md", "*.ipynb"]
    # license: cc-by-4.0

models:
  endpoints:
{endpoint}

generation:
  target_samples: {samples}          # accepted samples, not attempts
  # Shares of the types sum to 1; `multimodal_ratio` is the share whose question needs an image.
  type_allocations:
    qa: {{ratio: 0.50, multimodal_ratio: {pictured}}}
    code_generation: {{ratio: 0.25, multimodal_ratio: {pictured_code}}}
    function_completion: {{ratio: 0.25, multimodal_ratio: {pictured_code}}}
  # Stop before these are passed; everything made so far is kept.
  # max_cost_usd: 5
  # max_tokens_total: 2000000

# What samples are sorted into; the classifier reads the descriptions.
# categories:
#   - name: basics
#     description: What a newcomer asks first.

sandbox:
  backend: auto                 # Docker, then bubblewrap
  # packages: [numpy==2.3.0]    # what your documents' code imports

seed: 42
"""

_PROVIDER_KEYS = {
    "openai": "OPENAI_API_KEY", "gemini": "GEMINI_API_KEY", "anthropic": "ANTHROPIC_API_KEY",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answers:
    """What `init` was told.

    Attributes:
        documents: a folder or file; model: a model's name, `offline` for the built-in one.
        base_url: of an OpenAI-compatible server, or "".
    """

    documents: Path
    model: str
    samples: int
    base_url: str = ""
    name: str = ""


def write_config(answers: Answers, file: Path, *, force: bool) -> None:
    """Write a configuration that validates, and say what to do next.

    Raises:
        UserError: the documents are not there, the model is not known how to be reached, the file
            is there already, or it cannot be written.
    """
    if not answers.documents.expanduser().exists():
        raise UserError(f"{answers.documents} does not exist; name the folder of your documents.")
    if file.exists() and not force:
        raise UserError(f"{file} is there already; name another with --output, or give --force.")
    if answers.samples < 1:
        raise UserError(f"--samples {answers.samples}: ask for at least 1.")
    text = _filled(answers, file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{file} cannot be written: {error.strerror}.") from error
    config = load_config(file).config
    show(f"{file}: written for {answers.documents} and {config.models.endpoints[0].model_name}")
    if (variable := _key_variable(answers)) and not os.environ.get(variable):
        when = "if the server asks for a key: " if answers.base_url else ""
        show(f"next   {when}put {variable}=... into .env or the environment")
    show(f"next   python -m synth_dspy.run preview --config {file}")


def _filled(answers: Answers, file: Path) -> str:
    documents = answers.documents.expanduser().resolve()
    path = os.path.relpath(documents, file.resolve().parent)
    pictured = _has_pictures(documents)
    return _CONFIG.format(
        name=answers.name or _named(documents),
        documents=_quoted(str(answers.documents)),
        file=file,
        path=_quoted(path),
        endpoint=_endpoint(answers),
        samples=answers.samples,
        pictured="0.30" if pictured else "0",
        pictured_code="0.20" if pictured else "0",
    )


def _endpoint(answers: Answers) -> str:
    if answers.model == "offline":
        return _OFFLINE
    provider = answers.model.partition("/")[0]
    if not answers.base_url and provider not in _PROVIDER_KEYS:
        known = ", ".join(f"{name}/..." for name in _PROVIDER_KEYS)
        raise UserError(
            f"--model {answers.model!r}: give --base-url for a server of your own (vLLM: "
            f"http://localhost:8000/v1, Ollama: http://localhost:11434/v1), or name a provider: "
            f"{known}, or `offline`."
        )
    address = f"\n      base_url: {_quoted(answers.base_url)}" if answers.base_url else ""
    return _HOSTED.format(
        model=_quoted(answers.model), address=address, variable=_key_variable(answers)
    )


def _key_variable(answers: Answers) -> str:
    """The variable that holds the key; "" where none is needed."""
    if answers.model == "offline":
        return ""
    return _PROVIDER_KEYS.get(answers.model.partition("/")[0], "MODEL_API_KEY")


def _has_pictures(documents: Path) -> bool:
    """Whether there may be images, so that no quota asks for what is not there."""
    files = [documents] if documents.is_file() else sorted(documents.rglob("*"))
    return may_hold_images(file for file in files if file.is_file())


def _named(documents: Path) -> str:
    """A name for the dataset that can name a folder, from that of the documents."""
    stem = documents.stem if documents.is_file() else documents.name
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")
    return name or "dataset"


def _quoted(text: str) -> str:
    """As YAML reads it back: quoted where it would be something else than text."""
    plain = re.fullmatch(r"[A-Za-z0-9_./~][A-Za-z0-9_./ ~:-]*", text) and ": " not in text
    return text if plain and not text.endswith((":", " ")) else _double_quoted(text)


def _double_quoted(text: str) -> str:
    escapes: Mapping[str, str] = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
    return '"' + "".join(escapes.get(c, c) for c in text) + '"'
