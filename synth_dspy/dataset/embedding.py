"""Texts as vectors of length 1: the embedded default, and what stands for a better model.

Texts enter, `(n, dimensions) float32` leaves. The default hashes character n-grams (Weinberger et
al., "Feature Hashing for Large Scale Multitask Learning", https://arxiv.org/abs/0902.2206): no
model, no network, the same on every machine. It sees wording, not meaning; a hosted or local model
sees more.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol

import numpy as np

from synth_dspy.dataset.minhash import hashed_windows, normal_text
from synth_dspy.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

DIMENSIONS = 1024
_WIDTHS = (3, 4, 5)
LOCAL = "sentence-transformers/"


class Embed(Protocol):
    """Turns texts into vectors of length 1."""

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """`(len(texts), dimensions) float32`."""
        ...


def hashed_ngrams(texts: Sequence[str]) -> Vectors:
    """Hashed counts of character 3- to 5-grams, damped by their logarithm, with hashed signs."""
    rows = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    for row, text in zip(rows, texts, strict=True):
        normal = normal_text(text)
        for width in _WIDTHS:
            gram, count = np.unique(hashed_windows(normal, width), return_counts=True)
            sign = np.where(gram >> np.uint64(63), np.float32(1), np.float32(-1))
            place = (gram % np.uint64(DIMENSIONS)).astype(np.int64)
            weight = sign * (1 + np.log(count.astype(np.float32)))
            row += np.bincount(place, weight, minlength=DIMENSIONS).astype(np.float32)
    return unit(rows)


def unit(rows: Vectors) -> Vectors:
    """`rows`, each scaled to length 1; a row of zeros stays."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Vectors = (rows / np.maximum(lengths, 1e-12)).astype(np.float32)
    return scaled


def embedder(model: str | None) -> Embed:
    """What embeds for `dataset.embedding_model`.

    None: `hashed_ngrams`; `sentence-transformers/<name>`: a model on this machine; anything else: a
    hosted one through `dspy.Embedder`.

    Raises:
        SetupError: the extra for local models is not installed.
    """
    if model is None:
        return hashed_ngrams
    return _local(model.removeprefix(LOCAL)) if model.startswith(LOCAL) else _hosted(model)


def _local(name: str) -> Embed:
    try:
        # By name: the extra may be missing, also where types are checked.
        local = importlib.import_module("sentence_transformers")
    except ImportError as error:
        raise SetupError(
            f"dataset.embedding_model {LOCAL + name!r} needs the extra `embeddings`: "
            "pip install 'synth-dspy[embeddings]'"
        ) from error
    known = local.SentenceTransformer(name)

    def embed(texts: Sequence[str]) -> Vectors:
        return unit(np.asarray(known.encode(list(texts)), dtype=np.float32))

    return embed


def _hosted(model: str) -> Embed:
    import dspy

    asked = dspy.Embedder(model, caching=False)

    def embed(texts: Sequence[str]) -> Vectors:
        try:
            return unit(np.asarray(asked(list(texts)), dtype=np.float32))
        except Exception as error:  # whatever the provider's client raises
            raise SetupError(
                f"dataset.embedding_model {model!r} did not answer: {error}. Mend its key or "
                "address, or leave the setting out; everything finished is kept."
            ) from error

    return embed
