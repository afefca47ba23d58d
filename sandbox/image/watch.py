"""Ends a job whose solution looks at the test through the interpreter, where both share a process.

An audit hook (PEP 578) cannot be taken off again. It looks at who asks for frames, tracing, the
collector's objects or raw memory: the standard library may, the solution may not. At the first try
the hook writes a record without the nonce, which the host reads as tampering, and the process ends
before the solution has what it asked for.
"""

from __future__ import annotations

import os
import sys
import types
from typing import Any

_ASKING = {
    "sys._getframe", "sys._current_frames", "sys._current_exceptions", "sys._getframemodulename",
    "sys.settrace", "sys.setprofile", "sys.monitoring.register_callback", "gc.get_objects",
    "gc.get_referrers", "gc.get_referents", "ctypes.string_at", "ctypes.wstring_at",
    "ctypes.cdata", "ctypes.cdata/buffer", "ctypes.call_function", "sys.addaudithook",
}  # fmt: skip
_FRAMES = {"tb_frame", "gi_frame", "cr_frame", "ag_frame"}
# Modules that hand on what they ask for: whoever called them is the one that asks.
_HANDS_ON = {"inspect", "traceback", "bdb", "pdb", "ctypes", "threading"}
_RECORD = b'{"nonce": null, "phase": "test", "type": "Tampered"}\n'


def install(solution: types.ModuleType, record_fd: int) -> None:
    """Watches from here on, for as long as the process lives."""
    scope, getframe, write, leave = vars(solution), sys._getframe, os.write, os._exit
    looking = False

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal looking
        if looking or not _asks(event, args):
            return
        looking = True
        try:
            frame: types.FrameType | None = getframe(1)
            # Whoever formats a traceback reads its frames, too, and hands on text only.
            through = () if event == "object.__getattr__" else _HANDS_ON
            while frame is not None and frame.f_globals.get("__name__") in through:
                frame = frame.f_back
            if frame is not None and _is_foreign(frame, scope):
                write(record_fd, _RECORD)
                leave(0)
        finally:
            looking = False

    sys.addaudithook(hook)


def _asks(event: str, args: tuple[Any, ...]) -> bool:
    if event in _ASKING:
        return True
    if event == "object.__getattr__":
        asked = args[1]
        return asked in _FRAMES or (
            asked == "__code__" and getattr(args[0], "__module__", "") == "test"
        )
    return event == "open" and isinstance(args[0], str) and args[0].startswith("/proc/")


def _is_foreign(frame: types.FrameType, scope: dict[str, Any]) -> bool:
    """Code of the solution, or code that was compiled from text."""
    name = frame.f_code.co_filename
    return frame.f_globals is scope or name == "solution.py" or name == "<string>"
