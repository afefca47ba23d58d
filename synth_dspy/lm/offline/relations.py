"""Questions from sentences of one clause: what something depends on, how something is computed.

Prose enters, pairs leave.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from synth_dspy.lm.offline.nouns import as_inside
from synth_dspy.lm.offline.pair import VAGUE_HEADS, Pair, answer_from, stands_alone
from synth_dspy.lm.offline.verbs import base, can_be_subject
from synth_dspy.lm.offline.words import stem_set, word_set

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_dspy.lm.offline.prose import Prose

_RELATIONS = (
    "depends on", "consists of", "relies on", "differs from", "results in", "leads to",
    "corresponds to", "measures", "represents", "describes", "determines", "requires", "contains",
    "provides", "converts", "counts", "divides", "reports", "stores", "enables", "produces",
    "removes", "encodes", "detects", "predicts", "estimates", "compares", "tells", "assumes",
    "combines", "replaces", "controls", "indicates", "specifies", "implements", "gives", "involves",
    "uses", "performs", "prevents", "ensures", "guarantees", "reduces", "increases", "changes",
    "creates", "applies", "maps", "extends", "computes", "minimizes", "maximizes", "includes",
)  # fmt: skip
_GENERIC = word_set("provides contains implements requires includes uses involves creates gives")
_BASES = tuple(" ".join([base(verb.split()[0]), *verb.split()[1:]]) for verb in _RELATIONS)
_RELATION = re.compile(
    rf"^(?P<subject>[^.,;:?!]{{2,80}}?) (?P<verb>{'|'.join((*_RELATIONS, *_BASES))}) "
    r"(?P<rest>\S.+)$"
)
# Before one of these the verb was a noun: "feature maps will result in ...".
_NO_OBJECT = re.compile(
    r"(?:will|would|can|could|may|might|must|should|shall|is|are|was|were|has|have|had|do|does)\b|"
    r"(?:that|whether|how|why|if|it|them|this|exactly that|both|more|less|all|each|either)\b"
)
_MEANS = re.compile(
    r"^(?P<subject>[^.,;:?!]{2,80}?) (?P<aux>is|are|can be|must be|should be) "
    r"(?P<done>\w+(?:ed|wn|nd|en|lt|ught)) (?P<how>by|from|as|with|using) (?P<rest>\S.+)$"
)


def relations(text: Prose) -> Iterator[Pair]:
    """`X depends on Y` -> What does X depend on?"""
    whole = " ".join(s.text for s in text.sentences)
    for sentence in text.sentences:
        found = _RELATION.match(sentence.text)
        if not found or not stands_alone(sentence.text):
            continue
        subject, rest, verb = found["subject"], found["rest"], found["verb"]
        marked = any(term.lower() in subject.lower() for term in sentence.bold)
        plural = verb not in _RELATIONS
        if not _relatable(subject, verb, marked=marked, plural=plural):
            continue
        if _NO_OBJECT.match(rest):
            continue
        asked = verb if plural else _BASES[_RELATIONS.index(verb)]
        inside = as_inside(subject, whole)
        does = "do" if plural else "does"
        question = f"What {does} {inside} {asked}?"
        yield Pair("relation", inside, (question,), answer_from(text, sentence))


def _relatable(subject: str, verb: str, *, marked: bool, plural: bool) -> bool:
    words = subject.lower().split()
    if not can_be_subject(subject, most=7) or words[-1] in VAGUE_HEADS:
        return False
    if plural and (words[0] in ("a", "an", "to") or not re.search(r"[^s']s$", words[-1])):
        return False
    if not plural and words[0] not in ("a", "an", "the") and re.search(r"[^s'iu]s$", words[-1]):
        return False  # a plural noun before a singular verb: the phrase was cut wrongly
    if stem_set(verb) & stem_set(subject):
        return False
    if words[0] == "the":
        return marked or "of" in words or len(words) > 3
    return marked or len(words) > 1 or verb not in _GENERIC


def means(text: Prose) -> Iterator[Pair]:
    """`X is computed from Y` -> How is X computed?"""
    whole = " ".join(s.text for s in text.sentences)
    for sentence in text.sentences:
        found = _MEANS.match(sentence.text)
        if not found or not stands_alone(sentence.text):
            continue
        subject, aux = found["subject"], found["aux"]
        words = subject.lower().split()
        if not can_be_subject(subject, most=7) or words[-1] in VAGUE_HEADS:
            continue
        if words[0] == "the" and not ("of" in words or len(words) > 2):
            continue
        if len(words) < 2 or "and" in words or words[0].endswith("ing"):
            continue
        if found["how"] in ("with", "as") and len(found["rest"].split()) < 3:
            continue
        if found["done"] in ("based", "followed", "caused", "given", "made", "need", "defined"):
            continue
        inside = as_inside(subject, whole)
        verb, _, be = aux.partition(" ")
        question = f"How {verb} {inside} {f'{be} ' if be else ''}{found['done']}?"
        yield Pair("means", inside, (question,), answer_from(text, sentence))
