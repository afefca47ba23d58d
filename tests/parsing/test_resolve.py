"""Nothing outside of the source's roots is read; every way to name a file inside leads to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_dspy.parsing import ParseOptions
from synth_dspy.parsing.image_error import ImageError
from synth_dspy.parsing.remote import fetch
from synth_dspy.parsing.resolve import Resolver, decode_base64, decode_data_uri
from synth_dspy.records import SourceFile
from tests.parsing.samples import parsed, picture, write


def resolver(root: Path, *public: Path, page: str = "deep/page.md") -> Resolver:
    file = SourceFile("docs", str(root), page, "md", "", 0, tuple(str(p) for p in public))
    return Resolver(file, ParseOptions(max_image_bytes=10_000))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, "secret.png", b"secret")
    write(tmp_path, "docs/deep/page.md", "x")
    write(tmp_path, "docs/deep/a b.png", b"inside")
    write(tmp_path, "docs/public/img/p.png", b"public")
    write(tmp_path, "site/static/s.png", b"static")
    return tmp_path / "docs"


@pytest.mark.parametrize(
    ("ref", "data"),
    [
        ("a b.png", b"inside"),
        ("a%20b.png", b"inside"),
        ("./a%20b.png?raw=true#x", b"inside"),
        (r"..\deep\a b.png", b"inside"),
        ("../deep/../deep/a b.png", b"inside"),
        ("a b.*", b"inside"),
        ("/img/p.png", b"public"),
        ("/public/img/p.png", b"public"),
        ("/s.png", b"static"),
        ("../../site/static/s.png", b"static"),
        ("data:image/png;base64,aGk=", b"hi"),
        ("data:text/plain,%68i", b"hi"),
    ],
)
def test_a_reference_inside_leads_to_its_file(root: Path, ref: str, data: bytes) -> None:
    assert resolver(root, root.parent / "site" / "static").read(ref) == data


@pytest.mark.parametrize(
    ("ref", "reason"),
    [
        ("../../secret.png", "outside_root"),
        ("..%2f..%2fsecret.png", "outside_root"),
        (r"..\..\secret.png", "outside_root"),
        ("/img/../../../secret.png", "outside_root"),
        ("file:///etc/passwd", "outside_root"),
        ("/etc/passwd", "missing"),
        ("none.png", "missing"),
        ("a\x00.png", "missing"),
        ("x" * 5000, "missing"),
        ("mailto:a@example.org", "missing"),
        ("https://example.org/a.png", "remote"),
        ("//example.org/a.png", "remote"),
        ("data:nonsense", "unreadable"),
    ],
)
def test_a_reference_elsewhere_is_refused_with_its_reason(
    root: Path, ref: str, reason: str
) -> None:
    with pytest.raises(ImageError) as caught:
        resolver(root).read(ref)
    assert caught.value.reason == reason


def test_a_link_that_leaves_the_root_is_not_followed(root: Path) -> None:
    (root / "deep" / "link.png").symlink_to(root.parent / "secret.png")
    with pytest.raises(ImageError, match="outside_root"):
        resolver(root).read("link.png")


def test_a_link_inside_the_root_is_followed(root: Path) -> None:
    (root / "deep" / "link.png").symlink_to(root / "public" / "img" / "p.png")
    assert resolver(root).read("link.png") == b"public"


def test_a_file_above_the_byte_limit_is_not_read(root: Path) -> None:
    write(root, "deep/big.png", b"x" * 10_001)
    with pytest.raises(ImageError, match="too_large"):
        resolver(root).read("big.png")


@pytest.mark.parametrize("text", ["aGk=", "aGk", "aG\nk=\n", "data:image/png;base64,aGk="])
def test_base64_is_read_in_every_spelling(text: str) -> None:
    assert decode_base64(text) == b"hi"


@pytest.mark.parametrize("text", ["", "@@@@", "not base64 %%%"])
def test_what_is_not_base64_is_unreadable(text: str) -> None:
    with pytest.raises(ImageError, match="unreadable"):
        decode_base64(text)


def test_a_data_uri_may_hold_an_svg_as_text() -> None:
    assert decode_data_uri("data:image/svg+xml;utf8,<svg/>") == b"<svg/>"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "http://[::1]/x", "ftp://example.org/x"])
def test_private_addresses_are_never_fetched_even_when_remote_images_are_on(url: str) -> None:
    with pytest.raises(ImageError, match="remote"):
        fetch(url, max_bytes=10)


def test_a_remote_image_is_dropped_and_counted(tmp_path: Path) -> None:
    document = parsed(tmp_path / "docs", "p.md", "![a](https://example.org/a.png) text")
    assert [(d.ref, d.reason) for d in document.dropped_images] == [
        ("https://example.org/a.png", "remote")
    ]
    assert document.text == "text"


def test_a_document_cannot_name_a_file_outside_of_its_root(tmp_path: Path) -> None:
    write(tmp_path, "secret.png", picture())
    document = parsed(tmp_path / "docs", "p.md", '![a](../secret.png)<Image src="/../secret.png"/>')
    assert [d.reason for d in document.dropped_images] == ["outside_root", "outside_root"]
    assert not (tmp_path / "run").exists()
