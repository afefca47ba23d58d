"""A folder or a file in, the documents in it out: listed, hashed, in a fixed order, not parsed.

Patterns are gitignore's. Symbolic links that leave the root are not followed. What cannot be read
is handed back with its reason, so that it is counted.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from synth_dspy.errors import SourceError
from synth_dspy.parsing.registry import PARSERS, Parser, check_extras, kind_of
from synth_dspy.records import SourceFile
from synth_dspy.sources.contents import in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pathspec

    from synth_dspy.records import DocumentKind

DEFAULT_EXCLUDES = (".git/", "node_modules/", ".ipynb_checkpoints/", ".venv/", "__pycache__/")
SITE_FOLDERS = ("public", "static")
ANCESTOR_LEVELS = 4


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that the patterns chose and that cannot be read.

    Attributes:
        path: relative to the root.
        reason: `unreadable` or `outside_root`; detail: for a person.
    """

    path: str
    reason: str
    detail: str = ""


def list_files(
    path: Path,
    *,
    name: str,
    include: Sequence[str],
    exclude: Sequence[str],
    folders: Sequence[str] = (),
    public_roots: Sequence[Path] = (),
    max_files: int | None = None,
    kind: DocumentKind | None = None,
    revision: str = "",
    parsers: Sequence[Parser] = PARSERS,
) -> tuple[list[SourceFile], list[Skipped]]:
    """The documents of a source in order, and what had to be skipped.

    The order is that of the paths, but where a `_toc.yml` or `_toc.json` gives another.

    Args:
        path: absolute; a folder, or one file.
        name: the source's name, for records and messages.
        include: gitignore patterns; empty means every file that a parser reads without being
            asked for it.
        folders: only below these, relative to `path`; empty means everywhere.
        public_roots: where site-absolute image paths are looked up; when empty, the `public/` and
            `static/` folders of `path` and of its ancestors.
        max_files: of the sorted list, the first so many.
        kind: of a single file whose ending does not say it (`facts`).

    Raises:
        SourceError: the path or one of `folders` does not exist, cannot be read, or is a single
            file that no parser reads.
        SetupError: a file needs a library of an extra that is not installed.
    """
    path = Path(os.path.normpath(path))
    _check_place(path, name)
    if path.is_file():
        found = kind or kind_of(path.name, parsers)
        if found is None:
            known = " ".join(suffix for parser in parsers for suffix in parser.suffixes)
            raise SourceError(
                f"Source {name!r}: no parser reads {str(path)!r}. Known endings: {known}."
            )
        root, names = path.parent, [path.name]
    else:
        _check_folder(path, name)
        root = path
        wanted = [_folder(path, folder, name) for folder in folders] or [path]
        chosen = parsers if include else tuple(p for p in parsers if not p.asked_for)
        names = sorted(set(_matching(root, wanted, include, exclude, chosen)))
    roots = tuple(str(Path(os.path.normpath(r))) for r in public_roots) or _default_roots(root)
    files: list[SourceFile] = []
    skipped: list[Skipped] = []
    if root == path:
        names, unread = in_order(root, names)
        skipped += [Skipped(toc, "unreadable", detail) for toc, detail in unread]
    check_extras(names, parsers)
    real_root = root.resolve()
    for relative in names:
        if max_files is not None and len(files) >= max_files:
            break
        target = root / relative
        real = Path(os.path.realpath(target))  # `resolve` ends at a link to itself
        if real != real_root and real_root not in real.parents:
            skipped.append(Skipped(relative, "outside_root", "a link that leaves the source"))
            continue
        if not relative.isprintable() and not _is_utf8(relative):
            shown = relative.encode(errors="replace").decode()
            skipped.append(Skipped(shown, "unreadable", "its name is not UTF-8 text"))
            continue
        if target.exists() and not target.is_file():
            skipped.append(Skipped(relative, "unreadable", "not a regular file"))
            continue
        try:
            sha256, size = _hashed(target)
        except OSError as error:
            skipped.append(Skipped(relative, "unreadable", error.strerror or str(error)))
            continue
        of_kind = kind or kind_of(relative, parsers)
        assert of_kind is not None, relative
        files.append(SourceFile(name, str(root), relative, of_kind, sha256, size, roots, revision))
    return files, skipped


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_place(path: Path, name: str) -> None:
    try:
        there = path.exists()
    except (OSError, ValueError) as error:  # longer than any path, a folder that nobody may enter
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise SourceError(
            f"Source {name[:200]!r}: its path cannot be opened: {why}. Name a folder or a file "
            "that you may read."
        ) from error
    if not there:
        raise SourceError(
            f"Source {name!r}: {str(path)!r} does not exist. Correct the source's path in the "
            "configuration; it is relative to the configuration file."
        )


def _check_folder(path: Path, name: str) -> None:
    if not path.is_dir() or not os.access(path, os.R_OK | os.X_OK):
        raise SourceError(
            f"Source {name!r}: {str(path)!r} is not a folder that can be read. Name a folder or a "
            "file that you may read."
        )


def _folder(root: Path, folder: str, name: str) -> Path:
    path = Path(os.path.normpath(root / folder))
    if (path != root and root not in path.parents) or not path.is_dir():
        raise SourceError(
            f"Source {name!r}: there is no folder {folder!r} in {str(root)!r}. Correct the "
            "source's 'folders'."
        )
    return path


def _matching(
    root: Path,
    folders: Iterable[Path],
    include: Sequence[str],
    exclude: Sequence[str],
    parsers: Sequence[Parser],
) -> Iterator[str]:
    """Paths relative to `root`, with forward slashes, of files that patterns and parsers want."""
    import pathspec

    wanted = pathspec.GitIgnoreSpec.from_lines(include) if include else None
    unwanted = pathspec.GitIgnoreSpec.from_lines([*DEFAULT_EXCLUDES, *exclude])
    for folder in folders:
        for relative in _walk(root, folder, unwanted):
            if kind_of(relative, parsers) is None or unwanted.match_file(relative):
                continue
            if wanted is None or wanted.match_file(relative):
                yield relative


def _walk(root: Path, folder: Path, unwanted: pathspec.GitIgnoreSpec) -> Iterator[str]:
    for parent, below, names in os.walk(folder):
        base = Path(parent).relative_to(root).as_posix()
        prefix = "" if base == "." else f"{base}/"
        below[:] = sorted(d for d in below if not unwanted.match_file(f"{prefix}{d}/"))
        for name in names:
            yield f"{prefix}{name}"


def _default_roots(root: Path) -> tuple[str, ...]:
    places = [root, *root.parents][: ANCESTOR_LEVELS + 1]
    sites = (place / name for place in places for name in SITE_FOLDERS)
    return tuple(str(site) for site in sites if site.is_dir())


def _hashed(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return sha256, os.fstat(file.fileno()).st_size
