"""The whole server as a FastAPI app: the router, the guard around it, and faults as JSON."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError

from synth_dspy import __version__
from synth_dspy.errors import ConfigError
from synth_dspy.service.api import configure_service, router
from synth_dspy.service.guard import OPEN, Guard, Rules
from synth_dspy.service.synthesis import SyntheticDataService

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def create_app(service: SyntheticDataService) -> Any:
    """The app that answers by `service`, and closes it at its end.

    Raises:
        ConfigError: it would listen at another address than loopback without a key.
    """
    serving = service.config.routing.serving
    key = serving.api_key.get_secret_value()
    if serving.host not in LOOPBACK and not key:
        raise ConfigError(
            f"routing.serving.host is {serving.host!r}, which others can reach; set "
            "routing.serving.api_key (as ${SYNTH_DSPY_API_KEY}), or listen at 127.0.0.1."
        )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        configure_service(service)
        yield
        await service.aclose()

    app = FastAPI(
        title="synth-dspy",
        version=__version__,
        description="Examples that train routers, made from a content backend. Every number in "
        "them is derived by a documented rule, and none was measured.",
        lifespan=lifespan,
    )
    app.include_router(router)
    if key:
        _ask_for_key(app)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_middleware(
        Guard,
        rules=Rules(key, serving.max_body_bytes, serving.requests_per_minute),
    )
    return app


def _ask_for_key(app: FastAPI) -> None:
    """Say in the OpenAPI document which operations want a key; the guard is who holds it so."""
    document = app.openapi()  # made once, then kept
    scheme = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    document["components"]["securitySchemes"] = {"key": scheme}
    for path, operations in document["paths"].items():
        if path != OPEN:
            for operation in operations.values():
                operation["security"] = [{"key": []}]


async def _invalid(_request: Request, error: Exception) -> Response:
    """422 with the fields that are wrong, without repeating what was sent: it may be no UTF-8."""
    assert isinstance(error, RequestValidationError)
    found = list(error.errors())
    if any(fault["type"] == "json_invalid" for fault in found):
        return _json(400, "The body is not JSON.")
    return _json(422, [
        {"loc": [_plain(part) for part in fault["loc"]], "msg": _plain(fault["msg"]),
         "type": fault["type"]}
        for fault in found
    ])  # fmt: skip


def _json(status: int, detail: Any) -> Response:
    return Response(orjson.dumps({"detail": detail}), status, media_type="application/json")


def _plain(part: Any) -> str | int:
    return part if isinstance(part, int) else str(part).encode("utf-8", "replace").decode()
