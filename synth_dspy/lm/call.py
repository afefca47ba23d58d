"""The note that the adapter and the engine pass each other about one call.

DSPy hands an adapter only a reply's text. The adapter leaves a `Call` in a context variable before
it asks; the engine writes into it how the reply ended, and leaves the trace for the adapter to
complete with what became of the reply.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synth_dspy.lm.traces import Trace, TraceWriter


@dataclass(slots=True)
class Call:
    """One call as its adapter sees it.

    Attributes:
        step: the signature's name.
        attempt: 0, then 1 and 2 after replies that could not be read; part of the reply's key.
        finish_reason: written by the engine; "" for an engine that is not ours.
    """

    step: str = ""
    attempt: int = 0
    finish_reason: str = ""
    _trace: Trace | None = None
    _writer: TraceWriter | None = None

    def hold(self, trace: Trace, writer: TraceWriter) -> None:
        """Keep a trace until the adapter knows whether the reply could be read."""
        self._trace, self._writer = trace, writer

    def release(self, error: str = "") -> None:
        """Write the held trace, if there is one, with what was wrong with the reply."""
        if self._trace is not None and self._writer is not None:
            if error:
                self._trace.error = error
            self._writer.write(self._trace)
        self._trace = None


current_call: ContextVar[Call | None] = ContextVar("synth_dspy_call", default=None)
