"""Judges pairs and dialogues against their facts: scores by criterion, for yes and no.

Fields of `ValidateQa` and `JudgeConversation` enter, scores leave. Texts are counted and compared,
never obeyed.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from synth_dspy.lm.offline import prose, verdicts
from synth_dspy.lm.offline.claims import counts, known_counts, misplaced
from synth_dspy.lm.offline.support import Support, support
from synth_dspy.lm.offline.verdicts import Score
from synth_dspy.lm.offline.words import negations, numbers, stem_set, word_set

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth_dspy.lm.offline.fields import Ask

_COURTESY = stem_set(
    """
    afternoon again answer anything appreciate ask asked asking apology apologize clear confusion
    course day dear else evening explain exactly feel find free glad good gladly great
    happen happy hard hello help helpful helps here hi hope indeed information know let like
    mention mentioned morning need okay pleasure please question questions quick right said
    search sensible short sorry sure tell thank thanks that trouble unclear understand
    welcome wonder would yes no back come look looking glance correct unfortunately simply
    """
)
_TELEGRAPH = re.compile(
    r"^(?:state|recite|list|enumerate|specify|name|output|provide|indicate|quote|declare|define|"
    r"calculate|determine|identify|report)\b", re.IGNORECASE,
)  # fmt: skip
_EXAM = re.compile(
    r"\b(?:according to|the (?:text|passage|fact|source|data|document|statement|above)|as given|"
    r"as stated|aforementioned|respective|pertaining|hereof|said (?:product|item)|whoever|"
    r"in question|rotational|quantity|duration|event of|is got|parameter|attribute)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"^(?:who|whose|what|which|when|where|why|how|is|are|am|was|were|can|could|may|might|must|"
    r"should|shall|will|would|do|does|did|has|have|had|if|any|and|or|so|i|my|we|our|hi|hello)\b",
    re.IGNORECASE,
)
_ROLE = re.compile(r"^(user|assistant):[ \t]?", re.MULTILINE)
_AMOUNT = re.compile(
    r"\bhow (?:much|many|long|far|big|large|high|heavy|old|fast|deep)\b", re.IGNORECASE
)
# A yes or no, also after a courteous sentence.
_PLAIN = re.compile(r"^\W*(?:yes|no)\b|[.!]\s(?:yes|no)[.,!]", re.IGNORECASE)
_SINGLE = re.compile(r"\b(?:one|half)\b", re.IGNORECASE)
_UNKNOWN = re.compile(r"\b(?:i (?:do not|don't) know|no idea|cannot say|not sure)\b", re.IGNORECASE)
_STRICT = 0.2  # half of a sentence in the facts is not enough: 0.7 is
_FILLER = word_set("statement conversation dialogue filed statements sub")


def judge_pair(ask: Ask) -> Mapping[str, object]:
    """The fields of `ValidateQa`."""
    return verdicts.judge(ask, score_pair)


def judge_dialogue(ask: Ask) -> Mapping[str, object]:
    """The fields of `JudgeConversation`."""
    found = verdicts.judge(ask, score_dialogue)
    failed = any(value is False for value in found.values())
    issues = [str(found["reason"])] if failed else []
    return {**found, "issues": issues}


def score_pair(inputs: Mapping[str, str]) -> dict[str, Score]:
    """Scores for uses_source_fact, realistic_question, sensible_answer."""
    fact, question = inputs.get("source_fact", ""), inputs.get("question", "")
    answer = inputs.get("answer", "")
    known = stem_set(fact)
    asked = stem_set(question) - _COURTESY
    told = stem_set(answer) - _COURTESY
    about = len(asked & known) / len(asked) if asked else 0.0
    said = len(told & known) / len(told) if told else float(bool(numbers(answer) & numbers(fact)))
    return {
        "uses_source_fact": Score(
            0.45 * min(1.0, 1.6 * about) + 0.55 * said, "the fact does not speak of it"
        ),
        "realistic_question": _realistic(question),
        "sensible_answer": _sensible(fact, question, answer),
    }


def _realistic(question: str) -> Score:
    words = question.split()
    if not 2 <= len(words) <= 60:
        return Score(0.1, "it is too short or too long for a question")
    if _EXAM.search(question) or _TELEGRAPH.match(question):
        return Score(0.2, "nobody asks like that")
    last = [s for s in prose.split(question) if s][-1:] or [question]
    if not question.rstrip().endswith("?") and not _ASKS.match(last[0]):
        return Score(0.3, "it is no question")
    if re.search(r"\b(?:what|which|who|when|where)\b[^?]*\b(?:what|whom|when|which)\?$", question):
        return Score(0.3, "nobody asks like that")
    return Score(0.6 + 0.3 * bool(_ASKS.match(last[0])))


def _sensible(fact: str, question: str, answer: str) -> Score:
    if not answer.strip() or answer.strip().endswith("?"):
        return Score(0.05, "it answers nothing")
    found = _supported(answer, fact)
    if found is None:
        yes = re.match(r"\W*(?:yes|no)\b", answer, re.IGNORECASE)
        return Score(0.55 if yes else 0.3, "it says nothing of the fact")
    if fault := _fault(found):
        return fault
    if wrong := misplaced(answer, fact):
        return Score(0.25, f"the fact does not hold {wrong!r}")
    told = known_counts(answer) or _SINGLE.search(answer)
    if _AMOUNT.search(question) and not told and known_counts(fact):
        return Score(0.4, "a figure is asked for and none is given")
    if len(stem_set(answer) - stem_set(question)) == 0 and not re.match(
        r"(?i)\W*(?:yes|no)\b", answer
    ):
        return Score(0.3, "it only repeats the question")
    return Score(0.3 + 0.7 * found.weakest, "parts of it are not in the fact")


def _fault(found: Support) -> Score | None:
    """What no wording can mend."""
    if found.numbers:
        return Score(0.05, f"the facts do not hold {', '.join(sorted(found.numbers))}")
    if found.names:
        return Score(0.1, f"the facts do not hold {', '.join(sorted(found.names))}")
    if found.flipped:
        return Score(0.2, "it denies what the facts state, or the other way round")
    if found.moved:
        return Score(0.3, f"{', '.join(sorted(found.moved))} belongs to something else")
    return None


def _supported(text: str, facts: str) -> Support | None:
    """The support of what states something; None when it is all courtesy."""
    stated = [
        s
        for s in prose.split(prose.clean(" ".join(text.split()))[0])
        if stem_set(s) - _COURTESY and not s.endswith("?")
    ]
    return support(" ".join(_opened(s) for s in stated), facts) if stated else None


def _opened(sentence: str) -> str:
    """Without a yes or no at its start, which denies nothing by itself, or a lead that is all
    courtesy ("To come back to it: ...")."""
    lead, colon, rest = sentence.partition(": ")
    if colon and len(lead.split()) <= 8 and stem_set(lead) <= _COURTESY:
        sentence = rest
    return re.sub(r"^(?:yes|no|sure|of course|in short|as (?:i said|mentioned))\b[,:.!]*\s*", "",
                  sentence, flags=re.IGNORECASE)  # fmt: skip


def score_dialogue(inputs: Mapping[str, str]) -> dict[str, Score]:
    """Scores for factually_accurate, natural_conversation, on_topic, adds_value."""
    facts = inputs.get("facts", "")
    turns = _turns(inputs.get("conversation", ""))
    asked = [text for role, text in turns if role == "user"]
    told = [text for role, text in turns if role == "assistant"]
    if not asked or not told:
        nothing = Score(0.0, "somebody says nothing")
        names = ("factually_accurate", "natural_conversation", "on_topic", "adds_value")
        return dict.fromkeys(names, nothing)
    return {
        "factually_accurate": _accurate(told, facts),
        "natural_conversation": _natural(turns),
        "on_topic": _on_topic(turns, facts),
        "adds_value": _adds(asked, told, facts),
    }


def _turns(conversation: str) -> list[tuple[str, str]]:
    parts = _ROLE.split(conversation)
    return [(role, text.strip()) for role, text in zip(parts[1::2], parts[2::2], strict=True)]


def _accurate(told: list[str], facts: str) -> Score:
    worst = Score(1.0)
    for text in told:
        found = _supported(text, facts)
        if found is None:
            continue
        score = _fault(found) or Score(found.weakest - _STRICT, "the facts do not say that")
        if wrong := misplaced(text, facts):
            score = Score(min(score.value, 0.25), f"the facts do not hold {wrong!r}")
        if score.value < worst.value:
            worst = score
    return worst


def _natural(turns: list[tuple[str, str]]) -> Score:
    said = [text for _, text in turns]
    if not all(said) or any(a == b for (a, _), (b, _) in pairwise(turns)):
        return Score(0.1, "somebody says nothing, or speaks twice")
    if len({" ".join(text.lower().split()) for text in said}) < len(said):
        return Score(0.2, "somebody says the same thing twice")
    for role, text in turns:
        if role == "user" and (_EXAM.search(text) or _TELEGRAPH.match(text)):
            return Score(0.3, "nobody asks like that")
        if _FILLER & {w.strip(".,:!?").lower() for w in text.split()}:
            return Score(0.3, "it is machine talk")
        if role == "assistant" and len(text.split()) > 160:
            return Score(0.4, "an answer is a lecture")
    return Score(0.8)


def _on_topic(turns: list[tuple[str, str]], facts: str) -> Score:
    known, worst = stem_set(facts), 1.0
    question = ""
    for role, text in turns:
        if role == "user":
            question = text
            continue
        said = stem_set(text) - _COURTESY
        if not said:
            continue
        shared = len(said & known) / len(said)
        worst = min(worst, max(shared, float(bool(numbers(text) & numbers(facts)))))
        if not (stem_set(question) | said) & known:
            worst = 0.0
    return Score(worst, "an answer is about something else")


def _adds(asked: list[str], told: list[str], facts: str) -> Score:
    known = stem_set(facts)
    new = (stem_set(" ".join(told)) - stem_set(" ".join(asked)) - _COURTESY) & known
    figures = counts(" ".join(told)) & known_counts(facts)
    plain = any(_PLAIN.search(text) for text in told)
    denied = any(negations(text) for text in told)
    if any(_UNKNOWN.search(text) for text in told) and not figures:
        return Score(0.2, "nothing is learnt")
    # A yes or no to the point settles the matter, even when it says nothing else that is new.
    confirmed = plain and len(stem_set(" ".join(told)) & known) >= 2
    value = 0.22 * len(new) + 0.45 * bool(figures) + 0.25 * plain + 0.3 * confirmed + 0.15 * denied
    value = min(1.0, value)
    return Score(value, "the user learns little")
