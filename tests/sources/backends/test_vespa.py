"""Vespa as a content backend, over HTTP against a stand-in of its query API."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from synth_dspy.config.routing import Backend
from synth_dspy.errors import BackendError, BackendSlowError, SetupError
from synth_dspy.sources.backends import Content, SampleOrder, open_backend
from synth_dspy.sources.backends.contract import MODALITIES, STRATEGIES
from synth_dspy.sources.backends.opening import shipped_content
from synth_dspy.sources.backends.vespa_backend import VespaContent
from tests.sources.backends.vespa_server import VespaStandIn


def shipped_records() -> list[dict[str, Any]]:
    """The shipped records as Vespa keeps them: times as numbers."""
    lines = (shipped_content() / "records.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    for one in records:
        moment = datetime.fromisoformat(one["created_at"]).replace(tzinfo=UTC)
        one["created_at"] = int(moment.timestamp())
    return records


@pytest.fixture
def server() -> Iterator[VespaStandIn]:
    """A stand-in with the shipped records."""
    with VespaStandIn(shipped_records()) as server:
        yield server


def backend(server: VespaStandIn, **settings: Any) -> VespaContent:
    return VespaContent(Backend(kind="vespa", url=server.url, **settings))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_equal_seeds_draw_equal_samples(server: VespaStandIn, strategy: Any) -> None:
    order = SampleOrder(strategy, 12, seed=2)
    first = backend(server).sample(order)
    assert first == backend(server).sample(order) != []
    assert len(first) <= 12


def test_a_record_is_what_it_is_in_duckdb(server: VespaStandIn) -> None:
    embedded = {c.id: c for c in open_backend(Backend()).sample(SampleOrder("diverse", 100))}
    for content in backend(server).sample(SampleOrder("entity_rich", 20)):
        assert content == embedded[content.id]


def test_diverse_takes_clusters_in_turns(server: VespaStandIn) -> None:
    clusters = {one["id"]: one["cluster"] for one in server.records}
    drawn = backend(server).sample(SampleOrder("diverse", 8))
    assert len({clusters[c.id] for c in drawn}) == 8


def test_by_modality_takes_modalities_in_turns(server: VespaStandIn) -> None:
    drawn = backend(server).sample(SampleOrder("by_modality", 20))
    assert Counter(c.modality for c in drawn) == Counter(dict.fromkeys(MODALITIES, 5))


def test_temporal_recent_counts_from_the_newest_record(server: VespaStandIn) -> None:
    drawn = backend(server).sample(SampleOrder("temporal_recent", 50, recency_days=30))
    assert [c.created_at for c in drawn] == sorted((c.created_at for c in drawn), reverse=True)
    assert drawn[-1].created_at >= "2025-08-19"
    assert drawn[0].created_at.startswith("2025-09-18")


def test_pairs_share_a_subject_and_differ_in_modality(server: VespaStandIn) -> None:
    drawn = backend(server).sample(SampleOrder("cross_modal_pairs", 20))
    for one, other in zip(drawn[::2], drawn[1::2], strict=True):
        assert one.group == other.group
        assert one.modality != other.modality
        assert set(one.entities) & set(other.entities)


def test_sequences_are_of_one_subject_in_order_of_time(server: VespaStandIn) -> None:
    groups: dict[str, list[Content]] = {}
    for content in backend(server).sample(SampleOrder("multi_modal_sequences", 40)):
        groups.setdefault(content.group, []).append(content)
    for subject, members in groups.items():
        assert all(subject in content.entities for content in members)
        assert [c.created_at for c in members] == sorted(c.created_at for c in members)


def test_a_pool_is_read_page_by_page(server: VespaStandIn) -> None:
    backend(server, page_size=10).sample(SampleOrder("entity_rich", 10))
    assert [(q["hits"], q["offset"]) for q in server.queries] == [
        (10, 0), (10, 10), (10, 20), (10, 30),
    ]  # fmt: skip


def test_fields_may_be_called_otherwise_there() -> None:
    records = [
        {"doc": f"d{n}", "tenant": "default", "kind": "VIDEO", "title": f"Film {n}"}
        for n in range(3)
    ]
    with VespaStandIn(records) as server:
        mapped = backend(server, fields={"id": "doc", "modality": "kind"})
        drawn = mapped.sample(SampleOrder("by_modality", 3))
    assert {c.id for c in drawn} == {"d0", "d1", "d2"}
    assert 'kind contains "VIDEO"' in server.queries[0]["yql"]


def test_a_quote_in_a_tenants_name_stays_in_its_string(server: VespaStandIn) -> None:
    assert backend(server).sample(SampleOrder("entity_rich", 5, tenant='x" or true or "')) == []
    assert 'tenant contains "x\\" or true or \\""' in server.queries[0]["yql"]


def test_records_without_a_known_modality_name_the_mapping(server: VespaStandIn) -> None:
    server.records = [{"id": "a", "tenant": "default", "modality": "SMELL", "title": "A"}]
    with pytest.raises(BackendError, match=r"modality 'SMELL'.*routing\.backend\.fields"):
        backend(server).sample(SampleOrder("entity_rich", 5))


def test_a_server_that_is_not_there_says_how_to_start_one() -> None:
    gone = VespaContent(Backend(kind="vespa", url="http://127.0.0.1:9"))
    with pytest.raises(BackendError, match=r"does not answer.*docker run.*vespaengine/vespa"):
        gone.sample(SampleOrder("diverse", 5))


@pytest.mark.parametrize("fault", ["503", "error", "prose"])
def test_a_server_that_fails_is_down(server: VespaStandIn, fault: str) -> None:
    server.fault = fault
    with pytest.raises(BackendError, match="does not answer") as raised:
        backend(server).sample(SampleOrder("diverse", 5))
    assert not isinstance(raised.value, BackendSlowError)


@pytest.mark.parametrize("fault", ["timeout", "504", "hang"])
def test_a_server_that_takes_too_long_is_slow(server: VespaStandIn, fault: str) -> None:
    server.fault = fault
    with pytest.raises(BackendSlowError, match=r"did not answer within 0\.3 s"):
        backend(server, timeout=0.3).sample(SampleOrder("diverse", 5))


def test_without_the_extra_its_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vespa.application", None)
    with pytest.raises(SetupError, match=r"pip install 'synth-dspy\[vespa\]'"):
        VespaContent(Backend(kind="vespa"))


def test_a_certificate_that_is_not_there_is_said() -> None:
    with pytest.raises(BackendError, match=r"none\.pem"):
        VespaContent(
            Backend(kind="vespa", url="https://127.0.0.1:9", certificate="none.pem", key="none.key")
        ).sample(SampleOrder("diverse", 5))
