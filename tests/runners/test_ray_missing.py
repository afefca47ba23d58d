"""`--runner ray` where Ray is not installed, or where no cluster answers; nothing starts here."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from synth_dspy.errors import UserError
from synth_dspy.runners.ray import connect
from tests.commandline import Result, run
from tests.loopback import Loopback

BLOCKER = """
import importlib.abc, sys
class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "ray" or name.startswith("ray."):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
"""


def without_ray(tmp_path: Path, *arguments: str) -> Result:
    """The command line in a Python that has no ray."""
    (tmp_path / "sitecustomize.py").write_text(BLOCKER)
    path = f"{tmp_path}:{Path(__file__).resolve().parents[2]}"
    return run(*arguments, cwd=tmp_path, env={"PYTHONPATH": path})


def test_a_missing_extra_names_its_install_command(tmp_path: Path) -> None:
    result = without_ray(tmp_path, "pipeline", "--runner", "ray")
    assert result.code == 2
    assert 'pip install "synth-dspy[ray]"' in result.err
    assert not (tmp_path / "outputs").exists()


def test_the_local_runner_needs_no_ray(tmp_path: Path) -> None:
    result = without_ray(tmp_path, "parse")
    assert result.code == 0, result.err


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_an_address_where_nothing_answers_is_one_clear_error(tmp_path: Path) -> None:
    address = f"127.0.0.1:{closed_port()}"
    result = run("pipeline", "--runner", "ray", "--ray-address", address, cwd=tmp_path)
    assert result.code == 2
    *introduction, error = result.err.splitlines()
    assert error.startswith(f"Error: --ray-address '{address}': nothing answers there")
    assert not any("ray" in line or "Traceback" in line for line in introduction)


@pytest.mark.parametrize("address", ["cluster", "cluster:port", ":6379", "127.0.0.1:99999"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UserError, match="--ray-address"):
        connect(address)


def test_options_of_ray_need_the_ray_runner(tmp_path: Path) -> None:
    result = run("pipeline", "--ray-address", "127.0.0.1:6379", cwd=tmp_path)
    assert (result.code, "--ray-address goes with `--runner ray`" in result.err) == (2, True)
    result = run("generate", "--ray-workers", "2", cwd=tmp_path)
    assert (result.code, "--ray-workers goes with `--runner ray`" in result.err) == (2, True)


def test_something_else_at_the_address_is_said() -> None:
    with Loopback() as server, pytest.raises(UserError, match="no head of a Ray cluster"):
        connect(server.url.removeprefix("http://").removesuffix("/v1"))
