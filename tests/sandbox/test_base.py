"""Where the base image comes from, with an engine that is not there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker
import pytest

from sandbox import SandboxUnavailable
from sandbox import base as module
from sandbox.base import FROM_REGISTRY, MADE_HERE, resolve_base


class Engine:
    """Stands in for a Docker client: images that are here, and those a registry would give."""

    def __init__(self, here: set[str], registry: set[str]) -> None:
        self.here, self.registry = set(here), registry
        self.pulled: list[str] = []
        self.images = self

    def get(self, name: str) -> str:
        if name not in self.here:
            raise docker.errors.ImageNotFound(name)
        return name

    def get_registry_data(self, name: str) -> str:
        if name not in self.registry:
            raise docker.errors.APIError(f"no registry has {name}")
        return name

    def pull(self, repository: str, tag: str | None) -> None:
        name = f"{repository}:{tag}"
        if name not in self.registry:
            raise docker.errors.NotFound(name)
        self.pulled.append(name)
        self.here.add(name)

    def close(self) -> None:
        pass


Resolve = Callable[..., str]


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """`resolve_base` over an engine of ours; `.said` keeps the progress."""
    monkeypatch.delenv(module.VARIABLE, raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)

    def call(engine: Engine, named: str = "") -> str:
        monkeypatch.setattr(docker, "from_env", lambda **_: engine)
        client: Any = engine
        return resolve_base(client, named, lambda line: None)

    return call


def test_a_base_that_was_made_here_comes_first(resolve: Resolve) -> None:
    engine = Engine({MADE_HERE, FROM_REGISTRY}, {FROM_REGISTRY})
    assert resolve(engine) == MADE_HERE
    assert engine.pulled == []


def test_where_a_registry_answers_the_base_is_pulled_once(resolve: Resolve) -> None:
    engine = Engine(set(), {FROM_REGISTRY})
    assert resolve(engine) == resolve(engine) == FROM_REGISTRY
    assert engine.pulled == [FROM_REGISTRY]


def test_a_base_that_is_named_is_pulled_if_it_is_not_here(resolve: Resolve) -> None:
    engine = Engine(set(), {"registry.example:5000/python:3.13"})
    assert resolve(engine, "registry.example:5000/python:3.13") == engine.pulled[0]


def test_a_base_of_the_environment_is_used(
    resolve: Resolve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(module.VARIABLE, "mine:1")
    assert resolve(Engine({"mine:1", MADE_HERE}, set())) == "mine:1"


def test_a_base_that_is_nowhere_is_named(resolve: Resolve) -> None:
    with pytest.raises(SandboxUnavailable, match="'mine:1' is neither here nor can it be pulled"):
        resolve(Engine({MADE_HERE}, set()), "mine:1")


def test_without_a_registry_and_debootstrap_the_error_says_how_to_pass_a_base(
    resolve: Resolve,
) -> None:
    with pytest.raises(SandboxUnavailable) as info:
        resolve(Engine(set(), set()))
    for part in ("no registry answers", "debootstrap", module.VARIABLE, "--base image:tag"):
        assert part in str(info.value)


def test_a_base_that_debootstrap_cannot_make_is_told_with_its_last_words(
    tmp_path: Path, resolve: Resolve, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "debootstrap"
    broken.write_text("#!/bin/sh\necho E: no such mirror >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(shutil, "which", lambda name: f"{tmp_path}/{name}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(SandboxUnavailable, match="debootstrap failed: E: no such mirror") as caught:
        resolve(Engine(set(), set()))
    assert f"{module.VARIABLE}=image:tag" in str(caught.value)
