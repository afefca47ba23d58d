"""The endpoints: HTTP in, `SyntheticDataService` calls, JSON out.

    from synth_dspy.service import SyntheticDataService, configure_service, router
    configure_service(SyntheticDataService())
    app.include_router(router)

Keys, limits and logs belong to `app`; a program that mounts the router alone has its own.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Annotated, Any, cast

import orjson
from fastapi import APIRouter, Body, Depends, HTTPException, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from synth_dspy.errors import AdmissionError, BackendError, BackendSlowError, RecordError
from synth_dspy.programs.routing.registry import (
    OPTIMIZER_REGISTRY,
    UnknownOptimizerError,
    get_optimizer_config,
)
from synth_dspy.service import examples
from synth_dspy.service.schemas import (
    MAX_BATCHES,
    MAX_EXAMPLES,
    BatchResponse,
    Fault,
    Faults,
    GenerateRequest,
    GenerateResponse,
    Health,
    MaxProfiles,
    Optimizer,
    OptimizerInfo,
    SampleSize,
    Seed,
    Strategies,
    Tenant,
)
from synth_dspy.service.synthesis import SyntheticDataService, TooFewError

_LISTS = frozenset({"strategies"})
_REFUSALS: dict[int, tuple[type[BaseModel], str]] = {
    400: (Fault, "The body is not JSON."),
    401: (Fault, "No API key."),
    403: (Fault, "A wrong API key."),
    404: (Fault, "No such optimizer; the text lists them."),
    413: (Fault, "The body is too long."),
    422: (Faults, "A field is wrong; `loc` names it."),
    429: (Fault, "Too many requests; `Retry-After` says when."),
    503: (Fault, "Backend or model are down; the text says what to do."),
    504: (Fault, "Backend or model did not answer in time."),
}
_COMMON = (401, 403, 413, 422, 429)
_MAKING = (*_COMMON, 404, 503, 504)


def _answers(example: Any, *refusals: int) -> dict[int | str, dict[str, Any]]:
    """What an endpoint may answer, each with an example."""
    told: dict[int | str, dict[str, Any]] = {200: {"content": examples.shown(example)}}
    for status in sorted(refusals):
        model, description = _REFUSALS[status]
        content = examples.shown({"detail": examples.FAULTS[status]})
        told[status] = {"model": model, "description": description, "content": content}
    return told


class _Holder:
    """The service that the router asks; set by `configure_service`."""

    service: SyntheticDataService | None = None


def configure_service(service: SyntheticDataService) -> None:
    """Make the router answer by `service`. One process has one."""
    _Holder.service = service


async def _configured() -> SyntheticDataService:
    # Not a plain function: FastAPI would send each request through a thread for it.
    if _Holder.service is None:
        raise HTTPException(503, "No service is configured; call configure_service() at start.")
    return _Holder.service


Service = Annotated[SyntheticDataService, Depends(_configured)]


async def _no_surprises(request: Request) -> None:
    """Refuse a parameter that nobody reads, and two values where one is meant.

    Raises:
        RequestValidationError: it names the parameter.
    """
    known = {p.alias for p in request.scope["route"].dependant.query_params}
    names = [name for name, _ in request.query_params.multi_items()]
    faults: list[dict[str, Any]] = []
    for name, times in Counter(names).items():
        if name not in known:
            faults.append(_fault(("query", name), "there is no such parameter", "extra_forbidden"))
        elif times > 1 and name not in _LISTS:
            faults.append(_fault(("query", name), "it has more than one value", "repeated"))
    faults += [_fault(("body", n), "it has more than one value", "repeated")
               for n in _repeated_keys(await request.body())]  # fmt: skip
    if faults:
        raise RequestValidationError(faults)


def _repeated_keys(body: bytes) -> list[str]:
    found: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        once = dict(items)
        if len(once) < len(items):
            found.extend(n for n, times in Counter(n for n, _ in items).items() if times > 1)
        return once

    try:
        json.loads(body or b"null", object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return []  # FastAPI says so itself
    return found


router = APIRouter(
    prefix="/synthetic", tags=["synthetic"], dependencies=[Depends(_no_surprises)]
)  # fmt: skip


@router.post(
    "/generate", response_model=GenerateResponse, responses=_answers(examples.MADE, 400, *_MAKING)
)
async def generate(
    body: Annotated[GenerateRequest, Body(openapi_examples=cast(Any, examples.ORDERS))],
    service: Service,
) -> Response:
    """Examples for one optimizer: exactly `count`, no query twice."""
    return _json((await _made(service, body)).model_dump())


@router.post(
    "/batch/generate", response_model=BatchResponse, responses=_answers(examples.BATCHES, *_MAKING)
)
async def generate_batches(
    service: Service,
    optimizer: Annotated[Optimizer, Query()],
    count_per_batch: Annotated[
        int, Query(ge=1, le=MAX_EXAMPLES, description="Rows of a batch.", examples=[20])
    ] = 100,
    num_batches: Annotated[
        int, Query(ge=1, le=MAX_BATCHES, description="How many batches.", examples=[2])
    ] = 5,
    vespa_sample_size: Annotated[SampleSize, Query()] = 200,
    strategies: Annotated[Strategies, Query()] = None,
    max_profiles: Annotated[MaxProfiles, Query()] = 3,
    tenant_id: Annotated[Tenant, Query()] = "default",
    seed: Annotated[Seed, Query()] = None,
) -> Response:
    """Several batches for one optimizer, at most 10,000 examples in all."""
    total = count_per_batch * num_batches
    if total > MAX_EXAMPLES:
        text = f"{count_per_batch} x {num_batches} is {total}, more than {MAX_EXAMPLES} examples"
        raise RequestValidationError([_fault(("query", "num_batches"), text, "too_many")])
    order = GenerateRequest(
        optimizer=optimizer, count=total, vespa_sample_size=vespa_sample_size,
        strategies=strategies, max_profiles=max_profiles, tenant_id=tenant_id, seed=seed,
    )  # fmt: skip
    made = await _made(service, order)
    return _json({
        "optimizer": made.optimizer,
        "schema_name": made.schema_name,
        "total_examples": made.count,
        "num_batches": num_batches,
        "examples_per_batch": count_per_batch,
        "batches": [
            {"batch": n, "count": count_per_batch, "start": n * count_per_batch}
            for n in range(num_batches)
        ],
        "data": made.data,
        "metadata": made.metadata,
    })  # fmt: skip


@router.get("/optimizers", responses=_answers(examples.OPTIMIZERS, *_COMMON))
async def optimizers(service: Service) -> dict[str, str]:
    """Every optimizer's name and description."""
    return {name: entry.description for name, entry in service.registry.items()}


