"""What a dataset card is written from, and how most of it is read off the samples themselves.

Samples with their provenance enter, facts leave. It knows no files and no clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from synth_dspy.records import Sample


COLUMNS: Mapping[str, str] = {
    "question": "what is asked; of a type that completes a function, the stub",
    "answer": "the answer; of a type that completes a function, the indented body",
    "category": "topic",
    "type": "what kind of row it is",
    "difficulty": "`easy`, `medium` or `hard`",
    "test_code": "defines `check(candidate)`, which the answer passed; empty for rows in words",
    "entry_point": "the function that the test is given; empty for rows in words",
    "image": "RGB image that the question needs, or null",
    "has_image": "whether there is one",
    "code_context": (
        "the code that drew the image or, without one, the code that stands before the passage in "
        "its document; never code that defines `entry_point`"
    ),
    "source": "relative path of the document",
    "metadata": "JSON: provenance, models, attempts, sandbox, mutants, judge",
}
HOW = (
    "Documents are parsed and cut into passages; a task for each row is allocated over the "
    "passages by quota; a model writes the question and, for code, the test; another call "
    "answers it; code is run against its test in a sandbox and corrected while it fails; a "
    "judge compares the answer with the passage. Of duplicates, the lower rank stays. "
    "Rows that share a passage, an image or nearly their wording are always in one split."
)


@dataclass(frozen=True, slots=True, order=True)
class ModelFact:
    """A step and the model that did it; `program` is the compiled program's hash, "" for none."""

    step: str
    model: str
    program: str = ""

    @property
    def offline(self) -> bool:
        """Whether it is the built-in offline model, which asks no service."""
        return "offline" in self.model.casefold()


@dataclass(frozen=True, slots=True, order=True)
class SourceFact:
    """A document that rows were made from; licence and revision are "" when not known."""

    path: str
    sha256: str
    rows: int
    license: str = ""
    revision: str = ""


@dataclass(frozen=True, slots=True)
class CardFacts:
    """All that a card says.

    Attributes:
        license: an identifier of the Hub (`apache-2.0`), "" when the user named none.
        statistics: the object of statistics.py, or of `row_statistics` for other recipes.
        columns: what each column of a row holds; how: a paragraph on how rows were made.
        types: what a row of each type is, in a sentence, as far as that is known.
        command: what was typed, without secrets; config: the YAML's path as it was given.
        version: of synth-dspy.
        calibration: of the judge against people (`step`, `model`, `agreement`, `kappa`, `n`,
            `confusion`); None when it was never done.
        decontamination: the object of contamination.py; None when nothing was checked.
        scan: the object of `scan_facts`; None when nothing was scanned.
        usage: `llm_calls`, `tokens` and `cost_usd` of all stages together.
        limits: further sentences on what not to expect.
    """

    name: str
    description: str
    statistics: Mapping[str, Any]
    license: str = ""
    language: str = "en"
    recipe: str = "assistant"
    columns: Mapping[str, str] = field(default_factory=lambda: COLUMNS)
    types: Mapping[str, str] = field(default_factory=dict)
    how: str = HOW
    models: tuple[ModelFact, ...] = ()
    sources: tuple[SourceFact, ...] = ()
    command: str = "python -m synth_dspy.run"
    config: str = ""
    seed: int = 42
    version: str = ""
    calibration: Mapping[str, Any] | None = None
    decontamination: Mapping[str, Any] | None = None
    scan: Mapping[str, Any] | None = None
    usage: Mapping[str, float] | None = None
    limits: tuple[str, ...] = ()


def models_of(samples: Iterable[Sample]) -> tuple[ModelFact, ...]:
    """Which model and compiled program did which step, of all samples."""
    return tuple(
        sorted(
            {
                ModelFact(name, str(step.get("model") or ""), str(step.get("program") or ""))
                for sample in samples
                for name, step in (sample.metadata.get("steps") or {}).items()
            }
        )
    )


def sources_of(
    samples: Sequence[Sample], *, licenses: Mapping[str, str] | None = None
) -> tuple[SourceFact, ...]:
    """The documents that rows were made from, by path.

    Args:
        licenses: name of a source, or path of a document -> its licence.
    """
    stated = licenses or {}
    tally: Counter[tuple[str, str, str, str]] = Counter()
    for sample in samples:
        source = sample.metadata.get("source")
        known = source if isinstance(source, dict) else {}
        path = str(known.get("path") or sample.source)
        license_ = stated.get(path) or stated.get(str(known.get("name") or ""), "")
        content = (str(known.get("sha256") or ""), str(known.get("revision") or ""))
        tally[path, license_, *content] += 1
    return tuple(
        sorted(
            SourceFact(path, sha256, rows, license_, revision)
            for (path, license_, sha256, revision), rows in tally.items()
        )
    )
