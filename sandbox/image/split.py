"""Solution and test in two processes that exchange data only.

The solution's process loads the solution and answers calls. The test's process has a module
`solution` made of proxies, runs the test, and writes the record. What crosses is JSON (`codec`):
an object of the solution's making never reaches the test, so it cannot lie about being equal.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import types
from typing import Any

from . import asserts, codec, collect, decoding, pipes
from .inproc import failure, flush
from .peer import Peer


def solution_main(task_fd: int, size: int, socket_fd: int) -> None:
    """Loads the solution, tells its names, answers calls until the other end closes."""
    source = pipes.read_exactly(task_fd, size).decode()
    module = collect.load("solution", source)
    peer = Peer(socket_fd, {})
    try:
        exec(compile(source, "solution.py", "exec", dont_inherit=True), module.__dict__)
    except BaseException as error:
        flush()
        peer.send({"failed": failure("solution", error)})
        return
    names: dict[str, Any] = {}
    for name, value in list(vars(module).items()):
        if not name.startswith("__"):
            names[name] = _announce(name, value, peer)
    peer.send({"names": names})
    while True:
        try:
            peer.answer(peer.receive())
        except collect.SolutionGone:
            flush()
            return


def _announce(name: str, value: Any, peer: Peer) -> Any:
    if isinstance(value, types.ModuleType):
        return {"module": value.__name__}
    if isinstance(value, type) and value.__module__ == "solution":
        return {"class": True}
    try:
        return {"value": codec.encode(value)}
    except codec.Unsupported:
        pass
    if not callable(value):
        return {"class": True} if type(value).__module__ == "solution" else {}
    peer.functions[name] = value
    return {"function": inspect.iscoroutinefunction(value)}


def test_main(task_fd: int, size: int, record_fd: int, socket_fd: int) -> None:
    """Builds the proxies, runs the test, writes the one record."""
    config, test = pipes.read_task(task_fd, size)
    peer = Peer(socket_fd, {})
    try:
        hello = peer.receive()
        if "failed" in hello:
            record = _plain_failure(hello["failed"])
        else:
            solution = _proxies(hello["names"], peer, set(config["classes"]))
            record = {"results": collect.run(test, solution, config)}
    except collect.SolutionGone as error:
        record = {"phase": "gone", "type": "SystemExit", "missing": "", "message": str(error)}
    except asserts.Tampered as error:
        record = failure("test", error)
    record |= {"nonce": config["nonce"], "calls": peer.calls}
    record["unsupported"] = peer.unsupported[:5]
    flush()
    pipes.write_record(record_fd, record)
    os._exit(0)


def _plain_failure(claimed: Any) -> dict[str, Any]:
    keys = ("type", "missing", "message")
    return {"phase": "solution"} | {k: str(claimed.get(k, ""))[:2_000] for k in keys}


def _proxies(names: dict[str, Any], peer: Peer, classes: set[str]) -> types.ModuleType:
    solution = collect.load("solution", "")
    for name, what in names.items():
        if "function" in what:
            setattr(solution, name, peer.proxy(name, bool(what["function"])))
        elif "value" in what:
            setattr(solution, name, decoding.decode(what["value"]))
        elif "module" in what:
            module = str(what["module"])
            if module.partition(".")[0] in sys.stdlib_module_names or module in sys.modules:
                setattr(solution, name, importlib.import_module(module))
        elif "class" in what and name in classes:
            peer.unsupported.append({"side": "test", "type": f"class {name}"})
    return solution
