"""Question and answer pairs that sentences of a passage give: definitions, reasons, conditions.

A passage enters; pairs leave, in an order that mixes their kinds. A pair's answer is made of the
passage's own sentences. Whatever cannot be asked in good English is not asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from synth_dspy.lm.offline import prose
from synth_dspy.lm.offline.nouns import as_inside
from synth_dspy.lm.offline.verbs import base, can_be_subject
from synth_dspy.lm.offline.words import word_set

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from synth_dspy.lm.offline.prose import Prose, Sentence


@dataclass(frozen=True, slots=True)
class Pair:
    """A question with its answer.

    Attributes:
        kind: definition, reason, condition, relation, function, result, figure.
        questions: the same question in other words; the first is the plainest.
    """

    kind: str
    subject: str
    questions: tuple[str, ...]
    answer: str


_DEICTIC = re.compile(
    r"\b(?:below|above|following|previous(?:ly)?|earlier|later on|next (?:section|cell|step)|"
    r"(?:this|these|our) (?:\w+ )?(?:notebook|page|section|tutorial|chapter|guide|lesson|course|"
    r"module|document|example|article|paper|post|handbook|cell|code|exercise|book|case|table|"
    r"figure|unit|lecture)|(?:as|we) (?:shown|seen|saw)|figures?|here|shown in|see (?:also|the)|"
    r"last (?:section|chapter|lesson)|so far|let us|let['’]s|click|sign in|log in)\b"
    r"|\b(?:[Ww]e|[Oo]urs?|[Uu]s|I|[Mm]y|[Yy]ou|[Yy]our|[Yy]ours)\b|\[IMAGE"
)
_INJECTION = re.compile(
    r"\b(?:ignore|disregard|forget)\b.{0,40}\b(?:above|previous|prior|instructions?|everything)\b|"
    r"\b(?:answer|reply|respond|output|say)\b.{0,15}\b(?:true|pass|yes)\b|\[\[ ##|system prompt",
    re.IGNORECASE,
)
_DANGLING = re.compile(
    r"^(?:It|Its|This|That|These|Those|They|Their|He|She|His|Her|Such|Here|There|Then|So|But|And|"
    r"Or|However|Therefore|Thus|Hence|Also|Both|Either|Neither|Another|Others?|Again|Instead|"
    r"Otherwise|Which|Nor|Yet|Moreover|Furthermore|Similarly|Likewise|Conversely|Finally|First|"
    r"Second|Third|Next|Now|Note|Rather|Still|Consequently|As a result|In (?:this|that|these|"
    r"addition|contrast|turn|other words|particular|fact|both|each|such)|For (?:example|instance|"
    r"this|that|these)|On the (?:other|one) hand|At (?:this|that)|With (?:this|that|these)|After "
    r"(?:this|that)|The (?:former|latter|same|other|others|first|second|third|last|next|two|three|"
    r"result|results|rest|above|reason|difference|idea|answer|question|point|trick|problem|goal|"
    r"aim|purpose|task|solution))\b"
)
_CONTINUES = re.compile(r"^(?:It|Its|They|Their|Such an?)\b(?! (?:is|was) (?:because|why))")
_VAGUE_HEADS = word_set(
    """
    choice idea example way reason question answer problem result thing point step goal aim
    purpose case difference advantage disadvantage benefit drawback task challenge solution
    trick fact issue key topic part side kind sort type number method approach option rule
    word name value lesson exercise section figure table drawing picture plot chart order
    mistake story topic focus cause effect consequence conclusion time place people person
    someone
    """
)
_DEFINES = re.compile(
    r"^(?P<subject>[^.,;:?!]{2,90}?)(?P<gloss> ?\([^()]{1,40}\))? (?P<verb>is|are|means?|refers? to|"
    r"denotes?) (?P<rest>.+)$"
)
_CATEGORY = re.compile(
    r"^(?:an?|the|one of the|any|how|when|what)\s+(?!same\b|only\b|first\b|last\b|next\b|main\b|"
    r"most\b|best\b|number one\b|reason\b|case\b|result\b|key\b|way\b|idea\b)\S+"
)
_RELATIONS = (
    "depends on", "consists of", "measures", "represents", "describes", "determines", "requires",
    "contains", "provides", "converts", "counts", "divides", "reports", "stores", "enables",
    "produces", "removes", "encodes", "detects", "predicts", "estimates", "compares",
    "tells", "assumes", "combines", "replaces", "controls", "indicates", "specifies", "implements",
)  # fmt: skip
_RELATION = re.compile(
    rf"^(?P<subject>[^.,;:?!]{{2,80}}?) (?P<verb>{'|'.join(_RELATIONS)}) (?P<rest>\S.+)$"
)
_AUX = r"is|are|was|were|can|cannot|must|should|will|may"
_MAIN = re.compile(rf"^(?P<subject>[^.,;:?!]{{2,70}}?) (?P<aux>{_AUX}) (?P<rest>[^;:]+)$")
_PRONOUN = re.compile(
    r"\b(?:it|its|they|them|their|this|that one|these|those|he|she|his|her)\b", re.IGNORECASE
)


@lru_cache(maxsize=256)
def pairs(passage: str) -> tuple[Pair, ...]:
    """Every pair of a passage's prose, kinds mixed, definitions first."""
    text = prose.read(passage)
    return mixed([list(maker(text)) for maker in (definitions, reasons, conditions, relations)])


