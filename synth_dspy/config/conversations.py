"""The `conversations` section: what the recipe of that name is told."""

from __future__ import annotations

from synth_dspy.config.base import Section


class Conversations(Section):
    """Settings of the `conversations` recipe."""
