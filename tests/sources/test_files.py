"""Listing: patterns, order, links, limits, and clear words for what is not there."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from synth_dspy.errors import SourceError
from synth_dspy.sources.files import Skipped, list_files


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A source with documents in several folders."""
    paths = [
        *("b.md", "a.ipynb", "deep/c.mdx", "deep/er/d.PDF", "script.py", "deep/e.markdown"),
        *("node_modules/x.md", ".git/y.md", "deep/.ipynb_checkpoints/a-checkpoint.ipynb"),
    ]
    for path in paths:
        target = tmp_path / "docs" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(path)
    return tmp_path / "docs"


def paths(root: Path, **options: object) -> list[str]:
    chosen: dict[str, object] = {"include": [], "exclude": [], **options}
    files, skipped = list_files(root, name="docs", **chosen)  # type: ignore[arg-type]
    assert skipped == []
    return [file.path for file in files]


def test_every_document_is_listed_in_order_and_nothing_else(root: Path) -> None:
    assert paths(root) == ["a.ipynb", "b.md", "deep/c.mdx", "deep/e.markdown", "deep/er/d.PDF"]


@pytest.mark.parametrize(
    ("include", "exclude", "found"),
    [
        (["*.md"], [], ["b.md"]),
        (["deep/**"], ["*.mdx"], ["deep/e.markdown", "deep/er/d.PDF"]),
        (["/b.md", "deep/"], ["er/"], ["b.md", "deep/c.mdx", "deep/e.markdown"]),
        (["*", "!*.ipynb"], ["deep/"], ["b.md"]),
        ([], ["*"], []),
    ],
)
def test_patterns_are_those_of_gitignore(
    root: Path, include: list[str], exclude: list[str], found: list[str]
) -> None:
    assert paths(root, include=include, exclude=exclude) == found


def test_folders_narrow_the_source_and_paths_stay_relative_to_it(root: Path) -> None:
    assert paths(root, folders=["deep/er", "deep"]) == [
        "deep/c.mdx",
        "deep/e.markdown",
        "deep/er/d.PDF",
    ]


def test_max_files_takes_the_first_of_the_order(root: Path) -> None:
    assert paths(root, max_files=2) == ["a.ipynb", "b.md"]


def test_a_file_is_listed_with_its_kind_hash_and_size(root: Path) -> None:
    (file, *_), _ = list_files(root, name="docs", include=[], exclude=[])
    assert (file.source, file.root, file.kind, file.size) == ("docs", str(root), "ipynb", 7)
    assert file.sha256 == hashlib.sha256(b"a.ipynb").hexdigest()


def test_a_single_file_is_a_source(root: Path) -> None:
    (file,), _ = list_files(root / "deep" / "c.mdx", name="one", include=[], exclude=[])
    assert (file.path, file.kind, file.root) == ("c.mdx", "mdx", str(root / "deep"))


def test_a_single_file_may_be_given_its_kind(root: Path) -> None:
    (file,), _ = list_files(root / "b.md", name="f", include=[], exclude=[], kind="facts")
    assert file.kind == "facts"


def test_public_roots_are_found_in_the_source_and_above_it(root: Path) -> None:
    for folder in ("public", "../static"):
        (root / folder).mkdir()
    (file, *_), _ = list_files(root, name="docs", include=[], exclude=[])
    assert file.public_roots == (str(root / "public"), str(root.parent / "static"))


def test_public_roots_that_are_given_replace_the_default(root: Path) -> None:
    (root / "public").mkdir()
    given = root.parent / "site"
    (file, *_), _ = list_files(root, name="d", include=[], exclude=[], public_roots=[given])
    assert file.public_roots == (str(given),)


def test_a_link_out_of_the_source_is_skipped_with_a_reason(root: Path) -> None:
    (root.parent / "secret.md").write_text("secret")
    (root / "link.md").symlink_to(root.parent / "secret.md")
    files, skipped = list_files(root, name="docs", include=["link.md"], exclude=[])
    assert files == []
    assert [(s.path, s.reason) for s in skipped] == [("link.md", "outside_root")]


def test_a_linked_folder_is_not_entered(root: Path) -> None:
    (root.parent / "other").mkdir()
    (root.parent / "other" / "z.md").write_text("z")
    (root / "linked").symlink_to(root.parent / "other")
    assert "linked/z.md" not in paths(root)


def test_a_file_that_cannot_be_read_is_skipped_with_a_reason(root: Path) -> None:
    (root / "gone.md").symlink_to(root / "nowhere.md")
    _, skipped = list_files(root, name="docs", include=["gone.md"], exclude=[])
    assert skipped == [Skipped("gone.md", "unreadable", "No such file or directory")]


def test_a_file_without_permission_is_skipped(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path) -> tuple[str, int]:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("synth_dspy.sources.files._hashed", refused)
    _, skipped = list_files(root, name="docs", include=["b.md"], exclude=[])
    assert skipped == [Skipped("b.md", "unreadable", "Permission denied")]


def test_a_missing_folder_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"'docs': .*nowhere' does not exist\. Correct"):
        list_files(tmp_path / "nowhere", name="docs", include=[], exclude=[])


@pytest.mark.parametrize("name", ["x" * 300, "/".join(["x" * 200] * 30)])
def test_a_path_that_nothing_can_have_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match="its path cannot be opened"):
        list_files(tmp_path / name, name="docs", include=[], exclude=[])


def test_a_path_that_is_neither_a_folder_nor_a_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match=r"is not a folder that can be read\. Name a folder"):
        list_files(tmp_path / "pipe", name="docs", include=[], exclude=[])


def test_a_link_to_itself_is_skipped_with_a_reason(root: Path) -> None:
    (root / "loop.md").symlink_to("loop.md")
    files, skipped = list_files(root, name="docs", include=["loop.md", "b.md"], exclude=[])
    assert [file.path for file in files] == ["b.md"]
    assert [(s.path, s.reason) for s in skipped] == [("loop.md", "unreadable")]


def test_a_missing_inner_folder_is_named_with_what_to_do(root: Path) -> None:
    for folder in ("none", "../.."):
        with pytest.raises(
            SourceError, match=r"there is no folder .* Correct the source's 'folders'"
        ):
            list_files(root, name="docs", include=[], exclude=[], folders=[folder])


def test_a_single_file_that_no_parser_reads_is_refused(root: Path) -> None:
    with pytest.raises(
        SourceError, match=r"no parser reads .*script\.py'\. Known endings: \.ipynb"
    ):
        list_files(root / "script.py", name="docs", include=[], exclude=[])
