"""The face of a sandbox, for those who use one and for those who stand in for one in tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self

from sandbox.records import Evaluation, Isolation, Job, Strength, Verdict


class Sandbox(Protocol):
    """Runs code that nobody trusts. All methods may be awaited concurrently."""

    isolation: Isolation
    packages: str
    """Hash of the packages that the box has besides the standard library, "" for none."""

    async def verify(self, job: Job) -> Verdict:
        """Runs a job's tests against its solution. Failing code is a verdict, never an error.

        Raises:
            SandboxError: the box itself broke, on a fresh worker too.
        """
        ...

    async def evaluate(
        self, source: str, expressions: Sequence[str], *, timeout_s: float = 5.0
    ) -> list[Evaluation]:
        """Runs a program, then each expression in its namespace, in order, in one child.

        Raises:
            SandboxError: the box itself broke.
        """
        ...

    async def measure(self, job: Job, *, max_mutants: int = 20, seed: int = 0) -> Strength:
        """What the job's test does to wrong versions of the solution (which has to pass it).

        Raises:
            SandboxError: the box itself broke.
        """
        ...

    async def aclose(self) -> None:
        """Ends every worker; nothing of them is left behind. May be called twice."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc_info: object) -> None: ...
