"""The `rows` recipe: a request, or documents -> rows of one format.

parse -> chunk                 (streaming; where there are documents)
refine                         (where there is a request, and a model to refine it)
write-rows -> judge-rows       (waves, until every label's quota of accepted rows is met)
export -> analyze              (on the file of accepted rows)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synth_dspy import __version__
from synth_dspy.config import Config
from synth_dspy.dataset.scan_policy import ScanPolicy
from synth_dspy.errors import ConfigError
from synth_dspy.outcomes import Dropped
from synth_dspy.parsing import ParseOptions
from synth_dspy.parsing.chunking import ChunkOptions
from synth_dspy.programs.row_customs import custom_format
from synth_dspy.programs.row_formats import FORMATS, RowFormat
from synth_dspy.programs.rows import RowsProgram
from synth_dspy.recipes.findings import calibration_of, command_of
from synth_dspy.recipes.resources import Resources
from synth_dspy.stages.children import Children
from synth_dspy.stages.chunks import MakeChunks
from synth_dspy.stages.contract import MapStage, Stage
from synth_dspy.stages.parse import Parse
from synth_dspy.stages.results import counts_only, results, summaries
from synth_dspy.stages.row_export import AnalyzeRows, ExportRows, RowFacts
from synth_dspy.stages.rows import JudgeRows, Refine, WriteRows
from synth_dspy.store.run_directory import RunDirectory

PREPARE: tuple[type[Stage], ...] = (Parse, MakeChunks)
GENERATE: tuple[type[Stage], ...] = (WriteRows, JudgeRows)
FINISH: tuple[type[Stage], ...] = (ExportRows, AnalyzeRows)
STAGES: tuple[type[Stage], ...] = (*PREPARE, Refine, *GENERATE, *FINISH)

_SHOWN_REJECTED = 1_000


@dataclass(frozen=True, slots=True)
class Recipe:
    """The stages of one run, wired."""

    prepare: tuple[MapStage[Any, Any], ...]
    refine: Refine
    generate: tuple[MapStage[Any, Any], ...]
    export: ExportRows
    analyze: AnalyzeRows

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All of them, in order."""
        return (*self.prepare, self.refine, *self.generate, self.export, self.analyze)


def format_of(config: Config) -> RowFormat:
    """The format of the configuration's rows.

    Raises:
        ConfigError: none is named, or a custom one is wrong.
    """
    rows = config.rows
    if rows.custom_format is not None:
        return custom_format(rows.custom_format, rows.custom_format_path)
    if rows.format is None:
        raise ConfigError(
            f"{config.file or 'the configuration'}: rows.format: name one of {', '.join(FORMATS)}, "
            "or a format of your own as rows.custom_format."
        )
    return FORMATS[rows.format]


def rows(resources: Resources, made: RowFormat) -> Recipe:
    """Wire the recipe from a run's resources."""
    config, run = resources.config, RunDirectory(resources.run_dir)
    generation, concurrency = config.generation, config.generation.llm_concurrency
    program = RowsProgram(made, retries=config.rows.max_retries)
    resources.bind(program)
    policy = ScanPolicy(
        secrets=config.dataset.secrets,
        personal_data=config.dataset.personal_data,
        licenses=tuple((source.name, source.license) for source in config.sources),
        allowed_licenses=config.dataset.allowed_licenses,
    )
    before: tuple[type[Stage], ...] = (*PREPARE, Refine, *GENERATE)
    facts = RowFacts(
        summaries=lambda: summaries(run, before),
        steady=lambda: counts_only(summaries(run, before)),
        rejected=lambda: rejected_rows(run, made),
        calibration=lambda: calibration_of(
            run, program.judge.step("judge_row"), program.prompt_sha("judge_row")
        ),
        command=command_of(config),
        version=__version__,
    )
    refines = config.rows.refine and not config.endpoint_for("question").is_offline
    generate = (
        WriteRows(
            program.writer,
            (program.fingerprint(program.writer), config.rows.max_retries),
            concurrency=concurrency,
        ),
        JudgeRows(
            program.judge,
            program.fingerprint(program.judge),
            enabled=config.rows.judge,
            concurrency=concurrency,
        ),
    )
    return Recipe(
        prepare=(
            Parse(
                resources.run_dir,
                ParseOptions(**config.parsing.model_dump()),
                policy=policy,
                children=Children(count=resources.share()),
            ),
            MakeChunks(
                ChunkOptions(
                    max_context_length=generation.max_context_length,
                    chunk_overlap=generation.chunk_overlap,
                    min_chunk_length=generation.min_chunk_length,
                    max_code_blocks_per_chunk=generation.max_code_blocks_per_chunk,
                    max_images_per_chunk=generation.max_images_per_chunk,
                )
            ),
        ),
        refine=Refine(program.refiner, program.fingerprint(program.refiner), enabled=refines),
        generate=generate,
        export=ExportRows(config, made, facts),
        analyze=AnalyzeRows(config, made, facts),
    )


def rejected_rows(run: RunDirectory, made: RowFormat) -> Sequence[Any]:
    """Rows that broke their format or that the judge did not accept, for the report."""
    from synth_dspy.dataset.show_rows import show_row

    shown: list[Any] = []
    for key, outcome, _ in results(run, JudgeRows):
        if isinstance(outcome, Dropped) and len(shown) < _SHOWN_REJECTED:
            draft: Mapping[str, Any] = outcome.record or {}
            shown.append(
                show_row(
                    key,
                    draft.get("values", {}),
                    facets={"type": made.name},
                    metadata={name: draft.get(name) for name in ("source", "steps", "judgement")},
                    source=(draft.get("source") or {}).get("path", ""),
                    rejected=(JudgeRows.name, outcome.reason, outcome.detail),
                )
            )
    return shown