@router.get(
    "/optimizers/{name}", response_model=OptimizerInfo,
    responses=_answers(examples.described(OPTIMIZER_REGISTRY["modality"]), 404, *_COMMON),
)  # fmt: skip
async def optimizer(
    name: Annotated[str, Path(description="An optimizer's name.", examples=["modality"])],
    service: Service,
) -> Response:
    """One optimizer: the schema of its rows, its generator, its strategy and defaults."""
    try:
        entry = get_optimizer_config(name, service.registry)
    except UnknownOptimizerError as error:
        raise HTTPException(404, _printable(error)) from error
    return _json(examples.described(entry))


@router.get("/health", response_model=Health, responses=_answers(examples.HEALTH, 413, 422))
async def health(service: Service) -> Response:
    """Whether the service can make examples; it needs no key."""
    status, told = "ok", f"{service.backend.name}: {service.backend.described}"
    try:
        await service.check_backend()
    except BackendError as error:
        status, told = "degraded", _printable(error)
    return _json({
        "status": status,
        "generators": service.generators,
        "optimizers": list(service.registry),
        "backend": told,
    })  # fmt: skip


async def _made(service: SyntheticDataService, order: GenerateRequest) -> GenerateResponse:
    limit = service.config.routing.serving.timeout
    try:
        async with asyncio.timeout(limit):
            return await service.generate(order)
    except UnknownOptimizerError as error:
        raise HTTPException(404, _printable(error)) from error
    except TooFewError as error:
        where = "query" if error.field not in GenerateRequest.model_fields else "body"
        raise RequestValidationError(
            [_fault((where, error.field), str(error), "too_few")]
        ) from error
    except BackendSlowError as error:
        raise HTTPException(504, _printable(error)) from error
    except TimeoutError as error:
        raise HTTPException(
            504, f"Nothing was made within {limit:g} s; ask for less, or raise "
            "routing.serving.timeout."
        ) from error  # fmt: skip
    except (BackendError, RecordError, AdmissionError) as error:
        raise HTTPException(503, _printable(error)) from error


def _fault(loc: tuple[str, ...], msg: str, kind: str) -> dict[str, Any]:
    return {"loc": loc, "msg": msg, "type": kind}


def _json(value: Any) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")


def _printable(error: Exception) -> str:
    """The error's text as UTF-8 can hold it: it may repeat what a client sent."""
    return str(error).encode("utf-8", "replace").decode("utf-8")
