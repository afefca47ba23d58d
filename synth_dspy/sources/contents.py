"""Tables of contents (`_toc.yml`, `_toc.json`, `_toctree.yml`): the order that authors gave.

Paths of documents in, the same paths in order out. Knows Jupyter Book's tables (`file`, `glob`,
`root`), those of Qiskit's documentation (`url`) and of Hugging Face's courses (`local`).
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NAMES = ("_toc.yml", "_toc.yaml", "_toc.json", "_toctree.yml")
KEYS = ("root", "file", "url", "local", "glob")
MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Contents:
    """One table: where it stands ("" for the root), and its entries' paths without endings."""

    folder: str
    entries: tuple[str, ...]


def in_order(root: Path, names: Sequence[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """`names` in the order of the tables above them, and the tables that cannot be read.

    A table orders the documents that it lists; those of its folder that it does not list come
    after them, by path. A document without a table stands where its path puts it. Where tables
    are nested, the outermost that lists a document decides.

    Args:
        names: relative to `root`, with forward slashes, sorted.
    """
    tables, unread = _tables(root, names)
    if not tables:
        return list(names), unread
    ranks = {table.folder: _ranks(table, names, root.name) for table in tables}

    def key(name: str) -> tuple[str, int, int, str]:
        above = [t.folder for t in tables if name.startswith(f"{t.folder}/") or not t.folder]
        listing = next((folder for folder in above if name in ranks[folder]), None)
        if listing is not None:
            return listing, 0, ranks[listing][name], name
        return (above[-1], 1, 0, name) if above else (name, 0, 0, name)

    return sorted(names, key=key), unread


def _tables(root: Path, names: Sequence[str]) -> tuple[list[Contents], list[tuple[str, str]]]:
    """The tables of every folder above a document, outermost first."""
    folders = {folder.as_posix() for name in names for folder in PurePosixPath(name).parents}
    tables, unread = [], []
    for folder in sorted("" if f == "." else f for f in folders):
        for name in NAMES:
            path = root / folder / name
            if not path.is_file() or path.is_symlink():
                continue
            try:
                entries = tuple(_entries(_loaded(path)))
            except ValueError as error:
                unread.append((path.relative_to(root).as_posix(), str(error)))
            else:
                tables.append(Contents(folder, entries))
                break
    return tables, unread


def _loaded(path: Path) -> object:
    """The table's data.

    Raises:
        ValueError: it cannot be read, is too large, or is neither YAML nor JSON.
    """
    import orjson
    import yaml

    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"a table of contents of more than {MAX_BYTES} bytes")
        data = path.read_bytes()
        return orjson.loads(data) if path.suffix == ".json" else yaml.safe_load(data)
    except OSError as error:
        raise ValueError(error.strerror or str(error)) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"not YAML: {' '.join(str(error).split())[:200]}") from error


def _entries(node: Any) -> Iterator[str]:
    """What the table names, in order; a node that an alias repeats is read once."""
    waiting, seen = [node], set()
    while waiting:
        found = waiting.pop()
        if not isinstance(found, (dict, list)) or id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, dict):
            yield from (str(found[key]) for key in KEYS if isinstance(found.get(key), str))
            waiting += reversed(list(found.values()))
        else:
            waiting += reversed(found)


def _ranks(table: Contents, names: Sequence[str], site: str) -> dict[str, int]:
    """Each listed document's place in the table; `site` is the root's own name."""
    prefix = f"{table.folder}/" if table.folder else ""
    by_stem: dict[str, list[str]] = {}
    for name in names:
        if name.startswith(prefix):
            for stem in _stems(name):
                by_stem.setdefault(site if stem == "." else stem, []).append(name)
    ranks: dict[str, int] = {}
    for entry in table.entries:
        for name in _named(entry, prefix, by_stem):
            ranks.setdefault(name, len(ranks))
    return ranks


def _stems(name: str) -> Iterator[str]:
    """What an entry may call a document: its path, that without its ending, its folder's."""
    path = PurePosixPath(name)
    yield name
    yield path.with_suffix("").as_posix()
    if path.stem.lower() in ("index", "readme", "overview"):
        yield path.parent.as_posix()


def _named(entry: str, prefix: str, by_stem: dict[str, list[str]]) -> list[str]:
    """Documents that an entry names, from the table's folder, or from the root of the site."""
    plain = entry.split("#")[0].split("?")[0].strip("/").removeprefix("./")
    if not plain or "://" in entry:
        return []
    for wanted in (f"{prefix}{plain}", plain):
        if "*" in wanted:
            found = {n for stem, some in by_stem.items() if fnmatchcase(stem, wanted) for n in some}
            return sorted(found)
        if wanted in by_stem:
            return by_stem[wanted]
    # A site's address may begin with folders that are above the source.
    parts = plain.split("/")
    tails = ("/".join(parts[at:]) for at in range(1, len(parts)))
    return next((by_stem[t] for t in tails if t in by_stem and f"{t}/".startswith(prefix)), [])
