"""The engine that DSPy talks to: stored replies, budget, limits and retries around any engine.

Look the reply up; else set money aside, wait for leave, ask (again, when asking again helps),
commit the reply, and only then hand it on. It is the one place that retries. It knows no
signature.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dspy import lm15

from synth_dspy.errors import AdmissionError, EndpointError, SetupError, SynthError
from synth_dspy.lm import meter, traces, wire
from synth_dspy.lm.call import Call, current_call
from synth_dspy.lm.contract import AsyncEngine, EncodingEngine
from synth_dspy.lm.estimate import Estimator
from synth_dspy.lm.faults import Where, final_error, is_throttling, may_retry, short
from synth_dspy.lm.keys import Keys
from synth_dspy.lm.prices import Price
from synth_dspy.lm.replies import Reply, ReplyStore, reply_key
from synth_dspy.lm.stopping import Stopper
from synth_dspy.lm.waiting import give_way

if TYPE_CHECKING:
    from synth_dspy.lm.shared import Gate, Purse

logger = logging.getLogger(__name__)

MAX_RETRY_AFTER_S = 60.0
# A 429 says "later", not "no": it may come this many times oftener than any other failure.
_THROTTLE_FACTOR = 4
# So many refused requests and never a reply: it is the settings, not the records.
_REFUSALS_TO_STOP = 8


@dataclass(frozen=True, slots=True)
class Retry:
    """How often to ask again and how long to wait: `delay_s` with jitter.

    The delay doubles with each failure while the endpoint answers nobody; where it answers others
    in the meantime, the failure was this request's bad luck and waiting longer helps nobody.
    """

    attempts: int = 5
    delay_s: float = 1.0
    max_delay_s: float = 60.0

    def wait_s(self, doublings: int, retry_after_s: float | None) -> float:
        """Seconds before the next attempt."""
        jitter = 0.5 + random.random() / 2
        doubled = self.delay_s * 2.0 ** min(doublings, 16)
        backoff = min(self.max_delay_s, doubled) * jitter
        if retry_after_s is None:
            return backoff
        # Somewhat later than asked for, so that all do not come back at the same moment.
        return min(MAX_RETRY_AFTER_S, retry_after_s) + 0.1 * jitter * min(self.delay_s, 1.0)


class DurableEngine:
    """An endpoint as DSPy's `async_engine`.

    Args:
        engine: what makes one attempt.
        price: None when unknown; costs then count as 0.
        version: of the engine, where a new one may answer the same body differently.
        keys: what no reply and no error may hold, whichever engine it came from.
    """

    def __init__(
        self,
        name: str,
        model: str,
        engine: AsyncEngine,
        *,
        store: ReplyStore,
        budget: Purse,
        limiter: Gate,
        stopper: Stopper | None = None,
        trace_writer: traces.TraceWriter | None = None,
        price: Price | None = None,
        retry: Retry | None = None,
        host: str = "",
        version: str = "",
        keys: Keys | None = None,
    ) -> None:
        self.name = name
        self.model = model
        self.limiter = limiter
        self._engine = engine
        self._encoder = engine if isinstance(engine, EncodingEngine) else None
        self._store = store
        self._budget = budget
        self._stopper = stopper or Stopper()
        self._traces = trace_writer
        self._price = price
        self._retry = retry or Retry()
        self._where = Where(name, model, host)
        self._key_model = f"{model}@{version}" if version else model
        self._keys = keys or Keys()
        self._estimator = Estimator()
        self._answered = False
        self._refused = 0

    def __repr__(self) -> str:
        return f"DurableEngine({self.name!r}, model={self.model!r})"

    def __deepcopy__(self, memo: dict[int, Any]) -> DurableEngine:
        return self

    def __reduce__(self) -> Any:
        raise TypeError("An engine holds a key and sockets; it is not serialised.")

    async def complete(self, request: lm15.Request) -> lm15.Response:
        """The reply, stored or asked for.

        Raises:
            EndpointError: no answer after every retry.
            ReplyError: `blocked`, a safety filter refused the prompt.
            BudgetExceededError: the call could pass a limit.
            AdmissionError: no call is made any more (`Models.stop`).
            SetupError: the key, the model's name, the address or the account is wrong.
            StoreError: the reply could not be committed.
        """
        call = current_call.get() or Call()
        scope = meter.scope()
        body = self._encode(request)
        key = reply_key(self.name, self._key_model, body, sample=scope.sample, attempt=call.attempt)
        started = time.perf_counter()
        trace = self._trace(request, call, scope)
        reply = self._store.get(key)
        if reply is not None:
            count = meter.current.get()
            if count is not None:
                count.replayed += 1
            trace.replayed = True
        else:
            try:
                reply = await self._paid(request, body, key, trace)
            except SynthError as error:
                trace.error = str(error)
                trace.latency_ms = (time.perf_counter() - started) * 1000
                if trace.tries or not isinstance(error, AdmissionError):  # else there was no call
                    self._write(trace, None)
                raise
            await give_way()
        call.finish_reason = reply.finish_reason
        trace.reply, trace.finish_reason = reply.text, reply.finish_reason
        trace.input_tokens, trace.output_tokens = reply.input_tokens, reply.output_tokens
        trace.cost_usd = reply.cost_usd
        trace.latency_ms = (time.perf_counter() - started) * 1000
        self._write(trace, call if current_call.get() is call else None)
        return lm15.Response(
            id=None,
            model=request.model,
            message=lm15.Message.assistant(reply.text),
            finish_reason=reply.finish_reason,
            usage=lm15.Usage(input_tokens=reply.input_tokens, output_tokens=reply.output_tokens),
        )

    async def aclose(self) -> None:
        """Close the calling loop's connections, where the engine has any."""
        close = getattr(self._engine, "aclose", None)
        if close is not None:
            await close()

    def _encode(self, request: lm15.Request) -> bytes:
        if self._encoder is not None:
            return self._encoder.encode(request)
        return wire.encode(request, self.model)

    async def _paid(
        self, request: lm15.Request, body: bytes, key: bytes, trace: traces.Trace
    ) -> Reply:
        """Ask within the budget and commit the reply; there is no await between the two."""
        size = self._estimator.size(request, body)
        upper = self._cost(size.input_tokens, size.output_tokens)
        with self._stopper.waiting():
            reserved = await self._budget.reserve(size.input_tokens + size.output_tokens, upper)
        tokens, cost = 0, 0.0
        try:
            response = await self._ask(request, body, size.total, size.images > 0, trace)
            reply = self._priced(response, size.input_tokens)
            self._estimator.learn(size, response.usage.input_tokens)
            tokens, cost = reply.input_tokens + reply.output_tokens, reply.cost_usd
            count = meter.current.get()
            if count is not None:
                count.calls += 1
                count.input_tokens += reply.input_tokens
                count.output_tokens += reply.output_tokens
                count.cost_usd += cost
            return self._store.put(key, reply, endpoint=self.name, model=self.model)
        finally:
            self._budget.settle(reserved, tokens=tokens, cost_usd=cost)

    async def _ask(
        self, request: lm15.Request, body: bytes, tokens: int, vision: bool, trace: traces.Trace
    ) -> lm15.Response:
        failures = throttled = doublings = 0
        breaker = self.limiter.breaker
        while True:
            answers = breaker.answers
            with self._stopper.waiting():
                ticket = await self.limiter.admit(vision=vision, tokens=tokens)
            trace.tries += 1
            count = meter.current.get()
            if count is not None:
                count.attempts += 1
            try:
                response = await self._attempt(request, body)
            except lm15.LM15Error as error:
                if not may_retry(error):
                    ticket.done("ok")
                    raise self._refusal(error, request, trace.tries) from error
                throttling = is_throttling(error)
                retry_after = error.retry_after
                ticket.done(
                    "throttled" if throttling else "failed",
                    why=short(error),
                    retry_after_s=retry_after,
                )
                # Only a refusal for being asked too much may come oftener than `attempts`.
                patient = isinstance(error, lm15.RateLimitError)
                throttled += patient
                failures += not patient
                if (
                    failures > self._retry.attempts
                    or throttled > self._retry.attempts * _THROTTLE_FACTOR
                ):
                    raise final_error(error, self._where, trace.tries) from error
                logger.info("%s: %s; asking again", self._where, short(error))
                with self._stopper.waiting():
                    await asyncio.sleep(self._retry.wait_s(doublings, retry_after))
                doublings = doublings + 1 if breaker.answers == answers else 0
            except BaseException:
                ticket.done("cancelled")
                raise
            else:
                used = (response.usage.input_tokens or 0) + (response.usage.output_tokens or 0)
                ticket.done("ok", tokens=used or None)
                self._answered = True
                return response

    async def _attempt(self, request: lm15.Request, body: bytes) -> lm15.Response:
        try:
            if self._encoder is not None:
                return await self._encoder.send(request, body)
            return await self._engine.complete(request)
        except lm15.LM15Error as error:
            self._keys.hide_in(error)
            raise

    def _refusal(self, error: lm15.LM15Error, request: lm15.Request, tries: int) -> SynthError:
        final = final_error(error, self._where, tries)
        bad = isinstance(final, EndpointError) and final.reason == "bad_request"
        # One that asked for a schema is asked again without.
        if bad and request.config.response_format is None:
            self._refused += 1
            if not self._answered and self._refused >= _REFUSALS_TO_STOP:
                return SetupError(
                    f"{self._where} refused the first {self._refused} requests: {short(error)}. "
                    "Check the endpoint's settings (a parameter that the server does not know, "
                    "such as top_k; a model without images; max_tokens)."
                )
        return final

    def _cost(self, input_tokens: int, output_tokens: int) -> float:
        return self._price.cost(input_tokens, output_tokens) if self._price else 0.0

    def _priced(self, response: lm15.Response, expected_input: int) -> Reply:
        text = self._keys.hide(response.text or "")
        usage = response.usage
        given, made = usage.input_tokens, usage.output_tokens
        if given is None:
            given = expected_input
        if made is None:
            made = len(text) // 3 + 1
        return Reply(text, response.finish_reason, given, made, self._cost(given, made))

    def _trace(self, request: lm15.Request, call: Call, scope: meter.Scope) -> traces.Trace:
        return traces.Trace(
            stage=scope.stage,
            record=scope.record,
            step=call.step,
            endpoint=self.name,
            model=self.model,
            messages=traces.readable_messages(request) if self._traces else [],
            attempt=call.attempt,
            time=time.time(),
        )

    def _write(self, trace: traces.Trace, call: Call | None) -> None:
        if self._traces is None:
            return
        if call is not None:
            call.hold(trace, self._traces)
        else:
            self._traces.write(trace)
