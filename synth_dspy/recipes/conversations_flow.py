"""A run of the `conversations` recipe: what its stages are given, and what it says at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from synth_dspy.config import Config
from synth_dspy.dataset.split import SPLITS, unfilled
from synth_dspy.dialogues import Dialogue, FactChunk
from synth_dspy.errors import ConfigError
from synth_dspy.recipes.conversations import (
    FINISH,
    STAGES,
    Recipe,
    chunk_rules,
    conversations,
    embedding,
)
from synth_dspy.recipes.conversations_findings import distribution_of, pass_rates
from synth_dspy.recipes.conversations_views import write_views
from synth_dspy.recipes.flow import Ending, LinearFlow, Shortage
from synth_dspy.recipes.programs import check_prompts
from synth_dspy.sources.facts import fact_chunks
from synth_dspy.sources.listing import source_files
from synth_dspy.stages.contract import BarrierStage, MapStage, Stage
from synth_dspy.stages.conversations.cast import Cast
from synth_dspy.stages.conversations.converse import Converse
from synth_dspy.stages.conversations.extract_qa import ExtractQa, ProposeQa
from synth_dspy.stages.conversations.select import SelectConversations
from synth_dspy.stages.engine import Engine
from synth_dspy.stages.results import Outputs, outputs, summaries

_TRIAL_CHUNKS, _TRIAL_CONVERSATIONS = 10, 280


class ConversationsFlow(LinearFlow):
    """Each stage takes all that the one before it left; two commands have a first half."""

    stages: ClassVar[tuple[type[Stage], ...]] = STAGES
    finishing: ClassVar[tuple[type[Stage], ...]] = FINISH
    records: ClassVar[str] = "conversations"

    @classmethod
    def all_stages(cls) -> tuple[type[Stage], ...]:
        """With the first halves of `extract-qa` and `converse`."""
        at = STAGES.index(Converse)
        return (ProposeQa, *STAGES[:at], Cast, *STAGES[at:])

    @classmethod
    def check(cls, config: Config, stages: Sequence[type[Stage]]) -> None:
        """A missing, empty or binary facts file is said before all else."""
        if not config.sources:
            raise ConfigError(
                f"{config.file or 'the configuration'}: sources: the recipe `conversations` reads "
                "a facts file; give at least one source."
            )
        check_prompts(config)
        if ExtractQa in stages:
            cls._chunks(config)

    @classmethod
    def outline(cls, config: Config) -> Iterable[str]:
        """Chunks, pairs and dialogues that it comes to."""
        asked, chunks = config.conversations, cls._chunks(config)
        pairs = len(chunks) * asked.pairs_per_chunk
        written = min(asked.num_conversations, pairs * asked.conversations_per_qa)
        yield f"facts       {len(chunks)} chunks, {pairs} pairs at most"
        yield f"wanted      {asked.top_k} of {written} conversations at most"
        if written < asked.top_k:
            yield (
                f"warning     top_k is {asked.top_k}, and {written} conversations can be written: "
                "raise conversations_per_qa or num_conversations, or add facts"
            )

    @classmethod
    def for_trial(cls, config: Config, samples: int) -> Config:
        """About 30 pairs and 280 dialogues; of these as large a part is kept as of a whole run."""
        del samples
        asked = config.conversations
        most = asked.max_chunks or _TRIAL_CHUNKS
        made = min(_TRIAL_CONVERSATIONS, asked.num_conversations)
        kept = max(1, round(made * min(1.0, asked.top_k / asked.num_conversations)))
        small = asked.model_copy(
            update={
                "max_chunks": min(most, _TRIAL_CHUNKS),
                "num_conversations": made,
                "top_k": min(asked.top_k, kept),
            }
        )
        return config.model_copy(update={"conversations": small})

    @cached_property
    def recipe(self) -> Recipe:
        """The stages, wired."""
        return conversations(self.resources)

    @property
    def wired(self) -> tuple[Stage, ...]:
        """All of them, first halves among them."""
        return self.recipe.stages

    @staticmethod
    def _chunks(config: Config) -> list[FactChunk]:
        files, _ = source_files(config)
        return fact_chunks(files, chunk_rules(config))

    def inputs(self) -> Sequence[FactChunk]:
        """The chunks of the facts files."""
        files, skipped = source_files(self.config)
        for one in skipped:
            self.say(f"passed over {one.path}: {one.reason}")
        chunks = fact_chunks(files, chunk_rules(self.config))
        self.say(f"{len(chunks)} chunks of facts from {len(files)} files")
        return chunks

    async def stage(self, stage: type[Stage], engine: Engine) -> Ending:
        """One stage, with its first half where it has one, on what the stage before it left."""
        half = self.recipe.halves.get(stage.name)
        at = next(i for i, one in enumerate(self.wired) if isinstance(one, stage))
        first = at - 1 if half is not None else at
        records: Iterable[Any]
        records = self.inputs() if first == 0 else Outputs(self.run, self.wired[first - 1])
        for one in self.wired[first : at + 1]:
            if isinstance(one, BarrierStage):
                records = engine.run_barrier(one, records)
            elif isinstance(one, MapStage):
                records = await engine.run_maps([one], records)
        return Ending()

    def concluded(self, stage: Stage) -> None:
        """Pairs and dialogues as plain files, under the names that users know."""
        write_views(self.run, stage, embedding(self.config)[0])

    def ending(self, records: list[Any]) -> Ending:
        """Short when fewer passed than the top K that were asked for."""
        del records  # without the analysis, and for a single stage, they are another stage's
        dialogues: list[Dialogue] = sorted(
            outputs(self.run, SelectConversations), key=lambda one: one.task.rank
        )
        asked, made = self.config.conversations, len(dialogues)
        if not dialogues:
            self.say("No conversation passed, so there is nothing to export.")
        elif made < asked.top_k:
            self.say(
                f"top_k is {asked.top_k}, and {made} conversations passed: all of them are kept."
            )
        if made >= asked.top_k:
            return Ending(dialogues)
        lost = Counter[str]()
        for name, summary in self._summaries().items():
            lost.update({f"{name}: {why}": n for why, n in summary["dropped"].items()})
            lost.update({f"{name}: {why}": n for why, n in summary["failures"].items()})
        written = self._summaries().get(Converse.name, {}).get("in", 0)
        return Ending(dialogues, [Shortage(("conversations",), asked.top_k, made, lost, written)])

    def _summaries(self) -> Mapping[str, Mapping[str, Any]]:
        return summaries(self.run, self.all_stages())

    def conclusion(self, ending: Ending) -> Iterable[str]:
        """How many there are, how the criteria were met, how near the draws came."""
        dialogues: list[Dialogue] = ending.records
        splits = Counter(one.split for one in dialogues)
        turns = Counter(one.task.traits.turns for one in dialogues)
        yield f"{len(dialogues)} conversations: " + ", ".join(
            f"{n} of {count} turn{'s' if count > 1 else ''}" for count, n in sorted(turns.items())
        )
        yield ", ".join(f"{split} {splits[split]}" for split in SPLITS)
        ratios = dict(zip(SPLITS, self.config.dataset.ratios, strict=True))
        if empty := unfilled(splits, ratios):
            yield (
                f"No row for {' and '.join(empty)}: the facts have too few sections, which are "
                "never divided between splits."
            )
        for stage, rates in pass_rates(self.run).items():
            for name, rate in rates.items():
                share = rate["held"] / rate["asked"]
                yield f"{stage:<12}{name:<22}{share:>7.1%}  {rate['held']} of {rate['asked']}"
        gaps = {
            name: found["widest_gap"]
            for name, found in distribution_of(self.run).items()
            if isinstance(found, dict) and "widest_gap" in found
        }
        far = {name: gap for name, gap in gaps.items() if gap > 1}
        yield "drawn as asked, each value within one of its share" + (
            ", but " + ", ".join(f"{name} (off by {gap:g})" for name, gap in sorted(far.items()))
            if far
            else ""
        )
