"""A GitHub repository in, a folder on this machine out, pinned to one commit.

The clone is shallow and sparse: one commit, and of that only documents, images and tables of
contents. It stays in a cache folder, at its commit, until it is deleted there or another revision
is named, so that a run goes on with the very files that it began with, and without a network.

Git itself does the work, with the user's own credentials if it has any; nothing of them is read,
kept or shown here.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from synth_dspy.errors import SetupError, SourceError
from synth_dspy.parsing.registry import PARSERS
from synth_dspy.parsing.resolve import EXTENSIONS
from synth_dspy.sources.contents import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TIMEOUT_S = 1800.0

_SHORT = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+?)(?:\.git)?(?:@(?P<revision>[\w./-]+))?")
_ADDRESS = re.compile(
    r"(?P<url>(?:https?|ssh|git|file)://[^@\s]*(?:@[^@/\s]+[:/][^@\s]*)?|git@[\w.-]+:[^@\s]+)"
    r"(?:@(?P<revision>[\w./-]+))?"
)
_SECRET = re.compile(r"(\w+://)[^/@\s]+@")
_NO_REVISION = re.compile(
    r"couldn't find remote ref|not our ref|no such ref|unadvertised", re.IGNORECASE
)
_NO_REPOSITORY = re.compile(
    r"not found|does not (?:exist|appear)|could not read Username|denied", re.IGNORECASE
)
_NO_NETWORK = re.compile(
    r"could not resolve|couldn't resolve|failed to connect|couldn't connect|connection|timed out|"
    r"network is unreachable|proxy|unable to access.*(?:ssl|tls)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Clone:
    """A repository on this machine: `path` is its folder, `revision` the commit it is at."""

    path: Path
    revision: str


def cache_folder() -> Path:
    """Where clones are kept: `$XDG_CACHE_HOME/synth-dspy/github`, by default in `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "synth-dspy" / "github"


def fetched(repository: str, *, folders: Sequence[str] = (), cache: Path | None = None) -> Clone:
    """The clone of a repository, made now if it is not in the cache.

    Args:
        repository: `owner/name` or an address that git takes, either with `@branch`, `@tag` or
            `@commit`; without one the default branch as it is when it is first fetched.
        folders: documents are taken from these only; images and tables of contents from anywhere.
        cache: `cache_folder()` when left out.

    Raises:
        SetupError: there is no `git`.
        SourceError: the address is none, holds a password, cannot be reached, or has no such
            repository, branch or commit.
    """
    plan = _planned(repository, folders, cache)
    if not plan.is_done:
        _clone(plan, repository)
    commit = _git(["rev-parse", "HEAD"], plan.target, repository).strip()
    return Clone(plan.target, commit)


def announcement(
    repository: str, *, folders: Sequence[str] = (), cache: Path | None = None
) -> str | None:
    """What `fetched` will do that takes its time, in a line; None for what is there already.

    Raises:
        SourceError: the address is none, or holds a password.
    """
    plan = _planned(repository, folders, cache)
    if plan.is_done:
        return None
    at = "its default branch" if plan.revision == "HEAD" else plan.revision
    return f"cloning {plan.url} at {at}, once, into {plan.target}"


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to clone: `wanted` are patterns of a .gitignore; and the folder that it will be."""

    url: str
    revision: str
    wanted: tuple[str, ...]
    target: Path

    @property
    def is_done(self) -> bool:
        return (self.target / ".git").is_dir()


def _planned(repository: str, folders: Sequence[str], cache: Path | None) -> _Plan:
    url, revision, label = _parts(repository)
    wanted = tuple(_patterns(folders))
    key = hashlib.sha256("\n".join([url, revision, *wanted]).encode()).hexdigest()[:12]
    return _Plan(url, revision, wanted, (cache or cache_folder()) / f"{label}-{key}")


def _parts(repository: str) -> tuple[str, str, str]:
    """Address, revision ("HEAD" for none), and a short name for the folder."""
    if _SECRET.search(repository) and not repository.startswith("ssh://"):
        raise SourceError(
            "The GitHub address holds a user name or a password. Write it without, and let git "
            "find them: see `git help credentials`."
        )
    if found := _SHORT.fullmatch(repository):
        url = f"https://github.com/{found['repository']}.git"
    elif found := _ADDRESS.fullmatch(repository):
        url = found["url"]
    else:
        raise SourceError(
            f"{repository!r} is not a GitHub repository. Write `owner/name`, or an address that "
            "git takes, such as https://github.com/owner/name.git; `@branch`, `@tag` or "
            "`@commit` may follow."
        )
    name = "-".join(url.removesuffix(".git").rstrip("/").replace(":", "/").split("/")[-2:])
    return url, found["revision"] or "HEAD", re.sub(r"[^\w.-]", "", name)


def _patterns(folders: Sequence[str]) -> Iterator[str]:
    """What is checked out, as patterns of a .gitignore; endings in either case."""
    documents = [suffix for parser in PARSERS for suffix in parser.suffixes]
    for folder in folders or ("",):
        inner = posixpath.normpath(folder).strip("/").removeprefix(".")
        for suffix in documents:
            yield f"/{_literal(inner)}/**/*{_either(suffix)}" if inner else f"*{_either(suffix)}"
    for suffix in (*EXTENSIONS, ".ico", ".eps"):
        yield f"*{_either(suffix)}"
    yield from NAMES


def _literal(folder: str) -> str:
    return re.sub(r"([\[\]*?\\!#])", r"\\\1", folder)


def _either(suffix: str) -> str:
    return "".join(f"[{c}{c.upper()}]" if c.isalpha() else c for c in suffix)


def _clone(plan: _Plan, shown: str) -> None:
    """Clone into a folder beside the target, which it becomes when it is whole."""
    target, made = plan.target, None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=target.parent, prefix=".part-"))
        _git(["init", "--quiet"], made, shown)
        _git(["remote", "add", "origin", plan.url], made, shown)
        # Blobs come with the checkout, and so only those that are wanted.
        _git(["config", "remote.origin.promisor", "true"], made, shown)
        _git(["config", "remote.origin.partialclonefilter", "blob:none"], made, shown)
        _git(["sparse-checkout", "set", "--no-cone", *plan.wanted], made, shown)
        fetch = ["fetch", "--quiet", "--depth=1", "--no-tags", "--filter=blob:none", "--"]
        _git([*fetch, "origin", plan.revision], made, shown)
        _git(["checkout", "--quiet", "--detach", "FETCH_HEAD"], made, shown)
        try:
            made.rename(target)
        except OSError:
            if not (target / ".git").is_dir():  # another run was faster
                raise
    except OSError as error:
        raise SourceError(
            f"The clone of {shown!r} cannot be kept in {str(target.parent)!r}: {error.strerror}. "
            "Set XDG_CACHE_HOME to a folder that can be written."
        ) from error
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)


def _git(arguments: list[str], folder: Path, shown: str) -> str:
    """What git prints.

    Raises:
        SetupError, SourceError: see `fetched`.
    """
    settings = ["-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false"]
    settings += ["-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=60"]
    # Never ask on the terminal: a run may have none. Never fetch what LFS would add.
    fixed = {"GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1", "LC_ALL": "C"}
    ssh = os.environ.get("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_DIR", "GIT_WORK"))}
    try:
        done = subprocess.run(
            ["git", *settings, *arguments],
            cwd=folder,
            env={**environment, **fixed, "GIT_SSH_COMMAND": ssh},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError as error:
        raise SetupError(
            f"Fetching {shown!r} needs `git`, which is not installed. Install it (Debian: apt-get "
            "install git), or clone the repository elsewhere and name its folder, with "
            "`type: directory`."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise SourceError(
            f"Fetching {shown!r} took over {TIMEOUT_S:g} s. Name fewer `folders`, or clone the "
            "repository and name its folder, with `type: directory`."
        ) from error
    if done.returncode:
        raise SourceError(_fault(_SECRET.sub(r"\1***@", done.stderr), shown))
    return done.stdout


def _fault(said: str, shown: str) -> str:
    """What went wrong, in a sentence, from what git said."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = next((line for line in reversed(lines) if line.startswith("fatal:")), " ".join(lines))
    last = last.removeprefix("fatal: ")[:300]
    if _NO_REVISION.search(said):
        return (
            f"{shown!r} has no such branch, tag or commit. Correct what follows the '@'. ({last})"
        )
    if _NO_REPOSITORY.search(said):
        return (
            f"There is no repository {shown!r} that may be read from here. Correct the name, or "
            f"give git the right to read it (`git help credentials`). ({last})"
        )
    if _NO_NETWORK.search(said):
        return (
            f"{shown!r} cannot be reached. Check the network and the proxy, or clone the "
            f"repository elsewhere and name its folder, with `type: directory`. ({last})"
        )
    return f"git cannot fetch {shown!r}: {last}"
