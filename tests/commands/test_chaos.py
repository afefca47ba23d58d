"""30 kills at random moments over one run: the same bytes, and only calls in flight paid again.

The model is behind a socket, and the server counts what it was asked: that is the evidence, not
what the run says of itself.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import orjson
import pytest

from tests.commandline import QUICKSTART, kill_group, overrides, run, started
from tests.commands.conftest import CONFIG
from tests.commands.test_faults import Patient
from tests.commands.test_kill import parquet
from tests.loopback import Loopback

KILLS = 30
CONCURRENCY = 8
LATENCY_S = 0.1
_LIFE_S = 0.33  # so short that the run outlasts thirty of them
_START_S = 30.0


def arguments(cwd: Path, server: Loopback, backend: str) -> list[str]:
    """The command: the quickstart's documents, and a model behind `server`."""
    endpoint = f"[{{name: all, base_url: '{server.url}', model_name: m}}]"
    (cwd / "config.yaml").write_text(CONFIG.replace("BACKEND", backend))
    settings = overrides(
        models__endpoints=endpoint,
        sources=f"[{{path: '{QUICKSTART.parent / 'docs'}'}}]",
        generation__target_samples=40,
        generation__llm_concurrency=CONCURRENCY,
        generation__vlm_concurrency=CONCURRENCY,
    )
    return ["pipeline", "--skip-analysis", "--config", "config.yaml", *settings]


def live_and_die(what: list[str], cwd: Path, server: Loopback, chance: random.Random) -> bool:
    """Start the command and kill its process group: mostly soon after its first request, sometimes
    at any moment of its start. False when it ended by itself."""
    process = started(*what, cwd=cwd)
    asked, early = server.count, chance.random() < 0.2
    deadline = time.monotonic() + (chance.uniform(0.2, 2.0) if early else _START_S)
    while time.monotonic() < deadline and process.poll() is None:
        if not early and server.count > asked:
            time.sleep(chance.uniform(0.0, _LIFE_S))
            break
        time.sleep(0.005)
    if process.poll() is not None:
        return False
    kill_group(process)
    return True


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_thirty_kills_change_no_byte_and_repeat_only_what_was_in_flight(
    tmp_path: Path, sandbox_backend: str
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    served, chance = Patient(), random.Random()
    seed = chance.getrandbits(32)
    chance.seed(seed)
    datasets, repeated, kills, needed = [], 0, 0, 0
    for cwd in (whole, killed):
        cwd.mkdir()
        with Loopback(served, latency_s=LATENCY_S) as server:
            what = arguments(cwd, server, sandbox_backend)
            while cwd is killed and kills < KILLS:
                if not live_and_die(what, cwd, server, chance):
                    break
                kills += 1
            result = run(*what, cwd=cwd)
            assert result.code in (0, 1), result.err
            bodies = Counter(
                orjson.dumps(body, option=orjson.OPT_SORT_KEYS) for body in server.bodies
            )
        needed = needed or len(bodies)
        repeated = bodies.total() - len(bodies)
        datasets.append(parquet(cwd / "outputs" / "small"))
        assert datasets[-1]
        if cwd is whole:
            assert repeated == 0
    assert kills == KILLS, f"the run of {needed} calls ended after {kills} kills; seed {seed}"
    assert repeated <= kills * CONCURRENCY, f"{repeated} repeated after {kills} kills; seed {seed}"
    assert datasets[0] == datasets[1], f"seed {seed}"
