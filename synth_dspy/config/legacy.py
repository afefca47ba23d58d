"""Keys of earlier systems: translated where they still mean something, else accepted with a note.

In: the tree of settings, variables expanded. Out: the same tree in today's keys, one note for each
thing that the user may want to change in the file, and what cannot be translated. Today's keys
always win over the old ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, get_args

from synth_dspy.config.explain import Problem
from synth_dspy.config.generation import default_allocations
from synth_dspy.config.variables import Location
from synth_dspy.records import Difficulty

_FOLDERS = "every stage has its folder in output_dir"
_PROMPTS = (
    "prompts come from the steps' signatures; `prompts.<step>` replaces a step's instructions"
)
_BATCHES = "nothing waits for a batch; generation.llm_concurrency says how many calls are in flight"

# Pattern of the dotted key -> what took its place, as it follows "... is no longer needed: ".
REPLACED: dict[str, str] = {
    "dataset.*_dir": _FOLDERS,
    "dataset.hub_id": "`export --hub-id` says where to push",
    "generation.*_checkpoint_interval": "every finished record is in its stage's journal at once",
    "generation.max_generation_attempts": "a run goes on until its quotas are met",
    "generation.candidates_per_chunk": "`plan` follows target_samples and diversity_weight",
    "generation.llm_batch_size": _BATCHES,
    "generation.vlm_batch_size": _BATCHES.replace("llm_", "vlm_"),
    "generation.enable_code_verification": "code is always run, and dropped when its test fails",
    "generation.code_verification_concurrency": "sandbox.workers says how many tests run at once",
    "generation.test_validation_timeout": "generation.code_verification_timeout limits every run",
    "prompts.*_prompt": _PROMPTS,
    "prompts.*_system": _PROMPTS,
    "prompts.*_generation": _PROMPTS,
    "prompts.*_check": _PROMPTS,
    "prompts.image_transcription": _PROMPTS,
    "prompts.category_classification": _PROMPTS,
    "prompts.sample_curation": _PROMPTS,
}

# What a file of an earlier system may call for, and what it means where it names no type.
QUESTION_TYPES = ("function_completion", "code_generation", "qa", "caption", "summary")
_UNNAMED_TYPES = QUESTION_TYPES[:3]
DIFFICULTIES: tuple[str, ...] = get_args(Difficulty)
_OLD_TYPES = {"code": "code_generation"}


@dataclass(slots=True)
class Translation:
    """What became of a tree: today's keys, lines for the user, and what was wrong."""

    tree: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def translate(tree: dict[str, Any]) -> Translation:
    """Today's keys for those of earlier systems. `tree` itself is left as it is."""
    result = Translation({key: _shallow(value) for key, value in tree.items()})
    _drop_replaced(result)
    generation = result.tree.get("generation")
    if isinstance(generation, dict):
        _batch_size(generation, result)
        _difficulties(generation, result)
        _types(generation, result)
        _modality(generation, result)
    return result


def _shallow(value: Any) -> Any:
    return dict(value) if isinstance(value, dict) else value


def _drop_replaced(result: Translation) -> None:
    dropped: dict[str, list[str]] = {}
    for section, content in result.tree.items():
        if not isinstance(content, dict):
            continue
        for key, successor in list(_replaced_keys(section, content)):
            del content[key]
            dropped.setdefault(successor, []).append(f"{section}.{key}")
    for successor, keys in dropped.items():
        verb = "is" if len(keys) == 1 else "are"
        result.notes.append(f"{_listed(keys)} {verb} no longer needed: {successor}")


