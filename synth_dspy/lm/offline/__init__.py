"""The offline model: a deterministic, extractive engine that needs no network and no key."""

from synth_dspy.lm.offline.contract import Evaluated, Executor
from synth_dspy.lm.offline.engine import OfflineModel

__all__ = ["Evaluated", "Executor", "OfflineModel"]
