"""How varied texts are, in numbers that need no model.

Texts enter, figures leave: distinct-n (Li et al., "A Diversity-Promoting Objective Function",
https://arxiv.org/abs/1510.03055) and the compression ratio (Shaib et al., "Standardizing the
Measurement of Text Diversity", https://arxiv.org/abs/2403.00553).
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Any

from synth_dspy.dataset.dedup import by_rank
from synth_dspy.dataset.groups import image_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from synth_dspy.records import Sample

_WORD = re.compile(r"\w+")
_POINTS = 40


def diversity(texts: Iterable[str]) -> dict[str, Any]:
    """Distinct-1 to distinct-3 (0 to 1, higher is more varied) and the compression ratio (1 and
    up, lower is more varied) of `texts`; None where there is nothing to measure."""
    ordered = sorted(texts)
    return {
        "distinct_1": distinct(ordered, 1),
        "distinct_2": distinct(ordered, 2),
        "distinct_3": distinct(ordered, 3),
        "compression_ratio": compression_ratio(ordered),
        "unique_share": round(len(set(ordered)) / len(ordered), 4) if ordered else None,
    }


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
