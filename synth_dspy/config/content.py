"""The sections that say what a run reads: sources, categories, parsing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr

from synth_dspy.config.base import Number, OptionalWhole, Section, Whole, broken_rule
from synth_dspy.config.paths import PathText, absolute
from synth_dspy.config.patterns import PatternText


class Source(Section):
    """A place that documents come from.

    Relative paths start at the folder of the configuration file; at the working directory when
    the section was made in Python.
    """

    path: PathText = Field(
        min_length=1,
        description="A folder or a file; for `github` the repository: `owner/name` or its URL. "
        "Relative to the configuration file.",
    )
    type: Literal["directory", "github"] = Field(
        default="directory", description="Where `path` is: on this machine, or on GitHub."
    )
    folders: tuple[PathText, ...] = Field(
        default=(), description="Folders inside the source to read; none: all of it."
    )
    include_patterns: tuple[PatternText, ...] = Field(
        default=(),
        description="Files to read, as patterns of a .gitignore; none: all that a parser reads.",
    )
    exclude_patterns: tuple[PatternText, ...] = Field(
        default=(),
        description="Files to leave out of those, in the same patterns; folders such as .git and "
        "node_modules are always left out.",
    )
    public_roots: tuple[PathText, ...] = Field(
        default=(),
        description="Folders that site-absolute image paths such as /images/a.png start at; none: "
        "any `public/` or `static/` folder of the source and of the folders above it.",
    )
    max_files: OptionalWhole = Field(
        default=None, ge=1, description="Read the first so many files only, in sorted order."
    )
    license: str = Field(
        default="",
        description="Licence of what is read here, as the Hub writes it (`cc-by-4.0`); for the "
        "dataset card, and for dataset.allowed_licenses.",
    )

    _base: Path = PrivateAttr(default_factory=Path.cwd)

    def model_post_init(self, context: Any) -> None:
        """Remember the folder that relative paths start at."""
        base = context.get("base") if isinstance(context, dict) else None
        self._base = Path(base) if base is not None else Path.cwd()

    @property
    def name(self) -> str:
        """What records call this source: `path` as it was written."""
        return self.path

    @property
    def resolved(self) -> Path:
        """Absolute path of a `directory` source. Nothing says yet that it exists."""
        return absolute(self._base, self.path)

    @property
    def resolved_public_roots(self) -> tuple[Path, ...]:
        """Absolute paths of `public_roots`."""
        return tuple(absolute(self._base, root) for root in self.public_roots)


class Category(Section):
    """A category that finished samples are sorted into."""

    name: str = Field(min_length=1, description="What the dataset's `category` column says.")
    description: str = Field(
        default="", description="What belongs here: the classifier reads it, so be concrete."
    )
    weight: Number = Field(
        default=1.0, ge=0, description="How much planning favours passages of this category."
    )


class Parsing(Section):
    """How documents and their images are read."""

    pdf_tables: bool = Field(
        default=False, description="Find tables in PDFs, which takes several times as long."
    )
    pdf_ocr: bool = Field(
        default=True, description="Read pages without text by Tesseract, where it is installed."
    )
    pdf_min_image_px: Whole = Field(
        default=64,
        ge=1,
        description="Smaller bitmaps of a PDF are ornaments; of a side, in pixels.",
    )
    max_pages: Whole = Field(default=5000, ge=1, description="Refuse PDFs with more pages.")
    max_output_chars: Whole = Field(
        default=4000, ge=0, description="Recorded output to keep of a notebook's cell."
    )
    allow_remote_images: bool = Field(
        default=False, description="Fetch images that a document refers to by URL."
    )
    min_image_px: Whole = Field(
        default=2, ge=1, description="Drop images with a shorter side, in pixels."
    )
    decorative_px: Whole = Field(
        default=32, ge=1, description="Mark images with a shorter side as decorative, in pixels."
    )
    max_image_pixels: Whole = Field(
        default=100_000_000,
        ge=1,
        description="Drop images with more pixels, without decoding them.",
    )
    max_image_bytes: Whole = Field(
        default=64 * 1024 * 1024, ge=1, description="Drop image files with more bytes, unread."
    )


def checked_categories(categories: tuple[Category, ...]) -> tuple[Category, ...]:
    """`categories` as they are.

    Raises:
        PydanticCustomError: there are some, and every weight is 0.
    """
    if categories and not any(category.weight for category in categories):
        raise broken_rule("every weight is 0; give at least one category a weight above 0")
    return categories
