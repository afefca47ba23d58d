"""Pairs of a question and its answer about a fact: basic, intermediate and advanced ones.

A fact with the lines around it enters, pairs leave, made of its own sentences. When it bears fewer
than asked, there are fewer.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from synth_dspy.lm.offline import facts, prose
from synth_dspy.lm.offline.dialogues_questions import Asked, asked, sentences, subject_of
from synth_dspy.lm.offline.pair import stands_alone
from synth_dspy.lm.offline.words import Weights, cosine, stem_set, stems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from synth_dspy.lm.offline.contract import Tools
    from synth_dspy.lm.offline.fields import Ask

_LONGEST = 90
_BROAD = (
    "What should I know about {subject}?",
    "What can you tell me about {subject}?",
    "Can you tell me more about {subject}?",
)
_BOTH = (
    "I am interested in {subject} and in {other}. What should I know?",
    "Can you tell me about {subject} and {other}?",
    "I would like to know about {subject}, and about {other}. Can you help me?",
)


async def extract_pairs(ask: Ask, tools: Tools) -> Mapping[str, object]:
    """The field `qa_pairs`."""
    fact, count = ask.text("fact"), ask.number("count")
    before, after = ask.text("lines_before"), ask.text("lines_after")
    found = list(_pairs(fact, before, after, ask.text("heading"), tools.seed))
    chosen = _chosen(found, count)
    topics = ask.listed("topics")
    rows = [
        {
            "question": one.question,
            "answer": one.answer,
            "difficulty": level,
            "topic": _topic(f"{one.question} {one.answer} {ask.text('heading')}", topics),
        }
        for level, one in chosen
    ]
    return {"qa_pairs": json.dumps(rows, ensure_ascii=False)}


def _chosen(found: list[tuple[str, Asked]], count: int) -> list[tuple[str, Asked]]:
    """One of each level in turn, each question and, at first, each answer once."""
    taken: list[tuple[str, Asked]] = []
    waiting = list(found)
    for fresh in (True, False):
        for level in ("basic", "intermediate", "advanced") * count:
            if len(taken) == count:
                break
            words = {one.question.lower() for _, one in taken}
            said = {one.answer for _, one in taken}
            for pair in waiting:
                good = pair[0] == level and pair[1].question.lower() not in words
                if good and not (fresh and pair[1].answer in said):
                    taken.append(pair)
                    waiting.remove(pair)
                    break
    order = ("basic", "intermediate", "advanced")
    return sorted(taken, key=lambda pair: order.index(pair[0]))


def _pairs(
    fact: str, before: str, after: str, heading: str, seed: int
) -> Iterator[tuple[str, Asked]]:
    """Level and pair; the better ones first."""
    whole = f"{before}\n{fact}\n{after}"
    told = [s for s in sentences(fact) if len(s.split()) >= 4]
    fit = [s for s in told if len(s.split()) <= _LONGEST and s.endswith((".", "!"))]
    subject = next((s for s in (subject_of(one, whole) for one in told) if s), "")
    said = _answer(fit)
    spare: list[Asked] = []
    for at, sentence in enumerate(fit):
        clear = _resolved(sentence, subject)
        if at and not stem_set(clear) & stem_set(" ".join([*fit[:at], heading])):
            continue  # "the code" of a sentence before it, which nobody has heard
        found = asked(clear, whole)
        found.sort(key=lambda one: ("what", "if", "yes").index(one.kind))
        for place, one in enumerate(found):
            easy = at == 0 and place == 0 and one.kind != "if"
            if one.kind == "if" or at > 0:
                yield "advanced", one
            # A yes to what was just asked teaches little where there is more to say.
            if at == 0 and place > 0 and one.kind == "yes" and len(fit) > 1:
                spare.append(one)
            else:
                yield ("basic" if easy else "intermediate"), one
    for pair in facts.pairs(fact):
        yield "intermediate", Asked(pair.questions[0], pair.answer, pair.subject, "what")
    if not subject or not said or subject.lower() in ("you", "we", "i"):
        subject = _named(heading)
    if subject and said:
        pick = seed + len(stems(fact))
        broad = Asked(_BROAD[pick % len(_BROAD)].format(subject=subject), said, subject, "about")
        yield "basic", broad
        yield "intermediate", broad
        yield from _with_neighbour(subject, said, before, after, whole, pick)
        other = _BROAD[(pick + 1) % len(_BROAD)].format(subject=subject)
        yield "advanced", Asked(other, said, subject, "about")
    for one in spare:
        yield "intermediate", one


def _with_neighbour(
    subject: str, said: str, before: str, after: str, whole: str, pick: int
) -> Iterator[tuple[str, Asked]]:
    """A question that needs the next fact, too."""
    for near in (after, before):
        for line in near.split("\n"):
            first = next(iter(sentences(line)), "")
            other = subject_of(first, whole) if stands_alone(first) else ""
            if not other or other.lower() in ("you", "we", "i"):
                continue
            if stem_set(other) & stem_set(subject) or len((said + first).split()) > _LONGEST:
                continue
            question = _BOTH[pick % len(_BOTH)].format(subject=subject, other=other)
            yield "advanced", Asked(question, f"{said} {first}", subject, "about")


def _resolved(sentence: str, subject: str) -> str:
    """With what it speaks of in place of a pronoun at its start, where the numbers agree."""
    found = re.match(r"(?:It|They) (?=(?P<verb>\w+))", sentence)
    if not found or not subject or subject.lower() in ("you", "we", "i"):
        return sentence
    return f"{subject[0].upper()}{subject[1:]} {sentence[found.end() :]}"


def _answer(fit: list[str]) -> str:
    """All sentences, as long as that is an answer and no lecture."""
    parts: list[str] = []
    for sentence in fit:
        if parts and len(" ".join([*parts, sentence]).split()) > _LONGEST:
            break
        parts.append(sentence)
    return " ".join(parts)


def _named(heading: str) -> str:
    """The last heading as it stands inside a sentence."""
    last = prose.clean(heading.rpartition(" > ")[2])[0]
    if not last or last.endswith("?") or len(last.split()) > 6:
        return ""
    return (
        last
        if last.isupper()
        else " ".join(
            word if word[1:] != word[1:].lower() else word.lower() for word in last.split()
        )
    )


def _topic(text: str, topics: list[str]) -> str:
    """The topic whose words are most like the pair's."""
    if not topics:
        return ""
    told = [stems(topic.replace("_", " ").replace(":", " ")) for topic in topics]
    weights = Weights(told)
    asked_for = weights.vector(stems(text))
    best = max(
        range(len(topics)), key=lambda at: (cosine(weights.vector(told[at]), asked_for), -at)
    )
    return topics[best].partition(":")[0].strip()
