"""A compiled step on disk: instructions and worked examples as JSON, and nothing else.

Predictors enter and a file leaves; a file enters and, once it is proved to be what was written and
to fit the predictors of today, their instructions and examples change. It names no model, address
or key: models are bound at run time. DSPy's own `load` sets whatever attributes a file holds, an
endpoint's address among them, so it is not used here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import dspy
import orjson

from synth_dspy.errors import ArtefactError
from synth_dspy.store.run_directory import write_json

SCHEMA = 1

_KEYS = frozenset({"schema", "dspy", "program", "sha256", "meta", "state"})
_PREDICTOR_KEYS = frozenset({"demos", "signature"})
_SIGNATURE_KEYS = frozenset({"instructions", "fields"})
_FIELD_KEYS = frozenset({"prefix", "description"})
# What DSPy adds to a worked example that it made itself.
_DEMO_MARKS = frozenset({"augmented"})


@dataclass(frozen=True, slots=True)
class Artefact:
    """A compiled step.

    Attributes:
        program: the class of the Program that the step is of.
        state: by the Program's step: `demos` (a list of fields and values) and `signature`
            (`instructions`, and the `fields` that it was compiled with).
        meta: recipe, step, gold, model, optimizer, scores, date: what `programs show` tells.
        sha256: 64 hex characters over program and state: equal prompts have equal hashes.
    """

    dspy: str
    program: str
    sha256: str
    meta: dict[str, Any]
    state: dict[str, dict[str, Any]]

    @property
    def recipe(self) -> str:
        """The recipe whose step it is."""
        return str(self.meta.get("recipe", ""))

    @property
    def step(self) -> str:
        """The step as `compile --step` calls it."""
        return str(self.meta.get("step", ""))

    @property
    def demos(self) -> int:
        """How many worked examples it holds."""
        return sum(len(part["demos"]) for part in self.state.values())


def make_artefact(
    program: str, predictors: Mapping[str, dspy.Predict], meta: Mapping[str, Any]
) -> Artefact:
    """The artefact of predictors, by the name of their step.

    Raises:
        ArtefactError: a worked example holds what is no JSON (a picture).
    """
    state = {step: _state_of(step, predictor) for step, predictor in predictors.items()}
    return Artefact(dspy.__version__, program, _hash_of(program, state), dict(meta), state)


def write_artefact(artefact: Artefact, path: Path) -> None:
    """Write it.

    Raises:
        StoreError: the file cannot be written.
    """
    meta = {**artefact.meta, "sha256": _digest(artefact.meta)}
    write_json(
        path,
        {
            "schema": SCHEMA,
            "dspy": artefact.dspy,
            "program": artefact.program,
            "sha256": artefact.sha256,
            "meta": meta,
            "state": artefact.state,
        },
    )


def read_artefact(path: Path) -> Artefact:
    """An artefact whose form is right and whose hashes are those of its content.

    Raises:
        ArtefactError: it is not readable, not an artefact, of another schema, or was changed.
    """
    try:
        found = orjson.loads(path.read_bytes())
    except OSError as error:
        raise ArtefactError(f"{path} cannot be read: {error.strerror}.") from error
    except orjson.JSONDecodeError as error:
        _refuse(path, f"it is not JSON: {error}", error)
    if not isinstance(found, dict) or set(found) != _KEYS:
        _refuse(path, f"it must have the keys {_listed(_KEYS)}, and has {_names(found)}")
    if found["schema"] != SCHEMA:
        _refuse(path, f"it has schema {found['schema']!r}; this version reads {SCHEMA}")
    if not isinstance(found["meta"], dict) or not isinstance(found["state"], dict):
        _refuse(path, "`meta` and `state` must be objects")
    for step, part in found["state"].items():
        fault = _fault_of_form(part)
        if fault:
            _refuse(path, f"state.{step}: {fault}")
    if _hash_of(str(found["program"]), found["state"]) != found["sha256"]:
        _refuse(path, "its content was changed after it was written: sha256 does not match `state`")
    meta = dict(found["meta"])
    if meta.pop("sha256", "") != _digest(meta):
        _refuse(path, "its content was changed after it was written: sha256 does not match `meta`")
    return Artefact(
        str(found["dspy"]), str(found["program"]), str(found["sha256"]), meta, found["state"]
    )


def apply_artefact(artefact: Artefact, predictors: Mapping[str, Iterable[dspy.Predict]]) -> None:
    """Give predictors, by step, the artefact's instructions and worked examples. Nothing else of
    theirs changes: their model least of all.

    Raises:
        ArtefactError: it is for other steps, or their fields have changed since it was compiled.
    """
    where = f"{artefact.recipe}/{artefact.step} {artefact.sha256[:12]}"
    if set(artefact.state) != set(predictors):
        _refuse(where, f"it is for {_names(artefact.state)}, and {_names(predictors)} is asked")
    for step, found in predictors.items():
        for predictor in found:
            fault = _misfit(artefact.state[step], predictor.signature)
            if fault:
                _refuse(where, f"{step}: {fault}. Compile it again")
    for step, found in predictors.items():
        for predictor in found:
            _load(artefact.state[step], predictor)


def _load(part: Mapping[str, Any], predictor: dspy.Predict) -> None:
    signature = predictor.signature
    changed = signature.with_instructions(part["signature"]["instructions"])
    changed.__name__ = signature.__name__  # what traces call the step
    predictor.signature = changed
    predictor.demos = [dspy.Example(**demo) for demo in part["demos"]]


def _state_of(step: str, predictor: dspy.Predict) -> dict[str, Any]:
    try:
        # What gold has beside the fields (a test) is for the metric, never for the prompt. Through
        # JSON and back, so that the hash is of what will be read.
        known = set(predictor.signature.fields) | _DEMO_MARKS
        shown = [{k: v for k, v in dict(d).items() if k in known} for d in predictor.demos]
        demos = orjson.loads(orjson.dumps(shown))
    except TypeError as error:
        raise ArtefactError(
            f"{step}: a worked example holds what cannot be written as JSON: {error}. "
            "Leave pictures out of the gold that demonstrations are made of."
        ) from error
    return {
        "demos": demos,
        "signature": {
            "instructions": predictor.signature.instructions,
            "fields": _fields_of(predictor.signature),
        },
    }


def _fields_of(signature: Any) -> list[dict[str, str]]:
    fields: list[dict[str, str]] = signature.dump_state()["fields"]
    return fields


def _fault_of_form(part: Any) -> str:
    """What is in a predictor's state that must not be, or "" when it is as written by us."""
    if not isinstance(part, dict) or set(part) != _PREDICTOR_KEYS:
        return f"only {_listed(_PREDICTOR_KEYS)} may be there, and there is {_names(part)}"
    signature = part["signature"]
    if not isinstance(signature, dict) or set(signature) != _SIGNATURE_KEYS:
        return f"signature: only {_listed(_SIGNATURE_KEYS)} may be there, and there is " + _names(
            signature
        )
    if not isinstance(signature["instructions"], str) or not signature["instructions"].strip():
        return "signature.instructions is no text"
    fields = signature["fields"]
    if not isinstance(fields, list) or any(
        not isinstance(f, dict)
        or set(f) != _FIELD_KEYS
        or not all(isinstance(v, str) for v in f.values())
        for f in fields
    ):
        return f"signature.fields: each has {_listed(_FIELD_KEYS)}, as texts"
    demos = part["demos"]
    if not isinstance(demos, list) or not all(isinstance(demo, dict) for demo in demos):
        return "demos: a list of objects is needed"
    return ""


def _misfit(part: Mapping[str, Any], signature: Any) -> str:
    """How a predictor's state does not fit the signature of today, or ""."""
    then, now = part["signature"]["fields"], _fields_of(signature)
    if len(then) != len(now):
        return f"it was compiled with {len(then)} fields, and the signature has {len(now)}"
    if then != now:
        changed = next(a["prefix"] for a, b in zip(then, now, strict=True) if a != b)
        return f"the signature's field {changed!r} is another than it was compiled with"
    known = set(signature.fields) | _DEMO_MARKS
    unknown = {name for demo in part["demos"] for name in demo} - known
    if unknown:
        return f"a worked example has {_names(unknown)}, which the signature does not have"
    return ""


def _hash_of(program: str, state: Any) -> str:
    return _digest({"schema": SCHEMA, "program": program, "state": state})


def _digest(value: Any) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _names(value: Any) -> str:
    if not isinstance(value, Mapping | set | frozenset):
        return type(value).__name__
    return _listed(value) or "nothing"


def _listed(names: Iterable[Any]) -> str:
    return ", ".join(sorted(map(str, names)))


def _refuse(where: object, why: str, cause: Exception | None = None) -> NoReturn:
    raise ArtefactError(f"The compiled program {where} is refused: {why}.") from cause
