"""Remote images, for those who switched them on: fetched from public addresses only, bounded."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from synth_dspy.parsing.image_error import ImageError
from synth_dspy.parsing.remote import fetch
from tests.parsing.samples import picture

PNG = picture()


class Site(BaseHTTPRequestHandler):
    """`/a.png` is a picture, `/away` leads to an address that is not public."""

    def do_GET(self) -> None:
        if self.path == "/a.png":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(PNG)
        elif self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://10.0.0.1/secret.png")
            self.end_headers()
        else:
            self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing on the terminal."""


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def only_this_machine(host: str) -> bool:
    """Stands for what is public, since tests use no network."""
    return host == "127.0.0.1"


def test_an_image_is_fetched_byte_for_byte(site: str) -> None:
    assert fetch(f"{site}/a.png", max_bytes=10_000, is_public=only_this_machine) == PNG


def test_an_image_over_the_limit_is_too_large(site: str) -> None:
    with pytest.raises(ImageError) as caught:
        fetch(f"{site}/a.png", max_bytes=20, is_public=only_this_machine)
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize("path", ["/none.png", "/away"])
def test_what_is_not_there_or_leads_elsewhere_is_remote(site: str, path: str) -> None:
    with pytest.raises(ImageError) as caught:
        fetch(f"{site}{path}", max_bytes=10_000, is_public=only_this_machine)
    assert caught.value.reason == "remote"