def mixed(rows: Sequence[Sequence[Pair]]) -> tuple[Pair, ...]:
    """One of each row in turn; a question that was already taken is left out."""
    found: dict[str, Pair] = {}
    for depth in range(max(map(len, rows), default=0)):
        for row in rows:
            if depth < len(row):
                found.setdefault(row[depth].questions[0].lower(), row[depth])
    return tuple(found.values())


def stands_alone(text: str, *, figure: bool = False) -> bool:
    """Whether a sentence is whole and understandable with nothing before it."""
    if not re.match(r"[A-Z`\d$\"“]", text) or not re.search(r"[.!]['\"”)]?$", text):
        return False
    words = text.split()
    if not 4 <= len(words) <= 70 or _INJECTION.search(text) or _DANGLING.match(text):
        return False
    if text.count("(") != text.count(")") or text.count("`") % 2 or text.count('"') % 2:
        return False
    if re.search(
        r"\]\(|\*\*|</|/>|[{}]|\[\[|^\||^#|https?://|\$\$", re.sub(r"`[^`]*`|\$[^$]*\$", "", text)
    ):
        return False
    return figure or not _DEICTIC.search(re.sub(r"`[^`]*`", "", text))


def answer_from(text: Prose, sentence: Sentence, *, most: int = 2) -> str:
    """A sentence, with the next one where that goes on about it."""
    parts = [sentence.text]
    following = text.after(sentence)
    while following and len(parts) < most and _CONTINUES.match(following.text):
        if _DEICTIC.search(following.text) or not following.text.endswith("."):
            break
        parts.append(following.text)
        following = text.after(following)
    return " ".join(parts)


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
            yield Pair("definition", inside, _what_is(inside, verb), answer)


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
    if head in _VAGUE_HEADS and not marked:
        return False
    if verb in ("is", "are"):
        plural = verb == "are" and re.match(
            r"[a-z]+ (?:that|which|who|of|for|used|with|in)\b", rest
        )
        if not (_CATEGORY.match(rest) or (plural and marked)):
            return False
        if re.match(r"(?:an?|the) \S+(?:est|most)[,.;]", rest) or len(rest.split()) < 4:
            return False
        # "X is a good Y" says something of X, but does not define it.
        if re.match(
            r"an? (?:good|great|bad|common|useful|simple|popular|well|powerful|key|very|"
            r"better|typical|list|lot|matter|bit|must|result|sign|problem|mistake|few)\b",
            rest,
        ):
            return False
    if lower[0] == "the":
        # "the gain": of what? Only a name of two words, or with an "of", says it by itself.
        named = marked and len(lower) > 2
        return named or ("of" in lower and _CATEGORY.match(rest) is not None and verb == "is")
    if lower[0] in ("a", "an"):
        return True
    return marked or re.match(r"an?\s", rest) is not None


