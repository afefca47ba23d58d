"""EPUB books: chapters in the order of the spine, with the images that lie in the book.

The archive is read in memory, member by member and bounded: nothing is unpacked to disk, and a
member that claims more than its share is refused before it is read.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from typing import TYPE_CHECKING
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from synth_dspy.errors import DocumentError
from synth_dspy.parsing.builder import DocumentBuilder
from synth_dspy.parsing.html import add_html, decode_html
from synth_dspy.parsing.image_error import ImageError

if TYPE_CHECKING:
    from synth_dspy.parsing.images import ImageStore
    from synth_dspy.parsing.options import ParseOptions
    from synth_dspy.records import Document, SourceFile

MAX_BOOK_BYTES = 512 * 1024 * 1024  # of all that is read from one book
PAGES = ("application/xhtml+xml", "text/html")
# What the refusal of a member means for the image that it holds.
_OF_IMAGES = {"invalid_epub": "missing", "encrypted": "unreadable", "too_large": "too_large"}


def parse(data: bytes, file: SourceFile, images: ImageStore, options: ParseOptions) -> Document:
    """A book as a document; `page` of its blocks and images is the chapter, from 1.

    Raises:
        DocumentError: `invalid_epub`, `encrypted`, `too_large`, `encoding`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            book = _Book(archive, file)
            title, chapters = book.chapters()
            builder = DocumentBuilder(file, images, options)
            for number, name in enumerate(chapters, 1):

                def read(ref: str, name: str = name) -> bytes:
                    return book.image(name, ref)

                add_html(builder, decode_html(book.read(name)), page=number, read=read)
            return builder.finish(title=title, stats={"chapters": len(chapters)})
    except (zipfile.BadZipFile, zlib.error, ET.ParseError, NotImplementedError) as error:
        raise DocumentError("invalid_epub", f"{file.path}: {error}") from error


class _Book:
    """An open archive, and how much may still be read from it."""

    def __init__(self, archive: zipfile.ZipFile, file: SourceFile) -> None:
        self._archive = archive
        self._file = file
        self._left = MAX_BOOK_BYTES

    def chapters(self) -> tuple[str, list[str]]:
        """The title, and the names of the pages in reading order."""
        container = ET.fromstring(self.read("META-INF/container.xml"))
        root = next((e.get("full-path", "") for e in container.iter() if _is(e, "rootfile")), "")
        package = ET.fromstring(self.read(root))
        items: dict[str, str] = {}
        spine: list[str] = []
        title = ""
        for element in package.iter():
            if _is(element, "item") and element.get("media-type") in PAGES:
                href = unquote(element.get("href", ""))
                path = posixpath.normpath(posixpath.join(posixpath.dirname(root), href))
                items[element.get("id", "")] = path
            elif _is(element, "itemref"):
                spine.append(element.get("idref", ""))
            elif _is(element, "title") and not title:
                title = element.text or ""
        # A spine names a page once (EPUB 3.3, 5.7): one that names it again and again is a bomb.
        return title, list(dict.fromkeys(items[name] for name in spine if name in items))

    def read(self, name: str) -> bytes:
        """A member's bytes.

        Raises:
            DocumentError: it is not there, is encrypted, or is too large.
        """
        try:
            info = self._archive.getinfo(name)
        except KeyError as error:
            raise DocumentError("invalid_epub", f"{self._file.path} has no {name!r}") from error
        if info.flag_bits & 1:
            raise DocumentError(
                "encrypted",
                f"{self._file.path}: {name!r} needs a password; save a copy without one",
            )
        if info.file_size > self._left:
            raise DocumentError(
                "too_large", f"{self._file.path} unpacks to over {MAX_BOOK_BYTES} bytes; divide it"
            )
        self._left -= info.file_size
        with self._archive.open(info) as member:
            return member.read(info.file_size)

    def image(self, page: str, ref: str) -> bytes:
        """The bytes of an image that `page` shows as `ref`.

        Raises:
            ImageError: `remote`, `missing`, `too_large`, `unreadable`.
        """
        if "://" in ref or ref.startswith("//"):
            raise ImageError("remote", ref)
        path = unquote(ref.split("#")[0].split("?")[0])
        name = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)).lstrip("/")
        try:
            return self.read(name)
        except DocumentError as error:
            raise ImageError(_OF_IMAGES[error.reason], error.detail) from error
        except (zipfile.BadZipFile, zlib.error) as error:
            raise ImageError("unreadable", str(error)) from error


def _is(element: ET.Element, name: str) -> bool:
    return element.tag.rsplit("}", 1)[-1] == name
