"""What a record is about: topics, entities, years, kind and relations, found by rules.

A `Content` enters, `Patterns` leave. Everything found stands in the record's own text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from synth_dspy.programs.routing.schemas import EntityType
from synth_dspy.sources.backends import Content

MAX_TOPICS = 12
_MAX_ENTITIES = 6
_KINDS = (
    ("tutorial", r"tutorial|how to|step by step|walk\w* through"),
    ("guide", r"guide|handbook|manual|protocol|checklist"),
    ("overview", r"overview|introduction|tour|summary"),
    ("report", r"report|survey|review|study"),
    ("comparison", r"comparison|versus|compar\w+"),
    ("interview", r"interview|podcast|talk|lecture"),
    ("diagram", r"diagram|chart|map|drawing|layout|cross-section"),
)
_KIND = tuple((name, re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)) for name, pattern in _KINDS)
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*[A-Za-z]")
_PHRASE = re.compile(r"[.,;:!?()\[\]\"\n]+")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_DATE = re.compile(r"\b(?:19|20)\d\d(?:-\d\d-\d\d)?\b")
_NAME = re.compile(r"(?<![.!?] )(?<!^)\b[A-Z][a-z]+(?: [A-Z][a-z]+)+\b")
_PLACE = re.compile(
    r"\b(?:river|valley|bridge|pond|lake|saddle|mountain|mount|city|station|island|street|sea|bay)$",
    re.IGNORECASE,
)
_ORGANIZATION = re.compile(
    r"\b(?:inc|ltd|gmbh|corp|company|university|institute|agency|service|department|association)$",
    re.IGNORECASE,
)
_TECHNOLOGY = re.compile(
    r"\b(?:\w*(?:meter|graph|phone|gauge|logger|sensor|transducer|bucket|pillow|vane|network"
    r"|transformer|model|engine|database|software|api)|drone survey|\w*\d\w*)$",
    re.IGNORECASE,
)
_STOP = frozenset(
    [
        "a",
        "about",
        "above",
        "after",
        "again",
        "against",
        "all",
        "also",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "because",
        "been",
        "before",
        "being",
        "below",
        "between",
        "both",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "down",
        "during",
        "each",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "here",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "may",
        "more",
        "most",
        "much",
        "must",
        "my",
        "near",
        "never",
        "no",
        "nor",
        "not",
        "now",
        "of",
        "off",
        "on",
        "once",
        "one",
        "only",
        "or",
        "other",
        "our",
        "out",
        "over",
        "own",
        "put",
        "same",
        "she",
        "should",
        "so",
        "some",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "three",
        "through",
        "to",
        "too",
        "two",
        "under",
        "until",
        "up",
        "us",
        "very",
        "was",
        "way",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "whom",
        "why",
        "will",
        "with",
        "within",
        "without",
        "would",
        "you",
        "your",
        "every",
        "next",
        "says",
        "say",
        "said",
        "using",
    ]
)


@dataclass(frozen=True, slots=True)
class Patterns:
    """What was found in one record.

    Attributes:
        topics: bigrams and trigrams, lower case but for names, the most telling first; never empty.
        entities: names, as written; dates: years and dates, as written.
        kind: tutorial, guide, overview, ...; "record" when no word tells.
        relations: pairs of entities that one sentence mentions.
        words: every word of the record in lower case.
    """

    topics: tuple[str, ...]
    entities: tuple[str, ...]
    dates: tuple[str, ...]
    kind: str
    relations: tuple[tuple[str, str], ...]
    words: frozenset[str]


@lru_cache(maxsize=4_000)  # some 20 KB each
def patterns_of(content: Content) -> Patterns:
    """What a record is about."""
    told = f"{content.title}. {content.description}"
    text = f"{told} {content.transcript}"
    entities = _entities(content, text)
    return Patterns(
        topics=tuple(_spelt(t, entities) for t in _topics(content.title, told, content.transcript)),
        entities=entities,
        dates=tuple(dict.fromkeys(_DATE.findall(text))),
        kind=next((name for name, pattern in _KIND if pattern.search(told)), "record"),
        relations=_relations(text, entities),
        words=frozenset(words_of(text)),
    )


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, without those that carry no subject."""
    return [w for w in (m.lower() for m in _WORD.findall(text)) if w not in _STOP]


def entity_type(name: str) -> EntityType:
    """The type of a name, by how it ends; CONCEPT when nothing tells."""
    if _DATE.fullmatch(name):
        return "DATE"
    if _PLACE.search(name):
        return "PLACE"
    if _ORGANIZATION.search(name):
        return "ORGANIZATION"
    return "TECHNOLOGY" if _TECHNOLOGY.search(name) else "CONCEPT"


def _topics(title: str, told: str, transcript: str) -> tuple[str, ...]:
    """N-grams of title and description, and those that the whole text repeats.

    An n-gram neither crosses a mark nor holds a word without a subject, so that it reads well.
    """
    in_title = set(words_of(title))
    shown, repeated = Counter(_ngrams(told)), Counter(_ngrams(f"{told} {transcript}"))
    scores = {
        gram: count + 2 * (gram in shown) + len(in_title.intersection(gram.split()))
        for gram, count in repeated.items()
        if gram in shown or count > 1
    }
    best = sorted(scores, key=lambda gram: (-scores[gram], gram))[:MAX_TOPICS]
    return tuple(best) or (title.strip().rstrip(".").lower(),)


def _spelt(topic: str, entities: tuple[str, ...]) -> str:
    for name in entities:
        at = topic.find(name.lower())
        if at >= 0:
            topic = topic[:at] + name + topic[at + len(name) :]
    return topic


def _ngrams(text: str) -> Iterator[str]:
    for phrase in _PHRASE.split(text):
        run: list[str] = []
        for word in [*phrase.split(), ""]:
            match = _WORD.fullmatch(word)
            lower = word.lower()
            if match and lower not in _STOP:
                run.append(lower)
                continue
            for width in (2, 3):
                for at in range(len(run) - width + 1):
                    yield " ".join(run[at : at + width])
            run = []


def _entities(content: Content, text: str) -> tuple[str, ...]:
    """The backend's entities that the text holds, then names that the text itself shows."""
    lower = text.lower()
    known = [e for e in content.entities if e.strip() and e.lower() in lower]
    taken = {entity.lower() for entity in known}
    found = [
        name for name in _NAME.findall(text)
        if not any(name.lower() in other or other in name.lower() for other in taken)
    ]  # fmt: skip
    return tuple(dict.fromkeys([*known, *found]))[:_MAX_ENTITIES]


def _relations(text: str, entities: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    found: dict[tuple[str, str], None] = {}
    for sentence in _SENTENCE.split(text):
        lower = sentence.lower()
        there = [(lower.find(e.lower()), e) for e in entities if e.lower() in lower]
        for (_, one), (_, other) in combinations(sorted(there), 2):
            if (other, one) not in found:
                found[one, other] = None
    return tuple(found)
