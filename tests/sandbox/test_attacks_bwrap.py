"""Every attack in bubblewrap, as a user that is not root (as root: by becoming `nobody`)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import sandbox
from sandbox import SandboxUnavailable
from sandbox.bwrap_backend import check_bwrap
from tests.sandbox.attacks import cases

pytestmark = [pytest.mark.bwrap, pytest.mark.timeout(600)]

CASES = {name: attack for name, attack, _ in cases()}
Outcomes = dict[str, list[object]]


def _prefix() -> list[str]:
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is missing, which lets root run tests as another user (util-linux)")
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def _python(prefix: list[str]) -> str:
    # It has to start once more by itself: setpriv can still open what its user then cannot.
    again = "import subprocess as s, sys; s.run([sys.executable, '-c', ''], check=True)"
    check = f"{again}; sys.exit(sys.version_info < (3, 11))"
    for name in (sys.executable, "/usr/local/bin/python3", "/usr/bin/python3"):
        try:
            done = subprocess.run([*prefix, name, "-c", check], capture_output=True, check=False)
        except OSError:
            continue
        if done.returncode == 0:
            return name
    pytest.skip("an ordinary user finds no Python 3.11 or newer here; install Debian's python3")


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest) -> Iterator[Outcomes]:
    """What became of each attack that was asked for, by its id; all in one process."""
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed (Debian: apt-get install bubblewrap)")
    # pytest's own temporary folders are closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="synth-dspy-test-"))
    try:
        names = [getattr(i, "callspec", None) for i in request.session.items]
        yield _run(folder, [c.params["name"] for c in names if c and "name" in c.params])
    finally:
        shutil.rmtree(folder)


def _run(folder: Path, names: list[str]) -> Outcomes:
    folder.chmod(0o755)
    shutil.copytree(Path(sandbox.__file__).parent, folder / "sandbox")
    here = Path(__file__).parent
    shutil.copytree(here / "attacks", folder / "attacks")
    shutil.copy(here / "ordinary_user.py", folder)
    site = folder / "site"
    site.mkdir()
    (site / "boxed.py").write_text("VALUE = 7\n")
    prefix = _prefix()
    asked = json.dumps({"names": names, "site": str(site)})
    env = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/nonexistent"}
    command = [*prefix, _python(prefix), str(folder / "ordinary_user.py")]
    done = subprocess.run(
        command, cwd=folder, env=env, input=asked, capture_output=True, text=True, check=False,
        timeout=580,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line[0]: line[1:] for line in lines}


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if a.slow else []) for n, a in CASES.items()],
)
def test_an_attack_does_not_pass_and_the_next_honest_job_does(
    outcomes: Outcomes, name: str
) -> None:
    attack = CASES[name]
    passed, reason, next_passed = outcomes[name]
    assert not passed
    assert not attack.reasons or reason in attack.reasons
    assert next_passed


def test_another_world_has_other_hashes(outcomes: Outcomes) -> None:
    assert outcomes["orders"] == [2]


def test_packages_beside_the_standard_library_can_be_used(outcomes: Outcomes) -> None:
    assert outcomes["packages"] == [True, ""]


def test_the_box_shows_neither_etc_nor_home(outcomes: Outcomes) -> None:
    has_passwd, folders = outcomes["seen"]
    assert has_passwd == "False"
    assert "home" not in str(folders)
    assert "root" not in str(folders)


def test_every_limit_is_really_enforced(outcomes: Outcomes) -> None:
    available, enforces = outcomes["doctor"]
    assert available
    assert enforces == dict.fromkeys(("memory", "pids", "network", "filesystem"), True)


@pytest.mark.skipif(os.geteuid() != 0, reason="root's refusal can only be seen by root")
def test_root_is_refused() -> None:
    with pytest.raises(SandboxUnavailable, match="as root"):
        check_bwrap()
