"""The offline model behind a socket, whose replies are kept in a file for the next time.

    python -m benchmarks.recorded_server FILE LATENCY_S     # prints its base_url

A prompt that FILE holds is answered from there, without thinking; any other is answered by the
offline model and added. So a second run of the same calls measures who calls, not the model.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from dspy import lm15

from synth_dspy.lm.offline import OfflineModel
from tests.loopback import Loopback, Prompt


class Recorded:
    """Answers prompts; the file has one JSON object a prompt: `body`, `reply`."""

    def __init__(self, path: Path) -> None:
        self._model = OfflineModel()
        self._thread = ThreadPoolExecutor(1)  # which has no event loop of its own
        known = read(path) if path.exists() else []
        self._replies: dict[bytes, str] = {_key(line["body"]): line["reply"] for line in known}
        self._file = path.open("a", encoding="utf-8")

    def __call__(self, prompt: Prompt) -> str:
        """The content of a reply."""
        key = _key(prompt.body)
        if key not in self._replies:
            request = lm15.request_from_openai_chat(dict(prompt.body))
            thinking = self._thread.submit(lambda: asyncio.run(self._model.complete(request)))
            self._replies[key] = str(thinking.result().text)
            line = {"body": prompt.body, "reply": self._replies[key]}
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
        return self._replies[key]


def read(path: Path) -> list[dict[str, Any]]:
    """What was recorded."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _key(body: dict[str, Any]) -> bytes:
    return hashlib.blake2b(json.dumps(body["messages"]).encode(), digest_size=16).digest()


def main() -> None:
    """Serve until killed."""
    path, latency_s = sys.argv[1:]
    with Loopback(Recorded(Path(path)), latency_s=float(latency_s)) as server:
        sys.stdout.write(server.url + "\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
