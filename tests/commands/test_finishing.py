"""export, analyze and pushing from the command line, and what the card says of the run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commandline import Result, run
from tests.dataset.hub import TOKEN, Hub, running_hub


def chats(project: Path) -> int:
    files = (project / "outputs" / "small" / "final" / "chat" / "sharegpt").glob("*.jsonl")
    return sum(len(file.read_text().splitlines()) for file in files)


def card(project: Path, name: str = "small") -> str:
    return (project / "outputs" / name / "final" / "README.md").read_text()


def online(hub: Hub) -> dict[str, str]:
    return {
        "HF_TOKEN": TOKEN, "HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0",
        "HF_DATASETS_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1",
    }  # fmt: skip


@pytest.mark.slow
def test_conversations_that_were_exported_outlive_the_next_runs(
    project: Path, small: Callable[..., Result]
) -> None:
    assert small("pipeline", "--skip-analysis").code == 0
    assert small("export", "--chat-format", "sharegpt").code == 0
    again = small("pipeline", "--skip-analysis")
    assert "export             3 samples in | 3 kept | 0 dropped | 0 failed | 0 new, 3 cached" in (
        again.err
    )
    assert chats(project) == 3
    changed = small("pipeline", "--skip-analysis", "--set", "dataset.description=More rain.")
    assert changed.code == 0, changed.err
    assert "More rain." in card(project)
    assert chats(project) == 3


@pytest.mark.slow
def test_a_dataset_and_its_analysis_are_pushed(project: Path, small: Callable[..., Result]) -> None:
    with running_hub() as hub:
        where = online(hub)
        pushed = small("pipeline", "--hub-id", "me/rain", **where)
        assert pushed.code == 0, pushed.err
        assert f"pushed    {hub.url}/datasets/me/rain" in pushed.err
        assert hub.files["me/rain"]["README.md"].decode() == card(project)
        chat = small("export", "--chat-format", "messages", "--hub-id", "me/talk", **where)
        assert chat.code == 0, chat.err
        assert any(name.startswith("chat/messages/") for name in hub.files["me/talk"])
        looked = small("analyze", "--hub-id", "me/rain", **where)
        assert looked.code == 0, looked.err
        report = (project / "outputs" / "small" / "analysis" / "report.html").read_bytes()
        assert hub.files["me/rain"]["analysis/report.html"] == report


@pytest.mark.slow
def test_the_card_says_what_was_typed_and_how_the_judge_was_calibrated(
    project: Path, small: Callable[..., Result]
) -> None:
    said = ("--trial", "--skip-analysis", "--set", "seed=7")
    assert small("pipeline", *said).code == 0
    first = card(project, "small-trial")
    assert (
        "```\npython -m synth_dspy.run pipeline --config config.yaml --set seed=7 --trial\n```"
    ) in first
    assert "never calibrated" in first
    assert run("gold", "calibrate", "--config", "config.yaml", cwd=project).code == 0
    outputs, name = project / "outputs", "calibration.json"
    shutil.copy(outputs / "small" / name, outputs / "small-trial" / name)
    assert small("pipeline", *said).code == 0
    labelled = json.loads((outputs / "small" / name).read_text())["n"]
    assert f"calibrated against {labelled} labelled examples" in card(project, "small-trial")


def test_splits_that_cannot_be_filled_are_said(project: Path, small: Callable[..., Result]) -> None:
    done = small("pipeline", "--skip-analysis", "--set", "generation.target_samples=2")
    assert done.code == 0, done.err
    empty = {"train", "validation", "test"} - {
        file.stem for file in (project / "outputs" / "small" / "final" / "jsonl").iterdir()
    }
    assert empty
    assert all(split in done.err.partition("No row for")[2].partition(":")[0] for split in empty)
