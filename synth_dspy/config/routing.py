"""The `routing` section: which optimizer's examples are made, from what content, by whom.

Profiles and agents are the user's own; the defaults fit the shipped content.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr, SecretStr, field_validator

from synth_dspy.config.base import Number, OptionalText, Section, Whole, broken_rule
from synth_dspy.config.paths import absolute, checked_path

Modality = Literal["VIDEO", "DOCUMENT", "IMAGE", "AUDIO"]
SamplingStrategy = Literal[
    "diverse", "temporal_recent", "entity_rich", "multi_modal_sequences", "by_modality",
    "cross_modal_pairs",
]  # fmt: skip
ContentField = Literal[
    "id", "tenant", "modality", "title", "description", "transcript", "created_at", "entities",
    "cluster",
]  # fmt: skip

_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Profile(Section):
    """A way in which content is indexed and can be searched."""

    description: str = Field(min_length=1, description="What it indexes; the selection reads it.")
    modalities: tuple[Modality, ...] = Field(min_length=1, description="What it covers.")


class Agent(Section):
    """An agent that queries are routed to."""

    description: str = Field(min_length=1, description="What it does; the router reads it.")
    modalities: tuple[Modality, ...] = Field(
        default=(), description="What it searches; none: it works on what others found."
    )
    tasks: tuple[Literal["search", "summarize", "report", "compare"], ...] = Field(
        default=("search",), min_length=1, description="What it can be asked to do."
    )
    seconds: Number = Field(
        default=1.0, gt=0, description="A typical time, from which execution times are derived."
    )


class Backend(Section):
    """Where content is sampled from.

    A relative `path`, and those of the three files for TLS, start at the folder of the
    configuration file.
    """

    kind: Literal["duckdb", "vespa"] = Field(
        default="duckdb", description="DuckDB in this process, or a Vespa server."
    )
    path: OptionalText = Field(
        default=None,
        description="duckdb: a file that `content load` made, or a folder of JSONL or Parquet; "
        "none: the shipped content.",
    )
    url: str = Field(
        default="http://localhost:8080", description="vespa: address of its query API."
    )
    document_type: str = Field(default="content", description="vespa: the schema to query.")
    fields: dict[ContentField, str] = Field(
        default_factory=dict, description="vespa: what a field is called there, where it differs."
    )
    certificate: OptionalText = Field(
        default=None, description="vespa: file of the client's certificate, for TLS."
    )
    key: OptionalText = Field(default=None, description="vespa: file of the certificate's key.")
    ca_certificate: OptionalText = Field(
        default=None,
        description="vespa: file of the authority's certificate that the server's is signed by; "
        "none: those that are known to everybody.",
    )
    timeout: Number = Field(default=10.0, gt=0, description="Of one query, in seconds.")
    page_size: Whole = Field(default=100, ge=1, le=400, description="vespa: hits of one request.")

    _base: Path = PrivateAttr(default_factory=Path.cwd)

    @field_validator("path", "certificate", "key", "ca_certificate")
    @classmethod
    def _can_be_a_path(cls, value: str | None) -> str | None:
        return value if value is None else checked_path(value)

    @field_validator("document_type")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        if not _FIELD_NAME.fullmatch(value):
            raise broken_rule(f"{value!r} is not a name of Vespa's: letters, digits and _ only")
        return value

    @field_validator("fields")
    @classmethod
    def _are_names(cls, value: dict[ContentField, str]) -> dict[ContentField, str]:
        for name in value.values():
            cls._is_a_name(name)
        return value

    def model_post_init(self, context: Any) -> None:
        """Remember the folder that a relative path starts at."""
        base = context.get("base") if isinstance(context, dict) else None
        self._base = Path(base) if base is not None else Path.cwd()

    @property
    def resolved(self) -> Path | None:
        """Absolute `path`; None without one."""
        return self.absolute(self.path)

    def absolute(self, path: str | None) -> Path | None:
        """A path of this section from its start; None for none."""
        return None if path is None else absolute(self._base, path)


class Serving(Section):
    """How `serve` listens."""

    host: str = Field(default="127.0.0.1", description="Address to listen at.")
    port: Whole = Field(default=8000, ge=0, le=65535, description="Port; 0: any free one.")
    api_key: SecretStr = Field(
        default=SecretStr(""),
        description="Key that clients send as `X-API-Key`; required at any address but loopback.",
    )
    max_body_bytes: Whole = Field(default=65_536, ge=256, description="Refuse longer bodies.")
    requests_per_minute: Whole = Field(
        default=1200, ge=0, description="Of one client; 0: any number."
    )
    trusted_proxies: tuple[str, ...] = Field(
        default=(),
        description="Addresses or networks of proxies whose `X-Forwarded-For` says who the client "
        "is; none: the client is who connects.",
    )
    timeout: Number = Field(default=60.0, gt=0, description="Of one request, in seconds.")
    shutdown_seconds: Whole = Field(
        default=30, ge=1, description="How long accepted requests may take once it is stopped."
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for given in value:
            try:
                ipaddress.ip_network(given)
            except ValueError as error:
                raise broken_rule(
                    f"{given!r} is no address and no network; it looks like 10.0.0.2 or 10.0.0.0/24"
                ) from error
        return value


def _profiles() -> dict[str, Profile]:
    return {
        "video_frames": Profile(
            description="Key frames and shots of videos, searched by what is seen.",
            modalities=("VIDEO",),
        ),
        "spoken_transcripts": Profile(
            description="Transcripts of speech in videos and recordings, searched by what is said.",
            modalities=("VIDEO", "AUDIO"),
        ),
        "document_passages": Profile(
            description="Passages of documents, searched by their text, entities and relations.",
            modalities=("DOCUMENT",),
        ),
        "page_and_picture": Profile(
            description="Pictures, charts and rendered pages, searched by layout and look.",
            modalities=("IMAGE", "DOCUMENT"),
        ),
    }


def _agents() -> dict[str, Agent]:
    return {
        "video_search_agent": Agent(
            description="Finds videos and moments in them.", modalities=("VIDEO",), seconds=2.0
        ),
        "document_search_agent": Agent(
            description="Finds passages in documents.", modalities=("DOCUMENT",), seconds=1.0
        ),
        "image_search_agent": Agent(
            description="Finds images, charts and diagrams.", modalities=("IMAGE",), seconds=1.2
        ),
        "audio_search_agent": Agent(
            description="Finds recordings and what is said in them.",
            modalities=("AUDIO",),
            seconds=1.5,
        ),
        "summarizer_agent": Agent(
            description="Writes a short summary of what was found.",
            tasks=("summarize",),
            seconds=2.5,
        ),
        "detailed_report_agent": Agent(
            description="Writes a detailed report, comparing what was found.",
            tasks=("report", "compare"),
            seconds=4.0,
        ),
    }


class Routing(Section):
    """Settings of the `routing` recipe and of `serve`."""

    optimizer: str = Field(
        default="routing",
        description="Whose examples the recipe makes: modality, cross_modal, routing, workflow or "
        "unified.",
    )
    count: Whole = Field(default=100, ge=1, le=10_000, description="How many examples.")
    sample_size: Whole = Field(
        default=200, ge=1, le=10_000, description="How many records are sampled."
    )
    strategies: tuple[SamplingStrategy, ...] = Field(
        default=(), description="How they are sampled; none: as the optimizer asks."
    )
    tenant: str = Field(
        default="default", min_length=1, max_length=200, description="Whose content is sampled."
    )
    max_profiles: Whole = Field(default=3, ge=1, le=10, description="At most so many profiles.")
    profile_selection: Literal["rules", "model"] = Field(
        default="rules", description="Who selects profiles: rules, or the question model."
    )
    recency_days: Whole = Field(
        default=90, ge=1, description="`temporal_recent`: days before the newest record."
    )
    queries_per_call: Whole = Field(
        default=100, ge=1, le=500, description="Queries that one call to a model writes, at most."
    )
    backend: Backend = Field(default_factory=Backend, description="Where content is sampled from.")
    profiles: dict[str, Profile] = Field(
        default_factory=_profiles, min_length=1, description="How content is indexed, by name."
    )
    agents: dict[str, Agent] = Field(
        default_factory=_agents, min_length=1, description="Whom queries are routed to, by name."
    )
    serving: Serving = Field(default_factory=Serving, description="How `serve` listens.")
