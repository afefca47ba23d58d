"""What a configuration comes to, in the options of the `assistant` recipe's parts.

A configuration enters; the parsers', the chunker's and the allocation's options leave. Names that
mean nothing are refused here, before anything is made.
"""

from __future__ import annotations

from synth_dspy.config import Config
from synth_dspy.errors import ConfigError
from synth_dspy.parsing import ParseOptions
from synth_dspy.parsing.chunking import ChunkOptions
from synth_dspy.programs.types import by_name, nearest
from synth_dspy.stages.allocation import AllocationOptions


def parse_options(config: Config) -> ParseOptions:
    """The parsers' options; the `parsing` section has their names."""
    return ParseOptions(**config.parsing.model_dump())


def chunk_options(config: Config) -> ChunkOptions:
    """The chunker's options."""
    generation = config.generation
    return ChunkOptions(
        max_context_length=generation.max_context_length,
        chunk_overlap=generation.chunk_overlap,
        min_chunk_length=generation.min_chunk_length,
        max_code_blocks_per_chunk=generation.max_code_blocks_per_chunk,
        max_images_per_chunk=generation.max_images_per_chunk,
    )


def allocation_options(config: Config) -> AllocationOptions:
    """What was asked for, as allocation sees it.

    Raises:
        ConfigError: a question type is named that there is not.
    """
    generation, known = config.generation, by_name()
    for name in generation.type_allocations:
        if name not in known:
            raise ConfigError(
                f"generation.type_allocations: {name!r} is not one of {', '.join(known)}."
                f"{nearest(name, known)} ({config.file or 'configuration'})"
            )
    return AllocationOptions(
        target=generation.target_samples,
        shares={
            kind: (allocation.ratio, allocation.multimodal_ratio)
            for kind, allocation in generation.type_allocations.items()
        },
        difficulties=dict(generation.difficulty_weights),
        diversity_weight=generation.diversity_weight,
        seed=config.seed,
    )
