"""rows --loader: any class whose load() yields objects with page_content."""

from __future__ import annotations

import json
from pathlib import Path

from tests.commandline import run

LOADER = """
class Page:
    def __init__(self, page_content, name):
        self.page_content, self.metadata = page_content, {"source": name}


class Shelf:
    def __init__(self, folder="shelf"):
        self.folder = folder

    def load(self):
        for name in ("rain", "snow"):
            yield Page(f"# {name}\\n\\n" + TEXTS[name], f"{self.folder}/{name}")


class Bare:
    def load(self):
        return []


TEXTS = {
    "rain": "A rain gauge is an instrument that collects rain and measures its depth over a day. "
    "A tipping bucket is a rain gauge that counts each fixed depth of rain as one tip.",
    "snow": "A snow pillow is an instrument that measures the weight of the snow that lies on it. "
    "A snow stake is a marked pole that shows the depth of the snow around its foot.",
}
"""


def test_rows_are_made_of_what_a_loader_yields(tmp_path: Path) -> None:
    (tmp_path / "shelves.py").write_text(LOADER)
    result = run(
        "rows", "--loader", "shelves:Shelf", "--documents", "attic", "--format", "pair",
        "--samples", "2", "--output-format", "jsonl", cwd=tmp_path,
    )  # fmt: skip
    assert result.code == 0, result.err
    rows = [json.loads(line) for line in (tmp_path / "synthetic_data_pair_from_docs.jsonl").open()]
    assert len(rows) == 2
    (folder,) = (tmp_path / "outputs").glob("loaded-*")
    assert [file.name for file in sorted(folder.glob("*.md"))] == [
        "000000-attic-rain.md", "000001-attic-snow.md",
    ]  # fmt: skip


def test_a_loader_that_yields_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "shelves.py").write_text(LOADER)
    result = run("rows", "--loader", "shelves:Bare", "--format", "pair", cwd=tmp_path)
    assert result.code == 2
    assert "Loader 'shelves:Bare' yielded no document, so there is nothing to read." in result.err


def test_a_loader_and_a_query_exclude_each_other(tmp_path: Path) -> None:
    result = run("rows", "--loader", "a:B", "--query", "rain", "--format", "pair", cwd=tmp_path)
    assert result.code == 2
    assert "--query and --loader exclude each other; give one." in result.err
