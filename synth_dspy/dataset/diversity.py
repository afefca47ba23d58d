"""How varied texts are, in numbers that need no model.

Texts enter, figures leave: distinct-n (Li et al., "A Diversity-Promoting Objective Function",
https://arxiv.org/abs/1510.03055), the compression ratio (Shaib et al., "Standardizing the
Measurement of Text Diversity", https://arxiv.org/abs/2403.00553), self-BLEU (Zhu et al., "Texygen",
https://arxiv.org/abs/1802.01886), and how far embeddings lie apart.
"""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_dspy.dataset.dedup import by_rank
from synth_dspy.dataset.embedding import hashed_ngrams
from synth_dspy.dataset.groups import image_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from synth_dspy.records import Sample

_WORD = re.compile(r"\w+")
_POINTS = 40
_COMPARED = 200
_EMBEDDED = 2_000
_ORDERS = (1, 2, 3, 4)
_CLUSTER = 0.6


def diversity(texts: Iterable[str]) -> dict[str, Any]:
    """How varied `texts` are; None where there is nothing to measure.

    `distinct_1` to `distinct_3`, `embedding_dispersion` and `unique_share` go from 0 to 1, higher
    is more varied; `compression_ratio` (1 and up) and `self_bleu` (0 to 1) are lower when more
    varied; `clusters` counts groups of similar wording. Self-BLEU looks at 200 texts and
    embeddings at 2,000, evenly taken from the sorted texts.
    """
    ordered = sorted(texts)
    dispersion, clusters = _spread(_evenly(ordered, _EMBEDDED))
    return {
        "distinct_1": distinct(ordered, 1),
        "distinct_2": distinct(ordered, 2),
        "distinct_3": distinct(ordered, 3),
        "compression_ratio": compression_ratio(ordered),
        "self_bleu": self_bleu(_evenly(ordered, _COMPARED)),
        "embedding_dispersion": dispersion,
        "clusters": clusters,
        "unique_share": round(len(set(ordered)) / len(ordered), 4) if ordered else None,
    }


def self_bleu(texts: Sequence[str]) -> float | None:
    """Mean BLEU-4 of each text against all others: 1 when each is said elsewhere, too. None of
    fewer than two texts with words."""
    counted = [{n: Counter(_ngrams(text, n)) for n in _ORDERS} for text in texts]
    counted = [grams for grams in counted if grams[1]]
    if len(counted) < 2:
        return None
    # The highest count of an n-gram in any text, and in any other but that one.
    highest: dict[tuple[str, ...], list[int]] = {}
    for grams in counted:
        for n in _ORDERS:
            for gram, count in grams[n].items():
                highest[gram] = sorted([*highest.get(gram, [0, 0]), count])[-2:]
    total = sum(_bleu(grams, highest) for grams in counted)
    return round(total / len(counted), 4)


def _bleu(
    grams: dict[int, Counter[tuple[str, ...]]], highest: dict[tuple[str, ...], list[int]]
) -> float:
    logs = []
    for n in _ORDERS:
        size = grams[n].total()
        if not size:
            break
        clipped = 0
        for gram, count in grams[n].items():
            second, first = highest[gram]
            clipped += min(count, second if count == first else first)
        # One is added above the first order, so that a missing 4-gram does not make it zero.
        smooth = 0 if n == 1 else 1
        share = (clipped + smooth) / (size + smooth)
        if not share:
            return 0.0
        logs.append(math.log(share))
    return math.exp(sum(logs) / len(logs))


def _spread(texts: Sequence[str]) -> tuple[float | None, int | None]:
    """One minus the mean cosine of different texts, and how many clusters they make: each text
    joins the first that began with one at least 0.6 alike, or begins one."""
    if len(texts) < 2:
        return None, len(texts) or None
    rows = hashed_ngrams(texts)
    products = rows @ rows.T
    count = len(rows)
    mean = float((products.sum() - np.trace(products)) / (count * (count - 1)))
    leaders: list[int] = []
    for at in range(count):
        if not leaders or products[at, leaders].max() < _CLUSTER:
            leaders.append(at)
    return round(1 - mean, 3), len(leaders)


def _evenly(texts: Sequence[str], limit: int) -> Sequence[str]:
    if len(texts) <= limit:
        return texts
    return [texts[at * len(texts) // limit] for at in range(limit)]


def distinct(texts: Sequence[str], n: int) -> float | None:
    """Different n-grams of words over all n-grams; None when no text has n words."""
    total = 0
    seen: set[tuple[str, ...]] = set()
    for text in texts:
        grams = _ngrams(text, n)
        total += len(grams)
        seen.update(grams)
    return round(len(seen) / total, 4) if total else None


def compression_ratio(texts: Sequence[str]) -> float | None:
    """Bytes of the texts, one a line, over their bytes after DEFLATE."""
    data = "\n".join(texts).encode("utf-8", "surrogatepass")
    return round(len(data) / len(zlib.compress(data, 9)), 4) if data else None


def growth(samples: Sequence[Sample], *, chunk_total: int) -> list[dict[str, float]]:
    """What the first samples by rank already hold, at up to 40 sizes of the dataset.

    A curve that goes flat says that more samples of these sources would repeat themselves.

    Returns:
        Objects with `samples`, `distinct_2`, `chunks` and `images` (different ones used so far),
        and `chunk_coverage` when `chunk_total` is not 0.
    """
    marks = {round(len(samples) * step / _POINTS) for step in range(1, _POINTS + 1)} - {0}
    bigrams: set[tuple[str, ...]] = set()
    chunks: set[str] = set()
    images: set[str] = set()
    total = 0
    points = []
    for count, sample in enumerate(by_rank(samples), start=1):
        grams = _ngrams(sample.question, 2)
        total += len(grams)
        bigrams.update(grams)
        chunks.add(sample.chunk_id)
        if sample.has_image:
            images.add(image_key(sample))
        if count in marks:
            point = {
                "samples": float(count),
                "distinct_2": round(len(bigrams) / total, 4) if total else 0.0,
                "chunks": float(len(chunks)),
                "images": float(len(images)),
            }
            if chunk_total:
                point["chunk_coverage"] = round(min(1.0, len(chunks) / chunk_total), 4)
            points.append(point)
    return points


def _ngrams(text: str, n: int) -> list[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    return [tuple(words[at : at + n]) for at in range(len(words) - n + 1)]
