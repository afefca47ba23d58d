"""The models of a run: one `dspy.LM` per configured endpoint, each behind a durable engine.

Endpoints, store, budget and traces enter; language models for DSPy programs leave.
"""

from __future__ import annotations

import asyncio
import gc
import os
from typing import TYPE_CHECKING, Any

import dspy

from synth_dspy.errors import ConfigError
from synth_dspy.lm.adapter import SynthAdapter
from synth_dspy.lm.bridge import Background, SyncEngine
from synth_dspy.lm.contract import OFFLINE
from synth_dspy.lm.durable import DurableEngine, Retry
from synth_dspy.lm.endpoint_lm import EndpointLM
from synth_dspy.lm.engine import OpenAIEngine
from synth_dspy.lm.keys import Keys, keys_in_environment
from synth_dspy.lm.prices import price_of
from synth_dspy.lm.shared import limiter_for
from synth_dspy.lm.stopping import Stopper

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from synth_dspy.lm.contract import AsyncEngine, EndpointLike
    from synth_dspy.lm.replies import ReplyStore
    from synth_dspy.lm.shared import Gate, Purse
    from synth_dspy.lm.traces import TraceWriter

_GARBAGE = 10_000  # new objects before the collector looks for circles among them
_SAMPLING = ("max_tokens", "temperature", "top_p", "seed")


