"""One client of `benchmarks.generate`, in a process of its own.

    python -m benchmarks.generate_client prepare CONFIG [dotted.key=value]...
    python -m benchmarks.generate_client generate CONFIG [dotted.key=value]...
    python -m benchmarks.generate_client bare URL RECORDED IN_FLIGHT

`prepare` makes the chunks, `generate` samples of them; `bare` sends the calls that were recorded.
Prints one JSON object: seconds, cpu_s, rss_mb, calls, samples.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from benchmarks.memory import peak_mb

_BEFORE = ("parse", "transcribe", "filter-images", "chunk", "filter-chunks")
_LAST = "classify"


def run(kind: str, config: str, overrides: list[str]) -> dict[str, float]:
    """Stages before `generate`, or `generate` itself, as their commands run them.

    Raises:
        RuntimeError: one ended with another exit code than 0 or 1 (short of the target).
    """
    from rich.console import Console

    from synth_dspy.commands.execution import Execution, Options
    from synth_dspy.config import load_config
    from synth_dspy.runners.progress import Reporter

    loaded = load_config(Path(config), overrides).config
    calls = samples = 0
    cpu, started = time.process_time(), time.perf_counter()
    with Reporter(Console(stderr=True), quiet=True) as reporter:
        for name in _BEFORE if kind == "prepare" else ("generate",):
            execution = Execution(loaded, reporter, Options(quiet=True))
            code = execution.generate() if name == "generate" else execution.stage(name)
            if code not in (0, 1):
                raise RuntimeError(f"{name} ended with {code}")
    seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    for path in loaded.output_dir.rglob("summary*.json"):
        summary = json.loads(path.read_text(encoding="utf-8"))
        calls += summary["llm_calls"]
        samples += summary["out"] if summary["stage"] == _LAST else 0
    return {
        "seconds": seconds, "cpu_s": cpu_s, "rss_mb": peak_mb(), "calls": calls, "samples": samples,
    }  # fmt: skip


async def bare(url: str, recorded: Path, at_once: int) -> dict[str, float]:
    """The same calls, one after the other wherever one of `at_once` ends."""
    import aiohttp

    from benchmarks.recorded_server import read

    bodies = [json.dumps(line["body"]).encode() for line in read(recorded)]
    cpu, started = time.process_time(), time.perf_counter()
    connector = aiohttp.TCPConnector(limit=at_once)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def one(body: bytes) -> None:
            async with session.post(f"{url}/chat/completions", data=body) as reply:
                reply.raise_for_status()
                json.loads(await reply.read())

        await asyncio.gather(*map(one, bodies))
    seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    return {
        "seconds": seconds, "cpu_s": cpu_s, "rss_mb": peak_mb(), "calls": len(bodies), "samples": 0,
    }  # fmt: skip


def main() -> None:
    """Run one client and print what it took."""
    kind, where, *rest = sys.argv[1:]
    if kind == "bare":
        ran = asyncio.run(bare(where, Path(rest[0]), int(rest[1])))
    else:
        ran = run(kind, where, rest)
    sys.stdout.write(json.dumps(ran) + "\n")


if __name__ == "__main__":
    main()
