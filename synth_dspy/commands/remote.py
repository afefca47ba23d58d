"""A run's workers on Ray: what they are sent, and the workbench that leads them.

A configuration enters; in every worker the recipe's stages are made from it. It knows that a recipe
has a flow, and no recipe.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from synth_dspy.commands.tracing import tracer_of
from synth_dspy.config import Config
from synth_dspy.lm.contract import OFFLINE
from synth_dspy.lm.shared import SharedLimits
from synth_dspy.programs.artefact import Artefact
from synth_dspy.recipes.flow import Flow
from synth_dspy.recipes.registry import flow_of
from synth_dspy.recipes.resources import Resources
from synth_dspy.runners.ray import (
    Ceilings,
    Cluster,
    Crew,
    EndpointCeiling,
    OpenStages,
    RayWorkbench,
    connect,
)
from synth_dspy.stages.contract import MapStage, Stage
from synth_dspy.store.run_directory import RunDirectory

if TYPE_CHECKING:
    from synth_dspy.optimize.tracing import Tracer


class _Wired:
    """A recipe's map stages in a worker."""

    def __init__(self, flow: Flow, tracer: Tracer | None) -> None:
        self._flow, self._tracer = flow, tracer
        self.stages: Mapping[str, MapStage[Any, Any]] = flow.apart()

    def stop(self) -> None:
        """Ask no model any more."""
        self._flow.resources.stop()

    async def aclose(self) -> None:
        """End parsers, sandboxes and connections, and log what was traced."""
        self._flow.close()
        await self._flow.resources.aclose()
        if self._tracer is not None:
            self._tracer.close()


@dataclass(frozen=True, slots=True)
class RecipeOpener:
    """Makes a recipe's stages in a worker.

    Attributes:
        config: it holds the endpoints' keys, which reach the workers and no disk.
        trace: whether conversations are written.
        promoted: the programs in use, by step: a worker's working directory may be another one.
    """

    config: Config
    trace: bool
    promoted: Mapping[str, Artefact]

    def __call__(self, limits: SharedLimits, neighbours: int) -> OpenStages:
        """The stages; the machine's processors are shared among its neighbours."""
        resources = Resources(
            self.config,
            _unsaid,
            trace=self.trace,
            limits=limits,
            looked_up=self.promoted,
            neighbours=neighbours,
        )
        tracer = tracer_of(self.config, _unsaid)
        if tracer is not None:
            resources.watch = tracer.watch
        return _Wired(flow_of(self.config.recipe)(resources, _unsaid), tracer)


def _unsaid(_line: str) -> None:
    """Lines for the user: whoever leads the run has said them."""


def ceilings_of(config: Config, resources: Resources) -> Ceilings:
    """What all workers together may do."""
    generation = config.generation
    return Ceilings(
        endpoints=tuple(
            EndpointCeiling(
                one.name,
                one.max_retries,
                one.retry_delay,
                one.requests_per_minute,
                one.tokens_per_minute,
            )
            for one in config.models.endpoints
            if one.model_name != OFFLINE
        ),
        max_cost_usd=generation.max_cost_usd,
        max_tokens_total=generation.max_tokens_total,
        spent=resources.replies.totals(),
        concurrency=generation.llm_concurrency,
        vision_concurrency=generation.vlm_concurrency,
    )


class Remote:
    """Ray, joined or started for one run; use it as `with`.

    Args:
        address: of a cluster's head; "" starts Ray on this machine.
        workers: how many; None is one for each processor.

    Raises:
        SetupError: Ray is not installed or cannot start. UserError: nothing answers at `address`.
    """

    def __init__(self, address: str = "", workers: int | None = None) -> None:
        self._cluster: Cluster = connect(address)
        self._workers = workers
        self._crew: Crew | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._cluster.close()

    def bench(
        self,
        run: RunDirectory,
        config: Config,
        resources: Resources,
        *,
        trace: bool,
        fresh: frozenset[str],
        concluded: Callable[[Stage], None],
        retry_failed: bool = False,
    ) -> RayWorkbench:
        """The workbench of a run whose directory is locked, with its workers started.

        Raises:
            SynthError: the workers cannot be started, or not with this configuration.
        """
        here = config.model_copy(update={"output_dir": Path(config.output_dir).absolute()})
        ceilings = ceilings_of(config, resources)
        opener = RecipeOpener(here, trace, resources.promoted)
        self._crew = Crew(
            self._cluster, opener, run.path, ceilings, workers=self._workers, say=resources.say
        )
        return RayWorkbench(
            run, self._crew, fresh=fresh, concluded=concluded, retry_failed=retry_failed
        )

    def stop(self) -> None:
        """Have the workers ask no model any more; calls in flight end."""
        if self._crew is not None:
            self._crew.stop()
