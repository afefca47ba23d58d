"""validate-config --online: one small call to each endpoint that a role uses."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

from synth_dspy.config import Config, Role
from synth_dspy.errors import SynthError
from synth_dspy.recipes.resources import Resources

_TIMEOUT_S = 30.0
_MESSAGE = [{"role": "user", "content": "Reply with the word ok."}]


@dataclass(frozen=True, slots=True)
class Probed:
    """What one endpoint said.

    Attributes:
        error: why it cannot be used, or "".
    """

    endpoint: str
    model: str
    roles: tuple[str, ...]
    latency_ms: float
    error: str = ""


def probe_endpoints(config: Config) -> list[Probed]:
    """Ask every endpoint in use once, without retries; the replies are not kept."""
    return asyncio.run(_probe(config))


async def _probe(config: Config) -> list[Probed]:
    roles: dict[str, list[str]] = {}
    for role in get_args(Role):
        roles.setdefault(config.endpoint_for(role).name, []).append(role)
    with TemporaryDirectory() as folder:
        resources = Resources(_for_probing(config, Path(folder)), lambda _: None, trace=False)
        try:
            return [await _ask(resources, name, tuple(used)) for name, used in roles.items()]
        finally:
            await resources.aclose()


async def _ask(resources: Resources, name: str, roles: tuple[str, ...]) -> Probed:
    from synth_dspy.lm.faults import classify_error

    endpoint = resources.config.models.get(name)
    assert endpoint is not None  # a role's endpoint is one of the configuration
    if endpoint.is_offline:
        return Probed(name, endpoint.model_name, roles, 0.0)
    started, error = time.perf_counter(), ""
    try:
        await resources.models.lm(name).acall(messages=_MESSAGE)
    except SynthError as fault:
        error = str(fault)
    except Exception as fault:  # noqa: BLE001 - whatever a client raises is the endpoint's answer
        error = str(classify_error(fault) or fault)
    return Probed(name, endpoint.model_name, roles, 1000 * (time.perf_counter() - started), error)


def _for_probing(config: Config, folder: Path) -> Config:
    endpoints = tuple(
        endpoint.model_copy(
            update={
                "max_retries": 0, "timeout": min(endpoint.timeout, _TIMEOUT_S), "max_tokens": 16,
            }
        )
        for endpoint in config.models.endpoints
    )  # fmt: skip
    return config.model_copy(
        update={
            "models": config.models.model_copy(update={"endpoints": endpoints}),
            "output_dir": folder,
            "replies": config.replies.model_copy(update={"path": None}),
        }
    )
