"""A run of the `assistant` recipe: which of its stages follow which, and what they are given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from synth_dspy.config import Config
from synth_dspy.dataset.split import SPLITS, unfilled
from synth_dspy.errors import SourceError
from synth_dspy.recipes.assistant import (
    FINISH,
    GENERATE,
    PREPARE,
    STAGES,
    Recipe,
    assistant,
    planned_tasks,
)
from synth_dspy.recipes.assistant_options import allocation_options
from synth_dspy.recipes.findings import admission_rules
from synth_dspy.recipes.flow import Ending, Flow, Shortage
from synth_dspy.recipes.kept_chunks import KeptChunks
from synth_dspy.recipes.plan_coverage import tell_coverage
from synth_dspy.recipes.programs import check_prompts
from synth_dspy.recipes.views import finished_samples, write_views
from synth_dspy.records import Chunk, Sample, SourceFile, Task
from synth_dspy.sources.listing import clones_to_make, source_files
from synth_dspy.sources.peek import may_hold_images
from synth_dspy.stages.allocation import Cell, targets
from synth_dspy.stages.analyze import Analyze, Show
from synth_dspy.stages.build import Build, Committer
from synth_dspy.stages.chunks import FilterChunks
from synth_dspy.stages.contract import MapStage, Stage
from synth_dspy.stages.engine import INTERRUPTED, Engine, Stopped
from synth_dspy.stages.export import Export
from synth_dspy.stages.generate import AnswerCandidates, WriteCandidates
from synth_dspy.stages.parse import Parse
from synth_dspy.stages.plan import Allocate
from synth_dspy.stages.results import Outputs, outputs


class AssistantFlow(Flow):
    """Prepare streams, allocate is a barrier, generate runs until the quotas are met."""

    stages: ClassVar[tuple[type[Stage], ...]] = STAGES
    generating: ClassVar[tuple[type[Stage], ...]] = GENERATE
    finishing: ClassVar[tuple[type[Stage], ...]] = (Export, Analyze)
    executes: ClassVar[frozenset[str]] = frozenset({WriteCandidates.name, AnswerCandidates.name})

    @classmethod
    def all_stages(cls) -> tuple[type[Stage], ...]:
        """With `allocate`, the first half of `plan`."""
        return (*PREPARE, Allocate, *GENERATE, *FINISH)

    @classmethod
    def check(cls, config: Config, stages: Sequence[type[Stage]]) -> None:
        """A missing folder, a wrong name and an unreadable benchmark are said before all else."""
        if Parse in stages:
            source_files(config)
        allocation_options(config)
        check_prompts(config)
        _ = admission_rules(config).benchmarks.items

    @classmethod
    def announced(cls, config: Config, stages: Sequence[type[Stage]]) -> Iterable[str]:
        """The repositories that are not on this machine yet."""
        return clones_to_make(config) if Parse in stages else ()

    @classmethod
    def outline(cls, config: Config) -> Iterable[str]:
        """Files, cells, and a warning of a quota that cannot be met."""
        files, skipped = source_files(config)
        yield f"sources     {len(files)} files, {len(skipped)} passed over"
        wanted = targets(allocation_options(config))
        for (kind, modality), count in sorted(wanted.items()):
            yield f"wanted      {count:>5} {kind} ({modality})"
        pictured = sum(n for (_, modality), n in wanted.items() if modality == "multimodal")
        if pictured and not may_hold_images(Path(file.root, file.path) for file in files):
            yield (
                f"warning     no document seems to hold an image, and {pictured} samples must need "
                "one: set multimodal_ratio to 0 under generation.type_allocations"
            )

    @cached_property
    def recipe(self) -> Recipe:
        """The stages, wired."""
        return assistant(self.resources)

    @property
    def wired(self) -> tuple[Stage, ...]:
        """All of them, `allocate` among them."""
        return self.recipe.stages

    def apart(self) -> Mapping[str, MapStage[Any, Any]]:
        """With the chunks that tasks name read from what filter-chunks kept."""
        self.recipe.write.chunks = KeptChunks(self.run)
        return super().apart()

    def concluded(self, stage: Stage) -> None:
        """Samples, rejections and decisions as plain files."""
        write_views(self.run, stage)

    def close(self) -> None:
        """End the parsers' processes."""
        for stage in self.recipe.prepare if "recipe" in vars(self) else ():
            if isinstance(stage, Parse):
                stage.close()

    # -- whole runs ------------------------------------------------------------------------------

    async def pipeline(self, engine: Engine, *, analysis: bool = True) -> Ending:
        """Documents in; a dataset, and the report, out."""
        chunks = await self._prepare(engine)
        stopped, short = "", list[Shortage]()
        try:
            short = await self._generate(engine, chunks)
        except Stopped as error:
            if error.reason == INTERRUPTED:
                raise
            stopped = error.reason
            self.say(stopped)
        ending = self._finish(engine, analysis=analysis)
        return Ending(ending.records, short or ending.short, stopped)

    async def generate(self, engine: Engine) -> Ending:
        """plan to classify, on the chunks that filter-chunks kept."""
        return Ending(short=await self._generate(engine, outputs(self.run, FilterChunks)))

    async def _prepare(self, engine: Engine) -> list[Chunk]:
        files = self._files()
        chunks: list[Chunk] = list(await engine.run_maps(self.recipe.prepare, files))
        self._tell_documents(engine, len(files))
        if not chunks:
            for stage in self.recipe.prepare:
                failures = engine.tallies[stage.name].failures
                # A model that answered nothing well is no fault of the documents.
                if failures and not isinstance(stage, Parse):
                    why = ", ".join(f"{reason} {count}" for reason, count in failures.items())
                    raise Stopped(
                        f"No chunk was left to ask questions about, since {stage.name} failed "
                        f"({why}): see `inspect --stage {stage.name} --failed`, and run again."
                    )
            raise SourceError(
                "No chunk was left to ask questions about: see `inspect --stage filter-chunks "
                "--dropped` and `inspect --stage parse --failed` for the reasons."
            )
        return chunks

    def _files(self) -> list[SourceFile]:
        files, skipped = source_files(self.config)
        for one in skipped:
            why = f"{one.reason}: {one.detail}" if one.detail else one.reason
            self.say(f"passed over {one.path}: {why}")
        return files

    def _tell_documents(self, engine: Engine, files: int) -> None:
        tally = engine.tallies[Parse.name]
        self.say(
            f"{tally.kept} docs from {files} files "
            f"({tally.cached} cached, {files - tally.cached} new)"
        )

    async def _generate(self, engine: Engine, chunks: Sequence[Chunk]) -> list[Shortage]:
        recipe = self.recipe
        tasks = self._allocate(engine, chunks)
        generation = self.config.generation
        committer = Committer(recipe.rules)
        quota = await engine.run_quota(
            recipe.generate,
            tasks,
            _cell,
            recipe.targets,
            committer.is_left_out,
            # Twice the calls: a task that waits out a Retry-After must not leave a call unused.
            concurrency=2 * generation.llm_concurrency,
            keep_all=generation.keep_extra_samples,
        )
        reasons = {cell: Counter(engine.rejections.get(cell, ())) for cell in quota.states}
        for rank, refused in committer.refused.items():
            reasons[_cell(tasks[rank])][f"build: {refused.reason}"] += 1
        return [
            Shortage(cell, state.target, state.accepted, reasons[cell], state.tried)
            for cell, state in quota.states.items()
            if not state.full
        ]

    def _allocate(self, engine: Engine, chunks: Sequence[Chunk]) -> list[Task]:
        engine.run_barrier(self.recipe.allocate, chunks)
        self.recipe.write.use_chunks({chunk.id: chunk for chunk in chunks})
        return planned_tasks(self.run)

    def _finish(self, engine: Engine, *, analysis: bool) -> Ending:
        recipe = self.recipe
        samples = engine.run_barrier(recipe.build, outputs(self.run, GENERATE[-1]))
        if not samples:
            self.say("No sample was accepted, so there is nothing to export.")
            rejections = engine.rejections
            return Ending(
                short=[
                    Shortage(cell, target, 0, Counter(rejections.get(cell, ())))
                    for cell, target in recipe.targets.items()
                ]
            )
        self._tell_unfilled(samples)
        engine.run_barrier(recipe.export, samples)
        if analysis:
            engine.run_barrier(recipe.analyze, samples)
        return Ending(samples)

    def _tell_unfilled(self, samples: Sequence[Sample]) -> None:
        asked = dict(zip(SPLITS, self.config.dataset.ratios, strict=True))
        if empty := unfilled(Counter(sample.split for sample in samples), asked):
            self.say(
                f"No row for {' and '.join(empty)}: the {len(samples)} samples come from too few "
                "sections, which are never divided. More documents or samples fill every split."
            )

    # -- single stages ---------------------------------------------------------------------------

    async def stage(self, stage: type[Stage], engine: Engine) -> Ending:
        """One stage, on what the stage before it left."""
        recipe = self.recipe
        if stage is Parse:
            files = self._files()
            await engine.run_maps(recipe.prepare[:1], files)
            self._tell_documents(engine, len(files))
        elif stage in PREPARE:
            at = PREPARE.index(stage)
            await engine.run_maps(recipe.prepare[at : at + 1], Outputs(self.run, PREPARE[at - 1]))
        elif stage is GENERATE[0]:
            chunks = outputs(self.run, FilterChunks)
            tasks = self._over_allocated(self._allocate(engine, chunks))
            await engine.run_maps([recipe.write], tasks)
            self.say(tell_coverage(self.run, tasks, chunks))
        elif stage in GENERATE:
            at = GENERATE.index(stage)
            await engine.run_maps(recipe.generate[at : at + 1], Outputs(self.run, GENERATE[at - 1]))
        else:
            before = GENERATE[-1] if stage is FINISH[0] else FINISH[0]
            barrier = (recipe.build, recipe.export, recipe.analyze)[FINISH.index(stage)]
            engine.run_barrier(barrier, outputs(self.run, before))
        return Ending()

    def _over_allocated(self, tasks: Sequence[Task]) -> list[Task]:
        """The tasks that `plan` alone writes: `over_allocation_factor` for each sample wanted."""
        factor, taken = self.config.generation.over_allocation_factor, Counter[Cell]()
        chosen = []
        for task in tasks:
            cell = _cell(task)
            if taken[cell] < self.recipe.targets[cell] * factor:
                taken[cell] += 1
                chosen.append(task)
        return chosen

    def analysis(self, source: str, out: Path, show: Show) -> None:
        """An analysis of other samples, or to another place, than the stage `analyze` makes."""
        self.recipe.analyze.write(self._samples_of(source), out, show)

    def _samples_of(self, source: str) -> list[Sample]:
        if source == "generated":
            return finished_samples(self.run)
        return outputs(self.run, Build if source == "splits" else Export)

    # -- words -----------------------------------------------------------------------------------

    def conclusion(self, ending: Ending) -> Iterable[str]:
        """What the dataset is made of, in three lines."""
        samples: list[Sample] = ending.records
        total = len(samples)
        kinds = Counter(sample.type for sample in samples)
        splits = Counter(sample.split for sample in samples)
        pictured = sum(sample.has_image for sample in samples)
        checked = [sample.metadata["check"] for sample in samples if sample.metadata.get("check")]
        isolation = ", ".join(sorted({check["isolation"] for check in checked}))
        killed = sum(check["mutants_killed"] for check in checked)
        run = sum(check["mutants_run"] for check in checked)
        verified = (
            f"{len(checked)} code samples passed their test in the sandbox ({isolation or 'none'});"
            f" their tests killed {killed} of {run} mutants"
        )
        return [
            f"{total} samples: " + ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items())),
            f"{pictured} multimodal ({pictured / total:.0%}); "
            + ", ".join(f"{split} {splits[split]}" for split in SPLITS),
            verified if checked else "no code samples, so nothing was executed",
        ]


def _cell(task: Task) -> Cell:
    return (task.type, task.modality)
