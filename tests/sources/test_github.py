"""GitHub sources, against a bare repository on this machine: what is fetched, and what is said."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from synth_dspy.config import load_config
from synth_dspy.errors import SetupError, SourceError
from synth_dspy.sources import github
from synth_dspy.sources.github import announcement, cache_folder, fetched
from synth_dspy.sources.listing import source_files
from tests.commandline import run
from tests.parsing.samples import picture, write

FILES = ("docs/a.md", "docs/deep/B.IPYNB", "docs/code.py", "other/c.mdx", "docs/_toc.yml")


def git(folder: Path, *arguments: str) -> str:
    identity = {f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER")
                for what in ("NAME", "EMAIL")}  # fmt: skip
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env={**os.environ, **identity}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def commit(work: Path, message: str) -> str:
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", message)
    git(work, "push", "-q", "origin", "HEAD:main")
    return git(work, "rev-parse", "HEAD")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, and git without anybody's settings."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return cache_folder()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A working copy whose `origin` is the bare repository `tmp_path / owner / name.git`."""
    bare, work = tmp_path / "owner" / "name.git", tmp_path / "work"
    bare.mkdir(parents=True)
    git(bare, "init", "-q", "--bare", "--initial-branch=main")
    git(bare, "config", "uploadpack.allowFilter", "true")
    git(bare, "config", "uploadpack.allowAnySHA1InWant", "true")
    for path in FILES:
        write(work, path, f"content of {path}")
    write(work, "docs/_toc.yml", "- file: deep/B\n- file: a")
    for path in ("images/g.PNG", "public/p.svg", "docs/i.png"):
        write(work, path, picture())
    git(work, "init", "-q", "--initial-branch=main")
    git(work, "remote", "add", "origin", f"file://{bare}")
    commit(work, "one")
    return work


@pytest.fixture
def address(work: Path) -> str:
    return git(work, "remote", "get-url", "origin")


def below(root: Path) -> set[str]:
    files = (p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())
    return {path for path in files if not path.startswith(".git/")}


def test_a_clone_has_documents_and_images_of_one_commit_and_nothing_else(
    work: Path, address: str
) -> None:
    clone = fetched(address)
    assert clone.revision == git(work, "rev-parse", "HEAD")
    assert below(clone.path) == {
        "docs/a.md", "docs/deep/B.IPYNB", "other/c.mdx", "docs/_toc.yml", "images/g.PNG",
        "public/p.svg", "docs/i.png",
    }  # fmt: skip
    assert git(clone.path, "rev-list", "--count", "HEAD") == "1"


def test_a_clone_is_announced_until_it_is_there(address: str) -> None:
    line = announcement(address)
    assert line is not None
    assert line.startswith(f"cloning {address} at its default branch, once, into ")
    assert f"cloning {address} at v1, " in (announcement(f"{address}@v1") or "")
    fetched(address)
    assert announcement(address) is None


def test_folders_leave_other_documents_out_and_keep_every_image(address: str) -> None:
    clone = fetched(address, folders=["./docs/deep/"])
    assert below(clone.path) == {
        "docs/deep/B.IPYNB", "docs/_toc.yml", "images/g.PNG", "public/p.svg", "docs/i.png",
    }  # fmt: skip


def test_a_clone_stays_at_its_commit_and_needs_no_network_again(
    work: Path, address: str, tmp_path: Path
) -> None:
    first = fetched(address)
    write(work, "docs/new.md", "new")
    second = commit(work, "two")
    assert fetched(address) == first
    assert fetched(f"{address}@{second}").revision == second
    (tmp_path / "owner").rename(tmp_path / "gone")
    assert fetched(address) == first


def test_a_branch_a_tag_and_a_commit_may_be_named(work: Path, address: str) -> None:
    one = git(work, "rev-parse", "HEAD")
    git(work, "tag", "v1")
    git(work, "push", "-q", "origin", "v1")
    write(work, "docs/new.md", "new")
    two = commit(work, "two")
    assert [fetched(f"{address}@{name}").revision for name in ("v1", one, "main")] == [
        one, one, two,
    ]  # fmt: skip


def test_a_failed_clone_leaves_nothing(address: str, cache: Path) -> None:
    with pytest.raises(SourceError, match="has no such branch, tag or commit"):
        fetched(f"{address}@nowhere")
    assert list(cache.iterdir()) == []


