"""The programs of the shipped gold, run: each passes its own test, and no stub does."""

from __future__ import annotations

import asyncio
from typing import Literal

from sandbox import Job, Verdict, open_sandbox
from synth_dspy.optimize.gold import GoldItem, load_gold

STUB = "def {name}(*args, **kwargs):\n    return {value}\n"


def verdicts(backend: Literal["docker", "bwrap", "process"], jobs: list[Job]) -> list[Verdict]:
    async def work() -> list[Verdict]:
        async with open_sandbox(backend, workers=2) as sandbox:
            return list(await asyncio.gather(*(sandbox.verify(job) for job in jobs)))

    return asyncio.run(work())


def job(item: GoldItem, program: str) -> Job:
    return Job(program, item.labels["test_code"], item.inputs["entry_point"])


def test_every_program_of_gold_passes_its_test(
    sandbox_backend: Literal["docker", "bwrap", "process"],
) -> None:
    items = load_gold("answer").items
    found = verdicts(sandbox_backend, [job(item, item.labels["program"]) for item in items])
    failed = {
        item.id: verdict.message
        for item, verdict in zip(items, found, strict=True)
        if not verdict.passed
    }
    assert failed == {}


def test_no_stub_passes_a_test_of_gold(
    sandbox_backend: Literal["docker", "bwrap", "process"],
) -> None:
    items = load_gold("answer").items
    tried = [(item, value) for item in items for value in ("None", "0")]
    jobs = [job(i, STUB.format(name=i.inputs["entry_point"], value=v)) for i, v in tried]
    passed = [
        (item.id, value)
        for (item, value), verdict in zip(tried, verdicts(sandbox_backend, jobs), strict=True)
        if verdict.passed
    ]
    assert passed == []
