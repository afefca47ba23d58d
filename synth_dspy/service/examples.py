"""Examples of every request and answer, for the OpenAPI document.

What the registry knows is taken from it. The texts of faults are those that the service says, on
its shipped content and with the default settings; tests compare them with real answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synth_dspy.programs.routing import figures
from synth_dspy.programs.routing.registry import OPTIMIZER_REGISTRY, OptimizerConfig

ORDERS: Mapping[str, Mapping[str, Any]] = {
    "short": {
        "summary": "Ten examples, all else as the optimizer has it",
        "value": {"optimizer": "modality", "count": 10},
    },
    "full": {
        "summary": "Every field",
        "value": {
            "optimizer": "routing",
            "count": 20,
            "vespa_sample_size": 100,
            "strategies": ["entity_rich", "diverse"],
            "max_profiles": 2,
            "tenant_id": "default",
            "seed": 7,
        },
    },
}

_ROWS = [
    {
        "query": query,
        "modality": modality,
        "correct_agent": f"{modality.lower()}_search_agent",
        "success": True,
        "modality_features": {
            "cues": cues,
            "coverage": 0.8,
            "content_type": "tutorial",
            "topic": "tutorial call",
            "rules": figures.RULES,
        },
        "is_synthetic": True,
        "synthetic_source": source,
    }
    for query, modality, cues, source in (
        ("what did they say about tutorial call and Rating Curve", "AUDIO", [], "audio-09"),
        ("diagram of tutorial call and Rating Curve", "IMAGE", ["IMAGE"], "image-09"),
    )
]
_METADATA = {
    "backend": "duckdb",
    "content": "the shipped sample content",
    "strategy": ["by_modality"],
    "sampled": 48,
    "used": 48,
    "tenant": "default",
    "seed": 42,
    "labels": {"AUDIO": 1, "IMAGE": 1},
    "queries_by": {"model": 2},
    "model": "offline",
    "profiles": "default",
    "agents": "default",
    "seconds": 0.0416,
}
MADE = {
    "optimizer": "modality",
    "schema_name": "ModalityExampleSchema",
    "count": 2,
    "selected_profiles": ["spoken_transcripts", "page_and_picture"],
    "profile_selection_reasoning": "spoken_transcripts adds VIDEO, AUDIO (fit 0); "
    "page_and_picture adds IMAGE, DOCUMENT (fit 0).",
    "data": _ROWS,
    "metadata": _METADATA,
}
BATCHES = {
    "optimizer": "modality",
    "schema_name": "ModalityExampleSchema",
    "total_examples": 2,
    "num_batches": 2,
    "examples_per_batch": 1,
    "batches": [{"batch": 0, "count": 1, "start": 0}, {"batch": 1, "count": 1, "start": 1}],
    "data": _ROWS,
    "metadata": _METADATA,
}
OPTIMIZERS = {name: entry.description for name, entry in OPTIMIZER_REGISTRY.items()}
HEALTH = {
    "status": "ok",
    "generators": [entry.generator.__name__ for entry in OPTIMIZER_REGISTRY.values()],
    "optimizers": list(OPTIMIZER_REGISTRY),
    "backend": "duckdb: the shipped sample content",
}
FAULTS: Mapping[int, Any] = {
    400: "The body is not JSON.",
    401: "Send the API key as X-API-Key.",
    403: "The API key is wrong.",
    404: f"There is no optimizer 'nope'; there are {', '.join(OPTIMIZER_REGISTRY)}.",
    413: "The body is longer than 65536 bytes.",
    422: [
        {
            "loc": ["body", "count"],
            "msg": "Input should be greater than or equal to 1",
            "type": "greater_than_equal",
        }
    ],
    429: "More than 1200 requests a minute; try again in 0.1 s.",
    503: "Vespa (http://localhost:8080, schema content) does not answer: connection refused. "
    "Start one (docker run --detach --publish 8080:8080 --publish 19071:19071 vespaengine/vespa) "
    "with your application deployed, or name another in routing.backend.url.",
    504: "Nothing was made within 60 s; ask for less, or raise routing.serving.timeout.",
}


def described(entry: OptimizerConfig) -> dict[str, Any]:
    """What is said of one optimizer."""
    return {
        "name": entry.name,
        "description": entry.description,
        "schema": entry.schema.model_json_schema(),
        "generator": entry.generator.__name__,
        "backend_strategy": entry.strategy,
        "defaults": entry.defaults,
    }


def shown(value: Any) -> dict[str, Any]:
    """An answer's `content` with its example."""
    return {"application/json": {"example": value}}
