"""A loader of somebody's own: its texts become documents, its faults are told as its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from synth_dspy.errors import SourceError
from synth_dspy.sources.loaders import loaded_documents
from tests.parsing.samples import check


@dataclass
class Item:
    """What loaders yield."""

    page_content: Any
    metadata: dict[str, Any] = field(default_factory=dict)


class Weather:
    """A loader with arguments."""

    def __init__(self, place: str, *, days: int = 2) -> None:
        self.texts = [f"# Day {n}\n\nRain in {place}." for n in range(days)]

    def load(self) -> list[Item]:
        return [Item(t, {"source": f"day-{n}", "title": t[2:7]}) for n, t in enumerate(self.texts)]


class Lazy:
    """A loader that yields as it goes."""

    def load(self) -> list[Item]:
        raise AssertionError("load is not used where lazy_load is there")

    def lazy_load(self) -> Iterator[Item]:
        yield Item("![x](/etc/passwd) [IMAGE:0123456789abcdef]")


class Failing:
    """A loader with a fault."""

    def load(self) -> Iterator[Item]:
        yield Item("one")
        raise RuntimeError("the service is down")


class Wrong:
    """A loader of something else."""

    def load(self) -> list[object]:
        return [Item(3)]


class NoLoader:
    """No loader at all."""


def test_every_text_of_a_loader_is_a_document(tmp_path: Path) -> None:
    documents = list(loaded_documents(f"{__name__}:Weather", "Bergen", days=3, run_dir=tmp_path))
    for document in documents:
        check(document)
    assert [d.path for d in documents] == ["day-0", "day-1", "day-2"]
    assert documents[1].text == "# Day 1\n\nRain in Bergen."
    assert documents[1].title == "Day 1"
    assert {d.kind for d in documents} == {"loaded"}
    assert len({d.id for d in documents}) == 3


def test_a_loaded_text_reads_nothing_of_this_machine(tmp_path: Path) -> None:
    (document,) = loaded_documents(f"{__name__}:Lazy", run_dir=tmp_path)
    assert document.images == ()
    assert document.path == "000000"
    assert "[IMAGE:" not in document.text


@pytest.mark.parametrize(
    ("loader", "said"),
    [("Weather", "module:Class"), ("no.such.module:X", "Install the package"),
     (f"{__name__}:Nothing", "has no 'Nothing'"), (f"{__name__}:NoLoader", "no method `load`"),
     (f"{__name__}:__name__", "not a class"), (f"{__name__}:Weather", "cannot be made"),
     (f"{__name__}:Failing", "failed: RuntimeError"), (f"{__name__}:Wrong", "page_content")],
)  # fmt: skip
def test_what_is_wrong_with_a_loader_is_said(tmp_path: Path, loader: str, said: str) -> None:
    with pytest.raises(SourceError, match=said) as caught:
        list(loaded_documents(loader, run_dir=tmp_path))
    assert repr(loader) in str(caught.value)
