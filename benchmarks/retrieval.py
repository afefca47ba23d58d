"""A small bi-encoder that triplets can teach: hashed features, each with a weight of its own.

Rows with `anchor`, `positive` and `negative` enter, weights and mean reciprocal ranks leave. Anchor
and text are encoded alike: hashed character 3- to 5-grams and hashed words, counts damped by their
logarithm, each feature times the root of its weight, scaled to length 1; the score is their cosine.
All weights are 1 before training, so the untrained encoder is the plain hashed features. It knows
nothing of folds or of where rows come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import hstack
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

Row: TypeAlias = dict[str, Any]
Vector: TypeAlias = NDArray[np.float64]

_SIZE = 2**15
_SCALE = 20.0  # the usual one of cosines in a softmax (sentence-transformers' default)
_PRIOR_PULL = 1e-3
_STEPS = 40


@dataclass(frozen=True, slots=True)
class Task:
    """Anchors, and the different texts among which each one's positive is looked for.

    Attributes:
        anchors: `(n, 2 * _SIZE)`, sparse.
        texts: `(m, 2 * _SIZE)`, sparse.
        own: `(n,)`, the place of each anchor's positive among the texts.
    """

    anchors: Any
    texts: Any
    own: NDArray[np.intp]


def untrained() -> Vector:
    """The weights of the plain hashed features."""
    return np.ones(2 * _SIZE)


def by_rarity(on: Task) -> Vector:
    """Squared inverse document frequencies among the texts of `on`: no pair is looked at."""
    share = (1 + _present(on.texts)) / (1 + on.texts.shape[0])
    weights: Vector = np.log(share) ** 2 + 1e-9
    return weights


def candidates(rows: Sequence[Row]) -> set[str]:
    """The different positives and negatives of `rows`."""
    return {row[name] for row in rows for name in ("positive", "negative")}


def task(rows: Sequence[Row], without: set[str] | None = None) -> Task:
    """Each anchor of `rows` against all their positives and negatives, but for negatives in
    `without`."""
    own = {row["positive"] for row in rows}
    texts = sorted(candidates(rows) - ((without or set()) - own))
    place = {text: index for index, text in enumerate(texts)}
    return Task(
        _features([row["anchor"] for row in rows]),
        _features(texts),
        np.array([place[row["positive"]] for row in rows]),
    )


def mean_reciprocal_rank(asked: Task, weights: Vector) -> float:
    """Of each anchor's positive; 1 is best, a tie counts as lost."""
    scores = (_encoded(asked.anchors, weights) @ _encoded(asked.texts, weights).T).toarray()
    return reciprocal_ranks(scores, asked.own)


def reciprocal_ranks(scores: Vector, own: NDArray[np.intp]) -> float:
    """The mean over the rows of `scores`, `(n, m)`, of 1 / rank of the column that `own` names."""
    reached = scores[np.arange(len(own)), own]
    return float((1 / (scores >= reached[:, None] - 1e-9).sum(axis=1)).mean())


def trained(on: Task, pull: float) -> Vector:
    """The weights after training on a softmax over all texts of the task.

    A weight is exp(prior + own part). The prior has two numbers for all features: how much a
    feature's share of the training texts counts (an inverse document frequency is a negative one),
    and words against characters. The own part is drawn to zero by `pull` (van den Oord et al.,
    "Representation Learning with Contrastive Predictive Coding", 2018, for the loss).
    """
    known = _known(on.texts)
    used = np.flatnonzero(_present(on.anchors) + _present(on.texts))
    prior, left, right = known[used], on.anchors[:, used], on.texts[:, used]
    left_squares, right_squares = left.multiply(left).tocsr(), right.multiply(right).tocsr()
    asked = np.flatnonzero(_present(left))  # elsewhere anchor and text have nothing in common
    left, right = left[:, asked], right[:, asked]
    rows = np.arange(len(on.own))

    def loss(values: Vector) -> tuple[float, Vector]:
        shared, own = values[:2], values[2:]
        weights = np.exp(prior @ shared + own)
        lengths = np.sqrt(np.outer(left_squares @ weights, right_squares @ weights)) + 1e-12
        scores = (_weighted(left, weights[asked]) @ right.T).toarray() / lengths
        logits = _SCALE * scores
        logits -= logits.max(axis=1, keepdims=True)
        odds = np.exp(logits)
        odds /= odds.sum(axis=1, keepdims=True)
        missed = -np.log(odds[rows, on.own] + 1e-30).mean()
        odds[rows, on.own] -= 1
        error = _SCALE * odds / len(rows)
        # d cosine / d log weight of a feature: the product of both sides there, less half of
        # the cosine times the sum of their squares.
        slope = np.zeros(len(used))
        slope[asked] = _sums(left.multiply((right.T @ (error / lengths).T).T))
        turned = error * scores
        slope -= left_squares.T @ (turned.sum(axis=1) / (left_squares @ weights + 1e-12)) / 2
        slope -= right_squares.T @ (turned.sum(axis=0) / (right_squares @ weights + 1e-12)) / 2
        slope *= weights
        return (
            float(missed + (pull * own @ own + _PRIOR_PULL * shared @ shared) / 2),
            np.concatenate([prior.T @ slope + _PRIOR_PULL * shared, slope + pull * own]),
        )

    start = np.zeros(2 + len(used))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}).x
    logarithms = known @ found[:2]
    logarithms[used] += found[2:]
    weights: Vector = np.exp(logarithms)
    return weights


def _known(texts: Any) -> Vector:
    """`(features, 2)`: the damped share of the texts that have it, and whether it is a word."""
    share = np.log1p(_present(texts)) / np.log1p(texts.shape[0])
    return np.stack([share, np.arange(2 * _SIZE) >= _SIZE], axis=1)


def _features(texts: Sequence[str]) -> Any:
    kinds: list[Any] = []
    for kind in ({"analyzer": "char_wb", "ngram_range": (3, 5)}, {"analyzer": "word"}):
        hashed = HashingVectorizer(n_features=_SIZE, norm=None, alternate_sign=False, **kind)
        counts = hashed.transform(texts)
        counts.data = 1 + np.log(counts.data)
        kinds.append(normalize(counts))
    return hstack(kinds, format="csr")


def _encoded(features: Any, weights: Vector) -> Any:
    return normalize(_weighted(features, np.sqrt(weights)), copy=False)


def _weighted(features: Any, weights: Vector) -> Any:
    weighted = features.copy()
    weighted.data = weighted.data * weights[weighted.indices]
    return weighted


def _present(features: Any) -> Vector:
    return _sums(features > 0)


def _sums(matrix: Any) -> Vector:
    return np.asarray(matrix.sum(axis=0), dtype=np.float64).ravel()
