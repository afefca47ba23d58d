"""A chunk, tasks, a sandbox that only counts, and a Program behind a loopback server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import dspy

from sandbox import Evaluation, Job, Sandbox, Strength, Verdict
from synth_dspy.config.endpoints import Endpoint
from synth_dspy.lm.adapter import SynthAdapter
from synth_dspy.lm.budget import Budget
from synth_dspy.lm.models import Models
from synth_dspy.lm.offline import OfflineModel
from synth_dspy.lm.replies import ReplyStore
from synth_dspy.programs.answers import Verification
from synth_dspy.programs.assistant import AssistantProgram
from synth_dspy.programs.module import Opener, Role
from synth_dspy.programs.program import Binding
from synth_dspy.records import Candidate, Chunk, Image, Task
from tests.loopback import Loopback

ROLES: tuple[Role, ...] = ("question", "vision", "answer", "curate", "filter")
PASSAGE = (
    "A tipping bucket is a rain gauge that counts instead of weighing: a small seesaw fills, tips "
    "and closes a switch. Each tip stands for a fixed depth of rain."
)


class CountingSandbox(Sandbox):
    """Runs nothing: says what it was told to say of every job, and keeps the jobs."""

    def __init__(self, *verdicts: Verdict) -> None:
        self.jobs: list[Job] = []
        self.sources: list[str] = []
        self._verdicts = list(verdicts)

    packages = ""

    @property
    def isolation(self) -> Any:  # type: ignore[override]
        return "process"

    async def verify(self, job: Job) -> Verdict:
        self.jobs.append(job)
        if job.solution.rstrip().endswith("pass"):
            return verdict(passed=False)
        return self._verdicts.pop(0) if self._verdicts else verdict(passed=True)

    async def evaluate(
        self, source: str, expressions: Sequence[str], *, timeout_s: float = 5.0
    ) -> list[Evaluation]:
        self.sources.append(source)
        return [Evaluation(True, "None") for _ in expressions]

    async def measure(self, job: Job, *, max_mutants: int = 20, seed: int = 0) -> Strength:
        raise AssertionError("no mutants are asked for here")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def aclose(self) -> None: ...


def verdict(*, passed: bool, reason: str = "assertion", message: str = "") -> Verdict:
    """A verdict of a sandbox that runs nothing."""
    return Verdict(
        passed=passed, reason="ok" if passed else reason, tests=1, message=message,
        assurance="split", isolation="process", seconds=0.0,
    )  # fmt: skip


def chunk(**changed: Any) -> Chunk:
    """A chunk about rain gauges."""
    given = {
        "id": "c1", "document_id": "d", "path": "rain.md", "source": "docs", "kind": "md",
        "sha256": "0" * 64, "text": PASSAGE, "start": 0, "end": len(PASSAGE), "heading": "Rain",
    }  # fmt: skip
    return Chunk(**(given | changed))


def image(**changed: Any) -> Image:
    """A described chart in `images/a.png`."""
    given = {
        "id": "i1", "sha256": "a" * 64, "mime": "image/png", "origin": "markdown",
        "path": "images/a.png", "caption": "Depth of rain", "category": "chart",
        "description": "A chart of the depth of rain over six hours. It rises fastest first.",
    }  # fmt: skip
    return Image(**(given | changed))


def task(kind: str, **changed: Any) -> Task:
    """A task on that chunk."""
    given = {"id": "t1", "type": kind, "modality": "text", "difficulty": "easy", "chunk_id": "c1"}
    return Task(**(given | changed))


def candidate(kind: str, **changed: Any) -> Candidate:
    """A candidate with a question."""
    given = {"task": task(kind), "chunk": chunk(), "question": "What is a tipping bucket?"}
    return Candidate(**(given | changed))


@asynccontextmanager
async def program(
    folder: Path,
    server: Loopback,
    sandbox: Sandbox | None = None,
    *,
    sees: Sequence[Role] = (),
    prompts: dict[str, str] | None = None,
    open_picture: Opener | None = None,
    endpoint: dict[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[AssistantProgram]:
    """A Program whose every role is at the server."""
    settings = {"max_retries": 1, "retry_delay": 0.01, **(endpoint or {})}
    store = ReplyStore(folder / "replies.sqlite")
    models = Models(
        [Endpoint(name="all", base_url=server.url, model_name="m", **settings)],
        store=store, budget=Budget(), traces=None, concurrency=8, vision_concurrency=8,
        offline=OfflineModel(),
    )  # fmt: skip
    verification = Verification(max_mutants=0, flaky_runs=0, timeout_s=5)
    made = AssistantProgram(
        sandbox or CountingSandbox(),
        verification=options.pop("verification", verification),
        categories={"rain": "everything about rain"},
        **options,
    )
    bindings = {role: Binding(models.lm("all"), "m", sees=role in sees) for role in ROLES}
    made.bind(bindings, prompts or {}, open_picture)
    with dspy.context(adapter=SynthAdapter(), disable_history=True, trace=None):
        try:
            yield made
        finally:
            await models.aclose()
            store.close()


Answer = Callable[[Any], Any]
