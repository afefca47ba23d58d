"""What samples and sources are checked for, and what was found: for `build`, the card and views.

A configuration and a run directory enter; rules, and findings read off the journals, leave.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping
from typing import Any

from synth_dspy.config import Config
from synth_dspy.dataset.admission import Rules
from synth_dspy.dataset.benchmarks import Benchmarks
from synth_dspy.dataset.contamination import Found
from synth_dspy.dataset.decontaminate import Hit
from synth_dspy.dataset.scan_policy import ScanPolicy, scan_facts
from synth_dspy.outcomes import Dropped, Kept
from synth_dspy.records import Step
from synth_dspy.stages.analyze import Analyze
from synth_dspy.stages.chunks import FilterChunks
from synth_dspy.stages.parse import Parse
from synth_dspy.stages.results import results
from synth_dspy.store.run_directory import RunDirectory, read_json

CONTAMINATION = "contamination.json"
CALIBRATION = "calibration.json"
EMBEDDINGS = "embeddings.sqlite"
_EXCERPT_CHARS = 200


def admission_rules(config: Config) -> Rules:
    """What a finished sample must meet, and what is looked for in documents."""
    generation, dataset = config.generation, config.dataset
    return Rules(
        threshold=generation.similarity_threshold,
        deduplicate=generation.enable_deduplication,
        semantic_threshold=dataset.semantic_threshold,
        embedding_model=dataset.embedding_model,
        embeddings=config.output_dir / EMBEDDINGS,
        policy=ScanPolicy(
            secrets=dataset.secrets,
            personal_data=dataset.personal_data,
            licenses=tuple((source.name, source.license) for source in config.sources),
            allowed_licenses=dataset.allowed_licenses,
        ),
        benchmarks=Benchmarks(dataset.resolved_benchmarks),
    )


def source_scan(run: RunDirectory, policy: ScanPolicy) -> dict[str, Any]:
    """What `parse` found in the sources besides documents."""
    stats: list[dict[str, int]] = []
    dropped: Counter[str] = Counter()
    for _, outcome, _ in results(run, Parse):
        if isinstance(outcome, Kept):
            stats.extend(document["stats"] for document in outcome.outputs)
        elif isinstance(outcome, Dropped):
            dropped[outcome.reason] += 1
    return scan_facts(policy, stats, dropped)


def contamination_of(run: RunDirectory) -> dict[str, Any] | None:
    """The report that `build` wrote; None before it ran."""
    found: dict[str, Any] | None = read_json(run.folder(Analyze.folder) / CONTAMINATION)
    return found


def calibration_of(run: RunDirectory, judge: Step, prompt_sha: str) -> dict[str, Any] | None:
    """How the judge in use compared with gold, if that was ever measured in this run directory.

    What was measured of another model, with another compiled program, or of another prompt (the
    user's own `prompts.<step>`) says nothing of it.
    """
    found: dict[str, Any] | None = read_json(run.path / CALIBRATION)
    if found is None:
        return None
    measured = (found["model"], found["program"], found.get("prompt_sha"))
    return found if measured == (judge.model, judge.program, prompt_sha) else None


def command_of(config: Config) -> str:
    """What makes this dataset again, as it would be typed; without secrets."""
    file = ("--config", shlex.quote(str(config.file))) if config.file else ()
    return " ".join(("python -m synth_dspy.run pipeline", *file, *config.arguments))


def usage(found: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Calls, tokens and cost of all stages together, replayed ones included."""
    names = ("llm_calls", "tokens", "cost_usd")
    return {name: sum(s["total"][name] for s in found.values()) for name in names}


def contaminated_passages(run: RunDirectory) -> list[Found]:
    """The benchmark items that filter-chunks found in passages, which it dropped."""
    return [
        Found(Hit(**hit), outcome.record["path"], outcome.record["text"][:_EXCERPT_CHARS])
        for _, outcome, _ in results(run, FilterChunks)
        if isinstance(outcome, Dropped) and outcome.reason == "contaminated"
        for hit in outcome.record["hits"]
    ]
