"""Requests in, examples out: sampling, selection and generation, without HTTP.

It knows nothing of FastAPI, so that Python programs use it as it is.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from synth_dspy.config import Config
from synth_dspy.errors import UserError
from synth_dspy.programs.routing.generator import ExampleGenerator, Made
from synth_dspy.programs.routing.plans import Seed
from synth_dspy.programs.routing.profiles import Selection
from synth_dspy.programs.routing.program import RoutingProgram
from synth_dspy.programs.routing.registry import (
    OPTIMIZER_REGISTRY,
    OptimizerConfig,
    Registry,
    get_optimizer_config,
)
from synth_dspy.recipes.resources import Resources
from synth_dspy.service.replies import UnkeptReplies, forgets_replies
from synth_dspy.service.schemas import GenerateRequest, GenerateResponse
from synth_dspy.sources.backends import Content, ContentBackend, open_backend
from synth_dspy.sources.backends.orders import merged, sample_orders

_KEPT_MATERIALS = 64
_KEPT_RECORDS = 1_000  # of one material; larger ones are drawn each time


class TooFewError(UserError):
    """The content bears fewer examples than were asked for.

    Attributes:
        field: of the request, the one to change.
    """

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class _Material:
    """What examples of one optimizer are made from.

    Attributes:
        sampled: what the backend gave; contents: of those, what the selected profiles cover.
        pools: of the contents, as the optimizer's generator has them.
    """

    sampled: list[Content]
    contents: list[Content]
    pools: Mapping[str, Sequence[Seed]]


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
        if forgets_replies(self.config):
            self._resources.replies = UnkeptReplies()
        self._program = RoutingProgram(routing, registry)
        self._resources.bind(self._program)
        self._turns: tuple[asyncio.AbstractEventLoop, asyncio.Semaphore] | None = None
        self._check: asyncio.Task[str] | None = None
        self._materials: OrderedDict[tuple[Any, ...], _Material] = OrderedDict()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close models and backend."""
        await self._resources.aclose()
        self.backend.close()

    async def check_backend(self) -> None:
        """Ask the backend for its version; who asks while it is asked shares the answer.

        Raises:
            BackendError, BackendSlowError: it does not answer, or not in time.
        """
        check, loop = self._check, asyncio.get_running_loop()
        if check is None or check.done() or check.get_loop() is not loop:
            check = self._check = loop.create_task(asyncio.to_thread(self.backend.version))
        await asyncio.shield(check)

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
        seed = self.config.seed if request.seed is None else request.seed
        async with self._turn():
            material = await self._material(request, strategies, generator, selection)
            sampled, contents = material.sampled, material.contents
            reply = await generator.acall(
                contents=contents, count=request.count, seed=seed, pools=material.pools
            )
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

    def _turn(self) -> asyncio.Semaphore:
        """Leave to make examples. More requests at once than keep the models busy would only hold
        memory; each event loop has its own, since asyncio's locks belong to one."""
        loop = asyncio.get_running_loop()
        if self._turns is None or self._turns[0] is not loop:
            size = 2 * self.config.generation.llm_concurrency
            self._turns = loop, asyncio.Semaphore(size)
        return self._turns[1]

    def _origin(self, key: str) -> str:
        """Whether profiles, or agents, are the user's or the project's own."""
        return "configured" if key in self.config.routing.model_fields_set else "default"

    async def _material(
        self,
        request: GenerateRequest,
        strategies: Sequence[Any],
        generator: ExampleGenerator,
        selection: Selection,
    ) -> _Material:
        """What the backend gives; of content that cannot change, what it gave before."""
        orders = sample_orders(
            strategies,
            size=request.vespa_sample_size,
            tenant=request.tenant_id,
            seed=self.config.seed,
            recency_days=self.config.routing.recency_days,
        )
        key = (request.optimizer, tuple(orders), selection.modalities)
        if key in self._materials:
            self._materials.move_to_end(key)
            return self._materials[key]
        sampled = merged([await asyncio.to_thread(self.backend.sample, one) for one in orders])
        contents = [content for content in sampled if content.modality in selection.modalities]
        # Ten thousand records take seconds to read; who asked for few must not wait for it.
        pools = await asyncio.to_thread(generator.pools, contents)
        material = _Material(sampled, contents, pools)
        if self.backend.fixed and len(sampled) <= _KEPT_RECORDS:
            self._materials[key] = material
            if len(self._materials) > _KEPT_MATERIALS:
                self._materials.popitem(last=False)
        return material


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
