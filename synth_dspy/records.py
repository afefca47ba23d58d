"""What flows: Document -> Chunk -> Task -> Candidate -> Sample.

Records are frozen dataclasses inside and JSON objects on disk (`to_dict`, `from_dict`, validated by
pydantic). Ids are hashes of what a record was made from, never counters, so what did not change
keeps its id. `content_hash` covers every field and is what a journal's key is made of.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Literal, TypeVar, cast

import orjson
from pydantic import TypeAdapter, ValidationError

from synth_dspy.errors import StoreError

Modality = Literal["text", "multimodal"]
Difficulty = Literal["easy", "medium", "hard"]
Quality = Literal["HIGH", "MEDIUM", "LOW"]
ImageOrigin = Literal[
    "output", "output_tag", "attachment", "markdown", "html", "jsx", "directive",
    "pdf_bitmap", "pdf_vector", "data_uri",
]  # fmt: skip
BlockKind = Literal["heading", "text", "code", "output", "image", "table"]

DocumentKind = str
"""ipynb, mdx, md, pdf, facts, or what a registered parser calls its own."""

QuestionType = str
"""The name of a question type: one of `synth_dspy.programs.types.TYPES`."""

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that a source offers; it has been listed and hashed, not parsed.

    Attributes:
        source: the source's name (the `path` of the configuration).
        root: absolute folder that `path` is relative to and that images may be read from.
        public_roots: absolute folders where site-absolute image paths are looked up.
        sha256: of the bytes.
        revision: commit of a GitHub source, else "".
    """

    source: str
    root: str
    path: str
    kind: DocumentKind
    sha256: str
    size: int
    public_roots: tuple[str, ...] = ()
    revision: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """One occurrence of an image in a document.

    Attributes:
        id: what its marker `[IMAGE:<id>]` in the text says; unique within a run.
        sha256: of the bytes that came in.
        mime: by content, never by extension.
        ref: the reference as written in the document; "" for an output.
        cell, output: 0-based indices in a notebook; page: 1-based in a PDF.
        code: the source of the cell that made it, or "".
        width, height: pixels.
        path: relative to the run directory: `images/<sha256>.<ext>`, the bytes as they came; from
            `transcribe` on the PNG that was drawn of them, where not every reader shows their form.
        decorative: tiny, a logo or a badge.
        description, category: of the transcription; "" until it is transcribed.
    """

    id: str
    sha256: str
    mime: str
    origin: ImageOrigin
    ref: str = ""
    cell: int | None = None
    output: int | None = None
    page: int | None = None
    alt: str = ""
    caption: str = ""
    width: int = 0
    height: int = 0
    path: str = ""
    code: str = ""
    decorative: bool = False
    description: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class DroppedImage:
    """An image that the document names and that could not, or may not, be used."""

    ref: str
    origin: ImageOrigin
    reason: str
    cell: int | None = None
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A span of a document's text.

    Blocks are in order, do not overlap, and cover all of the text but white space.

    Attributes:
        start, end: `document.text[start:end]`, in characters.
        level: 1 to 6 for a heading, else 0.
        cell: 0-based notebook cell; page: 1-based PDF page.
        language: of a code block, lower case; "" when unknown.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    cell: int | None = None
    page: int | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """Code found in a document, with what it printed or returned when the document was made.

    Attributes:
        code: without fences and prompts.
        output: recorded text output (streams, then the result's text/plain), bounded; "" if none.
        start, end: the span of the block in the document's text (fences included).
    """

    code: str
    language: str
    start: int
    end: int
    cell: int | None = None
    page: int | None = None
    output: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed document: text with `[IMAGE:<id>]` markers, and everything that was found in it."""

    id: str
    path: str
    source: str
    kind: DocumentKind
    sha256: str
    text: str
    title: str = ""
    revision: str = ""
    blocks: tuple[Block, ...] = ()
    code_blocks: tuple[CodeBlock, ...] = ()
    images: tuple[Image, ...] = ()
    dropped_images: tuple[DroppedImage, ...] = ()
    stats: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage that questions are written from.

    Attributes:
        text: `document.text[start:end]`, markers included.
        heading: the path of headings above it, joined by " > ".
        cells: 0-based notebook cells it covers; pages: 1-based PDF pages.
        prior_code: code of the document before this chunk, newest last, bounded.
        previous_text, next_text: what stands around it, bounded.
    """

    id: str
    document_id: str
    path: str
    source: str
    kind: DocumentKind
    sha256: str
    text: str
    start: int
    end: int
    title: str = ""
    revision: str = ""
    heading: str = ""
    cells: tuple[int, ...] = ()
    pages: tuple[int, ...] = ()
    code_blocks: tuple[CodeBlock, ...] = ()
    images: tuple[Image, ...] = ()
    prior_code: str = ""
    previous_text: str = ""
    next_text: str = ""
    quality: Quality = "MEDIUM"

    @property
    def provenance(self) -> dict[str, Any]:
        """Where it stands in its source, as what is made of it says in its `metadata`."""
        return {
            "name": self.source,
            "path": self.path,
            "sha256": self.sha256,
            "revision": self.revision,
            "chunk": self.id,
            "span": [self.start, self.end],
            "cells": list(self.cells),
            "pages": list(self.pages),
            "heading": self.heading,
        }


