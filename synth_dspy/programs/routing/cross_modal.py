"""Examples of two modalities that answer together: pairs in, `FusionHistorySchema` rows out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from pydantic import BaseModel

from synth_dspy.programs.routing import figures
from synth_dspy.programs.routing.generator import ExampleGenerator
from synth_dspy.programs.routing.patterns import patterns_of
from synth_dspy.programs.routing.plans import Planned, Seed
from synth_dspy.programs.routing.schemas import FusionContext, FusionHistorySchema
from synth_dspy.sources.backends import Content

_MAX_PARTNERS = 20  # of one name: pairs grow with the square


class CrossModalGenerator(ExampleGenerator):
    """One label a pair of modalities, primary first; both records name the same subject."""

    purpose = "fusing the findings of two modalities that answer a query together"
    modalities_needed = 2
    schema = FusionHistorySchema

    def pools(self, contents: Sequence[Content]) -> Mapping[str, Sequence[Seed]]:
        found: dict[str, dict[tuple[str, str], Seed]] = {}
        for one, other in pairs_of(contents):
            for pair in ((one, other), (other, one)):
                label = f"{pair[0].modality}+{pair[1].modality}"
                found.setdefault(label, {})[pair[0].id, pair[1].id] = Seed(pair, needs_entity=True)
        return {label: list(seeds.values()) for label, seeds in sorted(found.items())}

    def row(self, planned: Planned, query: str) -> BaseModel:
        first, second = planned.contents
        one, other = patterns_of(first), patterns_of(second)
        gain = figures.improvement(one, other)
        modalities = (first.modality, second.modality)
        return FusionHistorySchema(
            query=query,
            primary_modality=first.modality,
            secondary_modality=second.modality,
            fusion_context=FusionContext(
                modality_agreement=figures.agreement(one, other),
                query_ambiguity=figures.ambiguity(query, modalities),
                content_overlap=figures.overlap(one, other),
            ),
            success=gain > 0 and figures.coverage(query, [one, other]) >= figures.SERVED,
            improvement=gain,
        )


def pairs_of(contents: Sequence[Content]) -> list[tuple[Content, Content]]:
    """Records of different modalities that name the same entity."""
    by_name: dict[str, dict[str, Content]] = {}
    for content in contents:
        for name in patterns_of(content).entities:
            by_name.setdefault(name.lower(), {})[content.id] = content
    found: dict[tuple[str, str], tuple[Content, Content]] = {}
    for those in by_name.values():
        for one, other in combinations(list(those.values())[:_MAX_PARTNERS], 2):
            if one.modality != other.modality and (other.id, one.id) not in found:
                found[one.id, other.id] = (one, other)
    return list(found.values())
