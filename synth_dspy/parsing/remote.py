"""Fetching an image over http(s), for those who switched it on; bounded in bytes and time.

Documents are not trusted, so addresses of this machine and of private networks are refused. A name
is looked up once, and the connection goes to the very address that was checked: a name server whose
second answer is 127.0.0.1 gains nothing. Proxies are left aside, since they look names up again.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

from synth_dspy.parsing.image_error import ImageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TIMEOUT_S = 15.0
"""For each address, and again for the body."""

_REDIRECTS = 5
_PIECE = 1 << 16
_MOVED = frozenset({301, 302, 303, 307, 308})
_AS_IT_IS = "%/:@!$&'()*+,;=~"
_PORTS = {"http": 80, "https": 443}
# What Python takes for public: IPv4 addresses in the clothes of IPv6, judged by what they hold
# (RFC 6052, translated; RFC 4291, 2.5.5.1, compatible).
_CLOTHED = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
# And translation within one network (RFC 8215).
_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")


def fetch(url: str, *, max_bytes: int, is_public: Callable[[str], bool] | None = None) -> bytes:
    """The bytes behind `url`.

    Args:
        is_public: whether a numeric address may be asked.

    Raises:
        ImageError: `remote` (not a public address, no answer, or an error), `too_large`.
    """
    address = f"https:{url}" if url.startswith("//") else url
    try:
        for _ in range(_REDIRECTS + 1):
            found = _ask(address, max_bytes, is_public or _is_public)
            if isinstance(found, bytes):
                break
            address = urljoin(address, found)
        else:
            raise ImageError("remote", f"{url}: more than {_REDIRECTS} redirects")
    except (http.client.HTTPException, OSError, ValueError) as error:
        raise ImageError("remote", f"{url}: {error}") from error
    if len(found) > max_bytes:
        raise ImageError("too_large", f"{url}: more than {max_bytes} bytes")
    return found


class _Pinned(http.client.HTTPConnection):
    """A connection to addresses that were checked; the name stays in `Host` and in TLS."""

    def __init__(self, scheme: str, host: str, port: int, addresses: Sequence[str]) -> None:
        super().__init__(host, port, timeout=TIMEOUT_S)
        self.default_port = _PORTS[scheme]  # which `Host` leaves out
        self._addresses = addresses
        self._tls = ssl.create_default_context() if scheme == "https" else None

    def connect(self) -> None:
        """Connect to the first address that answers. Raises `OSError` when none does."""
        for number, address in enumerate(self._addresses, start=1):
            try:
                self.sock = socket.create_connection((address, self.port), TIMEOUT_S)
                break
            except OSError:
                if number == len(self._addresses):
                    raise
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)


def _ask(url: str, max_bytes: int, is_public: Callable[[str], bool]) -> bytes | str:
    """A picture's bytes, at most one more than `max_bytes`; or where it has moved to."""
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme, 0)
    addresses = _addresses(parts.hostname, port) if parts.hostname and port else ()
    if parts.scheme not in _PORTS or not addresses or not all(map(is_public, addresses)):
        raise ImageError("remote", f"{url} is not a public http(s) address")
    connection = _Pinned(parts.scheme, str(parts.hostname), port, addresses)
    try:
        target = quote(parts.path or "/", _AS_IT_IS) + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target, headers={"User-Agent": "synth-dspy", "Accept": "*/*"})
        reply = connection.getresponse()
        moved = reply.getheader("Location") if reply.status in _MOVED else None
        if moved:
            return moved
        if reply.status != http.client.OK:
            raise ImageError("remote", f"{url}: HTTP {reply.status} {reply.reason}")
        return _body(reply, max_bytes)
    finally:
        connection.close()


def _body(reply: http.client.HTTPResponse, max_bytes: int) -> bytes:
    data, until = bytearray(), time.monotonic() + TIMEOUT_S
    announced = reply.length
    while len(data) <= max_bytes:
        piece = reply.read1(min(_PIECE, max_bytes + 1 - len(data)))
        if not piece:
            break
        data += piece
        if time.monotonic() > until:
            raise TimeoutError(f"no whole picture within {TIMEOUT_S:g} s")
    if announced is not None and len(data) < min(announced, max_bytes):
        raise http.client.IncompleteRead(bytes(data), announced - len(data))
    return bytes(data)


def _addresses(host: str, port: int) -> tuple[str, ...]:
    """The numeric addresses of a name, each once; none when it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if any(found in network for network in _CLOTHED):
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(str(inner))
        if found in _LOCAL or found.is_site_local:
            return False
    return found.is_global and not found.is_multicast
