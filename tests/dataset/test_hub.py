"""Pushing to the Hub, against a stand-in for its API on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from synth_dspy.dataset.export import export_dataset
from synth_dspy.dataset.hub import destination
from synth_dspy.dataset.split import split_samples
from synth_dspy.errors import UserError
from tests.commandline import ROOT
from tests.dataset.hub import TOKEN, running_hub
from tests.dataset.made import picture, sample

PUSH = """
import sys
from pathlib import Path
from synth_dspy.dataset.hub import Destination, push_dataset
from synth_dspy.errors import SetupError
try:
    print(push_dataset(Path(sys.argv[1]), Destination(sys.argv[2], sys.argv[3], sys.argv[4])))
except SetupError as error:
    sys.exit(str(error))
"""


@pytest.fixture
def final(tmp_path: Path) -> Path:
    """An exported dataset with images."""
    image = picture(tmp_path, "a.png", size=(80, 60))
    made = [sample(n, image=image if n % 5 == 0 else "") for n in range(30)]
    samples = split_samples(made, ratios=(0.7, 0.15, 0.15), seed=42)
    export_dataset(samples, run_dir=tmp_path, final=tmp_path / "final", card="# card\n")
    return tmp_path / "final"


def push(
    final: Path, url: str, token: str = TOKEN, **more: str
) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the client reads its settings once, when it is imported."""
    offline = {"HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"}
    kept = {name: value for name, value in os.environ.items() if name not in offline}
    return subprocess.run(
        [sys.executable, "-c", PUSH, str(final), "me/rain", token, url],
        env={
            **kept, "PYTHONPATH": str(ROOT), "HF_HOME": str(final.parent / "hf"),
            "HF_ENDPOINT": url, "HF_HUB_DISABLE_XET": "1", **more,
        },
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_the_card_and_the_rows_are_pushed_as_they_are(final: Path) -> None:
    with running_hub() as hub:
        done = push(final, hub.url)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{hub.url}/datasets/me/rain"
    files = hub.files["me/rain"]
    expected = {"README.md", *(f"data/{path.name}" for path in (final / "data").iterdir())}
    assert set(files) == expected
    for name in expected:
        assert files[name] == (final / name).read_bytes()
    assert len(hub.commits) == 1
    assert hub.created[0]["name"] == "rain"


def test_a_token_that_the_hub_refuses_is_said_and_not_shown(final: Path) -> None:
    with running_hub() as hub:
        done = push(final, hub.url, token="hf_wrong")
    assert done.returncode == 1
    assert done.stderr.startswith("me/rain was not pushed to")
    assert "401" in done.stderr
    assert "hf_wrong" not in done.stderr
    assert hub.files == {}


def test_a_hub_that_does_not_answer_is_said(final: Path) -> None:
    done = push(final, "http://127.0.0.1:9")
    assert done.returncode == 1
    assert "was not pushed to http://127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_client_that_is_told_to_stay_offline_is_said(final: Path) -> None:
    with running_hub() as hub:
        done = push(final, hub.url, HF_HUB_OFFLINE="1")
    assert done.stderr == (
        "me/rain was not pushed: HF_HUB_OFFLINE is set; unset it and export again.\n"
    )
    assert hub.files == {}


def test_without_a_token_it_says_where_to_get_one() -> None:
    with pytest.raises(UserError, match=r"HF_TOKEN is not set\. Make a token with write access"):
        destination("me/rain", {"HF_TOKEN": " "})


@pytest.mark.parametrize("name", ["rain", "me/", "me/rain/now", "https://huggingface.co/me/rain"])
def test_what_is_no_id_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="a repository's id is owner/name"):
        destination(name, {"HF_TOKEN": "x"})


def test_the_token_is_never_printed() -> None:
    assert "very-secret" not in repr(destination("me/rain", {"HF_TOKEN": "very-secret"}))


def test_another_hub_is_taken_from_the_environment() -> None:
    to = destination(
        "me/rain", {"HF_TOKEN": "x", "HF_ENDPOINT": "http://127.0.0.1:1"}, private=True
    )
    assert (to.endpoint, to.private) == ("http://127.0.0.1:1", True)
