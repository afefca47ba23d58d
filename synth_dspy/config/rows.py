"""The `rows` section: what the recipe of that name is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, PrivateAttr, field_validator, model_validator

from synth_dspy.config.base import OptionalText, Section, Whole, broken_rule
from synth_dspy.config.paths import PathText, absolute

RowFormatName = Literal["pair-class", "pair-score", "pair", "triplet", "qa"]
OutputFormat = Literal["jsonl", "csv", "parquet"]
OUTPUT_FORMATS: tuple[OutputFormat, ...] = ("jsonl", "csv", "parquet")


class Rows(Section):
    """Settings of the `rows` recipe. Its documents are the `sources`."""

    query: OptionalText = Field(
        default=None,
        description="What the rows are to be about, in words. With `sources` it chooses their "
        "passages; without, a model writes from the request alone.",
    )
    format: RowFormatName | None = Field(
        default=None, description="The rows' format; or `custom_format` names a file."
    )
    custom_format: OptionalText = Field(
        default=None,
        description="A format of your own: a JSON file, a JSON Schema, or `module:Model` of a "
        "pydantic model. A file is relative to the configuration file.",
    )
    samples: Whole = Field(default=50, ge=1, description="Unique accepted rows to end with.")
    refine: bool = Field(
        default=True, description="Let the model make the query clearer first; it is shown."
    )
    batch_size: Whole = Field(default=25, ge=1, le=500, description="Most rows of one call.")
    max_retries: Whole = Field(
        default=5,
        ge=0,
        description="How often a batch is asked for again when no row of it can be read.",
    )
    judge: bool = Field(default=True, description="Keep only rows that the judge accepts.")
    saturation_batches: Whole = Field(
        default=20,
        ge=1,
        description="Stop after so many batches in a row that brought no new row; or after a "
        "tenth of the passages, where that is more.",
    )
    output_prefix: PathText = Field(
        default="synthetic_data",
        min_length=1,
        description="Start of the files' names, which may have a folder; relative to the working "
        "directory: <prefix>_<format>_<from_query|from_docs>.<ext>.",
    )
    output_formats: tuple[OutputFormat, ...] = Field(
        default=OUTPUT_FORMATS, min_length=1, description="The files to write at the end."
    )
    incremental_save: bool = Field(
        default=False,
        description="Write JSONL and CSV while rows are accepted, not only at the end.",
    )

    _base: Path = PrivateAttr(default_factory=Path.cwd)

    def model_post_init(self, context: Any) -> None:
        """Remember the folder that relative paths start at."""
        base = context.get("base") if isinstance(context, dict) else None
        self._base = Path(base) if base is not None else Path.cwd()

    @field_validator("query")
    @classmethod
    def _says_something(cls, value: str | None) -> str | None:
        return value.strip() if value else value

    @model_validator(mode="after")
    def _has_one_format(self) -> Self:
        if self.format is not None and self.custom_format is not None:
            raise broken_rule(
                "`custom_format` is given, too; take one of the two out", key="format"
            )
        return self

    @property
    def custom_format_path(self) -> Path | None:
        """The file of a custom format, absolute; None without one, or where it is a module's."""
        if self.custom_format is None or _is_module(self.custom_format):
            return None
        return absolute(self._base, self.custom_format)

    @property
    def origin(self) -> str:
        """What files are named after: `from_query` or `from_docs`."""
        return "from_query" if self.query else "from_docs"


def _is_module(name: str) -> bool:
    return ":" in name and not name.endswith(".json")
