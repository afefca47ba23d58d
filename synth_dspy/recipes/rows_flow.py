"""A run of the `rows` recipe: which of its stages follow which, and what they are given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, ClassVar

from synth_dspy.config import Config
from synth_dspy.errors import SourceError, StageError, UserError
from synth_dspy.programs.row_formats import FORMATS, RowFormat
from synth_dspy.programs.row_records import Brief, Request, Seed
from synth_dspy.recipes.flow import Ending, Flow
from synth_dspy.recipes.programs import check_prompts
from synth_dspy.recipes.rows import FINISH, GENERATE, PREPARE, STAGES, Recipe, format_of, rows
from synth_dspy.recipes.rows_commit import ACCEPTED, Committer, targets
from synth_dspy.recipes.rows_ending import conclusion_of, shortages
from synth_dspy.recipes.rows_seeds import seeds_of_brief, seeds_of_chunks
from synth_dspy.recipes.rows_steering import Steering
from synth_dspy.recipes.rows_table import RowFile
from synth_dspy.records import Chunk, SourceFile
from synth_dspy.sources.listing import clones_to_make, source_files
from synth_dspy.stages.chunks import MakeChunks
from synth_dspy.stages.contract import Stage
from synth_dspy.stages.engine import INTERRUPTED, Engine, Stopped
from synth_dspy.stages.parse import Parse
from synth_dspy.stages.results import Outputs, outputs
from synth_dspy.stages.row_export import Accepted, output_files
from synth_dspy.stages.rows import Refine
from synth_dspy.store.run_directory import read_json, write_json

_MANIFEST = "accepted.json"


class RowsFlow(Flow):
    """Prepare streams, rows are written in waves, export and analysis go through their file."""

    stages: ClassVar[tuple[type[Stage], ...]] = STAGES
    generating: ClassVar[tuple[type[Stage], ...]] = GENERATE
    finishing: ClassVar[tuple[type[Stage], ...]] = FINISH
    records: ClassVar[str] = "rows"

    @classmethod
    def check(cls, config: Config, stages: Sequence[type[Stage]]) -> None:
        """No source and no request, a format that is wrong, a model that is not there."""
        made = format_of(config)
        check_prompts(config)
        file = config.file or "the configuration"
        if not config.sources and not config.rows.query:
            raise UserError(
                f"{file}: rows need material: documents under `sources`, or a rows.query."
            )
        if config.endpoint_for("question").is_offline:
            if not config.sources:
                raise UserError(
                    "A query alone needs a model: the offline model only works on documents. Name "
                    "one (--model, or models.endpoints), or give documents."
                )
            if made.name not in FORMATS:
                raise UserError(
                    f"The format {made.name!r} needs a model: the offline model makes "
                    f"{', '.join(FORMATS)}. Name one (--model, or models.endpoints)."
                )
        if Parse in stages:
            if config.sources:
                source_files(config)
            for path in output_files(config, made).values():
                if path.is_dir():
                    raise UserError(f"{path} is a folder; give another rows.output_prefix.")

    @classmethod
    def announced(cls, config: Config, stages: Sequence[type[Stage]]) -> Iterable[str]:
        """The repositories that are not on this machine yet."""
        return clones_to_make(config) if Parse in stages else ()

    @classmethod
    def outline(cls, config: Config) -> Iterable[str]:
        """Material, format, and the files that will be written."""
        made = format_of(config)
        if config.sources:
            files, skipped = source_files(config)
            yield f"sources     {len(files)} files, {len(skipped)} passed over"
        if config.rows.query:
            yield f"query       {config.rows.query}"
        for cell, count in targets(made.cells, config.rows.samples).items():
            yield f"wanted      {count:>5} {made.name} ({cell})"
        for path in output_files(config, made).values():
            yield f"writes      {path}"

    @classmethod
    def for_trial(cls, config: Config, samples: int) -> Config:
        """Fewer rows, and files of their own name."""
        small = config.rows.model_copy(
            update={
                "samples": min(config.rows.samples, samples),
                "output_prefix": f"{config.rows.output_prefix}-trial",
                "incremental_save": False,
            }
        )
        return config.model_copy(update={"rows": small})

    @cached_property
    def format(self) -> RowFormat:
        """The rows' format."""
        return format_of(self.config)

    @cached_property
    def recipe(self) -> Recipe:
        """The stages, wired."""
        return rows(self.resources, self.format)

    @property
    def wired(self) -> tuple[Stage, ...]:
        """All of them."""
        return self.recipe.stages

    def close(self) -> None:
        """End the parsers' processes."""
        for stage in self.recipe.prepare if "recipe" in vars(self) else ():
            if isinstance(stage, Parse):
                stage.close()

    # -- whole runs ------------------------------------------------------------------------------

    async def pipeline(self, engine: Engine, *, analysis: bool = True) -> Ending:
        """Documents or a request in; a dataset, files and the report out."""
        chunks = await self._prepare(engine)
        brief = await self._brief(engine)
        ending = await self._generate(engine, chunks, brief)
        accepted = self._manifest()
        if accepted.count == 0:
            self.say("No row was accepted, so there is nothing to export.")
            return ending
        engine.run_barrier(self.recipe.export, [accepted])
        if analysis:
            engine.run_barrier(self.recipe.analyze, [accepted])
        records: Any = RowFile(self.run.path / ACCEPTED, accepted.count)
        return Ending(records, ending.short, ending.stopped)

    async def generate(self, engine: Engine) -> Ending:
        """write-rows and judge-rows, on the chunks and the brief that are there."""
        chunks = outputs(self.run, MakeChunks) if self.config.sources else []
        brief = await self._brief(engine)
        return await self._generate(engine, chunks, brief)

    async def stage(self, stage: type[Stage], engine: Engine) -> Ending:
        """One stage, on what the stage before it left; writing and judging go together."""
        recipe = self.recipe
        if stage in PREPARE:
            at = PREPARE.index(stage)
            records = self._files() if at == 0 else Outputs(self.run, PREPARE[at - 1])
            await engine.run_maps(recipe.prepare[at : at + 1], records)
        elif stage is Refine:
            await self._brief(engine)
        elif stage in GENERATE:
            return await self.generate(engine)
        else:
            barrier = (recipe.export, recipe.analyze)[FINISH.index(stage)]
            engine.run_barrier(barrier, [self._manifest()])
        return Ending()

    # -- parts of it -----------------------------------------------------------------------------

    async def _prepare(self, engine: Engine) -> list[Chunk]:
        if not self.config.sources:
            return []
        files = self._files()
        chunks: list[Chunk] = list(await engine.run_maps(self.recipe.prepare, files))
        self.say(f"{engine.tallies[Parse.name].kept} docs from {len(files)} files")
        if not chunks:
            raise SourceError(
                "No passage was left to write rows from: see `inspect --stage parse --failed` and "
                "`inspect --stage chunk --dropped` for the reasons."
            )
        return chunks

    def _files(self) -> list[SourceFile]:
        if not self.config.sources:
            raise StageError("This run has no documents to parse: it goes by rows.query alone.")
        files, skipped = source_files(self.config)
        for one in skipped:
            why = f"{one.reason}: {one.detail}" if one.detail else one.reason
            self.say(f"passed over {one.path}: {why}")
        return files

    async def _brief(self, engine: Engine) -> Brief:
        query = self.config.rows.query
        if not query:
            return Brief("")
        made = list(await engine.run_maps([self.recipe.refine], [Request(query, self.format.form)]))
        if not made:
            return Brief(query)  # refining is a help; a request is one without it
        brief: Brief = made[0]
        if brief.request != query:
            self.say(f"request   {brief.request}")
        if brief.topics:
            self.say(f"subjects  {'; '.join(brief.topics)}")
        if brief.personas:
            self.say(f"people    {'; '.join(brief.personas)}")
        return brief

    def _seeds(self, chunks: Sequence[Chunk], brief: Brief) -> list[Seed]:
        if not self.config.sources:
            return seeds_of_brief(brief)
        seeds = seeds_of_chunks(chunks, self.config.seed, brief.request)
        if not seeds:
            raise SourceError(
                f"No passage of the documents has to do with the query {self.config.rows.query!r}. "
                "Use words of the documents, or name a model to write without them."
            )
        return seeds

    async def _generate(self, engine: Engine, chunks: Sequence[Chunk], brief: Brief) -> Ending:
        config, made = self.config, self.format
        seeds = self._seeds(chunks, brief)
        live = output_files(config, made) if config.rows.incremental_save else {}
        committer = Committer(
            config.output_dir,
            made,
            targets(made.cells, config.rows.samples),
            threshold=config.generation.similarity_threshold,
            live={form: path for form, path in live.items() if form != "parquet"},
        )
        steering = Steering(
            seeds,
            brief.request,
            committer,
            batch_size=config.rows.batch_size,
            patience=config.rows.saturation_batches,
        )
        stopped, ended = "", False
        try:
            await engine.run_waves(self.recipe.generate, steering.waves())
            ended = True
        except Stopped as error:
            if error.reason == INTERRUPTED:
                raise
            stopped, ended = error.reason, True
            self.say(stopped)
        finally:
            accepted = committer.close(whole=ended)
        write_json(self.run.path / ACCEPTED.parent / _MANIFEST, accepted)
        self._tell_extra(committer)
        if committer.missing and steering.saturated:
            self.say(f"saturated: {steering.saturated}")
        return Ending(short=shortages(self.run, made, committer), stopped=stopped)

    def _tell_extra(self, committer: Committer) -> None:
        if committer.extra:
            listed = ", ".join(f"{name} ({n})" for name, n in sorted(committer.extra.items()))
            self.say(f"warning: fields that the format does not have were left out: {listed}")

    def _manifest(self) -> Accepted:
        found = read_json(self.run.path / ACCEPTED.parent / _MANIFEST)
        if found is None:
            raise StageError(
                f"No row was written in {self.run.path} yet. Run `python -m synth_dspy.run "
                "write-rows` first, with the same --config and --set."
            )
        return Accepted(**found)

    # -- words -----------------------------------------------------------------------------------

    def conclusion(self, ending: Ending) -> Iterable[str]:
        """How many of what, the files, and the first rows."""
        del ending  # the file says what is in it
        return conclusion_of(self.run, self.config, self.format, self._manifest().count)
