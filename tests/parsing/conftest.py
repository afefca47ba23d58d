"""Tests of the corpus are collected where SYNTH_CORPUS names one, and deselected elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("SYNTH_CORPUS"):
        return
    gone = [i for i in items if i.get_closest_marker("corpus") and HERE in i.path.parents]
    if gone:
        config.hook.pytest_deselected(items=gone)
        items[:] = [item for item in items if item not in gone]
