"""pipeline, generate and single stages: a configuration in, a run directory and an exit code out.

Raises what is the user's to mend (`UserError`, `SetupError`, `StoreError`); everything else ends in
an exit code with everything kept.
"""

from __future__ import annotations

import asyncio
import platform
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth_dspy import __version__
from synth_dspy.config import Config
from synth_dspy.errors import SourceError, StageError
from synth_dspy.recipes.assistant import (
    FINISH,
    GENERATE,
    PREPARE,
    STAGES,
    Recipe,
    assistant,
    check_names,
    planned_tasks,
)
from synth_dspy.recipes.findings import admission_rules
from synth_dspy.recipes.resources import Resources
from synth_dspy.recipes.views import finished_samples, write_views
from synth_dspy.records import Chunk, Sample, SourceFile, Task
from synth_dspy.runners.local import LocalRunner, Stopped
from synth_dspy.runners.progress import Reporter
from synth_dspy.runners.workbench import Workbench
from synth_dspy.sources.listing import source_files
from synth_dspy.stages.allocation import Cell
from synth_dspy.stages.analyze import Analyze, Show
from synth_dspy.stages.build import Build, Committer
from synth_dspy.stages.chunks import FilterChunks
from synth_dspy.stages.contract import Stage
from synth_dspy.stages.export import Export
from synth_dspy.stages.parse import Parse
from synth_dspy.stages.results import outputs
from synth_dspy.store.run_directory import RunDirectory, write_json

if TYPE_CHECKING:
    from synth_dspy.optimize.tracing import Tracer

DONE, SHORT, INTERRUPTED = 0, 1, 130

