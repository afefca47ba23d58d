"""Chooses a category: by likeness to the categories' descriptions and to the prompt's examples.

A sample, the categories and worked examples enter; a category's name leaves. A prompt that was
compiled with examples classifies better, because they say in more words what a category is about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_dspy.lm.offline.words import Weights, cosine, mean, stems

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from synth_dspy.lm.offline.fields import Ask

_NAME_WEIGHT = 2  # how often a category's name counts beside its description
_QUESTION_WEIGHT = 2
_DOUBT = 4  # a category's examples count half as much as its description when there are so many


def classify(ask: Ask) -> str:
    """The name of one of the categories; the first of equally likely ones."""
    categories = _categories(ask.listed("categories"))
    if not categories:
        return ""
    demos = [
        (demo.outputs["category"].strip(), _sample(demo.inputs))
        for demo in ask.demos
        if demo.outputs.get("category", "").strip() in categories
    ]
    return nearest(_sample(ask.inputs), categories, demos)


def nearest(
    sample: Sequence[str],
    categories: Mapping[str, Sequence[str]],
    demos: Sequence[tuple[str, Sequence[str]]],
) -> str:
    """The category most like a sample, all given as stems; `demos` are (category, stems).

    A category's examples are taken together, as their mean, and trusted more the more there are
    (Rocchio, "Relevance feedback in information retrieval", 1971).
    """
    weights = Weights([*categories.values(), *(words for _, words in demos)])
    wanted = weights.vector(sample)
    score = {name: cosine(wanted, weights.vector(words)) for name, words in categories.items()}
    for name in categories:
        own = [weights.vector(words) for of, words in demos if of == name]
        score[name] += len(own) / (len(own) + _DOUBT) * cosine(wanted, mean(own))
    return max(score, key=lambda name: score[name])


def _categories(lines: Sequence[str]) -> dict[str, list[str]]:
    found = {}
    for line in lines:
        name, _, description = line.partition(":")
        words = stems(name.replace("_", " ")) * _NAME_WEIGHT + stems(description)
        found[name.strip()] = words
    return found


def _sample(inputs: Mapping[str, str]) -> list[str]:
    question, answer = inputs.get("question", ""), inputs.get("answer", "")
    heading = inputs.get("heading", "")
    return stems(question) * _QUESTION_WEIGHT + stems(answer) + stems(heading) * _QUESTION_WEIGHT
