"""The whole configuration of a run, as one frozen model.

In: the mapping that `load` read, expanded and translated. Out: `Config`, whose paths are absolute
and whose rules hold. It reads no file and no environment.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator

from synth_dspy.config.base import (
    Number,
    OptionalText,
    OptionalWhole,
    Section,
    Whole,
    broken_rule,
    broken_rules,
    repeated,
    unique,
)
from synth_dspy.config.content import Category, Parsing, Source, checked_categories
from synth_dspy.config.conversations import Conversations
from synth_dspy.config.dataset import Dataset
from synth_dspy.config.endpoints import Endpoint, Models, Role
from synth_dspy.config.generation import Generation
from synth_dspy.config.paths import absolute, checked_path
from synth_dspy.config.redact import redacted
from synth_dspy.config.routing import Routing
from synth_dspy.config.rows import Rows

Recipe = Literal["assistant", "rows", "conversations", "routing"]


class Sandbox(Section):
    """Where the code of samples is run."""

    backend: Literal["auto", "docker", "bwrap", "process"] = Field(
        default="auto",
        description="`auto` takes Docker, then bubblewrap. `process` isolates nothing: it runs "
        "what a model wrote with your rights, and only where it is asked for by name.",
    )
    image: OptionalText = Field(
        default=None, description="Docker image to use as it is; none: one is built."
    )
    base_image: OptionalText = Field(
        default=None, description="Image to build on; none: the default of the Dockerfile."
    )
    packages: tuple[str, ...] = Field(
        default=(), description="Packages to install in the image, pinned: `numpy==2.3.0`."
    )
    preload: tuple[str, ...] = Field(
        default=(), description="Modules that a worker imports once, to make each test faster."
    )
    workers: OptionalWhole = Field(
        default=None, ge=1, description="Warm workers; none: one for each core."
    )
    memory_mb: Whole = Field(default=1024, ge=64, description="Memory of one test, in MiB.")


class Tracking(Section):
    """What is logged to MLflow."""

    enabled: bool = Field(default=True, description="Log runs, plots and the card to MLflow.")
    uri: OptionalText = Field(
        default=None, description="A tracking server; none: sqlite:///outputs/mlflow.db."
    )
    experiment: OptionalText = Field(
        default=None, description="The experiment's name; none: the dataset's name."
    )
    sample_rate: Number = Field(
        default=0.0, ge=0, le=1, description="Share of the samples whose model calls are traced."
    )


class Replies(Section):
    """Where models' replies are kept, so that no call is paid twice."""

    path: OptionalText = Field(
        default=None,
        description="A file that several runs may share, relative to the working directory; none: "
        "replies.sqlite in the run directory.",
    )


