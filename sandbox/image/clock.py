"""Another day for this process: what asks for the date gets one that lies `seconds` ahead.

A test that only passes today, or in one order of a set, is found by running it once more in another
world. Types stay what they are: `datetime.now` is replaced in the class itself, so that `type(x)
is datetime` still holds. The monotonic clocks run as before.
"""

from __future__ import annotations

import ctypes
import datetime
import gc
import time
from collections.abc import Callable
from typing import Any

STEP_S = 400 * 86_400 + 7 * 3_600 + 13 * 60 + 11  # another year, month, day, weekday, hour, minute


def shift(seconds: int) -> None:
    """Moves the wall clock of this process; for a fresh child, before foreign code."""
    now, now_ns = time.time, time.time_ns
    local, universal, text, formatted = time.localtime, time.gmtime, time.asctime, time.strftime
    clock, clock_ns = time.clock_gettime, time.clock_gettime_ns

    def moment() -> float:
        return now() + seconds

    def filled(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(at: float | None = None) -> Any:
            return function(moment() if at is None else at)

        return call

    def read(number: int) -> float:
        return clock(number) + (seconds if number == time.CLOCK_REALTIME else 0)

    def read_ns(number: int) -> int:
        return clock_ns(number) + (seconds * 10**9 if number == time.CLOCK_REALTIME else 0)

    vars(time).update(
        time=moment,
        time_ns=lambda: now_ns() + seconds * 10**9,
        localtime=filled(local),
        gmtime=filled(universal),
        ctime=lambda at=None: text(local(moment() if at is None else at)),
        asctime=lambda at=None: text(local(moment()) if at is None else at),
        strftime=lambda form, at=None: formatted(form, local(moment()) if at is None else at),
        clock_gettime=read,
        clock_gettime_ns=read_ns,
    )
    _replace(datetime.date, today=lambda cls: cls.fromtimestamp(moment()))
    _replace(
        datetime.datetime,
        now=lambda cls, tz=None: cls.fromtimestamp(moment(), tz),
        today=lambda cls: cls.fromtimestamp(moment()),
        utcnow=lambda cls: cls.fromtimestamp(moment(), datetime.UTC).replace(tzinfo=None),
    )


def _replace(cls: type, **methods: Callable[..., Any]) -> None:
    """Sets class methods of a class that is written in C and has no public way to do it."""
    (names,) = gc.get_referents(cls.__dict__)
    names.update({name: classmethod(method) for name, method in methods.items()})
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(cls))
