"""Remote images, for those who switched them on: fetched from public addresses only, bounded."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest

from synth_dspy.parsing.image_error import ImageError
from synth_dspy.parsing.remote import fetch
from tests.parsing.samples import picture

PNG = picture()
LOOKUP = socket.getaddrinfo
"""As it is before tests are kept from looking anything up; a number needs no network."""


class Site(BaseHTTPRequestHandler):
    """`/a.png` is a picture, `/torn.png` half of one; `/to?URL` leads away, `/to` to itself."""

    def do_GET(self) -> None:
        self.server.hosts.append(self.headers["Host"])  # type: ignore[attr-defined]
        path, _, query = self.path.partition("?")
        if path in ("/a.png", "/torn.png", "/with%20space.png"):
            self.send_response(200)
            self.send_header("Content-Length", str(len(PNG) + (path == "/torn.png")))
            self.end_headers()
            self.wfile.write(PNG)
        elif path == "/to":
            self.send_response(302)
            self.send_header("Location", query or self.path)
            self.end_headers()
        else:
            self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing on the terminal."""


class Server(ThreadingHTTPServer):
    """Keeps the `Host` of every request."""

    def __init__(self, address: str, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        super().__init__((address, port), Site)
        self.hosts: list[str] = []
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self._thread = threading.Thread(target=self.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server("127.0.0.1") as running:
        yield running


@pytest.fixture
def site(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def only_this_machine(address: str) -> bool:
    """Stands for what is public, since tests use no network."""
    return address == "127.0.0.1"


def name_server(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Names have one answer after the other, the last one for ever; the names that were asked."""
    real, asked = socket.getaddrinfo, list[str]()

    def answer(host: str, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host[0].isdigit():
            return real(host, port, *args, **kwargs)
        asked.append(host)
        return real(answers[min(len(asked), len(answers)) - 1], port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


def test_an_image_is_fetched_byte_for_byte(site: str) -> None:
    assert fetch(f"{site}/a.png", max_bytes=10_000, is_public=only_this_machine) == PNG


def test_an_image_over_the_limit_is_too_large(site: str) -> None:
    with pytest.raises(ImageError) as caught:
        fetch(f"{site}/a.png", max_bytes=20, is_public=only_this_machine)
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize("path", ["/none.png", "/torn.png", "/to?http://10.0.0.1/secret.png"])
def test_what_is_not_there_or_leads_elsewhere_is_remote(site: str, path: str) -> None:
    with pytest.raises(ImageError) as caught:
        fetch(f"{site}{path}", max_bytes=10_000, is_public=only_this_machine)
    assert caught.value.reason == "remote"


@pytest.mark.parametrize("path", ["/to?/a.png", "/to?/to?/a.png", "/with space.png"])
def test_a_redirect_and_a_space_lead_to_the_image(site: str, path: str) -> None:
    assert fetch(f"{site}{path}", max_bytes=10_000, is_public=only_this_machine) == PNG


def test_redirects_in_a_circle_end(site: str) -> None:
    with pytest.raises(ImageError, match="more than 5 redirects"):
        fetch(f"{site}/to", max_bytes=10_000, is_public=only_this_machine)


def test_the_connection_goes_to_the_address_that_was_checked(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = name_server(monkeypatch, "127.0.0.1", "127.0.0.2")
    with Server("127.0.0.2", server.server_port) as inner:
        url = f"http://rebinding.test:{server.server_port}/a.png"
        assert fetch(url, max_bytes=10_000, is_public=only_this_machine) == PNG
    assert (asked, inner.hosts) == (["rebinding.test"], [])
    assert server.hosts == [f"rebinding.test:{server.server_port}"]


def test_a_name_whose_second_answer_is_private_is_refused_after_a_redirect(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_server(monkeypatch, "127.0.0.1", "127.0.0.2")
    with Server("127.0.0.2", server.server_port) as inner:
        there = f"http://rebinding.test:{server.server_port}"
        with pytest.raises(ImageError, match="not a public"):
            fetch(f"{there}/to?{there}/a.png", max_bytes=10_000, is_public=only_this_machine)
    assert inner.hosts == []


def test_the_environments_proxy_is_not_asked(
    site: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert fetch(f"{site}/a.png", max_bytes=10_000, is_public=only_this_machine) == PNG


def test_tls_and_host_bear_the_name_and_not_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = certificate("pictures.test", tmp_path / "pair.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(pair))
    name_server(monkeypatch, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    named: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: named.append(name)
    with Server("127.0.0.1", tls=context) as server:
        port = server.server_port
        url = f"https://pictures.test:{port}/a.png"
        assert fetch(url, max_bytes=10_000, is_public=only_this_machine) == PNG
        other = f"https://other.test:{port}/a.png"
        with pytest.raises(ImageError, match="certificate"):
            fetch(other, max_bytes=10_000, is_public=only_this_machine)
    assert named == ["pictures.test", "other.test"]
    assert server.hosts == [f"pictures.test:{port}"]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "[::1]",
        "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fd00::1]", "[fe80::1]",
        "[fec0::1]", "[::127.0.0.1]", "[64:ff9b:1::a01:203]", "2130706433", "0x7f.1", "localhost",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused_however_it_is_written(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", LOOKUP)
    with pytest.raises(ImageError, match="not a public"):
        fetch(f"http://{host}:1/a.png", max_bytes=10)


@pytest.mark.parametrize("host", ["1.1.1.1", "[2606:4700::1]", "[64:ff9b::101:101]", "0x1010101"])
def test_a_public_address_is_asked(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", LOOKUP)
    with pytest.raises(ImageError, match="a test tried to reach"):
        fetch(f"http://{host}:1/a.png", max_bytes=10)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://", "http://a:b/", "ftp://1.1.1.1/"])
def test_what_is_no_http_address_is_remote(url: str) -> None:
    with pytest.raises(ImageError) as caught:
        fetch(url, max_bytes=10)
    assert caught.value.reason == "remote"


def certificate(name: str, path: Path) -> Path:
    """A certificate for a name, signed by itself, with its key, in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    written = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(pem) + written)
    return path
