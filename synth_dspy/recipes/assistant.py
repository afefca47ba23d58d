"""The `assistant` recipe: notebooks, pages and PDFs with their images -> verified samples.

parse -> transcribe -> filter-images -> chunk -> filter-chunks        (streaming)
allocate                                                             (barrier)
plan -> filter-candidates -> answer -> curate -> classify             (until the quotas are met)
build -> export -> analyze                                           (barriers)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from synth_dspy import __version__
from synth_dspy.dataset.admission import Rules
from synth_dspy.dataset.rejected import Rejected
from synth_dspy.outcomes import Dropped
from synth_dspy.recipes.assistant_options import (
    allocation_options,
    chunk_options,
    parse_options,
)
from synth_dspy.recipes.findings import (
    CONTAMINATION,
    admission_rules,
    calibration_of,
    command_of,
    contaminated_passages,
    contamination_of,
    source_scan,
    usage,
)
from synth_dspy.recipes.resources import Resources
from synth_dspy.records import Chunk, Task, from_dict
from synth_dspy.stages.allocation import (
    Cell,
    diversity_sweep,
    targets,
)
from synth_dspy.stages.analyze import Analyze, Surroundings, rejection
from synth_dspy.stages.build import Build
from synth_dspy.stages.children import Children
from synth_dspy.stages.chunks import FilterChunks, MakeChunks
from synth_dspy.stages.contract import BarrierStage, MapStage, Stage
from synth_dspy.stages.drawings import Drawings
from synth_dspy.stages.export import CardText, Export, Form, Known
from synth_dspy.stages.generate import (
    AnswerCandidates,
    Classify,
    Curate,
    FilterCandidates,
    WriteCandidates,
)
from synth_dspy.stages.images import FilterImages, Transcribe
from synth_dspy.stages.parse import Parse
from synth_dspy.stages.plan import TASKS, Allocate
from synth_dspy.stages.results import counts_only, outputs, results, summaries
from synth_dspy.store.run_directory import RunDirectory, read_jsonl

PREPARE: tuple[type[Stage], ...] = (Parse, Transcribe, FilterImages, MakeChunks, FilterChunks)
GENERATE: tuple[type[Stage], ...] = (
    WriteCandidates, FilterCandidates, AnswerCandidates, Curate, Classify,
)  # fmt: skip
FINISH: tuple[type[Stage], ...] = (Build, Export, Analyze)
STAGES: tuple[type[Stage], ...] = (*PREPARE, *GENERATE, *FINISH)
"""The stages that are commands, in order; `allocate` is the first half of `plan`."""

_SWEPT_WEIGHTS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@dataclass(frozen=True, slots=True)
class Recipe:
    """The stages of one run, wired.

    Attributes:
        targets: accepted samples wanted by cell.
        rules: what a finished sample must meet; the same in a streaming run and in `build`.
    """

    prepare: tuple[MapStage[Any, Any], ...]
    allocate: BarrierStage[Chunk, Task]
    write: WriteCandidates
    generate: tuple[MapStage[Any, Any], ...]
    build: Build
    export: Export
    analyze: Analyze
    targets: dict[Cell, int]
    rules: Rules

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All of them, in order."""
        finish = (self.build, self.export, self.analyze)
        return (*self.prepare, self.allocate, *self.generate, *finish)


