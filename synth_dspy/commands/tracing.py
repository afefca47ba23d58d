"""Who traces a share of a run's samples in MLflow: this process, and every worker for its own.

A configuration enters; a tracer leaves, or None where no trace is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from synth_dspy.config import Config

if TYPE_CHECKING:
    from synth_dspy.optimize.tracing import Tracer


def tracer_of(config: Config, say: Callable[[str], None]) -> Tracer | None:
    """The tracer that `tracking.sample_rate` asks for; make it where `Tracer` says."""
    if not config.tracking.enabled or config.tracking.sample_rate <= 0:
        return None
    # MLflow takes seconds to import, and only a run that traces needs it.
    from synth_dspy.optimize.tracing import Tracer

    return Tracer(config, say)
