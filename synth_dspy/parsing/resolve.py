"""A reference as written in a document in, the image's bytes out.

One resolver a document, for relative, site-absolute, data-URI and remote references. Nothing
outside the source's root and its public roots is ever opened, whether `..`, percent signs,
backslashes or symbolic links point there.
"""

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
        self.root = Path(os.path.normpath(file.root))
        self.page_folder = Path(os.path.normpath(self.root / file.path)).parent
        self.public_roots = tuple(Path(os.path.normpath(p)) for p in file.public_roots)

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

    def _find(self, ref: str) -> Path:
        """The file that `ref` names: the spelling as written first, then the usual repairs."""
        outside = False
        for spelling in _spellings(ref):
            for candidate in self._candidates(spelling):
                if not self._inside(candidate):
                    outside = True
                    continue
                found = self._existing(candidate)
                if found is None:
                    continue
                if self._inside(found.resolve(), real=True):
                    return found
                outside = True
        raise ImageError("outside_root" if outside else "missing", ref)

    def _candidates(self, ref: str) -> Iterator[Path]:
        if "\x00" in ref or len(ref) > 1024:
            return
        if not ref.startswith("/"):
            yield Path(os.path.normpath(self.page_folder / ref))
            return
        inner = ref.lstrip("/")
        for root in self.public_roots:
            yield Path(os.path.normpath(root / inner))
        for folder in self._ancestors:
            for name in SITE_FOLDERS:
                yield Path(os.path.normpath(folder / name / inner))
        for folder in self._ancestors:
            yield Path(os.path.normpath(folder / inner))

    @cached_property
    def _ancestors(self) -> tuple[Path, ...]:
        """Folders from the page's own up to the root."""
        folders = [self.page_folder, *self.page_folder.parents]
        return tuple(f for f in folders if f == self.root or self.root in f.parents)

    def _existing(self, path: Path) -> Path | None:
        try:
            if path.name.endswith(".*"):
                choices = (path.with_suffix(suffix) for suffix in EXTENSIONS)
                return next((choice for choice in choices if choice.is_file()), None)
            return path if path.is_file() else None
        except OSError:  # a name that this file system refuses
            return None

    @cached_property
    def _real_roots(self) -> tuple[Path, ...]:
        return tuple(root.resolve() for root in (self.root, *self.public_roots))

    def _inside(self, path: Path, *, real: bool = False) -> bool:
        roots = self._real_roots if real else (self.root, *self.public_roots)
        return any(path == root or root in path.parents for root in roots)

    def _read_file(self, path: Path) -> bytes:
        try:
            size = path.stat().st_size
            if size > self.options.max_image_bytes:
                raise ImageError("too_large", f"{path.name}: {size} bytes")
            return path.read_bytes()
        except OSError as error:
            raise ImageError("unreadable", str(error)) from error

    def _fetch(self, ref: str) -> bytes:
        if not self.options.allow_remote_images:
            raise ImageError("remote", ref)
        from synth_dspy.parsing.remote import fetch

        return fetch(ref, max_bytes=self.options.max_image_bytes)

    @cached_property
    def _by_stem(self) -> dict[str, Path]:
        """Images of the public roots by stem, for components that name a picture without a path."""
        sites = [folder / name for folder in self._ancestors for name in SITE_FOLDERS]
        found: dict[str, Path] = {}
        seen = 0
        for site in dict.fromkeys((*self.public_roots, *sites)):
            for folder, _, names in os.walk(site):
                for name in sorted(names):
                    seen += 1
                    stem, suffix = os.path.splitext(name)  # noqa: PTH122
                    if suffix.lower() in EXTENSIONS:
                        found.setdefault(stem, Path(folder) / name)
                if seen > MAX_NAMED_FILES:
                    return found
        return {k: v for k, v in found.items() if self._inside(v.resolve(), real=True)}


def _spellings(ref: str) -> Iterator[str]:
    """`ref`, then without fragment and query, percent-decoded, and with slashes the usual way."""
    plain = re.split(r"[#?]", ref, maxsplit=1)[0]
    made = [ref, plain, unquote(plain)]
    made += [spelling.replace("\\", "/") for spelling in made if "\\" in spelling]
    yield from dict.fromkeys(spelling for spelling in made if spelling)
