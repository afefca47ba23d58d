"""What `serve` listens with."""

from __future__ import annotations

import asyncio
import socket

import pytest
from fastapi.testclient import TestClient

from synth_dspy.commands.serving import listening_socket, server_settings
from synth_dspy.config.routing import Serving
from synth_dspy.service.guard import Guard, Receive, Rules, Scope, Send


async def _hello(scope: Scope, receive: Receive, send: Send) -> None:
    del scope, receive
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body"})


@pytest.mark.parametrize(
    ("trusted", "second"), [((), 429), (("10.0.0.0/8",), 429), (("127.0.0.1",), 200)]
)
def test_only_a_trusted_proxy_says_who_the_client_is(
    monkeypatch: pytest.MonkeyPatch, trusted: tuple[str, ...], second: int
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    settings = server_settings(
        Guard(_hello, Rules(requests_per_minute=4)), Serving(trusted_proxies=trusted)
    )
    settings.load()
    client = TestClient(settings.loaded_app, client=("127.0.0.1", 5000))
    asked = [client.get("/x", headers={"X-Forwarded-For": f"1.2.3.{n}"}) for n in range(2)]
    assert [answer.status_code for answer in asked] == [200, second]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_answer_waits_for_no_acknowledgement(host: str) -> None:
    at_once: list[int] = []

    async def accepted(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        at_once.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    async def one_connection() -> None:
        listening = listening_socket(host, 0)
        async with await asyncio.start_server(accepted, sock=listening):
            reader, writer = await asyncio.open_connection(*listening.getsockname()[:2])
            await reader.read()
            writer.close()

    asyncio.run(one_connection())
    assert at_once == [1]
