"""After `kill -9`, only the calls that were in flight are paid for again."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from synth_dspy.lm.replies import ReplyStore
from tests.loopback import Loopback

if TYPE_CHECKING:
    from pathlib import Path

RECORDS, CONCURRENCY = 120, 8
RUN = f"""
import asyncio, sys
from pathlib import Path
import dspy
from synth_dspy.lm.budget import Budget
from synth_dspy.lm.models import Models, configure_dspy
from synth_dspy.lm.replies import ReplyStore
from tests.lm.conftest import Ask, Echo, endpoint

configure_dspy()
models = Models(
    [endpoint(sys.argv[1])], store=ReplyStore(Path(sys.argv[2])), budget=Budget(), traces=None,
    concurrency={CONCURRENCY}, vision_concurrency=1, offline=Echo(),
)

async def main():
    step, lm = dspy.Predict(Ask), models.lm("answer")
    await asyncio.gather(*(
        step.acall(question=f"R{{n}}", lm=lm) for n in range({RECORDS})
    ))
    await models.aclose()

asyncio.run(main())
"""


def start(server: Loopback, path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", RUN, server.url, str(path)])


@pytest.mark.parametrize("after", [3, 40, 90])
def test_a_killed_process_pays_again_only_for_calls_in_flight(tmp_path: Path, after: int) -> None:
    path = tmp_path / "replies.sqlite"
    with Loopback(latency_s=0.02) as server:
        process = start(server, path)
        while server.count < after and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        again = start(server, path)
        assert again.wait(60) == 0
        asked = server.count
    store = ReplyStore(path)
    totals = store.totals()
    store.close()
    assert totals.calls == RECORDS
    assert asked <= RECORDS + CONCURRENCY
