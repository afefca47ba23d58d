"""Tables of contents: the authors' order, wherever the table stands, and no trap in it."""

from __future__ import annotations

import json
from pathlib import Path

from synth_dspy.sources.contents import MAX_BYTES, in_order
from synth_dspy.sources.files import list_files

NAMES = ["a.md", "b.ipynb", "part/c.md", "part/d.mdx", "part/index.mdx"]


def ordered(root: Path, table: str, text: str, names: list[str] = NAMES) -> list[str]:
    target = root / table
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    found, unread = in_order(root, sorted(names))
    assert unread == []
    assert sorted(found) == sorted(names)
    return found


def test_without_a_table_paths_decide(tmp_path: Path) -> None:
    assert in_order(tmp_path, NAMES) == (NAMES, [])


def test_a_jupyter_book_is_read_as_its_table_says(tmp_path: Path) -> None:
    table = """
        format: jb-book
        root: part/index
        parts:
          - caption: First
            chapters:
              - file: b
                sections: [{file: part/d.mdx}]
              - url: https://example.org/a
    """
    assert ordered(tmp_path, "_toc.yml", table) == [
        "part/index.mdx", "b.ipynb", "part/d.mdx", "a.md", "part/c.md",
    ]  # fmt: skip


def test_a_table_may_name_many_with_one_pattern(tmp_path: Path) -> None:
    assert ordered(tmp_path, "_toc.yml", "- glob: part/*\n- file: b")[:4] == [
        "part/c.md", "part/d.mdx", "part/index.mdx", "b.ipynb",
    ]  # fmt: skip


def test_addresses_of_a_site_lead_to_pages_below_it(tmp_path: Path) -> None:
    urls = ["/learn/part", "/learn/part/d", "/learn/part/c"]
    table = json.dumps({"children": [{"title": url, "url": url} for url in urls]})
    assert ordered(tmp_path / "learn", "part/_toc.json", table) == [
        "a.md", "b.ipynb", "part/index.mdx", "part/d.mdx", "part/c.md",
    ]  # fmt: skip


def test_a_source_that_is_the_tables_own_folder(tmp_path: Path) -> None:
    table = json.dumps([{"url": "/learn/part"}, {"url": "/learn/part/d"}])
    names = ["c.md", "d.mdx", "index.mdx"]
    assert ordered(tmp_path / "part", "_toc.json", table, names) == ["index.mdx", "d.mdx", "c.md"]


def test_the_outermost_table_that_lists_a_document_decides(tmp_path: Path) -> None:
    (tmp_path / "_toc.yml").write_text("[{file: part/c}, {file: a}]")
    assert ordered(tmp_path, "part/_toc.yml", "[{file: index}, {file: d}, {file: c}]") == [
        "part/c.md", "a.md", "b.ipynb", "part/index.mdx", "part/d.mdx",
    ]  # fmt: skip


def test_a_table_that_repeats_itself_is_read_once(tmp_path: Path) -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 12)]
    table = "\n".join(["l0: &l0 [{file: b}]", *levels])
    assert ordered(tmp_path, "_toc.yml", table)[0] == "b.ipynb"


def test_a_table_that_cannot_be_read_is_passed_over_and_said(tmp_path: Path) -> None:
    for table in ("a: [", "!!python/object/apply:os.system [ls]", "\x00"):
        (tmp_path / "_toc.yml").write_text(table)
        found, unread = in_order(tmp_path, NAMES)
        assert found == NAMES
        assert [name for name, _ in unread] == ["_toc.yml"]


def test_a_table_that_is_too_large_is_passed_over_with_the_limit(tmp_path: Path) -> None:
    with (tmp_path / "_toc.yml").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    _, unread = in_order(tmp_path, NAMES)
    assert unread == [("_toc.yml", f"a table of contents of more than {MAX_BYTES} bytes")]


def test_max_files_takes_the_first_of_the_table(tmp_path: Path) -> None:
    for name in ("a.md", "b.md", "c.md"):
        (tmp_path / name).write_text(name)
    (tmp_path / "_toc.yml").write_text("[{file: c}, {file: a}]")
    files, _ = list_files(tmp_path, name="docs", include=[], exclude=[], max_files=2)
    assert [file.path for file in files] == ["c.md", "a.md"]


def test_a_broken_table_is_handed_back_with_the_files(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("a")
    (tmp_path / "_toc.json").write_text("{")
    files, skipped = list_files(tmp_path, name="docs", include=[], exclude=[])
    assert [file.path for file in files] == ["a.md"]
    assert [(s.path, s.reason) for s in skipped] == [("_toc.json", "unreadable")]
