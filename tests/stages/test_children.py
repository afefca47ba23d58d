"""Children: a call that kills its process, or does not end, takes no other call along."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from synth_dspy.stages.children import ChildDiedError, Children


@pytest.fixture
def children() -> Iterator[Children]:
    made = Children()
    yield made
    made.close()


def doubled(number: int) -> int:
    return 2 * number


def refuse(text: str) -> None:
    raise ValueError(text)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def wait_for(path: Path) -> str:
    while not path.exists():
        time.sleep(0.01)
    return path.read_text()


def tell_and_wait(told: Path) -> None:
    told.write_text(str(os.getpid()))
    while True:
        time.sleep(1)


def wait_for_text(path: Path) -> None:
    while not path.exists() or not path.read_text():
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_call_that_is_cancelled_ends_with_its_process(tmp_path: Path) -> None:
    children, told = Children(), tmp_path / "pid"

    async def cancelled() -> None:
        call = asyncio.ensure_future(children.call(tell_and_wait, told))
        await asyncio.to_thread(wait_for_text, told)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(cancelled())
    children.close()
    pid = int(told.read_text())
    while is_running(pid):  # killed, and gone as soon as the system gets to it
        time.sleep(0.05)


def test_a_call_returns_or_raises_what_its_function_does(children: Children) -> None:
    async def both() -> int:
        with pytest.raises(ValueError, match="no such number"):
            await children.call(refuse, "no such number")
        return await children.call(doubled, 21)

    assert asyncio.run(both()) == 42


def test_a_call_that_kills_its_process_is_told_and_the_next_one_works(children: Children) -> None:
    async def both() -> int:
        with pytest.raises(ChildDiedError):
            await children.call(die)
        return await children.call(doubled, 4)

    assert asyncio.run(both()) == 8


def test_what_ran_beside_a_call_that_kills_its_process_is_not_lost(
    children: Children, tmp_path: Path
) -> None:
    go = tmp_path / "go"

    async def both() -> tuple[str, object]:
        children.count = 2
        beside = asyncio.ensure_future(children.call(wait_for, go))
        died = (await asyncio.gather(children.call(die), return_exceptions=True))[0]
        go.write_text("done")
        return await beside, died

    text, died = asyncio.run(both())
    assert text == "done"
    assert isinstance(died, ChildDiedError)


def test_a_call_that_does_not_end_is_ended_and_what_ran_beside_it_is_not_lost(
    tmp_path: Path,
) -> None:
    children = Children(timeout_s=3)
    children.count = 2

    async def both() -> tuple[object, object]:
        stuck = asyncio.ensure_future(children.call(wait_for, tmp_path / "never"))
        await asyncio.sleep(1)  # so that the other one has time left when this one has none
        go = tmp_path / "go"
        beside = asyncio.ensure_future(children.call(wait_for, go))
        (ended,) = await asyncio.gather(stuck, return_exceptions=True)
        go.write_text("done")
        return ended, await beside

    ended, text = asyncio.run(both())
    children.close()
    assert isinstance(ended, TimeoutError)
    assert text == "done"
