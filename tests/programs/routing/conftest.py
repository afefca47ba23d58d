"""Tests that await run on asyncio."""

from __future__ import annotations

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """What `pytest.mark.anyio` runs a test on."""
    return "asyncio"
