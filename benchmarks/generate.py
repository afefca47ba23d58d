"""The whole `generate` path over a socket: plan, filter, answer, curate, classify, sandbox and all.

The quickstart's chunks are taken through it twice: first to record the replies of the offline
model, then, measured, against these and a latency. Beside it a bare client sends the same calls,
as if none had to wait for another and no code had to run.

    python -m benchmarks.generate
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import ran, serving
from benchmarks.table import Group, Row, render
from synth_dspy.config import default_config_path

LATENCY_S = 0.2
AT_ONCE = 64

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ran:
    """What one client took; rss_mb: at its highest."""

    seconds: float
    cpu_s: float
    rss_mb: float
    calls: int
    samples: int


def generating(say: Say, *, samples: int = 60, backend: str = "auto") -> list[Group]:
    """Calls a second, samples a second, CPU a call and memory of one `generate`.

    Args:
        samples: the target; backend: of the sandbox.
    """
    config = default_config_path()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        recorded = folder / "replies.jsonl"
        common = {"generation.target_samples": samples, "sandbox.backend": backend}
        say("chunks of the quickstart")
        _client("prepare", config, *_settings(folder / "chunks", common))
        for name in ("first", "second"):
            shutil.copytree(folder / "chunks", folder / name)
        say(f"{samples} samples, to record the replies")
        with _server(recorded, 0.0) as url:
            _client("generate", config, *_settings(folder / "first", common, url))
        say(f"{samples} samples, and the same calls by a bare client")
        with _server(recorded, LATENCY_S) as url:
            bare = _client("bare", url, recorded, AT_ONCE)
            ours = _client("generate", config, *_settings(folder / "second", common, url))
    memory = f"{ours.rss_mb:.0f} MB"
    return [
        Group(
            f"generate, calls of {LATENCY_S * 1000:.0f} ms, {AT_ONCE} in flight",
            [
                Row("bare aiohttp, the same calls", [bare.seconds], bare.calls, "calls/s"),
                Row(f"synth-dspy, sandbox and all ({memory})", [ours.seconds], ours.calls,
                    "calls/s"),
            ],
        ),
        Group(
            "generate, CPU a call",
            [
                Row("bare aiohttp", [bare.cpu_s], bare.calls, "calls/s"),
                Row("synth-dspy, start included", [ours.cpu_s], ours.calls, "calls/s"),
            ],
        ),
        Group(
            "generate, a sample",
            [Row(f"{ours.samples} samples of {ours.calls} calls", [ours.seconds], ours.samples,
                 "samples/s")],
        ),
    ]  # fmt: skip


def _settings(output: Path, common: dict[str, Any], url: str | None = None) -> list[str]:
    settings = {
        **common,
        "output_dir": str(output),
        "tracking.enabled": "false",
        "generation.llm_concurrency": AT_ONCE,
    }
    if url is not None:
        endpoint = {"name": "m", "model_name": "m", "base_url": url, "vision": False}
        settings["models.endpoints"] = json.dumps([endpoint])
    return [f"{name}={value}" for name, value in settings.items()]


def _server(recorded: Path, latency_s: float) -> AbstractContextManager[str]:
    return serving("benchmarks.recorded_server", recorded, latency_s)


def _client(*arguments: object) -> Ran:
    return Ran(**ran("benchmarks.generate_client", *arguments))


def main() -> None:
    """Print the table."""
    groups = generating(lambda line: _print(sys.stderr, line))
    _print(sys.stdout, render(groups))


def _print(stream: object, line: str) -> None:
    stream.write(f"{line}\n")  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
