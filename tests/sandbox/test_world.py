"""A passing pair in another world: other hashes, other random numbers, another day."""

from __future__ import annotations

import pytest

from tests.sandbox.conftest import Runner

DAY = "import datetime\ndef f(): return datetime.date.today().year\n"


def answer(process: Runner, source: str, world: int, mode: str = "split") -> str:
    verdict = process.verify(source, "assert f() == 'nothing'\n", world=world, mode=mode)
    assert verdict.reason == "assertion", verdict
    return verdict.message


@pytest.mark.parametrize(
    "value",
    [
        "list({'a', 'b', 'c', 'd', 'e'})",
        "random.random()",
        "int(time.time()) // 86_400",
        "time.localtime()[:3]",
        "time.gmtime().tm_year",
        "time.strftime('%Y-%m')",
        "time.ctime()[:10]",
        "time.asctime()[:10]",
        "int(time.clock_gettime(time.CLOCK_REALTIME)) // 86_400",
        "datetime.datetime.now().date()",
        "datetime.datetime.now(datetime.timezone.utc).date()",
        "datetime.datetime.today().date()",
        "datetime.datetime.utcnow().date()",
        "datetime.date.today()",
    ],
)
@pytest.mark.parametrize("mode", ["split", "inproc"])
def test_differs_from_this_one_and_from_the_next(process: Runner, value: str, mode: str) -> None:
    source = f"import datetime, random, time\ndef f(): return {value}\n"
    assert len({answer(process, source, world, mode) for world in range(3)}) == 3


@pytest.mark.parametrize(
    "fact",
    [
        "type(datetime.datetime.now()) is datetime.datetime",
        "isinstance(datetime.date.today(), datetime.date)",
        "datetime.datetime.now(datetime.timezone.utc).tzinfo is datetime.timezone.utc",
        "abs(datetime.datetime.now().timestamp() - time.time()) < 5",
        "abs(time.time_ns() / 1e9 - time.time()) < 5",
        "time.strftime('%Y', time.gmtime(0)) == '1970'",
        "time.monotonic() <= time.monotonic()",
        "datetime.datetime.fromtimestamp(0, datetime.timezone.utc).year == 1970",
        "type('D', (datetime.datetime,), {}).now().__class__.__name__ == 'D'",
    ],
)
@pytest.mark.parametrize("world", [0, 1])
def test_what_is_true_of_clocks_stays_true(process: Runner, fact: str, world: int) -> None:
    source = f"import datetime, time\ndef f(): return {fact}\n"
    verdict = process.verify(source, "assert f() is True\n", world=world)
    assert verdict.passed, verdict


def test_a_world_is_the_same_every_time(process: Runner) -> None:
    source = "import random\ndef f(): return random.random(), list({'a', 'b', 'c', 'd'})\n"
    assert len({answer(process, source, 1) for _ in range(2)}) == 1
