"""`serve` with the offline model on the shipped content, for the benchmark: prints its address.

python -m benchmarks.service_server
"""

from __future__ import annotations

import socket
import sys
import tempfile

from synth_dspy.config import Config


def main() -> None:
    """Serve until killed."""
    import uvicorn

    from synth_dspy.service import SyntheticDataService, create_app

    with tempfile.TemporaryDirectory() as run_dir:
        config = Config.model_validate({
            "recipe": "routing", "dataset": {"name": "bench"}, "output_dir": run_dir,
            "routing": {"serving": {"requests_per_minute": 0}},
        })  # fmt: skip
        app = create_app(SyntheticDataService(config))
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        sys.stdout.write(f"http://127.0.0.1:{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        server.run([listening])


if __name__ == "__main__":
    main()
