"""The `models` section: the endpoints that steps ask, and which of them a role uses.

An endpoint whose `model_name` is `offline` is the built-in offline model: it needs no address and
no key. This module opens no connection.
"""

from __future__ import annotations

import re
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from synth_dspy.config.base import (
    Number,
    OptionalNumber,
    OptionalSwitch,
    OptionalText,
    OptionalWhole,
    Section,
    Whole,
    broken_rule,
    unique,
)

OFFLINE = "offline"

_AN_ADDRESS = "it looks like http://localhost:8000/v1"
_HOST = re.compile(r"[\w.:%-]*[\w:]\.?")

_SENT_IN_EXTRA_BODY = (
    "min_p", "presence_penalty", "frequency_penalty", "repetition_penalty", "service_tier",
)  # fmt: skip

Role = Literal["question", "vision", "answer", "curate", "filter"]


class Endpoint(Section):
    """A model behind an address, with how it is asked and how hard it may be pressed."""

    name: str = Field(
        min_length=1, description="What `generation.<role>_model` calls this endpoint."
    )
    base_url: OptionalText = Field(
        default=None,
        description="Address of an OpenAI-compatible server, such as http://localhost:8000/v1. Not "
        "needed by the offline model, nor where `model_name` starts with a provider's prefix.",
    )
    protocol: Literal["openai", "provider"] = Field(
        default="openai",
        description="What is spoken at `base_url`: `openai` for OpenAI's chat format, `provider` "
        "for that of the provider whose prefix `model_name` has (anthropic/, gemini/, ...).",
    )
    api_key: SecretStr = Field(
        default=SecretStr(""),
        description="Its key, best written as ${A_VARIABLE}; empty for a server that asks none.",
    )
    model_name: str = Field(
        min_length=1,
        description="The model's name at that address; `offline` is the built-in offline model.",
    )
    max_tokens: Whole = Field(default=4096, ge=1, description="Longest reply, in tokens.")
    temperature: Number = Field(default=0.7, ge=0, le=2, description="Sampling temperature.")
    timeout: Number = Field(default=300.0, gt=0, description="Of one request, in seconds.")
    max_retries: Whole = Field(
        default=5, ge=0, description="How often a request that failed is sent again."
    )
    retry_delay: Number = Field(
        default=1.0, ge=0, description="Seconds before the first retry; doubles with each."
    )
    requests_per_minute: OptionalWhole = Field(
        default=None, ge=1, description="Most requests a minute; none: no limit of ours."
    )
    tokens_per_minute: OptionalWhole = Field(
        default=None, ge=1, description="Most tokens a minute, in and out; none: no limit of ours."
    )
    price_per_million_input: OptionalNumber = Field(
        default=None,
        ge=0,
        description="US dollars for a million tokens sent; none: looked up by the model's name.",
    )
    price_per_million_output: OptionalNumber = Field(
        default=None,
        ge=0,
        description="US dollars for a million tokens received; none: looked up likewise.",
    )
    top_p: OptionalNumber = Field(
        default=None, ge=0, le=1, description="Nucleus sampling; none: the server's default."
    )
    top_k: OptionalWhole = Field(
        default=None, ge=1, description="Sample from the k likeliest tokens; none: not sent."
    )
    min_p: OptionalNumber = Field(
        default=None, ge=0, le=1, description="Least relative probability; none: not sent."
    )
    presence_penalty: OptionalNumber = Field(
        default=None, ge=-2, le=2, description="Penalty on tokens seen before; none: not sent."
    )
    frequency_penalty: OptionalNumber = Field(
        default=None,
        ge=-2,
        le=2,
        description="Penalty by how often a token was seen; none: not sent.",
    )
    repetition_penalty: OptionalNumber = Field(
        default=None, ge=0, description="Penalty of servers such as vLLM; none: not sent."
    )
    seed: OptionalWhole = Field(
        default=None, ge=0, description="Seed sent with each request; none: not sent."
    )
    service_tier: OptionalText = Field(
        default=None, description="Tier that some providers sell, such as `flex`; none: not sent."
    )
    vision: OptionalSwitch = Field(
        default=None,
        description="Whether the model can see, so that judges and answers are sent the picture; "
        "none: true for the endpoint that describes images.",
    )
    structured_output: bool = Field(
        default=False,
        description="Ask for JSON by schema (response_format), where the server has that.",
    )
    extra_body: dict[str, Any] = Field(
        default_factory=dict,
        validate_default=True,
        description="More keys for the body of each request, sent as they are.",
    )

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value.startswith(("http://", "https://")):
            raise broken_rule("is not an address; it has to start with http:// or https://")
        try:
            url = urlsplit(value)
            port, host = url.port, url.hostname or ""
            host.encode("idna")
        except ValueError as error:  # a port that is no number, half an IPv6 address, `a..b`
            raise broken_rule(f"is not an address ({error}); {_AN_ADDRESS}") from error
        if port == 0 or not _HOST.fullmatch(host) or any(map(str.isspace, value)):
            raise broken_rule(f"is not an address; {_AN_ADDRESS}")
        return value.rstrip("/")

    @field_validator("extra_body")
    @classmethod
    def _holds_the_rarer_options(
        cls, value: dict[str, Any], info: ValidationInfo
    ) -> dict[str, Any]:
        # Engines send `extra_body` as it is, so none of them has to know these names.
        given = {name: info.data.get(name) for name in _SENT_IN_EXTRA_BODY}
        return {name: v for name, v in given.items() if v is not None} | value

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if not self.is_offline and self.base_url is None and "/" not in self.model_name:
            raise broken_rule(
                "is missing; give the server's address, or a `model_name` with its "
                "provider's prefix such as openai/, or `model_name: offline`",
                key="base_url",
            )
        if self.protocol == "provider" and "/" not in self.model_name:
            raise broken_rule(
                "is `provider`, but `model_name` has no provider's prefix such as anthropic/",
                key="protocol",
            )
        return self

    @property
    def is_offline(self) -> bool:
        """Whether this is the built-in offline model."""
        return self.model_name == OFFLINE


def _offline() -> tuple[Endpoint, ...]:
    return (Endpoint(name=OFFLINE, model_name=OFFLINE),)


class Models(Section):
    """The endpoints of a run; without any, the offline model is the only one."""

    endpoints: tuple[Endpoint, ...] = Field(
        default_factory=_offline,
        min_length=1,
        description="The models that can be asked; the first serves every role that names none.",
    )

    @field_validator("endpoints")
    @classmethod
    def _have_names_of_their_own(cls, value: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
        return unique(value, [endpoint.name for endpoint in value], "name")

    @property
    def names(self) -> tuple[str, ...]:
        """The endpoints' names, in order."""
        return tuple(endpoint.name for endpoint in self.endpoints)

    def get(self, name: str) -> Endpoint | None:
        """The endpoint of that name, or None."""
        return next((e for e in self.endpoints if e.name == name), None)

    def named_after(self, role: Role) -> Endpoint | None:
        """The endpoint called `<role>`, `<role>-model` or `<role>_model`, or None."""
        return next(
            (e for e in self.endpoints if e.name in (role, f"{role}-model", f"{role}_model")), None
        )
