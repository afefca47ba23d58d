"""What batches of rows are made from: chunks, or a brief's subjects and people -> seeds, in order.

The order is a pure function of chunks, request and seed. It asks no model.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence

import numpy as np

from synth_dspy.dataset.embedding import hashed_ngrams
from synth_dspy.lm.offline.words import stem_set
from synth_dspy.programs.row_records import Brief, Seed
from synth_dspy.records import Chunk

NEAREST = 40
"""Passages that a request chooses of documents, at most."""

_TOPICS = 4
_MARKER = re.compile(r"\[IMAGE:[0-9a-f]+\]")

ANGLES = (
    "what it is", "how it is done", "why it matters", "what goes wrong", "what it costs",
    "how it compares", "who does it", "when and where", "an example", "a rule or a limit",
    "a misunderstanding", "its history",
)  # fmt: skip
"""Sides of any subject, for a request that was not refined."""

PEOPLE = ("a beginner", "somebody in a hurry", "a practitioner", "an expert", "a sceptic")


def seeds_of_brief(brief: Brief) -> list[Seed]:
    """A few subjects and a person each, so that neighbours in the order share neither."""
    topics, people = brief.topics or ANGLES, brief.personas or PEOPLE
    groups = [topics[at : at + _TOPICS] for at in range(0, len(topics), _TOPICS)]
    whole = len(groups) * len(people) // math.gcd(len(groups), len(people))
    made: dict[tuple[int, int], Seed] = {}
    for turn in range(math.gcd(len(groups), len(people))):
        for at in range(whole):
            place = (at % len(groups), (at + turn) % len(people))
            made.setdefault(place, Seed(topics=tuple(groups[place[0]]), persona=people[place[1]]))
    return list(made.values())


def seeds_of_chunks(chunks: Sequence[Chunk], seed: int, query: str = "") -> list[Seed]:
    """A seed a chunk: in drawn order or, with a query, those that speak of it, most alike first.

    A chunk speaks of a query when it has half of the words that name a subject there. Each has for
    contrast the most alike chunk of another section.
    """
    if not chunks:
        return []
    vectors = hashed_ngrams([_text(chunk) for chunk in chunks])
    if query:
        alike = vectors @ hashed_ngrams([query])[0]
        words = stem_set(query)
        near = (int(i) for i in np.argsort(-alike, kind="stable"))
        # Hashed features are a little alike by chance; shared words are not.
        order = [i for i in near if _speaks_of(words, chunks[i])][:NEAREST]
    else:
        order = sorted(range(len(chunks)), key=lambda i: _drawn(seed, chunks[i].id))
    return [
        Seed(
            passage=_text(chunks[at]),
            contrast=_contrast(at, chunks, vectors),
            source=chunks[at].provenance,
        )
        for at in order
    ]


def _speaks_of(words: frozenset[str], chunk: Chunk) -> bool:
    return 2 * len(words & stem_set(f"{chunk.heading} {_text(chunk)}")) >= len(words)


def _contrast(at: int, chunks: Sequence[Chunk], vectors: np.ndarray) -> str:
    own = chunks[at]
    alike = vectors @ vectors[at]
    for other in np.argsort(-alike, kind="stable"):
        found = chunks[int(other)]
        if (found.path, found.heading) != (own.path, own.heading):
            return _text(found)
    return ""


def _text(chunk: Chunk) -> str:
    """The chunk's text with blanks for image markers, so that places in it stay true."""
    return _MARKER.sub(lambda mark: " " * len(mark[0]), chunk.text)


def _drawn(seed: int, name: str) -> bytes:
    return hashlib.blake2b(f"{seed}\x1f{name}".encode(), digest_size=8).digest()
