"""What a run of a recipe is, to the commands: stages in order, and how an engine is led through.

A recipe's file says which stages there are; its flow says what runs after what. `LinearFlow` is
all that a recipe without quotas needs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from synth_dspy.config import Config
from synth_dspy.errors import UserError
from synth_dspy.recipes.resources import Resources
from synth_dspy.stages.contract import BarrierStage, MapStage, Stage
from synth_dspy.stages.engine import Engine
from synth_dspy.stages.results import Outputs
from synth_dspy.store.run_directory import RunDirectory

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Shortage:
    """A cell whose quota was not met.

    Attributes:
        cell: what was asked for, in words: ("qa", "text").
        reasons: why tasks of the cell were not accepted, with their counts.
        made: tasks of the cell that were taken through the stages.
    """

    cell: tuple[str, ...]
    asked: int
    accepted: int
    reasons: Counter[str] = field(default_factory=Counter)
    made: int = 0


@dataclass(slots=True)
class Ending:
    """What a run came to.

    Attributes:
        records: the finished records: samples, rows, dialogues.
        short: the cells that were not filled; stopped: why the run ended early, or "".
    """

    records: list[Any] = field(default_factory=list)
    short: list[Shortage] = field(default_factory=list)
    stopped: str = ""

    @property
    def is_short(self) -> bool:
        """Whether less was made than was asked for."""
        return bool(self.short or self.stopped)


class Flow(ABC):
    """One run of one recipe.

    Attributes:
        stages: the stages that are commands, in order.
        generating: those that run until the quotas are met; none where a recipe has no quotas.
        finishing: those that write the dataset and, after it, the report.
        executes: names of the stages that run code in the sandbox.
        records: what the finished records are called: `samples`, `rows`.
    """

    stages: ClassVar[tuple[type[Stage], ...]]
    generating: ClassVar[tuple[type[Stage], ...]] = ()
    finishing: ClassVar[tuple[type[Stage], ...]] = ()
    executes: ClassVar[frozenset[str]] = frozenset()
    records: ClassVar[str] = "samples"

    def __init__(self, resources: Resources, say: Say) -> None:
        self.resources, self.say = resources, say
        self.config = resources.config
        self.run = RunDirectory(resources.run_dir)

    @classmethod
    def all_stages(cls) -> tuple[type[Stage], ...]:
        """Every stage with a journal, those that are half of a command among them."""
        return cls.stages

    @classmethod
    @abstractmethod
    def check(cls, config: Config, stages: Sequence[type[Stage]]) -> None:
        """Refuse what cannot work, before anything is made.

        Raises:
            UserError: the text says what is wrong and where.
        """

    @classmethod
    def announced(cls, config: Config, stages: Sequence[type[Stage]]) -> Iterable[str]:
        """What `check` takes long over, in lines for the user: a source to clone.

        Raises:
            SourceError: an address is none.
        """
        del config, stages
        return ()

    @classmethod
    def outline(cls, config: Config) -> Iterable[str]:
        """What a checked configuration comes to, in lines for the user, with advice.

        Raises:
            SourceError: a source is not there.
        """
        del config
        return ()

    @property
    @abstractmethod
    def wired(self) -> tuple[Stage, ...]:
        """Its stages, wired to the run's resources, in order."""

    @abstractmethod
    async def pipeline(self, engine: Engine, *, analysis: bool = True) -> Ending:
        """Everything, from the sources to the dataset, and the report with `analysis`.

        Raises:
            Stopped: by the user; everything finished is kept.
        """

    @abstractmethod
    async def stage(self, stage: type[Stage], engine: Engine) -> Ending:
        """One stage, on what the stage before it left.

        Raises:
            StageError: the stage before it has not run. Stopped: as `pipeline`.
        """

    async def generate(self, engine: Engine) -> Ending:
        """The stages between a recipe's quotas, for a recipe that has them.

        Raises:
            UserError: this one has none.
        """
        del engine
        raise UserError(
            f"The recipe {self.config.recipe!r} has no `generate`; run `pipeline`, or one of its "
            f"stages: {', '.join(stage.name for stage in self.stages)}."
        )

    @classmethod
    def for_trial(cls, config: Config, samples: int) -> Config:
        """The configuration of a small run; `output_dir` is the caller's to change."""
        generation = config.generation.model_copy(
            update={"target_samples": min(config.generation.target_samples, samples)}
        )
        return config.model_copy(update={"generation": generation})

    def fingerprints(self) -> Mapping[str, str]:
        """What identifies each map stage's work, for `run.json`; a barrier's may need its input."""
        return {s.name: s.fingerprint() for s in self.wired if isinstance(s, MapStage)}

    def apart(self) -> Mapping[str, MapStage[Any, Any]]:
        """Its map stages, for a worker that sees single records and never the run: what `pipeline`
        would hand them besides is read from the run directory."""
        return {stage.name: stage for stage in self.wired if isinstance(stage, MapStage)}

    def concluded(self, stage: Stage) -> None:
        """Write what people look at beside the journals, now that `stage` has concluded."""
        del stage

    @abstractmethod
    def conclusion(self, ending: Ending) -> Iterable[str]:
        """What the dataset is made of, in a few lines for the user."""

    @property
    def last_made(self) -> type[Stage]:
        """The stage whose records are the dataset's, to be looked at after a run."""
        return next(s for s in reversed(self.stages) if s not in self.finishing)

    def close(self) -> None:  # noqa: B027 - most recipes hold nothing open
        """End what a stage holds open."""


class LinearFlow(Flow):
    """Each stage takes all that the one before it left; neighbouring map stages stream."""

    @abstractmethod
    def inputs(self) -> Sequence[Any]:
        """What enters the first stage."""

    def ending(self, records: list[Any]) -> Ending:
        """What the last stage's records come to."""
        return Ending(records)

    async def pipeline(self, engine: Engine, *, analysis: bool = True) -> Ending:
        """All stages in order; the report is left out without `analysis`."""
        records: Collection[Any] = self.inputs()
        left_out = () if analysis else self.finishing[1:]
        wired = [s for s in self.wired if not isinstance(s, left_out)]
        at = 0
        while at < len(wired):
            stage = wired[at]
            if isinstance(stage, BarrierStage):
                records, at = engine.run_barrier(stage, records), at + 1
            else:
                maps: list[MapStage[Any, Any]] = []
                while at < len(wired) and isinstance(one := wired[at], MapStage):
                    maps.append(one)
                    at += 1
                records = await engine.run_maps(maps, records)
        return self.ending(list(records))

    async def stage(self, stage: type[Stage], engine: Engine) -> Ending:
        """One stage on the journal of the one before it."""
        at = next(i for i, one in enumerate(self.wired) if isinstance(one, stage))
        records = self.inputs() if at == 0 else Outputs(self.run, self.wired[at - 1])
        wired = self.wired[at]
        if isinstance(wired, BarrierStage):
            engine.run_barrier(wired, records)
        elif isinstance(wired, MapStage):
            await engine.run_maps([wired], records)
        return Ending()
