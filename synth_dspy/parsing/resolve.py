"""A reference as written in a document in, the image's bytes out.

One resolver a document, for relative, site-absolute, data-URI and remote references. Nothing
outside the source's root and its public roots is ever opened, whether `..`, percent signs,
backslashes or symbolic links point there. Paths are plain text here: this runs several times for
every image.
"""

# ruff: noqa: PTH113, PTH114, PTH119, PTH120, PTH122, PTH123

from __future__ import annotations

import binascii
import os
import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_to_bytes

from synth_dspy.parsing.image_error import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_dspy.parsing.options import ParseOptions
    from synth_dspy.records import SourceFile

SITE_FOLDERS = ("public", "static")
EXTENSIONS = (".png", ".svg", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".tiff", ".tif", ".bmp")
MAX_NAMED_FILES = 50_000

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+:")


def decode_base64(text: str) -> bytes:
    """Bytes of base64 as notebooks spell it: with line ends, without padding, with a data prefix.

    Raises:
        ImageError: `unreadable`, when it is not base64.
    """
    if text.startswith("data:"):
        return decode_data_uri(text)
    packed = text.strip().rstrip("=")
    if "\n" in packed or " " in packed or "\t" in packed or "\r" in packed:
        packed = "".join(packed.split()).rstrip("=")
    if not packed:
        raise ImageError("unreadable", "not base64")
    try:
        return binascii.a2b_base64(packed + "=" * (-len(packed) % 4), strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise ImageError("unreadable", f"not base64: {error}") from error


def decode_data_uri(uri: str) -> bytes:
    """Bytes of a `data:` URI, base64 or percent-encoded.

    Raises:
        ImageError: `unreadable`.
    """
    head, comma, body = uri.partition(",")
    if not comma:
        raise ImageError("unreadable", "a data URI without data")
    if head.rstrip().endswith(";base64"):
        return decode_base64(unquote(body) if "%" in body else body)
    return unquote_to_bytes(body)


class Resolver:
    """Reads what one document refers to."""

    def __init__(self, file: SourceFile, options: ParseOptions) -> None:
        self.options = options
        self.root = os.path.normpath(file.root)
        self.page_folder = os.path.dirname(_below(self.root, file.path))
        self.public_roots = tuple(os.path.normpath(root) for root in file.public_roots)
        self._real_folders: dict[str, str] = {}

    def read(self, ref: str) -> bytes:
        """The bytes that `ref` leads to.

        Raises:
            ImageError: `missing`, `outside_root`, `remote`, `too_large`, `unreadable`.
        """
        ref = ref.strip()
        if ref.startswith("data:"):
            return decode_data_uri(ref)
        if ref.startswith(("http://", "https://", "//")):
            return self._fetch(ref)
        if ref.lower().startswith("file:"):
            raise ImageError("outside_root", ref)
        if _SCHEME.match(ref) and not _SCHEME.match(ref)[0][1:2] == ":":  # type: ignore[index]
            raise ImageError("missing", f"{ref!r} has a scheme that leads to no file")
        return self._read_file(self._find(ref))

    def read_named(self, name: str) -> bytes | None:
        """The bytes of the one image of the public roots whose stem is `name`, else None."""
        path = self._by_stem.get(name)
        return self._read_file(path) if path else None

    def _find(self, ref: str) -> str:
        """The file that `ref` names: the spelling as written first, then the usual repairs."""
        outside = False
        for spelling in _spellings(ref):
            for candidate in self._candidates(spelling):
                if not _inside(candidate, self._roots):
                    outside = True
                    continue
                found = _existing(candidate)
                if found is None:
                    continue
                if _inside(self._real(found), self._real_roots):
                    return found
                outside = True
        raise ImageError("outside_root" if outside else "missing", ref)

    def _candidates(self, ref: str) -> Iterator[str]:
        if "\x00" in ref or len(ref) > 1024:
            return
        if not ref.startswith("/"):
            yield _below(self.page_folder, ref)
            return
        inner = ref.lstrip("/")
        for root in self.public_roots:
            yield _below(root, inner)
        for folder in self._ancestors:
            for name in SITE_FOLDERS:
                yield _below(f"{folder}/{name}", inner)
        for folder in self._ancestors:
            yield _below(folder, inner)

    @cached_property
    def _ancestors(self) -> tuple[str, ...]:
        """Folders from the page's own up to the root."""
        folders = [self.page_folder, *map(str, Path(self.page_folder).parents)]
        return tuple(folder for folder in folders if _inside(folder, (self.root,)))

    @cached_property
    def _roots(self) -> tuple[str, ...]:
        return (self.root, *self.public_roots)

    @cached_property
    def _real_roots(self) -> tuple[str, ...]:
        return tuple(map(os.path.realpath, self._roots))

    def _real(self, path: str) -> str:
        """Where every link on the way to the file leads; folders are looked at once."""
        folder, name = os.path.split(path)
        real = self._real_folders.get(folder)
        if real is None:
            real = self._real_folders[folder] = os.path.realpath(folder)
        return os.path.realpath(path) if os.path.islink(path) else f"{real}/{name}"

    def _read_file(self, path: str) -> bytes:
        try:
            with open(path, "rb", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size
                if size > self.options.max_image_bytes:
                    raise ImageError("too_large", f"{os.path.basename(path)}: {size} bytes")
                return file.readall()
        except OSError as error:
            raise ImageError("unreadable", str(error)) from error

    def _fetch(self, ref: str) -> bytes:
        if not self.options.allow_remote_images:
            raise ImageError("remote", ref)
        from synth_dspy.parsing.remote import fetch

        return fetch(ref, max_bytes=self.options.max_image_bytes)

    @cached_property
    def _by_stem(self) -> dict[str, str]:
        """Images of the public roots by stem, for components that name a picture without a path."""
        sites = [f"{folder}/{name}" for folder in self._ancestors for name in SITE_FOLDERS]
        found: dict[str, str] = {}
        seen = 0
        for site in dict.fromkeys((*self.public_roots, *sites)):
            for folder, _, names in os.walk(site):
                for name in sorted(names):
                    seen += 1
                    stem, suffix = os.path.splitext(name)
                    if suffix.lower() in EXTENSIONS:
                        found.setdefault(stem, f"{folder}/{name}")
                if seen > MAX_NAMED_FILES:
                    return found
        return {k: v for k, v in found.items() if _inside(self._real(v), self._real_roots)}


def _below(folder: str, inner: str) -> str:
    return os.path.normpath(f"{folder}/{inner}")


def _inside(path: str, roots: tuple[str, ...]) -> bool:
    return any(path == root or path.startswith(f"{root.rstrip('/')}/") for root in roots)


def _existing(path: str) -> str | None:
    if path.endswith(".*"):
        choices = (path[:-2] + suffix for suffix in EXTENSIONS)
        return next((choice for choice in choices if os.path.isfile(choice)), None)
    return path if os.path.isfile(path) else None


def _spellings(ref: str) -> Iterator[str]:
    """`ref`, then without fragment and query, percent-decoded, and with slashes the usual way."""
    plain = re.split(r"[#?]", ref, maxsplit=1)[0]
    made = [ref, plain, unquote(plain)]
    made += [spelling.replace("\\", "/") for spelling in made if "\\" in spelling]
    yield from dict.fromkeys(spelling for spelling in made if spelling)
