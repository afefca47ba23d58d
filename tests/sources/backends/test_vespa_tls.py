"""Vespa over TLS: a stand-in with certificates that were made for the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synth_dspy.config.routing import Backend
from synth_dspy.errors import BackendError
from synth_dspy.sources.backends import SampleOrder
from synth_dspy.sources.backends.vespa_backend import VespaContent
from tests.sources.backends.certificates import Authority
from tests.sources.backends.vespa_server import VespaStandIn

RECORDS = [{"id": "a", "tenant": "default", "modality": "VIDEO", "title": "A"}]
ORDER = SampleOrder("entity_rich", 5)


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    """The authority of the server."""
    return Authority(tmp_path, "ours")


def backend(server: VespaStandIn, **files: Path) -> VespaContent:
    named: Any = {name: str(path) for name, path in files.items()}
    return VespaContent(Backend(kind="vespa", url=server.url, **named))


def test_a_server_whose_authority_is_named_is_asked(ours: Authority) -> None:
    with VespaStandIn(RECORDS, ours.serving(ours.pair("server"))) as server:
        backend(server, ca_certificate=ours.certificate).sample(ORDER)
    assert 'tenant contains "default"' in server.queries[0]["yql"]


@pytest.mark.parametrize("named", [False, True])
def test_a_server_of_an_unknown_authority_is_not_asked(
    ours: Authority, tmp_path: Path, named: bool
) -> None:
    files = {"ca_certificate": Authority(tmp_path, "theirs").certificate} if named else {}
    told = r"not trusted: .*issuer.*authority.*in routing\.backend\.ca_certificate"
    with VespaStandIn(RECORDS, ours.serving(ours.pair("server"))) as server:
        with pytest.raises(BackendError, match=told):
            backend(server, **files).sample(ORDER)
        assert server.queries == []


def test_a_server_whose_certificate_is_of_another_name_is_not_asked(ours: Authority) -> None:
    with VespaStandIn(RECORDS, ours.serving(ours.pair("server"))) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        authority: Any = str(ours.certificate)
        elsewhere = VespaContent(Backend(kind="vespa", url=url, ca_certificate=authority))
        with pytest.raises(BackendError, match=r"'localhost'.*routing\.backend\.url"):
            elsewhere.sample(ORDER)
        assert server.queries == []


def test_a_server_that_wants_a_certificate_is_shown_the_configured_one(ours: Authority) -> None:
    client = ours.pair("client")
    with VespaStandIn(RECORDS, ours.serving(ours.pair("server"), clients=True)) as server:
        backend(
            server, ca_certificate=ours.certificate, certificate=client.certificate, key=client.key
        ).sample(ORDER)
    assert len(server.queries) == 1


def test_certificate_and_key_may_be_in_one_file(ours: Authority, tmp_path: Path) -> None:
    client, both = ours.pair("client"), tmp_path / "both.pem"
    both.write_bytes(client.key.read_bytes() + client.certificate.read_bytes())
    with VespaStandIn(RECORDS, ours.serving(ours.pair("server"), clients=True)) as server:
        backend(server, ca_certificate=ours.certificate, certificate=both).sample(ORDER)
    assert len(server.queries) == 1


@pytest.mark.parametrize("shown", [False, True])
def test_a_server_that_refuses_the_client_names_the_setting(
    ours: Authority, tmp_path: Path, shown: bool
) -> None:
    stranger = Authority(tmp_path, "theirs").pair("client")
    files = {"certificate": stranger.certificate, "key": stranger.key} if shown else {}
    told = r"refuses this client \(.*alert.*\).*routing\.backend\.certificate"
    with (
        VespaStandIn(RECORDS, ours.serving(ours.pair("server"), clients=True)) as server,
        pytest.raises(BackendError, match=told),
    ):
        backend(server, ca_certificate=ours.certificate, **files).sample(ORDER)


def test_a_server_without_tls_says_that_there_is_none() -> None:
    with VespaStandIn(RECORDS) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(BackendError, match=r"there is no TLS .*routing\.backend\.url"):
            VespaContent(Backend(kind="vespa", url=url)).sample(ORDER)


def test_relative_files_start_at_the_configuration(ours: Authority, tmp_path: Path) -> None:
    with VespaStandIn(RECORDS, ours.serving(ours.pair("server"))) as server:
        settings = Backend.model_validate(
            {"kind": "vespa", "url": server.url, "ca_certificate": ours.certificate.name},
            context={"base": tmp_path},
        )
        VespaContent(settings).sample(ORDER)
    assert len(server.queries) == 1


@pytest.mark.parametrize("setting", ["certificate", "key", "ca_certificate"])
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, r"cannot be used: No such file or directory; name a PEM file"),
        ("prose", r"cannot be used( with its key)?: .+; name a PEM file"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    ours: Authority, tmp_path: Path, setting: str, content: str | None, told: str
) -> None:
    client, bad = ours.pair("client"), tmp_path / "bad.pem"
    if content is not None:
        bad.write_text(content)
    good = {"certificate": client.certificate, "key": client.key}
    files: Any = {name: str(path) for name, path in {**good, setting: bad}.items()}
    blamed = "bad.pem" if content is None or setting != "key" else "client.pem"
    with pytest.raises(BackendError, match=rf"routing\.backend\.\w+ '.*{blamed}' {told}"):
        VespaContent(Backend(kind="vespa", url="https://127.0.0.1:9", **files))


def test_a_key_of_another_certificate_is_refused(ours: Authority) -> None:
    one, other = ours.pair("one"), ours.pair("other")
    files: Any = {"certificate": str(one.certificate), "key": str(other.key)}
    with pytest.raises(BackendError, match=r"with its key: key values mismatch"):
        VespaContent(Backend(kind="vespa", url="https://127.0.0.1:9", **files))


def test_a_key_without_a_certificate_is_refused(ours: Authority) -> None:
    key: Any = str(ours.pair("client").key)
    with pytest.raises(BackendError, match=r"routing\.backend\.certificate is not set"):
        VespaContent(Backend(kind="vespa", url="https://127.0.0.1:9", key=key))
