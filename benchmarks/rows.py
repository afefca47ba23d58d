"""Do triplets of the offline model teach anything? `python -m benchmarks.rows`

Triplets are made of the quickstart's documents, and of those of SYNTH_CORPUS where it is set. A
linear projection of hashed features is trained on the sections of one half and ranks, for each
anchor of the other half, all positives and negatives of that half. Untrained, the projection is
random; the features themselves, without any projection, are measured beside it.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from synth_dspy.config import default_config_path
from synth_dspy.dataset.embedding import hashed_ngrams

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

_SAMPLES = 5_000
_SIZE = 512
_WIDTH = 64
_STEPS, _RATE, _SHARPNESS = 30, 0.05, 10.0


@dataclass(frozen=True, slots=True)
class Taught:
    """Mean reciprocal ranks of held-out positives, before and after training.

    Attributes:
        train, held_out: triplets of each half.
        bare: of the features without a projection.
    """

    train: int
    held_out: int
    untrained: float
    trained: float
    bare: float


def triplets(progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """All triplets that the offline model makes of the documents, with their sections."""
    sources = [{"path": str((default_config_path().parent / "docs").resolve())}]
    if corpus := os.environ.get("SYNTH_CORPUS"):
        sources.append({"path": corpus})
    progress(f"triplets of {', '.join(source['path'] for source in sources)}")
    with tempfile.TemporaryDirectory() as folder:
        told = {
            "recipe": "rows",
            "dataset": {"name": "bench"},
            "sources": sources,
            "rows": {"format": "triplet", "samples": _SAMPLES, "output_formats": ["jsonl"]},
            "tracking": {"enabled": False},
        }
        (Path(folder) / "rows.yaml").write_text(json.dumps(told))
        subprocess.run(
            [sys.executable, "-m", "synth_dspy.run", "pipeline", "--config", "rows.yaml",
             "--skip-analysis", "--quiet", "--no-trace"],
            cwd=folder, env={**os.environ, "PYTHONPATH": str(Path.cwd())}, check=False,
        )  # fmt: skip
        lines = (Path(folder) / "synthetic_data_triplet_from_docs.jsonl").read_bytes().splitlines()
    return [orjson.loads(line) for line in lines]


def taught(rows: Sequence[dict[str, Any]]) -> Taught:
    """Train on the sections of one half, rank the other half's texts."""
    halves: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
    for row in rows:
        halves[_half(row)].append(row)
    train, held_out = ([_features(half, name) for name in ("anchor", "positive", "negative")]
                       for half in halves)  # fmt: skip
    untrained = np.random.default_rng(0).normal(size=(_SIZE, _WIDTH)) / _WIDTH**0.5
    return Taught(
        len(halves[0]),
        len(halves[1]),
        mean_reciprocal_rank(untrained, *held_out),
        mean_reciprocal_rank(_trained(untrained, *train), *held_out),
        mean_reciprocal_rank(np.eye(_SIZE), *held_out),
    )


def mean_reciprocal_rank(
    projection: Matrix, anchors: Matrix, positives: Matrix, negatives: Matrix
) -> float:
    """Of each anchor's positive among all positives and negatives, by cosine; 1 is best."""
    texts = _unit(np.concatenate([positives, negatives]) @ projection)
    scores = _unit(anchors @ projection) @ texts.T
    own = scores[np.arange(len(anchors)), np.arange(len(anchors))]
    ranks = (scores > own[:, None]).sum(axis=1) + 1
    return float((1 / ranks).mean())


def _trained(start: Matrix, anchors: Matrix, positives: Matrix, negatives: Matrix) -> Matrix:
    """The projection after gradient steps on a softmax over all positives and negatives
    (van den Oord et al.: "Representation Learning with Contrastive Predictive Coding", 2018)."""
    projection, texts = start.copy(), np.concatenate([positives, negatives])
    truth = np.eye(len(anchors), len(texts))
    for _ in range(_STEPS):
        left, right = anchors @ projection, texts @ projection
        logits = _SHARPNESS * left @ right.T
        logits -= logits.max(axis=1, keepdims=True)
        odds = np.exp(logits)
        error = _SHARPNESS * (odds / odds.sum(axis=1, keepdims=True) - truth) / len(anchors)
        slope = anchors.T @ (error @ right) + texts.T @ (error.T @ left)
        projection -= _RATE * slope
    return projection


def _features(rows: Sequence[dict[str, Any]], name: str) -> Matrix:
    found = np.asarray(hashed_ngrams([str(row[name]) for row in rows]), dtype=np.float64)
    folded = np.zeros((len(rows), _SIZE))
    for start in range(0, found.shape[1], _SIZE):
        part = found[:, start : start + _SIZE]
        folded[:, : part.shape[1]] += part
    return _unit(folded)


def _unit(rows: Matrix) -> Matrix:
    size = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Matrix = rows / np.where(size == 0, 1, size)
    return unit


def _half(row: dict[str, Any]) -> int:
    source = orjson.loads(row["metadata"])["source"]
    section = f"{source['path']} {source['heading']}"
    return hashlib.blake2b(section.encode(), digest_size=1).digest()[0] % 2


def teaching(progress: Callable[[str], None]) -> str:
    """The figure, in a sentence."""
    found = taught(triplets(progress))
    return (
        f"Triplets of the offline model: a linear projection trained on {found.train} ranks the "
        f"positives of {found.held_out} held-out ones with an MRR of {found.trained:.3f}; "
        f"untrained {found.untrained:.3f}, the features alone {found.bare:.3f}."
    )


def main() -> int:
    """Prints the figure."""

    def progress(line: str) -> None:
        sys.stderr.write(f"bench: {line}\n")

    sys.stdout.write(teaching(progress) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
