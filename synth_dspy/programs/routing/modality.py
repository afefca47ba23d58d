"""Examples of which modality a query asks for: contents in, `ModalityExampleSchema` rows out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from synth_dspy.programs.routing import figures
from synth_dspy.programs.routing.generator import ExampleGenerator
from synth_dspy.programs.routing.patterns import patterns_of
from synth_dspy.programs.routing.plans import Planned, Seed
from synth_dspy.programs.routing.schemas import ModalityExampleSchema
from synth_dspy.sources.backends import Content


class ModalityGenerator(ExampleGenerator):
    """One label a modality; the correct agent is the one that searches it."""

    purpose = "telling which modality (video, document, image, audio) holds a query's answer"
    schema = ModalityExampleSchema

    def pools(self, contents: Sequence[Content]) -> Mapping[str, Sequence[Seed]]:
        searched = self._agents.searched()
        found: dict[str, list[Seed]] = {}
        for content in contents:
            if content.modality in searched:
                found.setdefault(content.modality, []).append(Seed((content,)))
        return dict(sorted(found.items()))

    def row(self, planned: Planned, query: str) -> BaseModel:
        content = planned.contents[0]
        patterns = patterns_of(content)
        found = figures.coverage(query, [patterns])
        return ModalityExampleSchema(
            query=query,
            modality=content.modality,
            correct_agent=self._agents.searching(content.modality),
            success=found >= figures.SERVED,
            modality_features={
                "cues": list(figures.cued(query)),
                "coverage": found,
                "content_type": patterns.kind,
                "topic": planned.about,
                "rules": figures.RULES,
            },
            synthetic_source=content.id,
        )
