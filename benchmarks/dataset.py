"""Duplicates found in 10^4 and 10^5 questions (10^6 on demand), and an export beside bare pyarrow.

A fifth of the questions is planted: another one with a word or two changed. What was found of them
is in the row's name, so that a faster run that finds less cannot hide.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.memory import peak_mb
from benchmarks.table import Group, Row
from synth_dspy.dataset.export import COLUMNS, export_dataset
from synth_dspy.dataset.minhash import grams, jaccard, normal_text
from synth_dspy.dataset.near_batch import near_duplicates
from synth_dspy.records import Sample, digest

THRESHOLD = 0.7
PLANTED = 0.2
MILLION = 1_000_000
_ROWS = 100_000
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def questions(count: int, *, seed: int = 7) -> tuple[list[str], int]:
    """`count` questions, and how many of them are originals; the rest repeats one of these with a
    Jaccard similarity of at least the threshold."""
    pick = random.Random(seed)
    words = ["".join(pick.choices(_LETTERS, k=pick.randint(2, 10))) for _ in range(6_000)]
    originals = int(count * (1 - PLANTED))
    texts = [" ".join(pick.choices(words, k=pick.randint(12, 24))) for _ in range(originals)]
    while len(texts) < count:
        source = texts[pick.randrange(originals)]
        edited = source.split()
        for _ in range(pick.randint(1, 2)):
            edited[pick.randrange(len(edited))] = pick.choice(words)
        text = " ".join(edited)
        if jaccard(grams(normal_text(text)), grams(normal_text(source))) >= THRESHOLD:
            texts.append(text)
    return texts, originals


def duplicates(say: Callable[[str], None], *, million: bool = False) -> Group:
    """How long near-duplicates take, with recall, precision and the peak of memory."""
    rows = []
    for count in (10_000, 100_000, *((MILLION,) if million else ())):
        say(f"duplicates in {count:,} questions")
        texts, originals = questions(count)
        _restart_peak()
        start = time.perf_counter()
        found = near_duplicates(texts, THRESHOLD)
        seconds = time.perf_counter() - start
        right = sum(twin is not None for twin in found[originals:])
        wrong = sum(twin is not None for twin in found[:originals])
        recall, precision = right / (count - originals), right / max(1, right + wrong)
        name = f"{count:,}: recall {recall:.3f}, precision {precision:.3f}, {peak_mb():,.0f} MB"
        rows.append(Row(name, [seconds], count, "questions/s"))
    return Group("near-duplicates (a question)", rows)


def export_peak_mb(count: int) -> int:
    """What memory rises by, in MiB, while so many samples are exported: beside the samples."""
    samples = _samples(count)
    with tempfile.TemporaryDirectory() as folder:
        export_dataset(samples[:100], run_dir=Path(folder), final=Path(folder) / "warm", card="")
        before = _restart_peak()
        _export(samples, Path(folder))
    return round(peak_mb() - before)


def _restart_peak() -> float:
    """Forget the peak of memory so far; what it is now, in MiB."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_mb()


def _in_a_process_of_its_own(count: int) -> int:
    code = f"from benchmarks.dataset import export_peak_mb as peak; print(peak({count}))"
    return int(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout)


def exporting(say: Callable[[str], None], *, count: int = _ROWS, repetitions: int = 3) -> Group:
    """The whole export (Arrow, Parquet, JSON lines, fsync) beside pyarrow writing that Parquet."""
    say(f"an export of {count:,} samples")
    samples = _samples(count)
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        run_dir = Path(folder)
        export_dataset(samples[:100], run_dir=run_dir, final=run_dir / "warm", card="")
        for _ in range(repetitions):
            for name, write in (
                (
                    "pyarrow alone, Parquet",
                    lambda: _with_pyarrow(samples, run_dir / "bare.parquet"),
                ),
                ("export", lambda: _export(samples, run_dir)),
            ):
                start = time.perf_counter()
                write()
                times.setdefault(name, []).append(time.perf_counter() - start)
    whole, tenth = _in_a_process_of_its_own(count), _in_a_process_of_its_own(count // 10)
    export = f"export: {whole} MB beside the samples, {tenth} MB for a tenth of them"
    rows = [
        Row(export if name == "export" else name, seconds, count, "samples/s")
        for name, seconds in times.items()
    ]
    return Group("export (a sample)", rows)


def _export(samples: list[Sample], run_dir: Path) -> None:
    export_dataset(samples, run_dir=run_dir, final=run_dir / "final", card="")


def _with_pyarrow(samples: list[Sample], path: Path) -> None:
    import orjson
    import pyarrow
    from pyarrow import parquet

    columns: dict[str, list[Any]] = {
        name: [getattr(sample, name) for sample in samples] for name in COLUMNS
    }
    columns["metadata"] = [orjson.dumps(sample.metadata).decode() for sample in samples]
    parquet.write_table(pyarrow.table(columns), path, compression="zstd")


def _samples(count: int) -> list[Sample]:
    """Samples of about the size of real ones, without images."""
    pick = random.Random(3)
    words = ["".join(pick.choices(_LETTERS, k=pick.randint(2, 10))) for _ in range(6_000)]
    texts = [" ".join(pick.choices(words, k=120)) for _ in range(997)]
    step = {"model": "a-model", "program": "", "attempts": 1}
    one = Sample(
        id="", rank=0, question="", answer="", category="general", type="qa", difficulty="easy",
        test_code="", entry_point="", image="", has_image=False, code_context="", source="a.md",
        metadata={}, split="train",
    )  # fmt: skip
    return [
        replace(
            one,
            id=digest(n),
            rank=n,
            question=f"{n} {texts[n % 997][:200]}",
            answer=f"{texts[n * 7 % 997]} {n}",
            code_context=texts[n * 13 % 997],
            metadata={"task": digest(n), "steps": {"answer": step, "judge": step}},
        )
        for n in range(count)
    ]
