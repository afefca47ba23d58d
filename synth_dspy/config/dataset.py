"""What a configuration says of the dataset: its name, how it is divided, what may be in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, PrivateAttr, field_validator, model_validator

from synth_dspy.config.base import Number, OptionalText, Section, Whole, broken_rule
from synth_dspy.config.generation import sums_to_one
from synth_dspy.config.paths import PathText, absolute

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Dataset(Section):
    """What the dataset is called and how it is divided."""

    name: str = Field(
        description="Its name, which also names the run directory; letters, digits, `.`, `_`, `-`.",
    )
    description: str = Field(default="", description="A few sentences for the dataset card.")
    train_split: Number = Field(default=0.70, ge=0, le=1, description="Share of `train`.")
    val_split: Number = Field(default=0.15, ge=0, le=1, description="Share of `validation`.")
    test_split: Number = Field(default=0.15, ge=0, le=1, description="Share of `test`.")
    license: str = Field(default="apache-2.0", description="Licence of the dataset, for its card.")
    allowed_licenses: tuple[str, ...] = Field(
        default=(),
        description="Licences that sources may have; documents of a source with another, or with "
        "none, are dropped. None given: every source is used.",
    )
    secrets: Literal["count", "mask", "drop"] = Field(
        default="mask",
        description="What to do with keys, tokens and passwords in documents and samples: count "
        "them, mask them in place, or drop the document or sample.",
    )
    personal_data: Literal["count", "mask", "drop"] = Field(
        default="count",
        description="The same for e-mail addresses, telephone, account and card numbers.",
    )
    decontaminate: tuple[PathText, ...] = Field(
        default=(),
        description="Benchmarks (JSONL, .gz too, or JSON) whose items must not be in the dataset; "
        "relative to the configuration file.",
    )
    semantic_threshold: Number = Field(
        default=0.95,
        ge=0,
        le=1,
        description="Cosine similarity of embeddings from which two samples are duplicates; 0: "
        "they are not compared by embedding.",
    )
    embedding_model: OptionalText = Field(
        default=None,
        description="What embeds them: `provider/model` for a hosted one, "
        "`sentence-transformers/<name>` for a local one; none: hashed character n-grams.",
    )
    chat_formats: tuple[Literal["messages", "sharegpt", "ms-swift"], ...] = Field(
        default=(), description="Forms in which the rows are also exported as conversations."
    )
    max_image_side: Whole = Field(
        default=1024, ge=16, description="Longest side of an exported image, in pixels."
    )

    _base: Path = PrivateAttr(default_factory=Path.cwd)

    def model_post_init(self, context: Any) -> None:
        """Remember the folder that relative paths start at."""
        base = context.get("base") if isinstance(context, dict) else None
        self._base = Path(base) if base is not None else Path.cwd()

    @property
    def resolved_benchmarks(self) -> tuple[Path, ...]:
        """Absolute paths of `decontaminate`. Nothing says yet that they exist."""
        return tuple(absolute(self._base, name) for name in self.decontaminate)

    @property
    def ratios(self) -> tuple[float, float, float]:
        """The shares of train, validation and test."""
        return (self.train_split, self.val_split, self.test_split)

    @field_validator("name")
    @classmethod
    def _can_name_a_folder(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise broken_rule(
                f"{value!r} cannot name a folder; begin with a letter or digit, and use "
                "letters, digits, `.`, `_` and `-` only"
            )
        return value

    @model_validator(mode="after")
    def _splits_sum(self) -> Self:
        names = ("train_split", "val_split", "test_split")
        wrong = sums_to_one({name: getattr(self, name) for name in names})
        if wrong:
            raise broken_rule(f"the splits {wrong}")
        return self
