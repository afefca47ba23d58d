"""Rows that repeat an item of a benchmark: a dataset that holds the exam cannot be trained on.

Benchmark items, samples and passages enter, hits with their overlap leave. It drops nothing itself,
and benchmarks.py reads the files.

Words: a run of 13 words of an item's prompt that a sample holds too (Brown et al., "Language Models
are Few-Shot Learners", https://arxiv.org/abs/2005.14165, appendix C). Code: half of the runs of 13
tokens of an item's solution, after comments and names of variables are taken away. Near: the text
as a whole, by the Jaccard similarity of its character 5-grams.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from synth_dspy.dataset.code_form import normal_code
from synth_dspy.dataset.dedup import dedup_text
from synth_dspy.dataset.minhash import Index, grams, jaccard, normal_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from synth_dspy.dataset.minhash import Grams
    from synth_dspy.records import Chunk, Sample

RUN = 13
_SHORTEST = 8
_CODE_SHARE = 0.5
_WORD = re.compile(r"\w+")
_TOKEN = re.compile(r"\w+|[^\w\s]")
# Import lines are what many programs share and no exam asks for: they are no part of a comparison.
_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+[\w.]+[ \t]+import|import[ \t]+\w)[^\n]*$", re.MULTILINE)
_VARIABLE = re.compile(r"\bv\d+\b")
_FENCE = re.compile(
    r"^[ \t]*```[ \t]*(?:python|py)?[ \t]*\n(.*?)^[ \t]*```", re.MULTILINE | re.DOTALL
)

Layer = Literal["words", "code", "near"]


@dataclass(frozen=True, slots=True)
class BenchmarkItem:
    """One task of a benchmark; `solution` is "" when it has none."""

    benchmark: str
    id: str
    prompt: str
    solution: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A sample, or a passage of a source, that repeats an item.

    Attributes:
        sample_id: of the sample, or of the passage.
        overlap: words and code: share of the item's runs that the sample holds; near: similarity.
    """

    sample_id: str
    benchmark: str
    item: str
    layer: Layer
    overlap: float


class Decontaminator:
    """Compares samples with benchmark items; memory grows with the items only."""

    def __init__(self, items: Iterable[BenchmarkItem], *, near_threshold: float = 0.7) -> None:
        self.items: tuple[BenchmarkItem, ...] = tuple(items)
        self._near_threshold = near_threshold
        self._words: dict[str, list[int]] = defaultdict(list)
        self._code: dict[str, list[int]] = defaultdict(list)
        self._sizes: dict[Layer, list[int]] = {"words": [], "code": []}
        self._grams: list[Grams] = []
        self._near = Index(near_threshold)
        for index, item in enumerate(self.items):
            self._learn(index, item)

    def _learn(self, index: int, item: BenchmarkItem) -> None:
        words, code = _runs(_words(item.prompt), RUN), _runs(_tokens(_whole(item)), RUN)
        for run in words:
            self._words[run].append(index)
        for run in code:
            self._code[run].append(index)
        self._sizes["words"].append(len(words))
        self._sizes["code"].append(len(code))
        own = _shingled(_form(item))
        self._grams.append(own)
        self._near.add(own)

    def hits(self, sample: Sample) -> list[Hit]:
        """The items that `sample` repeats, each once: by its words, else its code, else nearly."""
        text = f"{sample.question}\n{sample.answer}"
        return self._hits(sample.id, text, _programs(sample), [dedup_text(sample)])

    def passage_hits(self, chunk: Chunk) -> list[Hit]:
        """The items that a passage of a source holds, each once."""
        programs = [block.code for block in chunk.code_blocks if block.code.strip()]
        return self._hits(chunk.id, chunk.text, programs, [normal_code(p) for p in programs])

    def text_hits(self, name: str, text: str, programs: Sequence[str] = ()) -> list[Hit]:
        """The items that any text repeats, each once; `programs` is what of it is code."""
        code = [*programs, *_FENCE.findall(f"{text}\n")]
        return self._hits(name, text, code, [normal_code(program) for program in code])

    def _hits(
        self, name: str, text: str, programs: Sequence[str], wholes: Sequence[str]
    ) -> list[Hit]:
        found: dict[int, Hit] = {}

        def add(index: int, layer: Layer, overlap: float) -> None:
            item = self.items[index]
            hit = Hit(name, item.benchmark, item.id, layer, round(min(1.0, overlap), 4))
            found.setdefault(index, hit)

        for index, share in self._shares(_words(text), self._words, "words"):
            add(index, "words", share)
        for program in programs:
            for index, share in self._shares(_tokens(program), self._code, "code"):
                if share >= _CODE_SHARE:
                    add(index, "code", share)
        for whole in wholes:
            own = _shingled(whole)
            for index in self._near.candidates(own):
                similarity = jaccard(self._grams[index], own)
                if similarity >= self._near_threshold:
                    add(index, "near", similarity)
        return [found[index] for index in sorted(found)]

    def _shares(
        self, sequence: Sequence[str], known: dict[str, list[int]], layer: Layer
    ) -> list[tuple[int, float]]:
        runs = {run for length in range(_SHORTEST, RUN + 1) for run in _runs_of(sequence, length)}
        tally = Counter(index for run in runs for index in known.get(run, ()))
        return [(i, count / self._sizes[layer][i]) for i, count in sorted(tally.items())]


def _whole(item: BenchmarkItem) -> str:
    """The item's program: a solution that is only a body stands under its prompt."""
    body = item.solution.lstrip("\n").startswith((" ", "\t"))
    return f"{item.prompt}\n{item.solution}" if body else item.solution


def _programs(sample: Sample) -> list[str]:
    """The code of a sample: its program, or what stands in fences in an answer in words."""
    if not sample.test_code:
        return _FENCE.findall(f"{sample.question}\n{sample.answer}\n")
    return [dedup_text(sample) if sample.type == "function_completion" else sample.answer]


def _form(item: BenchmarkItem) -> str:
    program = normal_code(_whole(item))
    return (
        program if _whole(item) != item.solution else f"{' '.join(_words(item.prompt))}\n{program}"
    )


def _shingled(text: str) -> Grams:
    return grams(normal_text(_IMPORT.sub("", text)))


def _words(text: str) -> list[str]:
    return _WORD.findall(_IMPORT.sub("", text).casefold())


def _tokens(code: str) -> list[str]:
    program = _IMPORT.sub("", normal_code(code, docstrings=False))
    return _TOKEN.findall(_VARIABLE.sub("v", program))


def _runs(sequence: Sequence[str], length: int) -> set[str]:
    """Runs of `length`; of a shorter sequence all of it, unless it is too short to say anything."""
    if len(sequence) >= length:
        return set(_runs_of(sequence, length))
    return {" ".join(sequence)} if len(sequence) >= _SHORTEST else set()


def _runs_of(sequence: Sequence[str], length: int) -> list[str]:
    return [" ".join(sequence[at : at + length]) for at in range(len(sequence) - length + 1)]
