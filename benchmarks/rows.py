"""Do triplets of the offline model teach anything? `python -m benchmarks.rows`

Triplets are made of the quickstart's documents, and of those of SYNTH_CORPUS where it is set; what
a small bi-encoder learns from four fifths of their sections is measured on the last fifth, five
times. Its one setting is chosen by folds inside the training part. No section, and no answer, is
on both sides, and a held-out text is no negative in training.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from sklearn.model_selection import GroupKFold

from benchmarks import table
from benchmarks.retrieval import (
    Row,
    by_rarity,
    candidates,
    mean_reciprocal_rank,
    reciprocal_ranks,
    task,
    trained,
    untrained,
)
from synth_dspy.config import default_config_path
from synth_dspy.dataset.embedding import hashed_ngrams

FOLDS = 5
_INNER_FOLDS = 3
_PULLS = (0.01, 0.1, 1.0)
_SAMPLES = 5_000  # more than there are: the run ends where no new ones come


@dataclass(frozen=True, slots=True)
class Fold:
    """Mean reciprocal ranks of one fold's held-out positives.

    Attributes:
        before, after: of the bi-encoder, untrained and trained.
        rarity: of the same encoder weighted by inverse document frequencies, which needs no pairs.
        embedded: of the project's own embedding, `hashed_ngrams`.
        pull: the setting that was chosen inside the training part.
        rank_s, train_s: seconds of ranking untrained, and of choosing, training and ranking.
    """

    held_out: int
    before: float
    after: float
    rarity: float
    embedded: float
    pull: float
    rank_s: float
    train_s: float


def triplets(progress: Callable[[str], None]) -> list[Row]:
    """All triplets that the offline model makes of the documents, with their sections.

    Raises:
        RuntimeError: the run wrote no file; its last lines are told.
    """
    sources = [{"path": str((default_config_path().parent / "docs").resolve())}]
    if corpus := os.environ.get("SYNTH_CORPUS"):
        sources.append({"path": str(Path(corpus).resolve())})
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
        run = subprocess.run(
            [sys.executable, "-m", "synth_dspy.run", "pipeline", "--config", "rows.yaml",
             "--skip-analysis", "--quiet", "--no-trace"],
            cwd=folder, env={**os.environ, "PYTHONPATH": str(Path.cwd())},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        written = Path(folder) / "synthetic_data_triplet_from_docs.jsonl"
        if not written.is_file():
            raise RuntimeError(f"no triplets (exit code {run.returncode}): {run.stderr[-2000:]}")
        return [orjson.loads(line) for line in written.read_bytes().splitlines()]


def splits(rows: Sequence[Row], folds: int, seed: int) -> Iterator[tuple[list[Row], list[Row]]]:
    """Rows to train on and rows held out, `folds` times; a section's rows, and those of sections
    that share an answer with it, stay together."""
    divided = GroupKFold(folds, shuffle=True, random_state=seed)
    for train, held_out in divided.split(rows, groups=together(rows)):
        yield [rows[at] for at in train], [rows[at] for at in held_out]


def together(rows: Sequence[Row]) -> list[int]:
    """The group of each row: rows of one section or with one positive are in one group."""
    leader: dict[str, str] = {}

    def first(name: str) -> str:
        while leader.setdefault(name, name) != name:
            name = leader[name]
        return name

    sections = [f"section {_section(row)}" for row in rows]
    for row, section in zip(rows, sections, strict=True):
        leader[first(section)] = first(f"positive {row['positive']}")
    numbers: dict[str, int] = {}
    return [numbers.setdefault(first(section), len(numbers)) for section in sections]


def learned(train: Sequence[Row], held_out: Sequence[Row]) -> Fold:
    """What `train` teaches about `held_out`, which is looked at only to be ranked."""
    asked = task(held_out)
    started = time.perf_counter()
    before = mean_reciprocal_rank(asked, untrained())
    ranked = time.perf_counter()
    pull = chosen(train)
    lesson = task(train, without=candidates(held_out))
    after = mean_reciprocal_rank(asked, trained(lesson, pull))
    ended = time.perf_counter()
    return Fold(
        held_out=len(held_out),
        before=before,
        after=after,
        rarity=mean_reciprocal_rank(asked, by_rarity(lesson)),
        embedded=_embedded(held_out),
        pull=pull,
        rank_s=ranked - started,
        train_s=ended - ranked,
    )


def chosen(train: Sequence[Row]) -> float:
    """The pull that ranks best over folds of `train` itself."""
    scores = dict.fromkeys(_PULLS, 0.0)
    for part, rest in splits(train, _INNER_FOLDS, seed=1):
        lesson, asked = task(part, without=candidates(rest)), task(rest)
        for pull in _PULLS:
            scores[pull] += mean_reciprocal_rank(asked, trained(lesson, pull))
    return max(_PULLS, key=scores.__getitem__)


def teaching(
    progress: Callable[[str], None],
    rows: Sequence[Row] | None = None,
    *,
    count: int = FOLDS,
    seed: int = 0,
) -> table.Group:
    """The mean reciprocal rank before and after training in the rows' names; times of one fold."""
    made = triplets(progress) if rows is None else rows
    folds: list[Fold] = []
    for train, held_out in splits(made, count, seed):
        folds.append(fold := learned(train, held_out))
        progress(
            f"{len(train)} triplets, {fold.held_out} held out: MRR {fold.before:.3f} -> "
            f"{fold.after:.3f}, by rarity {fold.rarity:.3f}, "
            f"hashed_ngrams {fold.embedded:.3f}, pull {fold.pull:g}"
        )
    gains = [fold.after - fold.before for fold in folds]
    embedded = statistics.mean(fold.embedded for fold in folds)
    rarity = statistics.mean(fold.rarity for fold in folds)
    return table.Group(
        f"rank positives of held-out triplets, {len(made)} in {count} folds "
        f"(MRR without pairs: hashed_ngrams {embedded:.3f}, by rarity {rarity:.3f})",
        [
            table.Row(
                f"untrained: MRR {_spread([fold.before for fold in folds])}",
                [fold.rank_s for fold in folds],
            ),
            table.Row(
                f"trained: MRR {_spread([fold.after for fold in folds])}, "
                f"gain {_spread(gains, sign='+')}, better in {sum(gain > 0 for gain in gains)}",
                [fold.train_s for fold in folds],
            ),
        ],
    )


def _spread(values: Sequence[float], *, sign: str = "") -> str:
    return f"{statistics.mean(values):{sign}.3f} ± {statistics.stdev(values):.3f}"


def _embedded(rows: Sequence[Row]) -> float:
    texts = sorted(candidates(rows))
    place = {text: index for index, text in enumerate(texts)}
    scores = hashed_ngrams([row["anchor"] for row in rows]) @ hashed_ngrams(texts).T
    own = np.array([place[row["positive"]] for row in rows])
    return reciprocal_ranks(scores.astype(np.float64), own)


def _section(row: Row) -> str:
    source = orjson.loads(row["metadata"])["source"]
    return f"{source['name']} {source['path']} {source['heading']}"


def main() -> int:
    """Prints the group as a table."""

    def progress(line: str) -> None:
        sys.stderr.write(f"bench: {line}\n")

    sys.stdout.write(table.render([teaching(progress)]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
