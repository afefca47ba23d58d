"""Calls between the solution's process and the test's: one JSON line a message.

Both ends are alike: each can call the other's functions, and answers calls while it waits. Values
cross as `codec` writes them; functions that the test passes cross as names to be called back.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import io
import json
import socket
import sys
import types
from typing import Any

from . import codec, collect, decoding, feedback

MAX_MESSAGE = 16 << 20
MAX_PRINTED = 1 << 16


class Unshareable(Exception):  # noqa: N818 - the test may not see it as a fault of the solution
    """A value that cannot cross; the job has to run in one process, if at all."""


class Peer:
    """One end of the socket: calls the other end, and answers its calls while it waits.

    Args:
        functions: what the other end may call, by name.
    """

    def __init__(self, fd: int, functions: dict[str, Any]) -> None:
        self.socket = socket.socket(fileno=fd)
        self.reader = self.socket.makefile("rb")
        self.functions = functions
        self.names: dict[int, str] = {}
        self.calls = 0
        self.unsupported: list[dict[str, Any]] = []

    def send(self, message: dict[str, Any]) -> None:
        """One JSON line."""
        try:
            self.socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise collect.SolutionGone("the other process has ended") from error

    def receive(self) -> dict[str, Any]:
        """One JSON line; SolutionGone when the other end has closed or talks nonsense."""
        try:
            line = self.reader.readline(MAX_MESSAGE)
            message = json.loads(line) if line.endswith(b"\n") else None
        except (OSError, ValueError, RecursionError) as error:
            raise collect.SolutionGone("a reply that cannot be read") from error
        if line and message is None:
            raise collect.SolutionGone(f"a reply of more than {MAX_MESSAGE >> 20} MB")
        if not isinstance(message, dict):
            raise collect.SolutionGone("the solution's process ended before it answered")
        return message

    def call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Calls `name` over there; lists, dicts and sets that it changed are changed here too."""
        self.calls += 1
        try:
            packed = {
                "f": name,
                "a": [self.pack(x) for x in args],
                "k": {key: self.pack(x) for key, x in kwargs.items()},
            }
        except codec.Unsupported as error:
            self.unsupported.append({"side": "test", "type": str(error)})
            raise Unshareable(f"an argument that is not plain data: {error}") from error
        self.send(packed)
        while True:
            reply = self.receive()
            if "f" in reply:
                self.answer(reply)
                continue
            return self.unpack_reply(reply, args)

    def unpack_reply(self, reply: dict[str, Any], args: tuple[Any, ...]) -> Any:
        """The value of a reply, or its exception, raised."""
        if reply.get("o"):
            sys.stdout.write(str(reply["o"]))
        if "u" in reply:
            found = {"side": "solution", "type": str(reply["u"])[:200]}
            self.unsupported.append({**found, "universal": bool(reply.get("universal"))})
            raise Unshareable(f"the solution returned {found['type']}, which is not plain data")
        if "e" in reply:
            raise rebuild(reply["e"])
        for mine, form in zip(args, reply.get("a") or [], strict=False):
            if form is not None:
                _update(mine, decoding.decode(form))
        return decoding.decode(reply["r"])

    def pack(self, value: Any) -> Any:
        """Encoded value; functions of this end become names that the other end can call."""
        if isinstance(value, types.FunctionType):
            remote = getattr(value, "_sandbox_name", None)
            if remote is not None:
                return {"mine": remote}
            if not codec.is_importable(value):
                name = self.names.setdefault(id(value), f"callback {len(self.names)}")
                self.functions[name] = value
                return {"yours": name}
        return codec.encode(value)

    def unpack(self, form: Any) -> Any:
        """The value of an argument."""
        if isinstance(form, dict) and "mine" in form:
            return self.functions[form["mine"]]
        if isinstance(form, dict) and "yours" in form:
            return self.proxy(str(form["yours"]))
        return decoding.decode(form)

    def answer(self, request: dict[str, Any]) -> None:
        """Runs one call of the other end and replies."""
        outer, printed = sys.stdout, Printed(sys.stdout)
        args: list[Any] = []
        try:
            args = [self.unpack(form) for form in request["a"]]
            kwargs = {key: self.unpack(form) for key, form in request["k"].items()}
            sys.stdout = printed
            result = self.functions[request["f"]](*args, **kwargs)
            if inspect.iscoroutine(result):
                result = asyncio.run(result)
            reply: dict[str, Any] = {"r": codec.encode(result)}
            reply["a"] = [_mutable(x) for x in args]
        except codec.Unsupported as error:
            reply = {"u": str(error), "universal": error.universal}
        except collect.SolutionGone:
            raise
        except BaseException as error:
            reply = {"e": flatten(error)}
        finally:
            sys.stdout = outer
        reply["o"] = printed.text()
        self.send(reply)

    def proxy(self, name: str, asynchronous: bool = False) -> Any:
        """A function here that calls `name` over there."""

        def call(*args: Any, **kwargs: Any) -> Any:
            return self.call(name, args, kwargs)

        async def call_later(*args: Any, **kwargs: Any) -> Any:
            return self.call(name, args, kwargs)

        function: Any = call_later if asynchronous else call
        function.__name__ = function.__qualname__ = name
        function.__module__ = "solution"
        function._sandbox_name = name
        return function


class Printed(io.StringIO):
    """What the solution prints, for the test to see; beyond the bound it goes straight out."""

    def __init__(self, out: Any) -> None:
        super().__init__()
        self.out = out

    def write(self, text: str) -> int:
        """Keeps, or hands on."""
        if self.tell() + len(text) > MAX_PRINTED:
            self.out.write(text)
            return len(text)
        return super().write(text)

    def text(self) -> str:
        """What was kept."""
        return "" if self.closed else self.getvalue()


def _mutable(value: Any) -> Any:
    if type(value) not in (list, dict, set, bytearray):
        return None
    try:
        return codec.encode(value)
    except codec.Unsupported:
        return None


def _update(mine: Any, theirs: Any) -> None:
    if type(mine) is not type(theirs) or mine == theirs:
        return
    if isinstance(mine, (list, bytearray)):
        mine[:] = theirs
    elif isinstance(mine, (dict, set)):
        mine.clear()
        mine.update(theirs)


def flatten(error: BaseException) -> dict[str, Any]:
    """An exception as data: its classes by name, its arguments where they are plain, its text."""
    try:
        args = [codec.encode(x) for x in error.args]
    except (codec.Unsupported, RecursionError):
        args = [feedback.text_of(error)]
    return {
        "classes": [[c.__module__, c.__name__] for c in type(error).__mro__],
        "args": args,
        "frames": feedback.solution_frames(error),
        "own": type(error).__name__,
    }


def rebuild(form: dict[str, Any]) -> BaseException:
    """The nearest standard exception to the one that was raised over there."""
    cls: type[BaseException] = RuntimeError
    for module, name in form["classes"]:
        found = _standard_exception(str(module), str(name))
        if found is not None:
            cls = found
            break
    args = tuple(decoding.decode(x) for x in form["args"])
    error = cls.__new__(cls, *args) if cls.__module__ == "builtins" else cls.__new__(cls)
    error.args = args
    error._sandbox_frames = [str(x) for x in form["frames"]] or ["in the solution"]  # type: ignore[attr-defined]
    return error


def _standard_exception(module: str, name: str) -> type[BaseException] | None:
    if module.partition(".")[0] not in sys.stdlib_module_names:
        return None
    found = getattr(importlib.import_module(module), name, None)
    if not (isinstance(found, type) and issubclass(found, BaseException)):
        return None
    return found if issubclass(found, Exception) or found is SystemExit else None
