"""What stages work with: models, the Program, the sandbox; made from the configuration, once.

Everything is opened when it is first needed, so that a stage which asks no model opens none.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self, get_args

from sandbox import (
    Evaluation,
    Job,
    Limits,
    Sandbox,
    SandboxUnavailable,
    Strength,
    Verdict,
    open_sandbox,
)
from sandbox.records import Isolation
from synth_dspy.config import Config
from synth_dspy.errors import SetupError
from synth_dspy.lm.budget import Budget
from synth_dspy.lm.models import Models, configure_dspy
from synth_dspy.lm.offline import OfflineModel
from synth_dspy.lm.replies import ReplyStore
from synth_dspy.lm.shared import Purse, SharedLimits
from synth_dspy.lm.traces import TraceWriter
from synth_dspy.programs.answers import Verification
from synth_dspy.programs.artefact import Artefact
from synth_dspy.programs.assistant import IMAGE_KINDS, AssistantProgram
from synth_dspy.programs.module import Role
from synth_dspy.programs.policy import Policy
from synth_dspy.programs.program import Binding, Program
from synth_dspy.programs.promotions import not_replaced, promoted_programs
from synth_dspy.recipes.pictures import Pictures
from synth_dspy.stages.generate import UNCATEGORISED, Watch, unwatched

REPLIES = "replies.sqlite"


class LazySandbox(Sandbox):
    """A sandbox that is opened by `open`, or by the first job."""

    def __init__(self, opener: Callable[[], Sandbox]) -> None:
        self._opener = opener
        self._opened: Sandbox | None = None

    def open(self) -> Sandbox:
        """The open sandbox.

        Raises:
            SetupError: no backend can run here; the text says what is missing and how to get it.
        """
        if self._opened is None:
            try:
                self._opened = self._opener()
            except SandboxUnavailable as error:
                raise SetupError(str(error)) from error
        return self._opened

    @property
    def isolation(self) -> Isolation:  # type: ignore[override]
        """Of the backend that was opened."""
        return self.open().isolation

    @property
    def packages(self) -> str:  # type: ignore[override]
        """Of the sandbox that was opened."""
        return self.open().packages

    async def verify(self, job: Job) -> Verdict:
        """As the opened sandbox does."""
        return await self.open().verify(job)

    async def evaluate(
        self, source: str, expressions: Sequence[str], *, timeout_s: float = 5.0
    ) -> list[Evaluation]:
        """As the opened sandbox does."""
        return await self.open().evaluate(source, expressions, timeout_s=timeout_s)

    async def measure(self, job: Job, *, max_mutants: int = 20, seed: int = 0) -> Strength:
        """As the opened sandbox does."""
        return await self.open().measure(job, max_mutants=max_mutants, seed=seed)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close it, if it was opened."""
        if self._opened is not None:
            await self._opened.aclose()
            self._opened = None


