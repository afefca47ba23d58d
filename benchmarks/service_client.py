"""Sends requests at an even rate, whatever the answers do, and prints what was measured as JSON.

python -m benchmarks.service_client http://127.0.0.1:8000 2000 200 0
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from itertools import cycle
from typing import Any

import aiohttp

_OPTIMIZERS = ("modality", "cross_modal", "routing", "workflow", "unified")
_COUNT = 10


async def load(url: str, requests: int, per_second: float, first_seed: int) -> dict[str, Any]:
    """Latencies in seconds, from when a request was due: waiting to be sent counts, too.

    Args:
        first_seed: each request has a seed of its own from here on, so that none asks again for
            what another one got.
    """
    latencies: list[float] = []
    faults = 0
    names = cycle(_OPTIMIZERS)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def one(seed: int, due: float) -> None:
            nonlocal faults
            order = {"optimizer": next(names), "count": _COUNT, "seed": seed}
            async with session.post(f"{url}/synthetic/generate", json=order) as answer:
                data = await answer.json()
            faults += answer.status != 200 or data["count"] != _COUNT
            latencies.append(time.perf_counter() - due)

        await _wait_for(session, url)
        start = time.perf_counter()
        tasks = []
        for number in range(requests):
            due = start + number / per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.append(asyncio.create_task(one(first_seed + number, due)))
        await asyncio.gather(*tasks)
        seconds = time.perf_counter() - start
    return {"latencies": latencies, "faults": faults, "seconds": seconds}


async def _wait_for(session: aiohttp.ClientSession, url: str) -> None:
    for _ in range(200):
        try:
            async with session.get(f"{url}/synthetic/health") as answer:
                await answer.read()
                return
        except aiohttp.ClientConnectorError:
            await asyncio.sleep(0.05)
    raise TimeoutError(f"{url} does not answer")


if __name__ == "__main__":
    found = asyncio.run(load(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))
    sys.stdout.write(json.dumps(found) + "\n")
