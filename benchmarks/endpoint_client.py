"""One client of `benchmarks.endpoints`, in a process of its own: `bare` or `ours`.

    python -m benchmarks.endpoint_client ours URL RECORDS IN_FLIGHT TIMEOUT_S

Prints one JSON object: seconds, cpu_s, rss_mb, ends.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.memory import peak_mb

QUESTION = "R{number} is what? " + "A passage of some length stands here. " * 40


@dataclass(frozen=True, slots=True)
class Ran:
    """What one client took for its records, once its connections were open."""

    seconds: float
    cpu_s: float
    rss_mb: float
    ends: dict[str, int]


async def bare(url: str, records: int, at_once: int, timeout_s: float) -> Ran:
    """The floor: bodies made, sent and parsed, nothing else."""
    import aiohttp

    ends: Counter[str] = Counter()
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

        async def one(number: int) -> None:
            messages = [
                {"role": "system", "content": "Answer the question."},
                {"role": "user", "content": QUESTION.format(number=number)},
            ]
            async with session.post(
                f"{url}/chat/completions", json={"model": "m", "messages": messages}
            ) as reply:
                data = await reply.json()
            ends["ok" if data["choices"][0]["message"]["content"] else "empty"] += 1

        return await _timed(one, records, at_once, ends)


async def ours(url: str, records: int, at_once: int, timeout_s: float) -> Ran:
    """A DSPy predictor through the whole path: adapter, durable engine, store, limits."""
    import dspy

    from synth_dspy.config.endpoints import Endpoint
    from synth_dspy.errors import RecordError
    from synth_dspy.lm.budget import Budget
    from synth_dspy.lm.models import Models
    from synth_dspy.lm.offline import OfflineModel
    from synth_dspy.lm.replies import ReplyStore

    ends: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        store = ReplyStore(Path(folder) / "replies.sqlite")
        models = Models(
            [Endpoint(name="m", base_url=url, model_name="m", timeout=timeout_s)],
            store=store, budget=Budget(), traces=None, concurrency=at_once,
            vision_concurrency=at_once, offline=OfflineModel(),
        )  # fmt: skip
        step, lm = dspy.Predict("question -> answer"), models.lm("m")

        async def one(number: int) -> None:
            try:
                reply = await step.acall(question=QUESTION.format(number=number), lm=lm)
            except RecordError as error:
                ends[error.reason] += 1
            else:
                ends["ok" if reply.answer else "empty"] += 1

        try:
            return await _timed(one, records, 2 * at_once, ends)
        finally:
            await models.aclose()
            store.close()


async def _timed(
    one: Callable[[int], Awaitable[None]], records: int, workers: int, ends: Counter[str]
) -> Ran:
    """Warm up with records that are not counted, then count."""
    await _all(one, range(records, records + workers), workers)
    ends.clear()
    cpu, started = time.process_time(), time.perf_counter()
    await _all(one, range(records), workers)
    seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    return Ran(seconds, cpu_s, peak_mb(), dict(ends))


async def _all(one: Callable[[int], Awaitable[None]], records: range, workers: int) -> None:
    numbers = iter(records)

    async def work() -> None:
        for number in numbers:
            await one(number)

    await asyncio.gather(*(work() for _ in range(workers)))


def main() -> None:
    """Run one client and print what it took."""
    kind, url, records, at_once, timeout_s = sys.argv[1:]
    client = {"bare": bare, "ours": ours}[kind]
    if kind == "ours":
        from synth_dspy.lm.models import configure_dspy

        configure_dspy()
    ran = asyncio.run(client(url, int(records), int(at_once), float(timeout_s)))
    sys.stdout.write(json.dumps(asdict(ran)) + "\n")


if __name__ == "__main__":
    main()
