"""Examples of which agents answer in which order: `WorkflowExecutionSchema` rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from synth_dspy.programs.routing import figures
from synth_dspy.programs.routing.cross_modal import pairs_of
from synth_dspy.programs.routing.generator import ExampleGenerator
from synth_dspy.programs.routing.patterns import patterns_of
from synth_dspy.programs.routing.plans import Planned, Seed
from synth_dspy.programs.routing.routing import entities_in, relationships_among
from synth_dspy.programs.routing.schemas import WorkflowExecutionSchema
from synth_dspy.records import digest
from synth_dspy.sources.backends import Content


class WorkflowGenerator(ExampleGenerator):
    """One label a kind of query: what is asked (search, summarize, ...) of one modality or two."""

    purpose = "planning the sequence of agents, with its dependencies, that answers a query"
    schema = WorkflowExecutionSchema

    def pools(self, contents: Sequence[Content]) -> Mapping[str, Sequence[Seed]]:
        searched = self._agents.searched()
        usable = [content for content in contents if content.modality in searched]
        alone = [(content,) for content in usable]
        found: dict[str, list[Seed]] = {}
        pairs = pairs_of(usable)
        for intent in self._agents.intents():
            if intent != "compare":  # there is nothing to compare in one record
                found[intent] = [Seed(contents, intent) for contents in alone]
            found[f"multi_modal_{intent}"] = [Seed(p, intent, needs_entity=True) for p in pairs]
        return {label: seeds for label, seeds in sorted(found.items()) if seeds}

    def row(self, planned: Planned, query: str) -> BaseModel:
        patterns = [patterns_of(content) for content in planned.contents]
        modalities = [content.modality for content in planned.contents]
        sequence = self._agents.sequence(modalities, planned.intent)
        found = figures.coverage(query, patterns)
        return WorkflowExecutionSchema(
            workflow_id=f"wf-{digest(planned.label, query, sequence)[:16]}",
            query=query,
            query_type=planned.label,
            execution_time=figures.execution_seconds(self._agents, sequence)[0],
            success=self._agents.works(sequence) and found >= figures.SERVED,
            agent_sequence=list(sequence),
            task_count=len(sequence),
            parallel_efficiency=figures.parallel_efficiency(self._agents, sequence),
            confidence_score=min(figures.confidence(query, m, found) for m in modalities),
            metadata={
                "is_synthetic": True,
                "rules": figures.RULES,
                "source": [content.id for content in planned.contents],
                "modalities": modalities,
                "dependencies": [list(pair) for pair in self._agents.dependencies(sequence)],
                **self.more(planned, query),
            },
        )

    def more(self, planned: Planned, query: str) -> dict[str, Any]:
        """What else `metadata` says."""
        del planned, query
        return {}


class UnifiedGenerator(WorkflowGenerator):
    """A workflow with its routing: entities, relationships and the agent that is asked first."""

    purpose = "routing a query and planning the agents behind it, in one decision"

    def more(self, planned: Planned, query: str) -> dict[str, Any]:
        patterns = patterns_of(planned.contents[0])
        entities = entities_in(query, patterns)
        return {
            "entities": [entity.model_dump() for entity in entities],
            "relationships": [r.model_dump() for r in relationships_among(entities, patterns)],
            "chosen_agent": self._agents.for_query(planned.contents[0].modality, planned.intent),
            "query_ambiguity": figures.ambiguity(query, [c.modality for c in planned.contents]),
        }
