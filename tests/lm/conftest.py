"""Endpoints, stores and models for the tests of `synth_dspy.lm`."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import dspy
import pytest
from dspy import lm15

from synth_dspy.config.endpoints import Endpoint
from synth_dspy.lm.adapter import SynthAdapter
from synth_dspy.lm.budget import Budget
from synth_dspy.lm.models import Models
from synth_dspy.lm.replies import ReplyStore
from synth_dspy.lm.traces import TraceWriter
from tests.loopback import loopback  # noqa: F401

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

KEY = "sk-very-secret-0123456789"


class Echo:
    """An engine that repeats the last user message; stands in for the offline model."""

    def __init__(self) -> None:
        self.calls = 0

    async def complete(self, request: lm15.Request) -> lm15.Response:
        self.calls += 1
        return lm15.Response(
            id=None,
            model=request.model,
            message=lm15.Message.assistant(request.messages[-1].text or "image"),
            finish_reason="stop",
            usage=lm15.Usage(input_tokens=7, output_tokens=3),
        )


class Ask(dspy.Signature):
    """Answer the question."""

    question: str = dspy.InputField()
    answer: str = dspy.OutputField()


def endpoint(url: str | None, **settings: Any) -> Endpoint:
    """An endpoint that fails fast."""
    defaults: dict[str, Any] = {
        "name": "answer",
        "base_url": url,
        "model_name": "test-model" if url else "offline",
        "api_key": KEY,
        "timeout": 5.0,
        "max_retries": 3,
        "retry_delay": 0.01,
        "max_tokens": 100,
    }
    return Endpoint(**(defaults | settings))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ReplyStore]:
    replies = ReplyStore(tmp_path / "replies.sqlite")
    yield replies
    replies.close()


@pytest.fixture
def traces(tmp_path: Path) -> Iterator[TraceWriter]:
    writer = TraceWriter(tmp_path / "traces" / "conversations.jsonl")
    yield writer
    writer.close()


@pytest.fixture
def make_models(store: ReplyStore, traces: TraceWriter) -> Callable[..., Any]:
    """An async context manager of `Models` for endpoints, with DSPy set up around it."""

    @asynccontextmanager
    async def build(
        *endpoints: Endpoint, budget: Budget | None = None, concurrency: int = 8
    ) -> AsyncIterator[Models]:
        models = Models(
            endpoints,
            store=store,
            budget=budget or Budget(),
            traces=traces,
            concurrency=concurrency,
            vision_concurrency=4,
            offline=Echo(),
        )
        with dspy.context(adapter=SynthAdapter(), disable_history=True, trace=None):
            try:
                yield models
            finally:
                await models.aclose()

    return build
