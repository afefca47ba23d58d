"""The rows that each optimizer learns from, with the ranges of their fields.

Every number is derived by a rule of `figures`, never measured: `is_synthetic`, or `metadata`, says
so in each row.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from synth_dspy.config.routing import Modality

Share = Annotated[float, Field(ge=0, le=1)]
EntityType = Literal["PLACE", "ORGANIZATION", "TECHNOLOGY", "DATE", "CONCEPT"]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Entity(_Row):
    """A name that occurs in the query."""

    text: str = Field(min_length=1)
    type: EntityType


class Relationship(_Row):
    """Two names that the content mentions together."""

    source: str = Field(min_length=1)
    target: str = Field(min_length=1)
    type: str = Field(min_length=1)


class ModalityExampleSchema(_Row):
    """A query, the modality of its answer, and the agent for it."""

    query: str = Field(min_length=1)
    modality: Modality
    correct_agent: str
    success: bool
    modality_features: dict[str, Any]
    is_synthetic: bool = True
    synthetic_source: str = Field(description="the id of the record that it was made from")


class FusionContext(_Row):
    """How two records that answer together relate to each other and to the query."""

    modality_agreement: Share
    query_ambiguity: Share
    content_overlap: Share


class FusionHistorySchema(_Row):
    """A query that two modalities answer together."""

    query: str = Field(min_length=1)
    primary_modality: Modality
    secondary_modality: Modality
    fusion_context: FusionContext
    success: bool
    improvement: Share


class RoutingExperienceSchema(_Row):
    """A query with its entities and relationships, and the agent chosen for it."""

    query: str = Field(min_length=1)
    entities: list[Entity] = Field(min_length=1)
    relationships: list[Relationship]
    enhanced_query: str = Field(min_length=1)
    chosen_agent: str
    routing_confidence: Share
    search_quality: Share
    agent_success: bool
    user_satisfaction: Share
    metadata: dict[str, Any]


class WorkflowExecutionSchema(_Row):
    """A query and the agents that answer it, in order."""

    workflow_id: str
    query: str = Field(min_length=1)
    query_type: str
    execution_time: float = Field(gt=0, description="seconds, by the agents' typical times")
    success: bool
    agent_sequence: list[str] = Field(min_length=1)
    task_count: int = Field(ge=1)
    parallel_efficiency: Share
    confidence_score: Share
    metadata: dict[str, Any]
