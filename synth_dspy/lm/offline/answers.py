"""Answers a question: with the pair that it was made from, else with what is most like it.

Question, passage and picture description enter; sentences of theirs leave. It composes nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from synth_dspy.lm.offline import codefacts, facts, figure_questions, figures, pair, prose
from synth_dspy.lm.offline.words import Weights, cosine, stems

if TYPE_CHECKING:
    from synth_dspy.lm.offline.pair import Pair

_FIGURE = re.compile(
    r"\b(?:figures?|plots?|charts?|diagrams?|drawings?|pictures?|graphs?|histograms?|image|circuit)\b",
    re.IGNORECASE,
)
_LEAST_LIKE = 0.15
NO_ANSWER = "The source does not say."


def known_pairs(
    passage: str, prior_code: str, image_code: str, image_description: str
) -> tuple[Pair, ...]:
    """Every pair that a question of ours can have come from."""
    pictured = figure_questions.pairs(image_description, image_code) if image_description else ()
    return (*pictured, *facts.pairs(passage), *codefacts.pairs(passage, prior_code))


def answer(
    question: str, passage: str, prior_code: str, image_code: str, image_description: str
) -> str:
    """The answer; `NO_ANSWER` when nothing in the source is like the question."""
    asked = _plain(question)
    for known in known_pairs(passage, prior_code, image_code, image_description):
        if any(_plain(form) == asked for form in known.questions):
            return known.answer
    return _most_alike(question, passage, image_description)


def _plain(question: str) -> str:
    return " ".join(question.lower().split())


def _most_alike(question: str, passage: str, image_description: str) -> str:
    """The whole sentence most like the question, with the next one where that goes on."""
    about_figure = bool(image_description and _FIGURE.search(question))
    pictured = figures.told(image_description)
    texts = [pictured, prose.read(passage)] if about_figure else [prose.read(passage)]
    found = [
        (text, sentence)
        for text in texts
        for sentence in text.sentences
        if pair.stands_alone(sentence.text, figure=about_figure) and not sentence.text.endswith("?")
    ]
    if not found:
        return NO_ANSWER
    weights = Weights(stems(sentence.text) for _, sentence in found)
    wanted = weights.vector(stems(question))
    scores = [cosine(wanted, weights.vector(stems(s.text))) for _, s in found]
    best = max(range(len(found)), key=lambda i: (scores[i], -i))
    shared = set(wanted) & set(stems(found[best][1].text))
    if scores[best] < _LEAST_LIKE or 2 * len(shared) < len(wanted):
        return NO_ANSWER
    return pair.answer_from(*found[best])
