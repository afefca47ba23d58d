"""How much an installation of the core brings along: its packages and their bytes.

Enters: what pyproject.toml declares. Leaves: the packages that it comes to in this environment,
with those that they need in turn, and the bytes of their files. Knows no extra and no cache: `.pyc`
files are not counted, since not every installer writes them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"


def core_requirements() -> list[str]:
    """The declared core dependencies, as pyproject.toml has them."""
    declared: list[str] = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"][
        "dependencies"
    ]
    return declared


def closure(requirements: Iterable[str]) -> dict[str, Distribution]:
    """The installed distributions that `requirements` come to, by name, each once.

    Raises:
        PackageNotFoundError: one of `requirements` is not installed; what others need and is not
            there (a marker of another platform that was not evaluated so) is left out.
    """
    found: dict[str, Distribution] = {}
    named = [Requirement(text) for text in requirements]
    for requirement in named:
        distribution(requirement.name)
    waiting = [(requirement, "") for requirement in named]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        try:
            found.setdefault(name, distribution(name))
        except PackageNotFoundError:
            continue
        for wanted in {"", *requirement.extras}:
            if (name, wanted) not in seen:
                seen.add((name, wanted))
                waiting += [(Requirement(text), wanted) for text in found[name].requires or ()]
    return found


def size_bytes(packages: Iterable[Distribution]) -> int:
    """Bytes of the files that the packages installed, without `.pyc`."""
    paths = {
        Path(str(package.locate_file(file)))
        for package in packages
        for file in package.files or ()
        if file.suffix != ".pyc"
    }
    return sum(path.stat().st_size for path in paths if path.is_file())
