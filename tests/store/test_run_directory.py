"""The run directory: one run at a time, and no file is ever half written."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from synth_dspy.errors import StoreError
from synth_dspy.store.run_directory import RunDirectory, read_json, write_bytes, write_json


def test_a_second_run_is_refused_with_the_first_ones_process_and_host(tmp_path: Path) -> None:
    first = RunDirectory(tmp_path / "run")
    first.lock()
    with pytest.raises(StoreError, match=rf"in use by process {os.getpid()} on \S+"):
        RunDirectory(tmp_path / "run").lock()
    first.unlock()
    second = RunDirectory(tmp_path / "run")
    second.lock()
    second.unlock()


def test_too_little_space_is_said_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil._ntuple_diskusage(1, 1, 5 << 20)
    monkeypatch.setattr("synth_dspy.store.space.shutil.disk_usage", lambda _: usage)
    with pytest.raises(StoreError, match=r"Only 5 MiB are free .* needs at least 64 MiB"):
        RunDirectory(tmp_path / "run").lock()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"file/run cannot be used"):
        RunDirectory(tmp_path / "file" / "run").lock()


def test_a_failed_write_leaves_the_earlier_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "value.json"
    write_json(target, {"n": 1})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("synth_dspy.store.run_directory.os.fsync", full)
    with pytest.raises(StoreError, match="No space left on device"):
        write_bytes(target, b"half")
    assert read_json(target) == {"n": 1}
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_that_is_not_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{")
    with pytest.raises(StoreError, match=r"state\.json is not JSON"):
        read_json(tmp_path / "state.json")
    assert read_json(tmp_path / "none.json") is None