@dataclass(frozen=True, slots=True)
class Task:
    """An order for one sample. Its rank is its place in `planned/tasks.jsonl`, and is not part of
    it: a task that moves up or down is the same task, and nothing of it is asked again.

    Attributes:
        image_id: the image that the question must need; "" for a text task.
        ordinal: 0 for the first task on this chunk, image and type, 1 for the second, and so on.
    """

    id: str
    type: QuestionType
    modality: Modality
    difficulty: Difficulty
    chunk_id: str
    image_id: str = ""
    ordinal: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """How one model step of a sample went: for provenance, so nothing volatile is in it.

    Attributes:
        model: the model's own name; program: hash of the compiled program, "" when uncompiled.
        attempts: how often the step asked, corrections included.
    """

    model: str
    program: str = ""
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Check:
    """What the sandbox said of a code sample.

    Attributes:
        isolation: docker, bwrap or process; assurance: split or inproc.
        tests: tests that ran; mutants_run, mutants_killed: of the mutation gate.
        oracle: where the expected values come from: recorded, executed or written (by the model).
        packages: hash of what the box had besides the standard library, "" for nothing.
    """

    isolation: str
    assurance: str
    tests: int
    mutants_run: int = 0
    mutants_killed: int = 0
    oracle: str = ""
    packages: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The judge's bool-only rubric; `passed` is computed from the criteria, never asked."""

    passed: bool
    criteria: dict[str, bool]
    reason: str = ""
    image_seen: bool = True


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question with its test, and, once answered, its answer; what `plan` to `classify` pass on.

    Attributes:
        question: for function_completion the stub (imports, signature, docstring, `pass`).
        answer: for function_completion the indented body; for code_generation a whole program.
        test_code, entry_point: "" for types in words.
        steps: by step name (question, test, answer, curate, classify, ...).
    """

    task: Task
    chunk: Chunk
    question: str
    test_code: str = ""
    entry_point: str = ""
    oracle: str = ""
    answer: str = ""
    category: str = ""
    steps: dict[str, Step] = field(default_factory=dict)
    check: Check | None = None
    judgement: Judgement | None = None

    @property
    def image(self) -> Image | None:
        """The image that the question is about, or None for a text task."""
        return next((i for i in self.chunk.images if i.id == self.task.image_id), None)


@dataclass(frozen=True, slots=True)
class Sample:
    """A row of the dataset; the columns of the contract, and what `build` needs to place it.

    Attributes:
        image: path of the image relative to the run directory, or "".
        metadata: provenance; one JSON object.
        split: train, validation or test; "" before `build`.
        rank: of the task; a lower rank wins among duplicates.
    """

    id: str
    rank: int
    question: str
    answer: str
    category: str
    type: QuestionType
    difficulty: Difficulty
    test_code: str
    entry_point: str
    image: str
    has_image: bool
    code_context: str
    source: str
    metadata: dict[str, Any]
    chunk_id: str = ""
    split: str = ""


def digest(*parts: object) -> str:
    """32 hex characters of BLAKE2b over `parts`, each as canonical JSON."""
    data = orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def content_hash(record: object) -> str:
    """Hash of every field of a record; equal content gives an equal hash on any machine."""
    return digest(record)


@cache
def _adapter(cls: Any) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


def to_dict(record: object) -> dict[str, Any]:
    """A record as a JSON object."""
    result: dict[str, Any] = orjson.loads(orjson.dumps(record))
    return result


def from_dict(cls: type[R], data: object, *, where: str = "") -> R:
    """A record from a JSON object.

    Raises:
        StoreError: a field is missing or has the wrong type; the text names it and `where`.
    """
    try:
        record: R = _adapter(cast(Any, cls)).validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise StoreError(
            f"{where or 'A record'} is not a {cls.__name__}: {place}: {first['msg']}. "
            "It was written by another version or changed by hand; run the stage again with "
            "--no-cache."
        ) from error
    return record


def field_names(cls: type[Any]) -> tuple[str, ...]:
    """The fields of a record class, in order."""
    return tuple(f.name for f in fields(cls))
