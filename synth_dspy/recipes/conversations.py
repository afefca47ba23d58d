"""The `conversations` recipe: a facts file -> grounded dialogues, judged, deduplicated, the top K.

extract-qa -> validate-qa                            (streaming; extract-qa asks, then screens)
cast                                                 (barrier: who asks what, and how)
converse -> judge                                    (streaming)
embed -> dedup -> select -> export -> analyze        (barriers)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from synth_dspy.config import Config, environment
from synth_dspy.config.conversations import Persona
from synth_dspy.dataset.embedding import Embed, embedder
from synth_dspy.dataset.embedding_cache import CachedEmbed
from synth_dspy.dataset.top_k import Weights
from synth_dspy.programs.conversations import ConversationsProgram
from synth_dspy.recipes.conversations_card import card_source
from synth_dspy.recipes.conversations_findings import distribution_of, pass_rates, rejected, shown
from synth_dspy.recipes.findings import EMBEDDINGS
from synth_dspy.recipes.resources import Resources
from synth_dspy.sources.facts import ChunkRules
from synth_dspy.stages.contract import Stage
from synth_dspy.stages.conversations.analyze import AnalyzeConversations, Around
from synth_dspy.stages.conversations.cast import Cast, Casting
from synth_dspy.stages.conversations.converse import Converse, Words
from synth_dspy.stages.conversations.dedup import DedupConversations
from synth_dspy.stages.conversations.embed import EmbedConversations
from synth_dspy.stages.conversations.export import ExportConversations
from synth_dspy.stages.conversations.extract_qa import ExtractQa, ProposeQa
from synth_dspy.stages.conversations.judge import JudgeConversations
from synth_dspy.stages.conversations.select import SelectConversations, SelectRules
from synth_dspy.stages.conversations.validate_qa import ValidateQa
from synth_dspy.stages.results import counts_only, summaries
from synth_dspy.store.run_directory import RunDirectory

MADE: tuple[type[Stage], ...] = (
    ExtractQa, ValidateQa, Converse, JudgeConversations, EmbedConversations, DedupConversations,
    SelectConversations,
)  # fmt: skip
FINISH: tuple[type[Stage], ...] = (ExportConversations, AnalyzeConversations)
STAGES: tuple[type[Stage], ...] = (*MADE, *FINISH)
"""The stages that are commands, in order; `propose-qa` is the first half of `extract-qa`, `cast`
that of `converse`."""

EMBEDDED = "embedded"
HOSTED = "text-embedding-3-small"


@dataclass(frozen=True, slots=True)
class Recipe:
    """The stages of one run, wired.

    Attributes:
        halves: the first half of a command, by the name of the stage that it belongs to.
    """

    stages: tuple[Stage, ...]
    halves: dict[str, Stage]


def conversations(resources: Resources) -> Recipe:
    """Wire the recipe from a run's resources."""
    config, run = resources.config, RunDirectory(resources.run_dir)
    asked, at_once = config.conversations, config.generation.llm_concurrency
    dataset = config.dataset
    topics = {topic.name: topic.description for topic in asked.topics}
    program = ConversationsProgram(topics, pairs=asked.pairs_per_chunk)
    resources.bind(program)
    embed, model = embedding(config)
    propose = ProposeQa(program, count=asked.pairs_per_chunk, topics=topics, concurrency=at_once)
    cast = Cast(casting(config), run.path)
    select = SelectRules(
        count=asked.top_k,
        weights=Weights(**asked.selection.model_dump()),
        ratios=dataset.ratios,
        seed=config.seed,
    )
    around = Around(
        show=shown,
        rejected=lambda: rejected(run),
        summaries=lambda: summaries(run, MADE),
        steady=lambda: counts_only(summaries(run, MADE)),
        distribution=lambda: distribution_of(run),
        rates=lambda: pass_rates(run),
    )
    stages: tuple[Stage, ...] = (
        propose,
        ExtractQa(asked.day),
        ValidateQa(program, concurrency=at_once),
        cast,
        Converse(program, words(config), concurrency=at_once),
        JudgeConversations(program, concurrency=at_once),
        EmbedConversations(embed, model),
        DedupConversations(embed, model, asked.similarity_threshold),
        SelectConversations(embed, model, select),
        ExportConversations(run.path, card_source(config, run, MADE)),
        AnalyzeConversations(run.path, dataset.name, around),
    )
    return Recipe(stages, {ExtractQa.name: propose, Converse.name: cast})


def embedding(config: Config) -> tuple[Embed, str]:
    """What embeds dialogues, through the run's file, and its name."""
    name = config.conversations.embedding_model
    if name is None:
        asks = not all(endpoint.is_offline for endpoint in config.models.endpoints)
        name = HOSTED if asks and environment().get("OPENAI_API_KEY") else EMBEDDED
    model = None if name == EMBEDDED else name
    path = config.output_dir / EMBEDDINGS

    def embed(texts: Any) -> Any:
        # The model is opened when something has to be embedded.
        return CachedEmbed(embedder(model), name, path)(texts)

    return embed, name


def chunk_rules(config: Config) -> ChunkRules:
    """How facts files are cut."""
    asked = config.conversations
    return ChunkRules(
        by=asked.chunk_by,
        context=asked.context_lines,
        most_chars=asked.max_chunk_chars,
        most=asked.max_chunks,
    )


def casting(config: Config) -> Casting:
    """What is drawn from."""
    asked = config.conversations
    dimensions = {
        "persona": asked.personas,
        "system_prompt": asked.system_prompts,
        "style": asked.styles,
        "emotion": asked.emotions,
        "modality": asked.input_modalities,
        "variation": asked.text_variations,
    }
    return Casting(
        weights={
            name: {trait.name: trait.weight for trait in traits if trait.weight > 0}
            for name, traits in dimensions.items()
        },
        turns={count: weight for count, weight in asked.turns.items() if weight > 0},
        personas_of={topic.name: _asking(topic.personas, config) for topic in asked.topics},
        per_pair=asked.conversations_per_qa,
        most=asked.num_conversations,
        seed=config.seed,
    )


def _asking(names: tuple[str, ...], config: Config) -> tuple[str, ...]:
    """Those of the named personas that are drawn at all; everybody when none is named."""
    drawn = [persona.name for persona in config.conversations.personas if persona.weight > 0]
    return tuple(name for name in drawn if name in names) or tuple(drawn)


def words(config: Config) -> Words:
    """What a model reads for each name."""
    asked = config.conversations
    return Words(
        personas={persona.name: _persona(persona) for persona in asked.personas},
        styles={one.name: _told(one.name, one.description) for one in asked.styles},
        emotions={one.name: _told(one.name, one.description) for one in asked.emotions},
        modalities={one.name: _told(one.name, one.description) for one in asked.input_modalities},
        prompts={one.name: one.text for one in asked.system_prompts},
    )


def _told(name: str, description: str) -> str:
    return f"{name}: {description}" if description else name


def _persona(persona: Persona) -> str:
    parts = [_told(persona.name, persona.description), f"Formality: {persona.formality}."]
    if persona.typical_questions:
        parts.append("Typical questions: " + " | ".join(persona.typical_questions))
    return "\n".join(parts)