class Config(Section):
    """Everything that a run is told."""

    recipe: Recipe = Field(default="assistant", description="The ordered list of stages to run.")
    sources: tuple[Source, ...] = Field(
        default=(), validate_default=True, description="Where documents come from."
    )
    categories: tuple[Category, ...] = Field(
        default=(), description="What finished samples are sorted into; none: one for all."
    )
    models: Models = Field(
        default_factory=Models, description="The models to ask; none: the offline model."
    )
    prompts: dict[str, str] = Field(
        default_factory=dict,
        description="Instructions that replace those of a step's signature, by the step's name.",
    )
    generation: Generation = Field(
        default_factory=Generation, description="How many samples of what kind, and the limits."
    )
    rows: Rows = Field(default_factory=Rows, description="What the recipe `rows` makes.")
    conversations: Conversations = Field(
        default_factory=Conversations, description="What the recipe `conversations` makes."
    )
    routing: Routing = Field(
        default_factory=Routing, description="What the recipe `routing` makes, and from what."
    )
    dataset: Dataset = Field(description="What the dataset is called and how it is divided.")
    parsing: Parsing = Field(
        default_factory=Parsing, description="How documents and their images are read."
    )
    sandbox: Sandbox = Field(
        default_factory=Sandbox, description="Where the code of samples is run."
    )
    tracking: Tracking = Field(default_factory=Tracking, description="What is logged to MLflow.")
    replies: Replies = Field(default_factory=Replies, description="Where models' replies are kept.")
    seed: Whole = Field(default=42, ge=0, description="Decides everything that is drawn by lot.")
    output_dir: Path = Field(
        default_factory=lambda data: Path("outputs", data["dataset"].name),
        validate_default=True,
        description="The run directory, relative to the working directory; none: "
        "outputs/<dataset.name>.",
    )

    _file: Path | None = PrivateAttr(default=None)
    _arguments: tuple[str, ...] = PrivateAttr(default=())

    @field_validator("sources")
    @classmethod
    def _sources_differ(cls, value: tuple[Source, ...], info: ValidationInfo) -> tuple[Source, ...]:
        if not value and info.data.get("recipe") == "assistant":
            raise broken_rule("the recipe `assistant` reads documents; give at least one source")
        again = repeated([source.name for source in value])
        if again:
            listed = ", ".join(repr(name) for name in again)
            raise broken_rule(
                f"{listed} is the path of more than one source; merge their settings in one"
            )
        return value

    @field_validator("categories")
    @classmethod
    def _categories_differ(cls, value: tuple[Category, ...]) -> tuple[Category, ...]:
        return checked_categories(unique(value, [category.name for category in value], "name"))

    @field_validator("generation")
    @classmethod
    def _roles_name_endpoints(cls, value: Generation, info: ValidationInfo) -> Generation:
        models: Models | None = info.data.get("models")
        if models is None:
            return value
        known = ", ".join(models.names)
        asked = {f"{role}_model": getattr(value, f"{role}_model") for role in get_args(Role)}
        problems = [
            (key, f"{name!r} is not an endpoint of models.endpoints; known: {known}")
            for key, name in asked.items()
            if name is not None and models.get(name) is None
        ]
        if problems:
            raise broken_rules(problems)
        return value

    @field_validator("output_dir")
    @classmethod
    def _starts_at_the_working_directory(cls, value: Path) -> Path:
        return absolute(Path.cwd(), checked_path(str(value)))

    def model_post_init(self, context: Any) -> None:
        """Remember the file that this was read from, and what the command line changed of it."""
        told = context if isinstance(context, dict) else {}
        self._file, self._arguments = told.get("file"), told.get("arguments", ())

    @property
    def file(self) -> Path | None:
        """The file that this was read from, as the user named it; None when made in Python."""
        return self._file

    @property
    def arguments(self) -> tuple[str, ...]:
        """What the command line said besides the file, without secrets: `--set seed=7`."""
        return self._arguments

    def with_argument(self, argument: str) -> Self:
        """A copy that also remembers `argument`."""
        copy = self.model_copy()
        copy._arguments = (*self._arguments, argument)
        return copy

    def endpoint_for(self, role: Role) -> Endpoint:
        """The endpoint that serves a role.

        In this order: the one that `generation.<role>_model` names; one named after the role
        (`answer` or `answer-model`); for `filter` the one of `curate`; the first endpoint.
        """
        name = getattr(self.generation, f"{role}_model")
        found = self.models.get(name) if name else self.models.named_after(role)
        if found is not None:
            return found
        return self.endpoint_for("curate") if role == "filter" else self.models.endpoints[0]

    def sees(self, endpoint: Endpoint) -> bool:
        """Whether an endpoint's model can be sent pictures; the offline model never."""
        if endpoint.is_offline:
            return False
        if endpoint.vision is not None:
            return endpoint.vision
        return endpoint.name == self.endpoint_for("vision").name

    def redacted(self) -> dict[str, Any]:
        """Every setting with its resolved value as JSON, secrets replaced by `***`."""
        return redacted(self.model_dump(mode="python"))
