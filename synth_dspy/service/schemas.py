"""What the REST API takes and gives; OpenAPI is made of this."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from synth_dspy.config.routing import SamplingStrategy

MAX_EXAMPLES = 10_000
MAX_BATCHES = 1_000

Optimizer = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        description="One of `GET /synthetic/optimizers`.",
        examples=["modality"],
    ),
]
SampleSize = Annotated[
    int,
    Field(
        ge=1,
        le=10_000,
        description="How many records of the backend are sampled.",
        examples=[200],
    ),
]
Strategies = Annotated[
    list[SamplingStrategy] | None,
    Field(
        min_length=1,
        max_length=6,
        description="How the backend is sampled; absent: the optimizer's own.",
        examples=[["entity_rich", "diverse"]],
    ),
]
MaxProfiles = Annotated[
    int, Field(ge=1, le=10, description="At most so many profiles.", examples=[3])
]
Tenant = Annotated[
    str,
    Field(
        min_length=1, max_length=200, description="Whose content is sampled.", examples=["default"]
    ),
]
Seed = Annotated[
    int | None,
    Field(
        ge=0,
        le=2**31 - 1,
        description="Equal seeds give equal data; absent: the service's.",
        examples=[7],
    ),
]


class GenerateRequest(BaseModel):
    """An order for examples."""

    model_config = ConfigDict(extra="forbid")

    optimizer: Optimizer
    count: int = Field(default=100, ge=1, le=MAX_EXAMPLES, description="How many examples.")
    vespa_sample_size: SampleSize = 200
    strategies: Strategies = None
    max_profiles: MaxProfiles = 3
    tenant_id: Tenant = "default"
    seed: Seed = None


class GenerateResponse(BaseModel):
    """Examples, and how they were made."""

    optimizer: str
    schema_name: str
    count: int = Field(description="Rows in `data`: exactly as many as were asked for.")
    selected_profiles: list[str]
    profile_selection_reasoning: str
    data: list[dict[str, Any]] = Field(description="Rows of the schema that `schema_name` names.")
    metadata: dict[str, Any] = Field(
        description="Backend, strategies, seconds, tenant, seed, labels and who wrote the queries."
    )


class BatchSummary(BaseModel):
    """One batch of a batch request."""

    batch: int = Field(ge=0, description="Its place, from 0.")
    count: int
    start: int = Field(description="Where its rows begin in `data`.")


class BatchResponse(BaseModel):
    """The examples of all batches; no query occurs twice."""

    optimizer: str
    schema_name: str
    total_examples: int
    num_batches: int
    examples_per_batch: int
    batches: list[BatchSummary]
    data: list[dict[str, Any]]
    metadata: dict[str, Any]


class OptimizerInfo(BaseModel):
    """What is known of an optimizer."""

    name: str
    description: str
    schema_: dict[str, Any] = Field(alias="schema", description="JSON schema of its rows.")
    generator: str
    backend_strategy: str
    defaults: dict[str, Any]


class Health(BaseModel):
    """That the service answers, and with what."""

    status: str = Field(description="`ok`, or `degraded` when the backend does not answer.")
    generators: list[str]
    optimizers: list[str]
    backend: str = Field(description="What is sampled, or why it cannot be.")


class Fault(BaseModel):
    """Why a request was refused."""

    detail: str


class FieldFault(BaseModel):
    """A field that is wrong."""

    loc: list[str | int]
    msg: str
    type: str


class Faults(BaseModel):
    """The fields that are wrong."""

    detail: list[FieldFault]
