"""Fetching an image over http(s), for those who switched it on; bounded in bytes and time.

Addresses of this machine and of private networks are refused, since documents are not trusted.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from synth_dspy.parsing.image_error import ImageError

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT_S = 15.0


def fetch(url: str, *, max_bytes: int, is_public: Callable[[str], bool] | None = None) -> bytes:
    """The bytes behind `url`.

    Raises:
        ImageError: `remote` (not a public address, no answer, or an error), `too_large`.
    """
    import http.client
    import urllib.error
    import urllib.request

    allowed = is_public or _is_public

    class Guard(urllib.request.HTTPRedirectHandler):
        """Redirects are checked as the first address was."""

        def redirect_request(  # type: ignore[no-untyped-def]
            self, req, fp, code, msg, headers, newurl
        ):
            _check(newurl, allowed)
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    address = f"https:{url}" if url.startswith("//") else url
    _check(address, allowed)
    try:
        with urllib.request.build_opener(Guard).open(address, timeout=TIMEOUT_S) as reply:
            data: bytes = reply.read(max_bytes + 1)
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        raise ImageError("remote", f"{url}: {error}") from error
    if len(data) > max_bytes:
        raise ImageError("too_large", f"{url}: more than {max_bytes} bytes")
    return data


def _check(url: str, allowed: Callable[[str], bool]) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not allowed(parts.hostname):
        raise ImageError("remote", f"{url} is not a public http(s) address")


def _is_public(host: str) -> bool:
    try:
        found = socket.getaddrinfo(host, None)
    except OSError:
        return False
    return all(ipaddress.ip_address(str(entry[4][0]).split("%")[0]).is_global for entry in found)