class Models:
    """Hands out the language model of each endpoint.

    Args:
        traces: None writes no conversations.
        concurrency, vision_concurrency: ceilings of calls in flight at one endpoint.
        offline: the offline model's engine; used where an endpoint's model_name is "offline".
        gate: what asks leave for calls to an endpoint, by its name, where several processes share
            limits; None makes the limits this process's own.
    """

    def __init__(
        self,
        endpoints: Sequence[EndpointLike],
        *,
        store: ReplyStore,
        budget: Purse,
        traces: TraceWriter | None,
        concurrency: int,
        vision_concurrency: int,
        offline: AsyncEngine,
        gate: Callable[[str], Gate] | None = None,
    ) -> None:
        self._endpoints = {endpoint.name: endpoint for endpoint in endpoints}
        self._store = store
        self._budget = budget
        self._traces = traces
        self._concurrency = concurrency
        self._vision_concurrency = vision_concurrency
        self._offline = offline
        self._gate = gate
        self._background = Background()
        self._stopper = Stopper()
        self._engines: dict[str, DurableEngine] = {}
        self._lms: dict[str, dspy.LM] = {}

    def lm(self, name: str) -> dspy.LM:
        """The language model of the endpoint `name`, made at the first call.

        Raises:
            ConfigError: no such endpoint; or a budget in USD and a model without a price.
            SetupError: its address or key cannot be used.
        """
        lm = self._lms.get(name)
        if lm is None:
            endpoint = self._endpoint(name)
            engine = self.engine(name)
            sampling = {k: getattr(endpoint, k) for k in _SAMPLING}
            lm = self._lms[name] = EndpointLM(
                # Unique to the endpoint, and never mistaken for a provider's model.
                f"endpoint:{name}",
                engine=SyncEngine(engine, self._background),
                async_engine=engine,
                cache=False,
                num_retries=0,
                **{k: v for k, v in sampling.items() if v is not None},
            )
            lm.structured_output = getattr(endpoint, "structured_output", False)
        return lm

    def engine(self, name: str) -> DurableEngine:
        """The durable engine behind `lm(name)`. Raises as `lm` does."""
        engine = self._engines.get(name)
        if engine is None:
            engine = self._engines[name] = self._durable(self._endpoint(name))
        return engine

    def model_name(self, name: str) -> str:
        """The model's own name, for provenance: "offline" for the offline model."""
        return self._endpoint(name).model_name

    def stop(self) -> None:
        """Make no call any more: those in flight end, all others raise `AdmissionError`."""
        self._stopper.stop()

    async def aclose(self) -> None:
        """Close connections on the calling loop and on the bridge; the store stays open."""
        for engine in self._engines.values():
            await engine.aclose()
        if self._background.started:
            for engine in self._engines.values():
                await asyncio.to_thread(self._background.run, engine.aclose())
            await asyncio.to_thread(self._background.close)

    def _endpoint(self, name: str) -> EndpointLike:
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            known = ", ".join(sorted(self._endpoints)) or "none"
            raise ConfigError(
                f"There is no endpoint named {name!r}; models.endpoints has: {known}."
            )
        return endpoint

    def _durable(self, endpoint: EndpointLike) -> DurableEngine:
        price = price_of(endpoint)
        if price is None and self._budget.limits_cost:
            raise ConfigError(
                f"generation.max_cost_usd is set, but nobody knows what the model "
                f"{endpoint.model_name!r} of endpoint {endpoint.name!r} costs; set its "
                "price_per_million_input and price_per_million_output (0 for a free one), or "
                "limit generation.max_tokens_total instead."
            )
        engine = self._raw(endpoint)
        return DurableEngine(
            endpoint.name,
            endpoint.model_name,
            engine,
            store=self._store,
            budget=self._budget,
            limiter=self._limits(endpoint),
            stopper=self._stopper,
            trace_writer=self._traces,
            price=price,
            retry=Retry(endpoint.max_retries, endpoint.retry_delay),
            host=getattr(engine, "host", ""),
            version=str(getattr(engine, "version", "")),
            keys=_keys_of(endpoint),
        )

    def _limits(self, endpoint: EndpointLike) -> Gate:
        # The offline model is a part of this process: there is no server to share.
        if self._gate is not None and endpoint.model_name != OFFLINE:
            return self._gate(endpoint.name)
        return limiter_for(
            endpoint,
            concurrency=self._concurrency,
            vision_concurrency=self._vision_concurrency,
        )

    def _raw(self, endpoint: EndpointLike) -> AsyncEngine:
        if endpoint.model_name == OFFLINE:
            return self._offline
        key = _key_of(endpoint)
        extra: dict[str, Any] = dict(endpoint.extra_body or {})
        if endpoint.top_k is not None:
            extra["top_k"] = endpoint.top_k
        if endpoint.base_url and endpoint.protocol == "openai":
            return OpenAIEngine(
                endpoint.name,
                endpoint.base_url,
                endpoint.model_name,
                api_key=key,
                timeout_s=endpoint.timeout,
                extra=extra,
            )
        from synth_dspy.lm.providers import ProviderEngine

        return ProviderEngine(
            endpoint.model_name,
            api_key=key,
            base_url=endpoint.base_url,
            timeout_s=endpoint.timeout,
            extra=extra,
        )


def _key_of(endpoint: EndpointLike) -> str:
    return endpoint.api_key.get_secret_value() if endpoint.api_key is not None else ""


def _keys_of(endpoint: EndpointLike) -> Keys:
    """What the endpoint could send back; the offline model is sent no key."""
    if endpoint.model_name == OFFLINE:
        return Keys()
    own = endpoint.base_url is not None and endpoint.protocol == "openai"
    key = _key_of(endpoint)
    return Keys((key,)) if key.strip() or own else keys_in_environment()


def configure_dspy() -> None:
    """DSPy as this project uses it: its caches, history and trace off, our adapter in place.

    Call it once, in the thread that starts the event loop; inside of tasks use `dspy.context`. What
    is configured already is left alone, since DSPy lets no second task configure it.
    """
    if isinstance(dspy.settings.adapter, SynthAdapter):
        return
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    # What was imported stays; scanning it again and again took a third of the time of a call.
    gc.freeze()
    gc.set_threshold(_GARBAGE, 10, 10)
    dspy.configure_cache(enable_disk_cache=False, enable_memory_cache=False)
    dspy.configure(disable_history=True, trace=None, adapter=SynthAdapter())
