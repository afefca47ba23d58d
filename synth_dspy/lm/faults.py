"""What a failed call means: to be tried again, a record's failure, or the end of the run.

lm15's errors enter, this project's leave. `classify_error` finds them again in whatever DSPy made
of them on the way up.
"""

from __future__ import annotations

from dataclasses import dataclass

from dspy import lm15
from dspy.utils.exceptions import (
    AdapterParseError,
    ContextWindowExceededError,
    LMError,
    LMUnexpectedError,
    is_retryable_lm_error,
)

from synth_dspy.errors import EndpointError, ReplyError, SetupError, SynthError


@dataclass(frozen=True, slots=True)
class Where:
    """What an error message says about the endpoint; there is no key in it."""

    endpoint: str
    model: str
    host: str

    def __str__(self) -> str:
        at = f" at {self.host}" if self.host else ""
        return f"endpoint {self.endpoint!r} (model {self.model!r}{at})"


def may_retry(error: lm15.LM15Error) -> bool:
    """Whether the same request may succeed later."""
    return isinstance(
        error,
        lm15.RateLimitError | lm15.TimeoutError | lm15.ServerError | lm15.TransportError,
    )


def is_throttling(error: lm15.LM15Error) -> bool:
    """Whether the endpoint says, or shows, that it is asked too much."""
    return isinstance(error, lm15.RateLimitError | lm15.TimeoutError)


def short(error: BaseException) -> str:
    """One line for the log: lm15 appends advice to its messages, which is not for our users."""
    message = str(getattr(error, "message", "") or error)
    line = message.partition("\n")[0].strip() or type(error).__name__
    status = getattr(error, "status", None)
    return f"HTTP {status}: {line}" if status else line


def final_error(error: lm15.LM15Error, where: Where, attempts: int) -> SynthError:
    """The error for a call that will not be tried again.

    Returns:
        SetupError: a refused key, an unknown model, no credit: no other call would do better.
        ReplyError: `blocked`, the provider's safety filter refused this prompt.
        EndpointError: retryable (`rate_limited`, `timeout`, `server_error`, `unreachable`) or, for
            this one request, not (`context_length`, `bad_request`).
    """
    said = short(error)
    if isinstance(error, lm15.AuthError | lm15.NotConfiguredError):
        return SetupError(
            f"The key of {where} was refused or is missing ({said}). "
            f"Check api_key of models.endpoints[{where.endpoint!r}] and the variable it comes from."
        )
    if isinstance(error, lm15.BillingError):
        return SetupError(
            f"The account behind {where} has no credit left: {said}. "
            "Everything made so far is kept; top it up and run again."
        )
    if isinstance(error, lm15.UnsupportedModelError | lm15.UnknownModelError):
        return SetupError(
            f"There is no such model or address: {where} answered {said!r}. "
            "Check model_name, and that base_url ends where /chat/completions begins (often /v1)."
        )
    if isinstance(error, lm15.ConfigurationError | lm15.CapabilityError):
        return SetupError(f"{where} cannot be used as it is configured: {said}")
    if isinstance(error, lm15.ContextLengthError):
        return EndpointError(
            "context_length", f"{where}: {said}; lower generation.max_context_length",
            retryable=False,
        )  # fmt: skip
    if isinstance(error, lm15.InvalidRequestError):
        if error.provider_code == "content_filter":
            return ReplyError("blocked", f"{where}: {said}")
        return EndpointError("bad_request", f"{where}: {said}", retryable=False)
    detail = f"{where}: {said} (after {attempts} attempts)"
    if isinstance(error, lm15.RateLimitError):
        return EndpointError("rate_limited", detail)
    if isinstance(error, lm15.TimeoutError):
        return EndpointError("timeout", detail)
    if isinstance(error, lm15.TransportError):
        return EndpointError("unreachable", detail)
    if isinstance(error, lm15.ServerError):
        return EndpointError("server_error", detail)
    return EndpointError("provider_error", detail, retryable=False)


def classify_error(error: BaseException) -> SynthError | None:
    """The project's error within `error` or anything it was raised from.

    DSPy wraps what an engine raises in `LMUnexpectedError`; this looks through it. Errors of DSPy's
    own that say something about the reply or the endpoint become record errors, too.

    Returns:
        RecordError: fail this record, with its `reason` and `retryable`, and go on.
        BudgetExceededError: admit no more work.
        SetupError, StoreError: end the run.
        None: none of a model's errors, but a bug, to be raised.
    """
    seen: BaseException | None = error
    for _ in range(16):  # a chain of causes may be a circle
        if isinstance(seen, SynthError):
            return seen
        seen = seen.__cause__ if seen is not None else None
    if isinstance(error, AdapterParseError):
        return ReplyError("unparseable_reply", short(error))
    if isinstance(error, ContextWindowExceededError):
        return EndpointError("context_length", short(error), retryable=False)
    if isinstance(error, LMError) and not isinstance(error, LMUnexpectedError):
        return EndpointError(
            str(error.code or "lm_error"), short(error), retryable=is_retryable_lm_error(error)
        )
    return None
