"""Packages for the box: what cannot be fetched is named, with what to do."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from sandbox import SandboxUnavailable
from sandbox.site import install_site


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, and no index to ask."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return tmp_path / "synth-dspy" / "site"


def install(package: str) -> Path:
    return install_site([package], "3.11", "x86_64", lambda line: None)


def test_a_package_that_is_nowhere_is_named_and_leaves_nothing(cache: Path) -> None:
    with pytest.raises(
        SandboxUnavailable,
        match=r"sandbox\.packages: no-such-package-here==1 cannot be installed as wheels for "
        r"Python 3\.11 on x86_64",
    ):
        install("no-such-package-here==1")
    assert list(cache.iterdir()) == []


def test_without_pip_and_uv_the_text_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxUnavailable, match=r"needs pip or uv .* `python -m ensurepip`"):
        install("numpy==2.0.0")
