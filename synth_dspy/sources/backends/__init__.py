"""Content backends: where the records are that routing examples are made from."""

from synth_dspy.sources.backends.contract import Content, ContentBackend, SampleOrder
from synth_dspy.sources.backends.opening import open_backend

__all__ = ["Content", "ContentBackend", "SampleOrder", "open_backend"]
