"""The `rows` section: what the recipe of that name is told."""

from __future__ import annotations

from synth_dspy.config.base import Section


class Rows(Section):
    """Settings of the `rows` recipe."""
