"""What a stage is, to the engines that run it. Engines know this file and no stage.

A map stage turns one record into an outcome and looks at nothing else, so it can run in any order,
at once, on any machine, and be taken from a journal instead. A barrier needs all of its input.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from synth_dspy.outcomes import Outcome
from synth_dspy.records import digest

In = TypeVar("In")
Out = TypeVar("Out")


class Stage(ABC):
    """Name, folder and identity of a stage.

    Attributes:
        name: the command (`filter-images`); folder: its folder in the run directory.
        aliases: other names that `--stage` knows it by.
        journal: name of the file in `folder` that holds a line an input record.
        version: raised when the stage's own code changes what it makes of the same input.
        unit: what its input records are, in the plural: `files`, `documents`.
        output_type: the dataclass of its output records.
    """

    name: ClassVar[str]
    folder: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    journal: ClassVar[str] = "journal.jsonl"
    version: ClassVar[int] = 1
    unit: ClassVar[str] = "records"
    output_type: ClassVar[type[Any]]

    @abstractmethod
    def settings(self) -> object:
        """Everything besides the input that decides the output: options, prompts, models."""

    def fingerprint(self) -> str:
        """Hash of name, version and settings; part of every key."""
        return digest(self.name, self.version, self.settings())


class MapStage(Stage, Generic[In, Out]):
    """One record in, one outcome out.

    Attributes:
        concurrency: how many records are worked on at once.
    """

    concurrency: int = 1

    @abstractmethod
    async def process(self, record: In) -> Outcome:
        """The outcome of one record.

        Raises:
            RecordError: the record cannot be processed; the engine counts it as failed.
            SynthError: nothing can be processed any more (a budget, a dead sandbox, a wrong key).
        """

    def identity(self, record: In) -> object:
        """What of a record decides the outcome; all of it, unless a stage knows better."""
        return record


class BarrierStage(Stage, Generic[In, Out]):
    """All records in; run again only when the set of its inputs or a setting changed."""

    @abstractmethod
    def run(self, records: Sequence[In]) -> Sequence[Outcome]:
        """An outcome for each of `records`, in their order (which is that of their hashes)."""

    def products(self) -> tuple[Path, ...]:
        """What it writes besides its journal; a missing one makes it run again."""
        return ()