def test_hooks_and_filters_of_a_repository_do_not_run(work: Path, address: str) -> None:
    write(work, ".gitattributes", "*.md filter=evil\n")
    commit(work, "evil")
    assert "docs/a.md" in below(fetched(address).path)


def test_a_missing_repository_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"There is no repository .*none\.git.* Correct the name"):
        fetched(f"file://{tmp_path}/none.git")


def test_no_network_is_told_from_a_wrong_name() -> None:
    with pytest.raises(SourceError, match=r"cannot be reached\. Check the network"):
        fetched("http://127.0.0.1:1/owner/name.git")


@pytest.mark.parametrize(
    "path", ["", "name", "a b/c", "-upload-pack=evil/x y", "ext::sh -c x", "../x/y"]
)
def test_what_is_no_repository_is_refused(path: str) -> None:
    with pytest.raises(SourceError, match="is not a GitHub repository"):
        fetched(path)


def test_an_address_with_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(SourceError, match="holds a user name or a password") as caught:
        fetched("https://me:s3cret@github.com/owner/name")
    assert "s3cret" not in str(caught.value)


def test_no_message_holds_what_git_said_of_a_password() -> None:
    said = "fatal: unable to access 'https://me:s3cret@example.org/a/b/': Could not resolve host"
    assert "s3cret" not in github._fault(github._SECRET.sub(r"\1***@", said), "a/b")


def test_without_git_the_text_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="apt-get install git"):
        fetched("owner/name")


def test_a_clone_that_takes_too_long_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = write(tmp_path / "bin", "git", "#!/bin/sh\nexec sleep 60\n")
    stuck.chmod(0o755)
    monkeypatch.setenv("PATH", str(stuck.parent), prepend=os.pathsep)
    monkeypatch.setattr(github, "TIMEOUT_S", 0.2)
    with pytest.raises(
        SourceError, match=r"'owner/name' took over 0\.2 s\. Name fewer `folders`, or clone"
    ):
        fetched("owner/name")


def test_a_cache_that_cannot_be_written_is_named_with_what_to_do(
    tmp_path: Path, address: str
) -> None:
    write(tmp_path, "file", "in the way")
    with pytest.raises(SourceError, match=r"cannot be kept in .*file.*: .*\. Set XDG_CACHE_HOME"):
        fetched(address, cache=tmp_path / "file")


def test_a_short_name_is_one_of_github() -> None:
    assert github._parts("owner/name@v1") == (
        "https://github.com/owner/name.git", "v1", "owner-name",
    )  # fmt: skip


def configured(tmp_path: Path, address: str, more: str = "") -> Path:
    file = tmp_path / "config.yaml"
    file.write_text(
        f"recipe: assistant\ndataset: {{name: x}}\n"
        f"sources: [{{path: '{address}', type: github{more}}}]\n"
    )
    return file


def test_files_of_a_github_source_carry_the_commit_and_the_authors_order(
    tmp_path: Path, work: Path, address: str
) -> None:
    files, skipped = source_files(load_config(configured(tmp_path, address)).config)
    assert [file.path for file in files] == ["docs/deep/B.IPYNB", "docs/a.md", "other/c.mdx"]
    assert {file.revision for file in files} == {git(work, "rev-parse", "HEAD")}
    assert {file.source for file in files} == {address}
    assert skipped == []
    assert files[0].public_roots[0].endswith("/public")


def test_folders_patterns_and_public_roots_are_the_repositorys(
    tmp_path: Path, address: str
) -> None:
    more = ", folders: [docs], include_patterns: ['*.md'], public_roots: [images]"
    (file,), _ = source_files(load_config(configured(tmp_path, address, more)).config)
    assert file.path == "docs/a.md"
    assert file.public_roots == (str(Path(file.root) / "images"),)


def test_a_fault_of_a_github_source_names_the_key(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"config\.yaml: sources\.0\.path: .*none"):
        source_files(load_config(configured(tmp_path, f"file://{tmp_path}/none")).config)


def test_the_command_line_says_that_it_clones_and_says_it_once(
    tmp_path: Path, address: str
) -> None:
    configured(tmp_path, address)
    results = [run("parse", "--config", "config.yaml", cwd=tmp_path) for _ in range(2)]
    assert [result.code for result in results] == [0, 0]
    said = [f"cloning {address} at its default branch" in result.err for result in results]
    assert said == [True, False]
