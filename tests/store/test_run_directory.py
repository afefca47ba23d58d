"""The run directory: one run at a time, and no file is ever half written."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from synth_dspy.errors import StoreError
from synth_dspy.store.run_directory import (
    RunDirectory,
    read_json,
    read_jsonl,
    write_bytes,
    write_json,
)


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


@pytest.mark.parametrize("content", [b"null", b"[1]", b"7"])
def test_a_file_that_holds_no_object_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.json").write_bytes(content)
    with pytest.raises(StoreError, match=r"state\.json holds no JSON object\. Delete it"):
        read_json(tmp_path / "state.json")


@pytest.mark.parametrize("line", [b"\xff\xfe", b"{", b"null", b"[1]", b'{"id": 1}'])
def test_a_damaged_line_is_named_with_its_number(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "tasks.jsonl").write_bytes(b'{"id": 1, "rank": 0}\n' + line + b"\n")
    with pytest.raises(StoreError, match=r"tasks\.jsonl, line 2, is no.* Delete the file"):
        list(read_jsonl(tmp_path / "tasks.jsonl", ("id", "rank")))


@pytest.mark.parametrize("read", [read_json, lambda path: list(read_jsonl(path))])
def test_a_folder_in_the_place_of_a_file_is_named(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    with pytest.raises(StoreError, match="cannot be read: Is a directory"):
        read(tmp_path)


def test_a_lock_that_cannot_be_written_is_named_and_lets_others_in(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path / "run")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))  # no file may grow
    try:
        with pytest.raises(StoreError, match=r"run cannot be written: File too large"):
            directory.lock()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    RunDirectory(tmp_path / "run").lock()
