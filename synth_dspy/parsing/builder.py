"""Puts a Document together: text, blocks, code and images, every span counted as it is written.

What the parsers of all kinds share. It knows neither Markdown nor notebooks nor PDF.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from synth_dspy.parsing.image_error import ImageError
from synth_dspy.parsing.markers import MARKER, defused, marker
from synth_dspy.parsing.resolve import Resolver
from synth_dspy.records import (
    Block,
    CodeBlock,
    Document,
    DroppedImage,
    Image,
    ImageOrigin,
    SourceFile,
    digest,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from synth_dspy.parsing.images import ImageStore, StoredImage
    from synth_dspy.parsing.options import ParseOptions
    from synth_dspy.records import BlockKind

SEPARATOR = "\n\n"
MAX_REF_CHARS = 200  # of a data URI kept as a reference

_DECORATIVE = re.compile(
    r"logo|badge|favicon|(?<![a-z])icons?(?![a-z])|avatar|shields\.io|colab|binder|button",
    re.IGNORECASE,
)


def clean(text: str) -> str:
    """`text` as it may stand in a record: LF line ends, no NUL, no lone surrogate, no marker."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\x00" in text:
        text = text.replace("\x00", "")
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
    return defused(text)


class DocumentBuilder:
    """Collects one document; `where` is `cell=` or `page=` of what is added."""

    def __init__(self, file: SourceFile, images: ImageStore, options: ParseOptions) -> None:
        self.file = file
        self.options = options
        self.resolver = Resolver(file, options)
        self.length = 0
        self.first_heading = ""
        self._store = images
        self._parts: list[str] = []
        self._blocks: list[Block] = []
        self._code: list[CodeBlock] = []
        self._images: list[Image] = []
        self._dropped: list[DroppedImage] = []
        self._equal: Counter[str] = Counter()
        self._known: dict[str, StoredImage] = {}

    def add(
        self,
        kind: BlockKind,
        text: str,
        *,
        level: int = 0,
        language: str = "",
        cell: int | None = None,
        page: int | None = None,
    ) -> tuple[int, int]:
        """Append a block; text that is only white space is not added. Returns its span."""
        text = text.strip("\n").rstrip()
        if not text:
            return self.length, self.length
        if self._parts:
            self._parts.append(SEPARATOR)
            self.length += len(SEPARATOR)
        start = self.length
        self._parts.append(text)
        self.length += len(text)
        if kind == "text" and "[IMAGE:" in text and not MARKER.sub("", text).strip():
            kind = "image"
        if kind == "heading" and not self.first_heading:
            self.first_heading = MARKER.sub("", text).strip("# \n=-")
        self._blocks.append(Block(kind, start, self.length, level, cell, page, language))
        return start, self.length

    def add_code(
        self,
        code: str,
        language: str,
        *,
        fenced: str = "",
        output: str = "",
        cell: int | None = None,
        page: int | None = None,
    ) -> None:
        """Append code as a fenced block (or as `fenced`, when it already stands in fences)."""
        if not code.strip():
            return
        fence = _fence(code)
        text = fenced or f"{fence}{language}\n{code.strip(chr(10))}\n{fence}"
        start, end = self.add("code", text, language=language, cell=cell, page=page)
        self._code.append(CodeBlock(code.strip("\n"), language, start, end, cell, page, output))

    def image(
        self,
        ref: str,
        origin: ImageOrigin,
        read: Callable[[], bytes] | None = None,
        *,
        alt: str = "",
        caption: str = "",
        code: str = "",
        cell: int | None = None,
        output: int | None = None,
        page: int | None = None,
        key: str = "",
    ) -> str:
        """Resolve one occurrence of an image.

        Args:
            read: gives the bytes; the resolver with `ref` when left out.
            key: what is read once, however often it is shown; "" for what is shown once.

        Returns:
            Its marker, or "" when it was dropped.
        """
        shown = ref if len(ref) <= MAX_REF_CHARS else f"{ref[:MAX_REF_CHARS]}…"
        try:
            stored = self._known.get(key) if key else None
            if stored is None:
                stored = self._store.add(read() if read else self.resolver.read(ref))
                if key:
                    self._known[key] = stored
            if min(stored.width, stored.height) < self.options.min_image_px:
                raise ImageError("too_small", f"{stored.width} x {stored.height} pixels")
        except ImageError as error:
            self.drop(shown, origin, error.reason, cell=cell, page=page)
            return ""
        ordinal = self._equal[stored.sha256]
        self._equal[stored.sha256] += 1
        small = min(stored.width, stored.height) < self.options.decorative_px
        named = origin not in ("output", "pdf_vector") and bool(
            _DECORATIVE.search(f"{shown} {alt}")
        )
        made = Image(
            id=digest(self.file.path, stored.sha256, ordinal)[:16],
            sha256=stored.sha256,
            mime=stored.mime,
            origin=origin,
            ref=clean(shown),
            cell=cell,
            output=output,
            page=page,
            alt=clean(alt).strip(),
            caption=clean(caption).strip(),
            width=stored.width,
            height=stored.height,
            path=stored.path,
            code=code,
            decorative=small or named or stored.blank,
        )
        self._images.append(made)
        return marker(made.id)

    def drop(
        self,
        ref: str,
        origin: ImageOrigin,
        reason: str,
        *,
        cell: int | None = None,
        page: int | None = None,
    ) -> None:
        """Record an image that is named and not used."""
        self._dropped.append(DroppedImage(clean(ref), origin, reason, cell, page))

    def finish(self, *, title: str = "", stats: Mapping[str, int] | None = None) -> Document:
        """The document, its images in the order of their markers."""
        text = "".join(self._parts)
        place = {found[1]: found.start() for found in MARKER.finditer(text)}
        images = sorted((i for i in self._images if i.id in place), key=lambda i: place[i.id])
        assert len(images) == len(self._images), "an image lost its marker"
        file = self.file
        return Document(
            id=digest(file.source, file.path, file.sha256),
            path=file.path,
            source=file.source,
            kind=file.kind,
            sha256=file.sha256,
            text=text,
            title=clean(title).strip() or self.first_heading,
            revision=file.revision,
            blocks=tuple(self._blocks),
            code_blocks=tuple(self._code),
            images=tuple(images),
            dropped_images=tuple(self._dropped),
            stats=dict(stats or {}),
        )


def _fence(code: str) -> str:
    """A fence longer than any in the code."""
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    return "`" * max(3, longest + 1)
