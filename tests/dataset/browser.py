"""A headless Chromium that a test drives through its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--window-size=1440,1000", "--remote-debugging-port=0",
)  # fmt: skip


def found() -> str | None:
    """The Chromium of this machine, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """One open page."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._last = 0
        self.requests: list[str] = []
        self.errors: list[str] = []

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._last += 1
        await self._socket.send_json({"id": self._last, "method": method, "params": parameters})
        while True:
            message = await self._socket.receive_json(timeout=60)
            self._note(message)
            if message.get("id") == self._last:
                result: dict[str, Any] = message.get("result", {})
                return result

    def _note(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(str(parameters["exceptionDetails"]))

    async def run(self, script: str) -> Any:
        """What `script`, an expression, evaluates to."""
        result = await self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def wait_for(self, script: str) -> None:
        """Return when `script` is true."""
        until = time.monotonic() + 30
        while not await self.run(script):
            assert time.monotonic() < until, f"never true: {script}"
            await asyncio.sleep(0.05)

    async def resize(self, width: int, height: int) -> None:
        """Make the window so many pixels wide and high."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    async def screenshot(self, path: Path) -> None:
        shot = await self.call("Page.captureScreenshot", format="png")
        _keep(path, base64.b64decode(shot["data"]))


@contextlib.asynccontextmanager
async def opened(file: Path | str, *, dark: bool = False) -> AsyncIterator[Page]:
    """A file, or what is at an address, in a browser of its own, which ends with the block."""
    chromium = found()
    assert chromium
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            chromium,
            *_FLAGS,
            f"--user-data-dir={profile}",
            "about:blank",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            address = await _address(Path(profile))
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(address, max_msg_size=0) as socket,
            ):
                page = Page(socket)
                for domain in ("Page", "Runtime", "Network"):
                    await page.call(f"{domain}.enable")
                scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
                await page.call("Emulation.setEmulatedMedia", features=[scheme])
                url = file if isinstance(file, str) else file.as_uri()
                await page.call("Page.navigate", url=url)
                await page.wait_for(
                    "document.readyState === 'complete' && location.href !== 'about:blank'"
                )
                yield page
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _address(profile: Path) -> str:
    """The websocket of the first page, once the browser has written its port."""
    until = time.monotonic() + 30
    port = profile / "DevToolsActivePort"
    while not (port.exists() and port.read_text().count("\n")):
        assert time.monotonic() < until, "Chromium did not start"
        await asyncio.sleep(0.05)
    number = port.read_text().split()[0]
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{number}/json/list") as reply,
    ):
        pages = await reply.json()
    return str(next(p["webSocketDebuggerUrl"] for p in pages if p["type"] == "page"))


def _keep(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
