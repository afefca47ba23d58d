"""A document in, the passages that questions are written from out.

Chunks follow what the document is made of: sections of a page, cells of a notebook, slides of a
deck. Each span is exact: `chunk.text == document.text[chunk.start:chunk.end]`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from synth_dspy.parsing.markers import MARKER, without_markers
from synth_dspy.parsing.pieces import Piece, pieces_of
from synth_dspy.parsing.quality import quality_of
from synth_dspy.records import Block, Chunk, CodeBlock, digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_dspy.records import Document

# fmt: off
NO_PRIOR_CODE = frozenset((
    "text", "output", "console", "json", "yaml", "yml", "toml", "ini", "xml", "html", "css",
    "diff", "mermaid", "math", "latex", "svg", "csv", "markdown", "md", "bash", "sh", "shell",
    "zsh", "powershell", "none", "plain", "plaintext", "txt",
))
# fmt: on


@dataclass(frozen=True, slots=True)
class ChunkOptions:
    """Limits of chunks; lengths in characters.

    Attributes:
        max_context_length: of a chunk's text, overlap included.
        chunk_overlap: text of the section repeated from the chunk before, where a section had to
            be divided; never a marker, never code.
        min_chunk_length: a shorter passage joins its neighbour where it fits.
        max_prior_code: of the code before the chunk that goes with it.
        max_surrounding: of `previous_text` and of `next_text`.
    """

    max_context_length: int = 4000
    chunk_overlap: int = 200
    min_chunk_length: int = 200
    max_code_blocks_per_chunk: int = 6
    max_images_per_chunk: int = 6
    max_prior_code: int = 4000
    max_surrounding: int = 600

    def __post_init__(self) -> None:
        if self.max_context_length < 64:
            raise ValueError(f"max_context_length is {self.max_context_length}; at least 64")
        if not 0 <= self.chunk_overlap < self.max_context_length // 2:
            raise ValueError(
                f"chunk_overlap is {self.chunk_overlap}; from 0 to below half of max_context_length"
            )
        if min(self.max_code_blocks_per_chunk, self.max_images_per_chunk) < 1:
            raise ValueError("max_code_blocks_per_chunk and max_images_per_chunk are at least 1")


def chunk_document(document: Document, options: ChunkOptions) -> list[Chunk]:
    """The chunks of a document, in order; none for a document without text.

    They cover the text but white space, no marker stands in two of them, and no chunk passes a
    limit of `options`.
    """
    if not document.text.strip():
        return []
    pieces = pieces_of(
        document,
        max_length=options.max_context_length,
        cut_length=options.max_context_length - options.chunk_overlap,
        max_code=options.max_code_blocks_per_chunk,
        max_images=options.max_images_per_chunk,
    )
    slides = bool(document.stats.get("slides"))
    groups = _merged(list(_packed(pieces, options, slides=slides)), options)
    index = _Index(document)
    equal: Counter[str] = Counter()
    chunks = []
    for number, group in enumerate(groups):
        start, end = _trimmed(document.text, group[0].start, group[-1].end)
        if start == end:
            continue
        if number and not group[0].level:
            start = _overlapped(document, index, start, end, options, groups[number - 1][0].start)
        ordinal = equal[document.text[start:end]]
        equal[document.text[start:end]] += 1
        chunks.append(_chunk(document, index, start, end, ordinal, options))
    return chunks


def _packed(pieces: list[Piece], options: ChunkOptions, *, slides: bool) -> Iterator[list[Piece]]:
    """Pieces joined up to the limits, a new chunk where a section (or a slide) begins."""
    group: list[Piece] = []
    section = 7
    for piece in pieces:
        size = group[-1].end - group[0].start if group else 0
        new_section = bool(piece.level) and (
            piece.level <= section or size >= options.max_context_length // 2
        )
        if slides and group:
            new_section = piece.page != group[-1].page and piece.page != 0
        begins = new_section and size >= options.min_chunk_length
        if group and (begins or not _fits([*group, piece], options)):
            yield group
            group = []
        if not group:
            section = piece.level or 7
        group.append(piece)
    if group:
        yield group


def _fits(group: list[Piece], options: ChunkOptions) -> bool:
    repeats = 0 if group[0].level or group[0].start == 0 else options.chunk_overlap
    return (
        group[-1].end - group[0].start <= options.max_context_length - repeats
        and sum(piece.code for piece in group) <= options.max_code_blocks_per_chunk
        and sum(piece.images for piece in group) <= options.max_images_per_chunk
    )


def _merged(groups: list[list[Piece]], options: ChunkOptions) -> list[list[Piece]]:
    """Groups below the minimum joined to the one before, where both fit into one."""
    merged: list[list[Piece]] = []
    for group in groups:
        short = group[-1].end - group[0].start < options.min_chunk_length
        if merged and short and _fits([*merged[-1], *group], options):
            merged[-1] = [*merged[-1], *group]
        else:
            merged.append(group)
    return merged


class _Index:
    """What is looked up by position, prepared once a document."""

    def __init__(self, document: Document) -> None:
        self.starts = [block.start for block in document.blocks]
        self.code_starts = [block.start for block in document.code_blocks]
        self.code_ends = [block.end for block in document.code_blocks]
        spans = [found.span() for found in MARKER.finditer(document.text)]
        self.marks = [start for start, _ in spans]
        self.mark_ends = [end for _, end in spans]
        self.heading_starts: list[int] = []
        self.heading_paths: list[str] = []
        path: list[tuple[int, str]] = []
        for block in document.blocks:
            if block.kind == "heading":
                while path and path[-1][0] >= block.level:
                    path.pop()
                path.append((block.level, _plain_heading(document.text[block.start : block.end])))
                self.heading_starts.append(block.start)
                self.heading_paths.append(" > ".join(text for _, text in path if text))
        self.images = {image.id: image for image in document.images}

    def outside(self, position: int, *, after: bool) -> int:
        """`position`, or the end (or the start) of the marker that it lies in."""
        found = bisect_left(self.marks, position) - 1
        if found >= 0 and position < self.mark_ends[found]:
            return self.mark_ends[found] if after else self.marks[found]
        return position

    def heading(self, position: int) -> str:
        """The path of headings that `position` stands under."""
        found = bisect_right(self.heading_starts, position)
        return self.heading_paths[found - 1] if found else ""

    def blocks(self, document: Document, start: int, end: int) -> tuple[Block, ...]:
        """Blocks that `text[start:end]` touches."""
        first = max(0, bisect_right(self.starts, start) - 1)
        return tuple(
            b for b in document.blocks[first : bisect_left(self.starts, end)] if b.end > start
        )


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    part = text[start:end]
    start += len(part) - len(part.lstrip())
    return (start, start + len(part.strip())) if part.strip() else (start, start)


def _overlapped(
    document: Document, index: _Index, start: int, end: int, options: ChunkOptions, floor: int
) -> int:
    """Where the chunk begins with its overlap: at a line or sentence, after any marker or code."""
    room = min(options.chunk_overlap, options.max_context_length - (end - start))
    low = max(floor, start - room)
    mark = bisect_left(index.marks, start)
    if mark:
        low = max(low, index.mark_ends[mark - 1])
    code = bisect_left(index.code_starts, start)
    if code:
        low = max(low, min(index.code_ends[code - 1], start))
    for block in index.blocks(document, low, start):
        if block.kind in ("output", "table", "heading"):
            low = max(low, min(block.end, start))
    if low >= start:
        return start
    text = document.text[low:start]
    cut = next(
        (text.find(mark) + len(mark) for mark in ("\n", ". ", " ") if mark in text), len(text)
    )
    whole = not low or document.text[:low].rstrip(" ")[-1:] in ("\n", ".", "!", "?", "]")
    begins = low if whole else low + cut
    while begins < start and document.text[begins].isspace():
        begins += 1
    return begins


def _chunk(
    document: Document, index: _Index, start: int, end: int, ordinal: int, options: ChunkOptions
) -> Chunk:
    text = document.text[start:end]
    blocks = index.blocks(document, start, end)
    images = tuple(index.images[i] for i in MARKER.findall(text) if i in index.images)
    first = bisect_right(index.code_ends, start)
    last = bisect_left(index.code_starts, end)
    code = tuple(
        _clipped(document, block, start, end) for block in document.code_blocks[first:last]
    )
    return Chunk(
        id=digest(document.path, text, ordinal),
        document_id=document.id,
        path=document.path,
        source=document.source,
        kind=document.kind,
        sha256=document.sha256,
        text=text,
        start=start,
        end=end,
        title=document.title,
        revision=document.revision,
        heading=index.heading(start),
        cells=tuple(sorted({b.cell for b in blocks if b.cell is not None})),
        pages=tuple(sorted({b.page for b in blocks if b.page is not None})),
        code_blocks=code,
        images=images,
        prior_code=_prior_code(document, start, first, options.max_prior_code),
        previous_text=_before(document.text, index, start, options.max_surrounding),
        next_text=_after(document.text, index, end, options.max_surrounding),
        quality=quality_of(text, code, images),
    )


def _clipped(document: Document, block: CodeBlock, start: int, end: int) -> CodeBlock:
    """The block, or the part of it that is in the chunk; its output goes with its last part."""
    if start <= block.start and block.end <= end:
        return block
    low, high = max(start, block.start), min(end, block.end)
    lines = document.text[low:high].split("\n")
    if low == block.start and lines and lines[0].lstrip().startswith(("```", "~~~")):
        lines = lines[1:]
    if high == block.end and lines and lines[-1].strip().startswith(("```", "~~~")):
        lines = lines[:-1]
    output = block.output if high == block.end else ""
    return replace(block, start=low, end=high, code="\n".join(lines), output=output)


def _plain_heading(text: str) -> str:
    first = MARKER.sub("", text).strip().split("\n", 1)[0]
    return " ".join(first.strip("#").split()) if first.startswith("#") else " ".join(first.split())


def _prior_code(document: Document, start: int, before: int, limit: int) -> str:
    """Whole blocks of programming code before the chunk, newest last, up to `limit` characters."""
    kept: list[str] = []
    size = 0
    for block in reversed(document.code_blocks[:before]):
        if block.language in NO_PRIOR_CODE or block.start >= start:
            continue
        size += len(block.code) + (2 if kept else 0)
        if size > limit:
            break
        kept.append(block.code)
    return "\n\n".join(reversed(kept))


def _before(text: str, index: _Index, start: int, limit: int) -> str:
    """Up to `limit` characters that end at `start`, in whole words, without markers."""
    low = max(0, start - limit)
    if low:
        low = next((at + 1 for at in range(low - 1, start) if text[at].isspace()), start)
    return without_markers(text[index.outside(low, after=True) : start])


def _after(text: str, index: _Index, end: int, limit: int) -> str:
    """Up to `limit` characters that begin at `end`, in whole words, without markers."""
    high = min(len(text), end + limit)
    if high < len(text):
        high = next((at for at in range(high, end, -1) if text[at].isspace()), end)
    return without_markers(text[end : index.outside(high, after=False)])
