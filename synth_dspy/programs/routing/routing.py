"""Examples of which agent a query goes to: contents in, `RoutingExperienceSchema` rows out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from synth_dspy.programs.routing import figures
from synth_dspy.programs.routing.agents import AgentMap
from synth_dspy.programs.routing.generator import ExampleGenerator
from synth_dspy.programs.routing.patterns import Patterns, entity_type, patterns_of
from synth_dspy.programs.routing.plans import Planned, Seed
from synth_dspy.programs.routing.schemas import Entity, Relationship, RoutingExperienceSchema
from synth_dspy.sources.backends import Content

RELATION = "mentioned_with"


class RoutingGenerator(ExampleGenerator):
    """One label an agent: those that search a modality, and those that work on what was found."""

    purpose = "routing a query, by its entities and their relations, to the agent that answers it"
    schema = RoutingExperienceSchema

    def pools(self, contents: Sequence[Content]) -> Mapping[str, Sequence[Seed]]:
        return by_agent(contents, self._agents)

    def row(self, planned: Planned, query: str) -> BaseModel:
        content = planned.contents[0]
        patterns = patterns_of(content)
        quality = figures.coverage(query, [patterns])
        sure = figures.confidence(query, content.modality, quality)
        entities = entities_in(query, patterns)
        relationships = relationships_among(entities, patterns)
        return RoutingExperienceSchema(
            query=query,
            entities=entities,
            relationships=relationships,
            enhanced_query=enhanced(query, entities, relationships),
            chosen_agent=planned.label,
            routing_confidence=sure,
            search_quality=quality,
            agent_success=quality >= figures.SERVED,
            user_satisfaction=round((quality + sure) / 2, 3),
            metadata={
                "is_synthetic": True,
                "rules": figures.RULES,
                "source": content.id,
                "modality": content.modality,
                "intent": planned.intent,
            },
        )


def by_agent(contents: Sequence[Content], agents: AgentMap) -> dict[str, list[Seed]]:
    """Seeds whose queries name an entity, by the agent that a query with their intent goes to."""
    found: dict[str, list[Seed]] = {}
    searched, intents = agents.searched(), agents.intents()
    for content in contents:
        if content.modality in searched and patterns_of(content).entities:
            for intent in intents:
                agent = agents.for_query(content.modality, intent)
                found.setdefault(agent, []).append(Seed((content,), intent, needs_entity=True))
    return dict(sorted(found.items()))


def entities_in(query: str, patterns: Patterns) -> list[Entity]:
    """The record's names and dates that occur in the query, in the query's order and spelling."""
    lower, found = query.lower(), []
    for name in dict.fromkeys((*patterns.entities, *patterns.dates)):
        at = lower.find(name.lower())
        if at >= 0:
            text = query[at : at + len(name)]
            found.append((at, Entity(text=text, type=entity_type(name))))
    return [entity for _, entity in sorted(found, key=lambda pair: pair[0])]


def relationships_among(entities: Sequence[Entity], patterns: Patterns) -> list[Relationship]:
    """Pairs of the query's entities that one sentence of the record mentions."""
    names = {entity.text.lower(): entity.text for entity in entities}
    return [
        Relationship(source=names[one.lower()], target=names[other.lower()], type=RELATION)
        for one, other in patterns.relations
        if one.lower() in names and other.lower() in names
    ]


def enhanced(
    query: str, entities: Sequence[Entity], relationships: Sequence[Relationship]
) -> str:  # fmt: skip
    """The query with the type of each entity behind it, and the relations at its end."""
    text = query
    for entity in entities:
        text = text.replace(entity.text, f"{entity.text} ({entity.type})", 1)
    told = "; ".join(f"{r.source} {r.type} {r.target}" for r in relationships)
    return f"{text} [{told}]" if told else text
