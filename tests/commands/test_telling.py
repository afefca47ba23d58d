"""--quiet, --verbose and --log-json: how a run tells."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.commandline import Result, overrides
from tests.loopback import Loopback


def test_every_line_of_a_run_is_json_when_asked(small: Callable[..., Result]) -> None:
    result = small("pipeline", "--skip-analysis", "--log-json")
    assert result.code == 0, result.err
    events = [json.loads(line) for line in result.err.splitlines()]
    stages = {event["stage"]: event for event in events if event["event"] == "stage"}
    assert stages["build"]["out"] == 3
    assert all("time" in event for event in events)


def test_an_error_is_json_too(small: Callable[..., Result]) -> None:
    result = small("pipeline", "--log-json", "--set", "generation.target_samples=0")
    assert result.code == 2
    (event,) = (json.loads(line) for line in result.err.splitlines())
    assert event["event"] == "error"
    assert "generation.target_samples: 0 is too small" in event["message"]


def test_verbose_tells_of_retries(small: Callable[..., Result]) -> None:
    with Loopback(faults={"500": 0.5}, seed=1) as server:
        at = overrides(
            models__endpoints="[{name: m, model_name: m, retry_delay: 0.01, base_url: '"
            + server.url
            + "'}]"
        )
        assert small("pipeline", "--skip-analysis", "--verbose", *at).err.count("asking again") > 0
        plain = small("pipeline", "--skip-analysis", "--no-cache", *at)
    assert server.dealt["500"] > 0
    assert "asking again" not in plain.err
