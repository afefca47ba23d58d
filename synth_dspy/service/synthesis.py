"""Requests in, examples out: sampling, selection and generation, without HTTP.

It knows nothing of FastAPI, so that Python programs use it as it is.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Self

from synth_dspy.config import Config
from synth_dspy.errors import UserError
from synth_dspy.programs.routing.generator import Made
from synth_dspy.programs.routing.program import RoutingProgram
from synth_dspy.programs.routing.registry import (
    OPTIMIZER_REGISTRY,
    OptimizerConfig,
    Registry,
    get_optimizer_config,
)
from synth_dspy.recipes.resources import Resources
from synth_dspy.service.schemas import GenerateRequest, GenerateResponse
from synth_dspy.sources.backends import Content, ContentBackend, SampleOrder, open_backend
from synth_dspy.sources.backends.orders import merged, sample_orders

_CACHED_SAMPLES = 64
_CACHED_RECORDS = 1_000  # of one sample; larger ones are drawn each time


class TooFewError(UserError):
    """The content bears fewer examples than were asked for.

    Attributes:
        field: of the request, the one to change.
    """

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


class SyntheticDataService:
    """Makes examples for optimizers; close it with `aclose`, or use `async with`.

    Args:
        config: None samples the shipped content with the offline model.
        backend: in place of the one that the configuration names.
        registry: the optimizers that can be asked for.

    Raises:
        BackendError: the configured content is not there.
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        backend: ContentBackend | None = None,
        registry: Registry = OPTIMIZER_REGISTRY,
    ) -> None:
        self.config = config or default_config()
        self.registry = registry
        routing = self.config.routing
        self.backend = backend or open_backend(routing.backend)
        self._resources = Resources(self.config, _silent, trace=False)
        self._program = RoutingProgram(routing, registry)
        self._resources.bind(self._program)
        self._samples: OrderedDict[SampleOrder, list[Content]] = OrderedDict()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close models and backend."""
        await self._resources.aclose()
        self.backend.close()

    @property
    def generators(self) -> list[str]:
        """The names of the generators' classes."""
        return [type(generator).__name__ for generator in self._program.generators.values()]

    async def generate(self, request: GenerateRequest) -> GenerateResponse:
        """Exactly `request.count` examples.

        Raises:
            UnknownOptimizerError: there is no such optimizer.
            TooFewError: the tenant's content bears fewer; the text says how many and why.
            BackendError, BackendSlowError: the backend does not answer, or not in time.
            RecordError: the model did not answer.
        """
        started = time.perf_counter()
        optimizer = get_optimizer_config(request.optimizer, self.registry)
        generator = self._program.generators[optimizer.name]
        selection = await self._program.selector.select_profiles(
            f"{optimizer.description} Queries for {generator.purpose}.",
            request.max_profiles,
            generator.modalities_needed,
        )
        strategies = request.strategies or [optimizer.strategy]
        sampled = await self._sampled(request, strategies)
        contents = [content for content in sampled if content.modality in selection.modalities]
        seed = self.config.seed if request.seed is None else request.seed
        reply = await generator.acall(contents=contents, count=request.count, seed=seed)
        made: Made = reply.made
        if len(made.rows) < request.count:
            raise _too_few(request, optimizer, len(made.rows), sampled, contents)
        return GenerateResponse(
            optimizer=optimizer.name,
            schema_name=optimizer.schema.__name__,
            count=len(made.rows),
            selected_profiles=list(selection.profiles),
            profile_selection_reasoning=selection.reasoning,
            data=made.rows,
            metadata={
                "backend": self.backend.name,
                "content": self.backend.described,
                "strategy": list(strategies),
                "sampled": len(sampled),
                "used": len(contents),
                "tenant": request.tenant_id,
                "seed": seed,
                "labels": made.labels,
                "queries_by": made.queries_by,
                "model": self.config.endpoint_for("question").model_name,
                "profiles": self._origin("profiles"),
                "agents": self._origin("agents"),
                "seconds": round(time.perf_counter() - started, 4),
            },
        )

    def _origin(self, key: str) -> str:
        """Whether profiles, or agents, are the user's or the project's own."""
        return "configured" if key in self.config.routing.model_fields_set else "default"

    async def _sampled(self, request: GenerateRequest, strategies: Sequence[Any]) -> list[Content]:
        orders = sample_orders(
            strategies,
            size=request.vespa_sample_size,
            tenant=request.tenant_id,
            seed=self.config.seed,
            recency_days=self.config.routing.recency_days,
        )
        return merged([await self._sample(order) for order in orders])

    async def _sample(self, order: SampleOrder) -> list[Content]:
        """What the backend says; of content that cannot change, what it said before."""
        if order in self._samples:
            self._samples.move_to_end(order)
            return self._samples[order]
        found = await asyncio.to_thread(self.backend.sample, order)
        if self.backend.fixed and len(found) <= _CACHED_RECORDS:
            self._samples[order] = found
            if len(self._samples) > _CACHED_SAMPLES:
                self._samples.popitem(last=False)
        return found


def default_config() -> Config:
    """Shipped content, default profiles and agents, the offline model."""
    return Config.model_validate({"recipe": "routing", "dataset": {"name": "service"}})


def _too_few(
    request: GenerateRequest,
    optimizer: OptimizerConfig,
    made: int,
    sampled: Sequence[Content],
    contents: Sequence[Content],
) -> TooFewError:
    if not sampled:
        return TooFewError(
            "tenant_id",
            f"the backend has no content of the tenant {request.tenant_id!r} for these strategies",
        )
    if made == 0:
        return TooFewError(
            "max_profiles",
            f"none of {len(sampled)} sampled records serves {optimizer.name!r} with the selected "
            f"profiles ({len(contents)} are of their modalities); raise max_profiles or "
            "vespa_sample_size",
        )
    return TooFewError(
        "count",
        f"the {len(contents)} sampled records bear {made} different queries for "
        f"{optimizer.name!r}, not {request.count}; ask for fewer, or raise vespa_sample_size",
    )


def _silent(_line: str) -> None:
    """The service has no console; its log is the app's."""