_TRIAL_SAMPLES = 12
_USES_SANDBOX = {"plan", "answer"}
_PACKAGES = ("dspy-ai", "pydantic", "pymupdf", "nbformat", "datasets", "docker", "mlflow")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says besides the configuration.

    Attributes:
        no_cache: put finished work and replies aside, and start over.
        trial: a small sample, in a run directory of its own.
        quiet: errors only; trace: write conversations.
        skip_analysis: end with the dataset.
    """

    no_cache: bool = False
    trial: bool = False
    quiet: bool = False
    trace: bool = True
    skip_analysis: bool = False


def stage_named(name: str) -> type[Stage]:
    """The stage of a command's or a folder's name.

    Raises:
        StageError: there is none; the text lists all and the nearest.
    """
    import difflib

    known = {**{stage.folder: stage for stage in STAGES}, **{stage.name: stage for stage in STAGES}}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise StageError(
        f"There is no stage {name!r}.{hint} Stages are: "
        + ", ".join(stage.name for stage in STAGES)
        + "."
    )


class Execution:
    """One run of one configuration."""

    def __init__(self, config: Config, reporter: Reporter, options: Options) -> None:
        self.config = for_trial(config) if options.trial else config
        self.options = options
        self.reporter = reporter
        self.run = RunDirectory(self.config.output_dir)
        self.tracer = _tracer(self.config, reporter)
        self.resources = Resources(self.config, reporter.say, trace=options.trace)
        if self.tracer is not None:
            self.resources.watch = self.tracer.watch
        self.samples: list[Sample] = []
        self.short: list[tuple[Cell, int, int, Counter[str]]] = []

    def pipeline(self) -> int:
        """Everything, from the sources to the report; the exit code."""
        return self._with_runner([*PREPARE, *GENERATE, *FINISH], self._pipeline)

    def generate(self) -> int:
        """plan to classify, on the chunks that filter-chunks kept."""
        return self._with_runner(GENERATE, self._generate_only)

    def stage(self, name: str) -> int:
        """One stage, on what the stage before it left."""
        stage = stage_named(name)

        async def work(recipe: Recipe, runner: LocalRunner) -> int:
            return await self._one_stage(stage, recipe, runner)

        return self._with_runner([stage], work)

    def analyze(self, source: str, out: Path, show: Show) -> int:
        """An analysis of other samples, or to another place, than the stage `analyze` makes."""

        async def work(recipe: Recipe, _runner: LocalRunner) -> int:
            recipe.analyze.write(self._samples_of(source), out, show)
            return DONE

        return self._with_runner([Analyze], work)

    def _samples_of(self, source: str) -> list[Sample]:
        if source == "generated":
            return finished_samples(self.run)
        return outputs(self.run, Build if source == "splits" else Export)

    # -- around every run ------------------------------------------------------------------------

    def _with_runner(
        self,
        stages: Sequence[type[Stage]],
        work: Callable[[Recipe, LocalRunner], Awaitable[int]],
    ) -> int:
        if Parse in stages:
            source_files(self.config)  # a missing folder is said before anything is made
        check_names(self.config)
        # A benchmark that cannot be read is said before the first token is spent.
        _ = admission_rules(self.config).benchmarks.items
        names = {stage.name for stage in stages}
        if GENERATE[0] in stages:
            names.add("allocate")
        if names & _USES_SANDBOX:
            self.resources.sandbox.open()
        self.run.lock()
        bench = None
        try:
            if self.options.no_cache and self.resources.replies.path.exists():
                self.resources.replies.rotate()
            bench = Workbench(
                self.run,
                fresh=frozenset(names) if self.options.no_cache else frozenset(),
                concluded=lambda stage: write_views(self.run, stage),
            )
            runner = LocalRunner(bench, self.reporter)
            recipe = assistant(self.resources)
            write_json(self.run.path / "run.json", self._description(recipe))
            return asyncio.run(self._guarded(recipe, runner, work))
        except KeyboardInterrupt:
            self.reporter.say("Stopped. Everything finished is kept; the same command goes on.")
            return INTERRUPTED
        finally:
            if bench is not None:
                bench.close()
            self.run.unlock()

    async def _guarded(
        self,
        recipe: Recipe,
        runner: LocalRunner,
        work: Callable[[Recipe, LocalRunner], Awaitable[int]],
    ) -> int:
        loop, main = asyncio.get_running_loop(), asyncio.current_task()
        interrupts = 0

        def interrupt() -> None:
            nonlocal interrupts
            interrupts += 1
            if interrupts == 1:
                runner.stop("interrupted")
                self.reporter.say("Stopping after what is in flight; Ctrl+C again to stop now.")
            elif main is not None:
                main.cancel()

        loop.add_signal_handler(signal.SIGINT, interrupt)
        try:
            return await work(recipe, runner)
        except Stopped as stopped:
            if interrupts:
                raise KeyboardInterrupt from stopped
            self.reporter.say(f"{stopped} Everything made so far is kept.")
            return SHORT
        except asyncio.CancelledError:
            if interrupts:
                raise KeyboardInterrupt from None
            raise
        finally:
            for stage in recipe.prepare:
                if isinstance(stage, Parse):
                    stage.close()
            await self.resources.aclose()
            if self.tracer is not None:
                self.tracer.close()
            loop.remove_signal_handler(signal.SIGINT)

    def _description(self, recipe: Recipe) -> dict[str, Any]:
        """The content of `run.json`: what was asked, with what versions."""
        return {
            "synth_dspy": __version__,
            "python": platform.python_version(),
            "packages": {name: _version(name) for name in _PACKAGES},
            "config_file": str(self.config.file or ""),
            "config": self.config.redacted(),
            "fingerprints": {
                stage.name: stage.fingerprint()
                for stage in (*recipe.prepare, recipe.allocate, *recipe.generate)
            },
        }

    # -- the work --------------------------------------------------------------------------------

    async def _pipeline(self, recipe: Recipe, runner: LocalRunner) -> int:
        chunks = await self._prepare(recipe, runner)
        stopped: Stopped | None = None
        try:
            await self._generate(recipe, runner, chunks)
        except Stopped as error:
            if error.reason == "interrupted":
                raise
            stopped = error
            self.reporter.say(error.reason)
        self._finish(recipe, runner)
        return SHORT if stopped or self.short else DONE

    async def _prepare(self, recipe: Recipe, runner: LocalRunner) -> list[Chunk]:
        files = self._files()
        chunks = await runner.run_maps(recipe.prepare, files)
        self._tell_documents(runner, len(files))
        if not chunks:
            raise SourceError(
                "No chunk was left to ask questions about: see `inspect --stage filter-chunks "
                "--dropped` and `inspect --stage parse --failed` for the reasons."
            )
        return chunks

    def _files(self) -> list[SourceFile]:
        files, skipped = source_files(self.config)
        for one in skipped:
            why = f"{one.reason}: {one.detail}" if one.detail else one.reason
            self.reporter.say(f"passed over {one.path}: {why}")
        return files

    def _tell_documents(self, runner: LocalRunner, files: int) -> None:
        tally = runner.tallies["parse"]
        self.reporter.say(
            f"{tally.kept} docs from {files} files "
            f"({tally.cached} cached, {files - tally.cached} new)"
        )

    async def _generate_only(self, recipe: Recipe, runner: LocalRunner) -> int:
        await self._generate(recipe, runner, outputs(self.run, FilterChunks))
        return SHORT if self.short else DONE

    async def _generate(self, recipe: Recipe, runner: LocalRunner, chunks: Sequence[Chunk]) -> None:
        runner.run_barrier(recipe.allocate, chunks)
        tasks = planned_tasks(self.run)
        recipe.write.use_chunks({chunk.id: chunk for chunk in chunks})
        generation = self.config.generation
        committer = Committer(recipe.rules)
        quota = await runner.run_quota(
            recipe.generate,
            tasks,
            _cell,
            recipe.targets,
            committer.is_left_out,
            # Twice the calls: a task that waits out a Retry-After must not leave a call unused.
            concurrency=2 * generation.llm_concurrency,
            keep_all=generation.keep_extra_samples,
        )
        for rank, refused in committer.refused.items():
            runner.rejections[_cell(tasks[rank])][f"build: {refused.reason}"] += 1
        self.short = [
            (cell, state.target, state.accepted, runner.rejections[cell])
            for cell, state in quota.states.items()
            if not state.full
        ]

    def _finish(self, recipe: Recipe, runner: LocalRunner) -> None:
        candidates = outputs(self.run, GENERATE[-1])
        self.samples = runner.run_barrier(recipe.build, candidates)
        if not self.samples:
            self.reporter.say("No sample was accepted, so there is nothing to export.")
            self.short = self.short or [
                (cell, target, 0, runner.rejections[cell])
                for cell, target in recipe.targets.items()
            ]
            return
        runner.run_barrier(recipe.export, self.samples)
        if not self.options.skip_analysis:
            runner.run_barrier(recipe.analyze, self.samples)

    async def _one_stage(self, stage: type[Stage], recipe: Recipe, runner: LocalRunner) -> int:
        if stage in PREPARE:
            at = PREPARE.index(stage)
            if at == 0:
                files = self._files()
                await runner.run_maps(recipe.prepare[:1], files)
                self._tell_documents(runner, len(files))
            else:
                records = outputs(self.run, PREPARE[at - 1])
                await runner.run_maps(recipe.prepare[at : at + 1], records)
        elif stage is GENERATE[0]:
            chunks = outputs(self.run, FilterChunks)
            runner.run_barrier(recipe.allocate, chunks)
            recipe.write.use_chunks({chunk.id: chunk for chunk in chunks})
            await runner.run_maps([recipe.write], self._over_allocated(recipe))
        elif stage in GENERATE:
            at = GENERATE.index(stage)
            records = outputs(self.run, GENERATE[at - 1])
            await runner.run_maps(recipe.generate[at : at + 1], records)
        else:
            before = GENERATE[-1] if stage is FINISH[0] else FINISH[0]
            barrier = (recipe.build, recipe.export, recipe.analyze)[FINISH.index(stage)]
            runner.run_barrier(barrier, outputs(self.run, before))
        return DONE

    def _over_allocated(self, recipe: Recipe) -> list[Task]:
        """The tasks that `plan` alone writes: `over_allocation_factor` for each sample wanted."""
        factor, taken = self.config.generation.over_allocation_factor, Counter[Cell]()
        chosen = []
        for task in planned_tasks(self.run):
            cell = _cell(task)
            if taken[cell] < recipe.targets[cell] * factor:
                taken[cell] += 1
                chosen.append(task)
        return chosen


def _tracer(config: Config, reporter: Reporter) -> Tracer | None:
    if not config.tracking.enabled or config.tracking.sample_rate <= 0:
        return None
    # MLflow takes seconds to import, and only a run that traces needs it.
    from synth_dspy.optimize.tracing import Tracer

    return Tracer(config, reporter.say)


def shortage_lines(short: Sequence[tuple[Cell, int, int, Counter[str]]]) -> list[str]:
    """The table of what is short: asked, accepted, missing, and the commonest reasons."""
    lines = [f"{'type':<22}{'modality':<12}{'asked':>6}{'accepted':>10}{'short':>7}  why"]
    for (kind, modality), asked, accepted, reasons in short:
        why = ", ".join(f"{name} {count}" for name, count in reasons.most_common(3))
        lines.append(
            f"{kind:<22}{modality:<12}{asked:>6}{accepted:>10}{asked - accepted:>7}  "
            + (why or "the documents bear no further task of this kind")
        )
    return lines


def for_trial(config: Config) -> Config:
    """The configuration of a trial: few samples, in a run directory of its own."""
    generation = config.generation.model_copy(
        update={"target_samples": min(config.generation.target_samples, _TRIAL_SAMPLES)}
    )
    trial = Path(f"{config.output_dir}-trial")
    return config.model_copy(update={"generation": generation, "output_dir": trial})


def _cell(task: Task) -> Cell:
    return (task.type, task.modality)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
