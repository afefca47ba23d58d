"""How a step's reply is scored against gold: pure functions, with feedback in words.

A labelled example and a prediction enter, a `Score` leaves. Nothing is asked or run here: what a
sandbox said of an answer is part of the prediction. GEPA reads the feedback, so it names what is
wrong and what was wanted. Scores of many examples at once are in metrics_whole.py, checks of a
question's form in metrics_question.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from synth_dspy.optimize.gold_steps import GoldStep, gold_step
from synth_dspy.optimize.metrics_question import question_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Shares of an answer's score: that it passes counts most, then how soon, then how strong its test.
_PASSED, _SOON, _STRONG = 0.7, 0.2, 0.1


@dataclass(frozen=True, slots=True)
class Score:
    """How good a reply is, 0 to 1, and what is wrong with it in words."""

    value: float
    feedback: str


class Metric(Protocol):
    """Scores one prediction.

    Args:
        example: the gold item's fields; prediction: the reply's. Mappings, as DSPy's are.
    """

    def __call__(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Score: ...


def metric_for(step: str) -> Metric:
    """The metric of a gold step.

    Raises:
        UserError: there is no gold for such a step.
    """
    of = gold_step(step)
    metrics: dict[str, Callable[[GoldStep], Metric]] = {
        "category": lambda _of: category_metric,
        "verdict": verdict_metric,
        "tests": lambda _of: tests_metric,
        "checks": lambda _of: question_metric,
    }
    return metrics[of.scoring](of)


def category_metric(example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Score:
    """1 when the category is the labelled one, by letters and digits alone; else 0."""
    wanted, said = str(example["category"]), str(_get(prediction, "category")).partition(":")[0]
    if _plain(said) == _plain(wanted):
        return Score(1.0, f"Right: the category is {wanted}.")
    known = {_plain(line.partition(":")[0]) for line in example.get("categories", ())}
    if known and _plain(said) not in known:
        return Score(
            0.0,
            f"{said.strip()!r} is no category of the list. Answer with a category's name exactly "
            f"as given; here it is {wanted}.",
        )
    meant = _described(example, wanted)
    return Score(0.0, f"Wrong: the category is {wanted}, not {said.strip()}.{meant}")


def verdict_metric(step: GoldStep) -> Metric:
    """The metric of a judge.

    Half of the score is the verdict that its criteria come to, half the share of criteria that are
    labelled so: what a run drops depends on the verdict alone, what a report says on both.
    """
    criteria = step.criteria

    def metric(example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Score:
        said = {name: truth(_get(prediction, name)) for name in criteria}
        wrong = [name for name in criteria if said[name] is not bool(example[name])]
        accepted = all(said[name] is True for name in criteria)
        wanted = all(bool(example[name]) for name in criteria)
        agreed = accepted is wanted
        value = 0.5 * agreed + 0.5 * (1 - len(wrong) / len(criteria))
        if not wrong:
            return Score(value, f"Right: it is to be {'accepted' if wanted else 'rejected'}.")
        should = [
            f"{name} should be {bool(example[name])}"
            + (", the reply has no yes or no there" if said[name] is None else "")
            for name in wrong
        ]
        verdict = (
            "The verdict is right all the same"
            if agreed
            else f"It must be {'accepted' if wanted else 'rejected'}, not "
            f"{'accepted' if accepted else 'rejected'}"
        )
        reason = str(example.get("reason") or "").strip()
        return Score(value, f"{verdict}: {'; '.join(should)}. {reason}".strip())

    return metric


def tests_metric(example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Score:
    """Whether a program passed its test, after how many attempts, and how many mutants the test
    killed.

    The prediction holds what the sandbox said: `passed`, `message`, `attempts` (1 or more),
    `mutants_run` and `mutants_killed`. 0.7 for passing, up to 0.2 for passing soon (the first
    attempt: all of it, the second: half), up to 0.1 for mutants killed.
    """
    attempts = max(1, int(_get(prediction, "attempts") or 1))
    run, killed = int(_get(prediction, "mutants_run") or 0), _get(prediction, "mutants_killed")
    if not _get(prediction, "passed"):
        message = str(_get(prediction, "message") or "").strip() or "the sandbox gave no report"
        return Score(
            0.0,
            f"The program for `{example.get('entry_point', '')}` does not pass its test after "
            f"{attempts} attempt(s): {message}",
        )
    strong = int(killed or 0) / run if run else 1.0
    value = _PASSED + _SOON / attempts + _STRONG * strong
    said = "It passes" if attempts == 1 else f"It passes, but only after {attempts} attempts"
    if strong < 1:
        said += f"; {run - int(killed or 0)} of {run} mutants of it pass, too"
    return Score(min(1.0, value), f"{said}.")


def question_metric(example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Score:
    """The share of a good question's checks that hold; 0 when it is asked where nothing can be, or
    not asked where something can."""
    possible, wanted = truth(_get(prediction, "possible")), bool(example["possible"])
    if possible is not wanted:
        should = "a question can be written on it" if wanted else "no question can be written on it"
        return Score(0.0, f"`possible` should be {wanted}: {should}.")
    if not wanted:
        return Score(1.0, "Right: the passage answers no question.")
    faults, checks = question_faults(
        str(_get(prediction, "question") or ""),
        passage=str(example["passage"]),
        about=example["about"],
        must_not=example["must_not"],
    )
    if not faults:
        return Score(1.0, "A good question: clear, grounded, and about what the passage teaches.")
    return Score(1 - len(faults) / checks, " ".join(faults))


def truth(value: Any) -> bool | None:
    """A reply's yes or no; None when it is neither."""
    if isinstance(value, bool):
        return value
    return {"true": True, "yes": True, "false": False, "no": False}.get(str(value).strip().lower())


def _get(prediction: Mapping[str, Any], name: str) -> Any:
    """A field of a reply; "" when the reply has none: a reply that cannot be read is scored."""
    return prediction.get(name, "")


def _described(example: Mapping[str, Any], category: str) -> str:
    for line in example.get("categories", ()):
        name, _, text = line.partition(":")
        if name.strip() == category and text.strip():
            return f" {category} is for: {text.strip()}"
    return ""


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())
