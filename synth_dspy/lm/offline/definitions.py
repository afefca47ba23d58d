"""Questions from definitions: `A rating curve is ...` -> What is a rating curve?

Prose enters, pairs leave.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from synth_dspy.lm.offline.nouns import as_inside
from synth_dspy.lm.offline.pair import VAGUE_HEADS, Pair, answer_from, stands_alone
from synth_dspy.lm.offline.verbs import can_be_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_dspy.lm.offline.prose import Prose, Sentence

_DEFINES = re.compile(
    r"^(?P<subject>[^.,;:?!]{2,90}?)(?P<gloss> ?\([^()]{1,40}\))? "
    r"(?P<verb>is|are|means?|refers? to|denotes?) (?P<rest>.+)$"
)
_CATEGORY = re.compile(
    r"^(?:an?|the|one of the|any|how|when|what)\s+(?!same\b|only\b|first\b|last\b|next\b|main\b|"
    r"most\b|best\b|number one\b|reason\b|case\b|result\b|key\b|way\b|idea\b)\S+"
)
_NARROWS = re.compile(
    r" (?:that|which|who|whose|where|when|how|of|for|with|without|to|between|from|by|at|on|in|into|"
    r"along|around|through|used|made|computed|given|drawn|caused)\b"
)


def definitions(text: Prose) -> Iterator[Pair]:
    """`A rating curve is ...` -> What is a rating curve?"""
    whole = " ".join(s.text for s in text.sentences)
    for sentence in text.sentences:
        for clause in _clauses(sentence):
            found = _DEFINES.match(clause)
            if not found or not stands_alone(clause):
                continue
            subject, verb, rest = found["subject"], found["verb"], found["rest"]
            marked = any(term.lower() in subject.lower() for term in sentence.bold)
            if not _definable(subject, verb, rest, marked=marked):
                continue
            inside = as_inside(subject, whole)
            answer = clause if clause != sentence.text else answer_from(text, sentence)
            yield Pair("definition", inside, _what_is(inside, verb, marked=marked), answer)


def _clauses(sentence: Sentence) -> list[str]:
    """The sentence, or the part after its colon where that defines a marked term."""
    before, colon, after = sentence.text.partition(": ")
    if colon and any(after.startswith(term) for term in sentence.bold):
        return [after[0].upper() + after[1:]]
    return [sentence.text] if before else []


def _definable(subject: str, verb: str, rest: str, *, marked: bool) -> bool:
    words = subject.split()
    lower = [word.lower() for word in words]
    if not can_be_subject(subject, most=8) or re.search(r"\d\s*$", subject):
        return False
    head = lower[lower.index("of") - 1] if "of" in lower[1:] else lower[-1]
    if head in VAGUE_HEADS and not marked:
        return False
    if verb in ("is", "are"):
        plural = verb == "are" and re.match(
            r"[a-z]+ (?:that|which|who|of|for|used|with|in)\b", rest
        )
        if not (_CATEGORY.match(rest) or (plural and marked)):
            return False
        if re.match(r"(?:an?|the) \S+(?:est|most)[,.;]", rest) or len(rest.split()) < 4:
            return False
        # A definition narrows its category down; "A zero is a measurement" does not.
        if not _NARROWS.search(re.split(r"[;:]|, (?:and|but|not)\b", rest)[0]):
            return False
        # "X is a good Y" says something of X, but does not define it.
        if re.match(
            r"an? (?:good|great|bad|common|useful|simple|popular|well|powerful|key|very|"
            r"better|typical|list|lot|matter|bit|must|result|sign|problem|mistake|few)\b",
            rest,
        ):
            return False
    if not marked and (len(words) > 4 or lower[0].endswith("ing") or "such" in lower):
        return False
    if lower[0] == "the":
        # "the gain": of what? Only a name of two words, or with an "of", says it by itself.
        named = marked and len(lower) > 2
        return named or ("of" in lower and _CATEGORY.match(rest) is not None and verb == "is")
    if lower[0] in ("a", "an"):
        return True
    return marked or re.match(r"an?\s", rest) is not None


def _what_is(subject: str, verb: str, *, marked: bool) -> tuple[str, ...]:
    if verb.startswith(("mean", "refer", "denote")):
        does = "does" if verb.endswith("s") or verb == "refers to" else "do"
        stem = {"m": "mean", "r": "refer to", "d": "denote"}[verb[0]]
        return (f"What {does} {subject} {stem}?",)
    bare = re.sub(r"^(?:an?|the) ", "", subject)
    forms = [f"What {verb} {subject}?"]
    if verb == "is" and marked and not subject.startswith("the "):
        forms.append(f"How is {subject} defined?")
        if len(bare.split()) <= 4 and "`" not in bare:
            forms.append(f'What does the term "{bare}" mean?')
    return tuple(forms)