@dataclass
class Resources:
    """The resources of one run.

    Attributes:
        say: takes lines for the user: an image that is built, a sandbox that isolates nothing.
        watch: opened around every record of the generating stages.
        trace: whether calls are written to `traces/conversations.jsonl`.
        limits: budget and rate limits, where they hold for several processes together.
        looked_up: the promoted programs by step, where somebody looked them up before.
        neighbours: how many processes like this one, itself among them, share the machine.
    """

    config: Config
    say: Callable[[str], None]
    trace: bool = True
    watch: Watch = unwatched
    limits: SharedLimits | None = None
    looked_up: Mapping[str, Artefact] | None = None
    neighbours: int = 1

    @property
    def run_dir(self) -> Path:
        """The run directory."""
        return self.config.output_dir

    def share(self, whole: int | None = None) -> int:
        """This process's share of `whole` processes, one a core by default; one at least."""
        return math.ceil((whole or os.cpu_count() or 1) / self.neighbours)

    @cached_property
    def sandbox(self) -> LazySandbox:
        """Where code runs; not opened yet."""
        settings, timeout = self.config.sandbox, self.config.generation.code_verification_timeout

        def opener() -> Sandbox:
            return open_sandbox(
                settings.backend,
                limits=Limits(timeout_s=timeout, memory_mb=settings.memory_mb),
                workers=self.share(settings.workers),
                preload=settings.preload,
                packages=settings.packages,
                base=settings.base_image or "",
                on_progress=self.say,
            )

        return LazySandbox(opener)

    @cached_property
    def replies(self) -> ReplyStore:
        """Every reply that was ever paid for in this run directory, or in the shared file."""
        shared = self.config.replies.path
        return ReplyStore(Path(shared) if shared else self.run_dir / REPLIES)

    @cached_property
    def _traces(self) -> TraceWriter | None:
        return TraceWriter(self.run_dir / "traces" / "conversations.jsonl") if self.trace else None

    @cached_property
    def _offline(self) -> OfflineModel:
        async def execute(source: str, expressions: Sequence[str]) -> list[Evaluation]:
            return await self.sandbox.evaluate(source, expressions)

        return OfflineModel(seed=self.config.seed, execute=execute)

    @cached_property
    def models(self) -> Models:
        """One language model an endpoint."""
        configure_dspy()
        generation, spent = self.config.generation, self.replies.totals()

        budget: Purse = (
            self.limits.purse
            if self.limits is not None
            else Budget(
                max_cost_usd=generation.max_cost_usd,
                max_tokens_total=generation.max_tokens_total,
                spent=spent,
            )
        )
        return Models(
            self.config.models.endpoints,
            store=self.replies,
            budget=budget,
            traces=self._traces,
            concurrency=generation.llm_concurrency,
            vision_concurrency=generation.vlm_concurrency,
            offline=self._offline,
            gate=self.limits.gate if self.limits is not None else None,
        )

    @cached_property
    def verification(self) -> Verification:
        """How hard answers are tried."""
        generation = self.config.generation
        return Verification(
            corrections=generation.code_verification_max_iterations,
            test_corrections=generation.test_corrections,
            timeout_s=generation.code_verification_timeout,
            mutation_threshold=generation.mutation_threshold,
            max_mutants=generation.max_mutants,
            seed=self.config.seed,
            flaky_runs=generation.flaky_runs,
        )

    @cached_property
    def policy(self) -> Policy:
        """What no text of a sample may hold."""
        patterns = self.config.generation.forbidden_patterns
        return Policy(tuple((entry.pattern, entry.message) for entry in patterns))

    @cached_property
    def compiled(self) -> dict[str, Artefact]:
        """The promoted programs that this run uses, by step: not those that `prompts` replaces.

        Raises:
            ArtefactError: one is missing, was changed, or is not what its place says.
        """
        return not_replaced(self.promoted, self.config.prompts)

    @cached_property
    def promoted(self) -> dict[str, Artefact]:
        """Every promoted program of the recipe, by step. Raises as `compiled`."""
        if self.looked_up is not None:
            return dict(self.looked_up)
        return promoted_programs(self.config.recipe)

    @cached_property
    def program(self) -> AssistantProgram:
        """The Program with every step bound to its model."""
        config = self.config
        categories = {c.name: c.description for c in config.categories} or {UNCATEGORISED: ""}
        generation = config.generation
        program = AssistantProgram(
            self.sandbox,
            verification=self.verification,
            categories=categories,
            image_kinds=(*IMAGE_KINDS, *generation.image_kinds),
            policy=self.policy,
            # It would give every question back as it is.
            refine=generation.enable_question_refinement
            and not config.endpoint_for("question").is_offline,
        )
        self.bind(program)
        return program

    def bind(self, program: Program) -> None:
        """Give every step of a recipe's Program its model, and the user's instructions.

        Raises:
            ConfigError: `prompts` names a step that the Program does not have.
        """
        bindings = {role: self._binding(role) for role in get_args(Role)}
        program.use_compiled(self.compiled.values())
        program.bind(bindings, self.config.prompts, Pictures(self.run_dir))

    def _binding(self, role: Role) -> Binding:
        endpoint = self.config.endpoint_for(role)
        identity = endpoint.model_dump(
            mode="json",
            exclude={
                "api_key", "vision", "timeout", "max_retries", "retry_delay",
                "requests_per_minute", "tokens_per_minute",
                "price_per_million_input", "price_per_million_output",
            },
        )  # fmt: skip
        if endpoint.is_offline:
            identity["version"] = self._offline.version
        return Binding(
            lm=self.models.lm(endpoint.name),
            model=self.models.model_name(endpoint.name),
            identity=tuple(sorted((k, str(v)) for k, v in identity.items())),
            sees=self.config.sees(endpoint),
        )

    def stop(self) -> None:
        """Ask no model any more; calls in flight end. What needs another one raises."""
        if "models" in self.__dict__:
            self.models.stop()

    async def aclose(self) -> None:
        """Close what was opened."""
        if "models" in self.__dict__:
            await self.models.aclose()
        if "replies" in self.__dict__:
            self.replies.close()
        if "_traces" in self.__dict__ and self._traces is not None:
            self._traces.close()
        if "sandbox" in self.__dict__:
            await self.sandbox.aclose()