def _what_is(subject: str, verb: str) -> tuple[str, ...]:
    if verb.startswith(("mean", "refer", "denote")):
        does = "does" if verb.endswith("s") or verb == "refers to" else "do"
        stem = {"m": "mean", "r": "refer to", "d": "denote"}[verb[0]]
        return (f"What {does} {subject} {stem}?",)
    bare = re.sub(r"^(?:an?|the) ", "", subject)
    forms = [f"What {verb} {subject}?"]
    if verb == "is" and not subject.startswith("the "):
        forms.append(f"How is {subject} defined?")
        if len(bare.split()) <= 4 and "`" not in bare:
            forms.append(f'What does the term "{bare}" mean?')
    return tuple(forms)


def reasons(text: Prose) -> Iterator[Pair]:
    """`M because R`, `Because R, M` -> Why M?"""
    whole = " ".join(s.text for s in text.sentences)
    for sentence in text.sentences:
        found = re.match(r"^(?P<main>.+?),? because (?P<why>[^?]+)\.$", sentence.text)
        first = re.match(
            r"^(?:Because|Since) (?P<why>[^,]+(?:, [^,]+)??), (?P<main>[^:;]+?)[.:;]", sentence.text
        )
        found = found or first
        if not found or not stands_alone(sentence.text):
            continue
        question = _why(found["main"], whole)
        if question:
            yield Pair("reason", found["main"], (question,), answer_from(text, sentence))


def _why(main: str, whole: str) -> str:
    """The clause turned into a question; "" where that is not sure."""
    main = main.strip().rstrip(".")
    found = _MAIN.match(main)
    if not found or not can_be_subject(found["subject"][0].upper() + found["subject"][1:]):
        return ""
    rest = found["rest"]
    if _PRONOUN.search(main) or len(rest.split()) > 18 or rest.count(",") > 1:
        return ""
    subject = as_inside(found["subject"], whole)
    aux = found["aux"]
    if aux == "cannot":
        return f"Why can {subject} not {rest}?"
    if rest.startswith("not "):
        return f"Why {aux} {subject} not {rest[4:]}?"
    return f"Why {aux} {subject} {rest}?"


def conditions(text: Prose) -> Iterator[Pair]:
    """`When C, M.` -> What happens when C?"""
    for sentence in text.sentences:
        found = re.match(
            r"^(?P<word>When|If) (?P<when>[^,]{10,110}), (?P<main>.+)\.$", sentence.text
        )
        if not found or not stands_alone(sentence.text):
            continue
        when = found["when"]
        if _PRONOUN.search(when) or re.search(r"\bthe (?:two|three|other|same|result)\b", when):
            continue
        if re.match(r"(?:then )?(?:it|they|this|that|there)\b", found["main"]) or "?" in when:
            continue
        if re.search(r"\b(?:did|was|were|had)\b", found["main"]):
            continue
        word = found["word"].lower()
        yield Pair(
            "condition", when, (f"What happens {word} {when}?",), answer_from(text, sentence)
        )


def relations(text: Prose) -> Iterator[Pair]:
    """`X depends on Y` -> What does X depend on?"""
    whole = " ".join(s.text for s in text.sentences)
    for sentence in text.sentences:
        found = _RELATION.match(sentence.text)
        if not found or not stands_alone(sentence.text):
            continue
        subject, rest = found["subject"], found["rest"]
        words = subject.lower().split()
        if not can_be_subject(subject, most=7) or words[-1] in _VAGUE_HEADS:
            continue
        if words[0] == "the" and not ("of" in words or len(words) > 3):
            continue
        if re.match(r"(?:that|whether|how|why|if|it|them|this|exactly that)\b", rest):
            continue
        verb, _, particle = found["verb"].partition(" ")
        asked = f"{base(verb)} {particle}".strip()
        inside = as_inside(subject, whole)
        yield Pair(
            "relation", inside, (f"What does {inside} {asked}?",), answer_from(text, sentence)
        )