def assistant(resources: Resources) -> Recipe:
    """Wire the recipe from a run's resources."""
    config, run = resources.config, RunDirectory(resources.run_dir)
    generation, dataset = config.generation, config.dataset
    program, concurrency = resources.program, config.generation.llm_concurrency
    ratios = dataset.ratios
    allocation = allocation_options(config)
    rules = admission_rules(config)
    rules_for_texts = (resources.policy.patterns, program.refines)
    before_export: tuple[type[Stage], ...] = (*PREPARE, Allocate, *GENERATE, Build)

    all_before_analysis: tuple[type[Stage], ...] = (*before_export, Export)

    def steady() -> dict[str, dict[str, Any]]:
        return counts_only(summaries(run, before_export))

    def chunks() -> Sequence[Chunk]:
        return outputs(run, FilterChunks)

    def sweep() -> Sequence[dict[str, float]]:
        planned = round(generation.target_samples * generation.over_allocation_factor)
        return diversity_sweep(chunks(), allocation, weights=_SWEPT_WEIGHTS, planned=planned)

    def contamination() -> dict[str, Any] | None:
        return contamination_of(run) if rules.benchmarks.paths else None

    write = WriteCandidates(
        program.question_writer,
        (
            program.fingerprint(program.question_writer),
            asdict(resources.verification),
            *rules_for_texts,
        ),
        program.fingerprints_by_type(program.question_writer),
        concurrency=concurrency,
    )
    options = parse_options(config)
    children = Children(count=resources.share())
    prepare = (
        Parse(resources.run_dir, options, policy=rules.policy, children=children),
        Transcribe(
            program.image_describer,
            program.fingerprint(program.image_describer) + ",".join(generation.image_kinds),
            drawings=Drawings(
                resources.run_dir, max_pixels=options.max_image_pixels, children=children
            ),
            enabled=generation.enable_image_transcription,
        ),
        FilterImages(
            program.image_filter,
            program.fingerprint(program.image_filter),
            enabled=generation.enable_image_filtering,
        ),
        MakeChunks(chunk_options(config)),
        FilterChunks(
            program.chunk_filter,
            program.fingerprint(program.chunk_filter),
            enabled=generation.enable_content_filtering,
            concurrency=concurrency,
            benchmarks=rules.benchmarks,
        ),
    )
    generate = (
        write,
        FilterCandidates(
            program.candidate_filter,
            program.fingerprint(program.candidate_filter),
            enabled=generation.enable_candidate_filtering,
            concurrency=concurrency,
        ),
        AnswerCandidates(
            program.answer_writer,
            (
                program.fingerprint(program.answer_writer),
                asdict(resources.verification),
                config.sandbox.packages,
                *rules_for_texts[:1],
            ),
            program.fingerprints_by_type(program.answer_writer),
            concurrency=concurrency,
        ),
        Curate(
            program.judge,
            program.fingerprint(program.judge),
            enabled=generation.enable_curate_filtering,
            concurrency=concurrency,
        ),
        Classify(
            program.classifier,
            (
                program.fingerprint(program.classifier),
                tuple((c.name, c.description) for c in config.categories),
            ),
            enabled=generation.enable_classification and bool(config.categories),
            concurrency=concurrency,
        ),
    )
    for stage in generate:
        stage.watch = resources.watch
    return Recipe(
        prepare=prepare,
        allocate=Allocate(run.folder(Allocate.folder), allocation),
        write=write,
        generate=generate,
        build=Build(
            run.folder(Build.folder),
            tasks=lambda: planned_tasks(run),
            targets=targets(allocation),
            ratios=ratios,
            rules=rules,
            keep_extra=generation.keep_extra_samples,
            seed=config.seed,
            contamination=run.folder(Analyze.folder) / CONTAMINATION,
            passages=lambda: contaminated_passages(run),
        ),
        export=Export(
            resources.run_dir,
            CardText(
                name=dataset.name,
                description=dataset.description,
                license=dataset.license,
                config=str(config.file or ""),
                seed=config.seed,
                version=__version__,
                ratios=ratios,
                licenses=rules.policy.licenses,
            ),
            Form(dataset.max_image_side, dataset.chat_formats),
            Known(
                steady,
                scan=lambda: source_scan(run, rules.policy),
                contamination=contamination,
                calibration=lambda: calibration_of(
                    run, program.judge.step("judge_sample"), program.prompt_sha("judge_sample")
                ),
                usage=lambda: usage(summaries(run, before_export)),
                command=command_of(config),
            ),
        ),
        analyze=Analyze(
            resources.run_dir,
            dataset.name,
            Surroundings(
                chunks=chunks,
                rejected=lambda: rejections(run),
                summaries=lambda: summaries(run, all_before_analysis),
                steady=steady,
                sweep=sweep,
                contamination=contamination,
            ),
            ratios,
        ),
        targets=targets(allocation),
        rules=rules,
    )


def planned_tasks(run: RunDirectory) -> list[Task]:
    """The tasks in rank order, as `planned/tasks.jsonl` lists them."""
    path = run.folder(Allocate.folder) / TASKS
    if not path.exists():
        return []
    lines = ({k: v for k, v in line.items() if k != "rank"} for line in read_jsonl(path))
    return [from_dict(Task, line, where=str(path)) for line in lines]


def rejections(run: RunDirectory) -> list[Rejected]:
    """What the generating stages and `build` dropped, for the report."""
    stages: tuple[type[Stage], ...] = (*GENERATE, Build)
    return [
        rejection(stage.name, outcome)
        for stage in stages
        for _, outcome, _ in results(run, stage)
        if isinstance(outcome, Dropped) and outcome.reason not in {"not_possible", "over_quota"}
    ]
