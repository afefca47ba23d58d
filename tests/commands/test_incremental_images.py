"""`parse` again: a changed, added or removed image redoes the pages that show it, and no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.commandline import Result
from tests.parsing.samples import picture

Small = Callable[..., Result]


@pytest.fixture
def pages(project: Path) -> Path:
    """Beside `rain.md`: a page with an image that is there, and one with an image that is not."""
    docs = project / "docs"
    (docs / "gauge.png").write_bytes(picture("red"))
    (docs / "shows.md").write_text("# A gauge\n\n![A gauge](gauge.png)\n\nIt stands outside.\n")
    (docs / "waits.md").write_text("# A cloud\n\n![A cloud](cloud.png)\n\nIt moves.\n")
    return docs


def parse(small: Small) -> str:
    """How many documents were cached and new."""
    result = small("parse")
    assert result.code == 0, result.err
    found = [line for line in result.err.splitlines() if "docs from" in line]
    return found[-1].split("(")[-1].rstrip(")")


def documents(small: Small) -> dict[str, dict[str, Any]]:
    lines = small("inspect", "--stage", "parse", "--json").out.splitlines()
    return {document["path"]: document for document in map(json.loads, lines)}


def test_a_changed_added_or_removed_image_redoes_the_pages_that_show_it(
    pages: Path, small: Small
) -> None:
    assert parse(small) == "0 cached, 3 new"
    before = documents(small)
    assert parse(small) == "3 cached, 0 new"
    (pages / "gauge.png").write_bytes(picture("blue"))
    assert parse(small) == "2 cached, 1 new"
    after = documents(small)
    assert after["shows.md"]["images"][0]["sha256"] != before["shows.md"]["images"][0]["sha256"]
    assert after["rain.md"] == before["rain.md"]
    (pages / "cloud.png").write_bytes(picture("white"))
    assert parse(small) == "2 cached, 1 new"
    assert len(documents(small)["waits.md"]["images"]) == 1
    (pages / "gauge.png").unlink()
    assert parse(small) == "2 cached, 1 new"
    assert documents(small)["shows.md"]["dropped_images"][0]["reason"] == "missing"


def test_a_page_that_changed_was_added_or_removed_leaves_the_others_alone(
    pages: Path, small: Small
) -> None:
    assert parse(small) == "0 cached, 3 new"
    (pages / "waits.md").write_text("# A cloud\n\nNo image any more, only words.\n")
    assert parse(small) == "2 cached, 1 new"
    (pages / "more.md").write_text("# More\n\nA page that came later.\n")
    assert parse(small) == "3 cached, 1 new"
    (pages / "rain.md").unlink()
    assert parse(small) == "3 cached, 0 new"
    assert set(documents(small)) == {"shows.md", "waits.md", "more.md"}