def _replaced_keys(section: str, content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key in content:
        for pattern, successor in REPLACED.items():
            if fnmatchcase(f"{section}.{key}", pattern):
                yield key, successor
                break


def _batch_size(generation: dict[str, Any], result: Translation) -> None:
    if "batch_size" not in generation:
        return
    value = generation.pop("batch_size")
    filled = [key for key in ("llm_concurrency", "vlm_concurrency") if key not in generation]
    if filled:
        generation.update(dict.fromkeys(filled, value))
        names = _listed([f"generation.{key}" for key in filled])
        result.notes.append(f"generation.batch_size is read as {names}")
    else:
        result.notes.append(f"generation.batch_size is no longer needed: {_BATCHES}")


def _difficulties(generation: dict[str, Any], result: Translation) -> None:
    if "difficulty_levels" in generation:
        key: Location = ("generation", "difficulty_levels")
        levels = _names(generation.pop("difficulty_levels"), key, DIFFICULTIES, result)
        weights = generation.get("difficulty_weights")
        given = weights if isinstance(weights, dict) else {}
        if levels and (not weights or isinstance(weights, dict)):
            generation["difficulty_weights"] = {level: given.get(level, 1.0) for level in levels}
            result.notes.append(
                "generation.difficulty_levels is read as the keys of generation.difficulty_weights"
            )
    elif generation.get("difficulty_weights") == {}:
        del generation["difficulty_weights"]


def _types(generation: dict[str, Any], result: Translation) -> None:
    """`question_types` and `question_type_weights` become `type_allocations`."""
    old = [key for key in ("question_types", "question_type_weights") if key in generation]
    types = generation.pop("question_types", None)
    weights = generation.pop("question_type_weights", None)
    if not old:
        return
    keys = _listed([f"generation.{key}" for key in old])
    verb = "is" if len(old) == 1 else "are"
    if generation.get("type_allocations"):
        result.notes.append(f"{keys} {verb} no longer needed: generation.type_allocations decides")
        return
    found = len(result.problems)
    shares = _weights(weights, result)
    chosen = (
        _names(types, ("generation", "question_types"), QUESTION_TYPES, result)
        if types
        else list(shares) or list(_UNNAMED_TYPES)
    )
    ratios = {name: shares.get(name, 1.0) for name in chosen}
    total = sum(ratios.values())
    if len(result.problems) > found:
        return
    if total <= 0:
        result.problems.append(
            Problem(
                ("generation", "question_type_weights"),
                "every weight is 0; give at least one question type more",
            )
        )
        return
    generation["type_allocations"] = {
        name: {"ratio": weight / total} for name, weight in ratios.items()
    }
    result.notes.append(f"{keys} {verb} read as generation.type_allocations.<type>.ratio")


def _modality(generation: dict[str, Any], result: Translation) -> None:
    if "multimodal_ratio" not in generation:
        return
    share = generation.pop("multimodal_ratio")
    allocations = generation.get("type_allocations")
    if allocations is None:
        allocations = {n: {"ratio": a.ratio} for n, a in default_allocations().items()}
    if not isinstance(allocations, dict):
        return
    generation["type_allocations"] = {
        name: {"multimodal_ratio": share, **value} if isinstance(value, dict) else value
        for name, value in allocations.items()
    }
    result.notes.append(
        "generation.multimodal_ratio is read as generation.type_allocations.<type>."
        "multimodal_ratio of each type that has none"
    )


def _names(value: Any, key: Location, known: tuple[str, ...], result: Translation) -> list[str]:
    """The known names in a list; the rest become problems."""
    if not isinstance(value, list):
        result.problems.append(Problem(key, f"is not a list; known: {', '.join(known)}"))
        return []
    names = dict.fromkeys(_OLD_TYPES.get(str(name), str(name)) for name in value)
    wrong = [name for name in names if name not in known]
    if wrong:
        result.problems.append(
            Problem(
                key,
                f"{_listed([repr(name) for name in wrong])} is not part of this version; known: "
                + ", ".join(known),
            )
        )
    return [name for name in names if name in known]


def _weights(value: Any, result: Translation) -> dict[str, float]:
    """Weights by question type, in today's names; what is no weight becomes a problem."""
    key: Location = ("generation", "question_type_weights")
    if value is None:
        return {}
    if not isinstance(value, dict):
        result.problems.append(Problem(key, "is not a mapping of question types to weights"))
        return {}
    names = _names(list(value), key, QUESTION_TYPES, result)
    weights: dict[str, float] = {}
    for name, weight in value.items():
        today = _OLD_TYPES.get(str(name), str(name))
        try:
            number = -1.0 if isinstance(weight, bool) else float(weight)
        except (TypeError, ValueError):
            number = -1.0
        if not 0 <= number < float("inf"):
            result.problems.append(
                Problem((*key, str(name)), f"{weight!r} is not a weight; give a number from 0 up")
            )
        elif today in names:
            weights[today] = number
    return weights


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
