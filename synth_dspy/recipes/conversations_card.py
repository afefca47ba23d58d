"""The dataset card of dialogues: what rows are, how they were made, from what and by whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from synth_dspy import __version__
from synth_dspy.config import Config
from synth_dspy.dialogues import Dialogue
from synth_dspy.recipes.conversations_findings import distribution_of, shown
from synth_dspy.recipes.findings import command_of, usage
from synth_dspy.stages.contract import Stage
from synth_dspy.stages.conversations.export import CardSource
from synth_dspy.stages.results import counts_only, summaries
from synth_dspy.store.run_directory import RunDirectory

HOW = (
    "Facts are cut into chunks; a model writes pairs of a question and its answer for each; pairs "
    "that mention later dates, or what the fact does not, are dropped by rule, and a judge "
    "validates the rest. Personas, tones, input modalities and numbers of turns are drawn in the "
    "asked shares; a model writes a dialogue for each draw from several pairs of one section. "
    "Every number, date and name in an assistant's turn must stand in its facts; a judge then "
    "answers four yes-or-no criteria, all of which must hold. Near-duplicates by embedding are "
    "dropped, and of the rest those with the best score of judgement, diversity and coverage are "
    "kept. Dialogues about one section of the facts are always in one split."
)
TYPES = {"conversation": "a dialogue of one or more user turns, each answered from the facts"}
LIMITS = (
    "That a number stands in the facts does not make it the right one; that the judge decides.",
    "Misspelled, abbreviated and dictated user turns are made by fixed rules.",
)


def card_source(config: Config, run: RunDirectory, stages: Sequence[type[Stage]]) -> CardSource:
    """What writes the card for a run."""

    def decides() -> Mapping[str, Any]:
        return {
            "dataset": config.dataset.model_dump(mode="json", exclude={"decontaminate"}),
            "licenses": [[source.name, source.license] for source in config.sources],
            "file": str(config.file or ""),
            "seed": config.seed,
            "version": __version__,
            "stages": counts_only(summaries(run, stages)),
            "distribution": distribution_of(run),
        }

    def write(dialogues: Sequence[Dialogue]) -> str:
        # Statistics import numpy and more; nothing before the export needs them.
        from synth_dspy.dataset.card import dataset_card
        from synth_dspy.dataset.card_facts import CardFacts, ModelFact, SourceFact
        from synth_dspy.dataset.export_dialogues import COLUMNS
        from synth_dspy.dataset.row_statistics import row_statistics

        counts = counts_only(summaries(run, stages))
        rows = [shown(one) for one in sorted(dialogues, key=lambda d: (d.task.rank, d.id))]
        models = {
            ModelFact(name, step.model, step.program)
            for one in dialogues
            for name, step in one.steps.items()
        }
        licenses = {source.name: source.license for source in config.sources}
        chunks = Counter(
            (c.path, c.sha256, licenses.get(c.source, ""))
            for c in (one.task.pairs[0].chunk for one in dialogues)
        )
        return dataset_card(
            CardFacts(
                name=config.dataset.name,
                description=config.dataset.description,
                statistics=row_statistics(rows, stage_summaries=counts),
                license=config.dataset.license,
                recipe="conversations",
                columns=COLUMNS,
                types=TYPES,
                how=HOW,
                models=tuple(sorted(models)),
                sources=tuple(
                    SourceFact(path, sha256, count, license_)
                    for (path, sha256, license_), count in sorted(chunks.items())
                ),
                command=command_of(config),
                config=str(config.file or ""),
                seed=config.seed,
                version=__version__,
                usage=usage(summaries(run, stages)),
                limits=LIMITS,
            )
        )

    return CardSource(write, decides)
