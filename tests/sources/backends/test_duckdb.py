"""DuckDB as a content backend: six strategies, by seed, and what is refused."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from synth_dspy.config.routing import Backend
from synth_dspy.errors import BackendError, BackendSlowError
from synth_dspy.sources.backends import Content, ContentBackend, SampleOrder, open_backend
from synth_dspy.sources.backends.contract import MODALITIES, STRATEGIES
from synth_dspy.sources.backends.duckdb_backend import DuckDBContent, write_content
from synth_dspy.sources.backends.orders import merged, sample_orders


@pytest.fixture(scope="module")
def shipped() -> Iterator[ContentBackend]:
    """The records that come with the project."""
    backend = open_backend(Backend())
    yield backend
    backend.close()


def folder(path: Path, *records: dict[str, Any], name: str = "records.jsonl") -> Path:
    """A folder with one file of records."""
    path.mkdir(parents=True, exist_ok=True)
    (path / name).write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def record(name: str, modality: str = "VIDEO", **more: Any) -> dict[str, Any]:
    return {"id": name, "modality": modality, "title": f"Title of {name}", **more}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_equal_seeds_draw_equal_samples(shipped: ContentBackend, strategy: Any) -> None:
    order = SampleOrder(strategy, 12, seed=5)
    assert shipped.sample(order) == shipped.sample(order) != []


@pytest.mark.parametrize("strategy", [s for s in STRATEGIES if s != "temporal_recent"])
def test_another_seed_draws_another_sample(shipped: ContentBackend, strategy: Any) -> None:
    draws = {
        tuple(c.id for c in shipped.sample(SampleOrder(strategy, 12, seed=seed)))
        for seed in range(4)
    }
    assert len(draws) > 1


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_strategy_gives_more_than_was_asked(shipped: ContentBackend, strategy: Any) -> None:
    for size in (1, 2, 7, 10_000):
        assert len(shipped.sample(SampleOrder(strategy, size))) <= max(size, 2)


def test_diverse_takes_clusters_in_turns(tmp_path: Path) -> None:
    records = [record(f"r{n}", cluster=n % 5 if n < 10 else 0) for n in range(100)]
    backend = DuckDBContent(folder(tmp_path, *records))
    by_id = {one["id"]: one["cluster"] for one in records}
    drawn = Counter(by_id[c.id] for c in backend.sample(SampleOrder("diverse", 10)))
    assert drawn == Counter(dict.fromkeys(range(5), 2))


def test_by_modality_takes_modalities_in_turns(shipped: ContentBackend) -> None:
    drawn = shipped.sample(SampleOrder("by_modality", 20))
    assert Counter(c.modality for c in drawn) == Counter(dict.fromkeys(MODALITIES, 5))


def test_temporal_recent_counts_from_the_newest_record(tmp_path: Path) -> None:
    newest = datetime(2020, 6, 1)
    records = [
        record(f"d{days}", created_at=(newest - timedelta(days=days)).isoformat())
        for days in (0, 10, 40, 400)
    ]
    backend = DuckDBContent(folder(tmp_path, *records, record("undated")))
    drawn = backend.sample(SampleOrder("temporal_recent", 10, recency_days=30))
    assert [c.id for c in drawn] == ["d0", "d10"]


def test_entity_rich_starts_with_the_records_that_name_most(shipped: ContentBackend) -> None:
    counts = [len(c.entities) for c in shipped.sample(SampleOrder("entity_rich", 30))]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 2


def test_sequences_are_of_one_subject_in_order_of_time(shipped: ContentBackend) -> None:
    groups: dict[str, list[Content]] = {}
    for content in shipped.sample(SampleOrder("multi_modal_sequences", 40)):
        groups.setdefault(content.group, []).append(content)
    whole = list(groups.items())[:-1]  # the last one may be cut
    assert whole
    for subject, members in whole:
        assert all(subject in content.entities for content in members)
        assert len({content.modality for content in members}) > 1
        assert [c.created_at for c in members] == sorted(c.created_at for c in members)


def test_cross_modal_pairs_share_a_subject_and_differ_in_modality(shipped: ContentBackend) -> None:
    drawn = shipped.sample(SampleOrder("cross_modal_pairs", 40))
    assert len(drawn) == 40
    for one, other in zip(drawn[::2], drawn[1::2], strict=True):
        assert one.group == other.group
        assert one.modality != other.modality
        assert set(one.entities) & set(other.entities)


def test_a_tenant_sees_its_own_records_only(tmp_path: Path) -> None:
    backend = DuckDBContent(
        folder(tmp_path, record("mine", entities=["A B"]), record("theirs", tenant="other"))
    )
    for strategy in STRATEGIES:
        ids = {c.id for c in backend.sample(SampleOrder(strategy, 10, tenant="other"))}
        assert ids <= {"theirs"}


def test_a_quote_in_a_tenants_name_is_a_name(shipped: ContentBackend) -> None:
    assert shipped.sample(SampleOrder("diverse", 5, tenant="x' OR tenant = 'default")) == []


def test_a_written_file_holds_what_a_folder_holds(tmp_path: Path) -> None:
    records = [record(f"r{n}", MODALITIES[n % 4], entities=["Mill Pond"]) for n in range(8)]
    write_content(tmp_path / "c.duckdb", records)
    file = DuckDBContent(tmp_path / "c.duckdb")
    read = DuckDBContent(folder(tmp_path / "folder", *records))
    order = SampleOrder("cross_modal_pairs", 6)
    assert file.version() == read.version()
    assert file.sample(order) == read.sample(order) != []


def test_parquet_is_read_as_jsonl_is(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow.parquet import write_table

    records = [record("a"), record("b", "AUDIO")]
    (tmp_path / "p").mkdir()
    write_table(pyarrow.Table.from_pylist(records), tmp_path / "p" / "records.parquet")
    order = SampleOrder("by_modality", 4)
    lines = DuckDBContent(folder(tmp_path / "j", *records))
    assert DuckDBContent(tmp_path / "p").sample(order) == lines.sample(order)


def test_other_content_has_another_version(tmp_path: Path) -> None:
    one = DuckDBContent(folder(tmp_path / "1", record("a")))
    other = DuckDBContent(folder(tmp_path / "2", record("a", description="more")))
    assert one.version() != other.version()


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="content load --output"):
        DuckDBContent(tmp_path / "none.duckdb")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.duckdb").write_text("not a database")
    with pytest.raises(BackendError, match="is not a content file"):
        DuckDBContent(tmp_path / "c.duckdb")


def test_an_empty_folder_says_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"holds no \*\.jsonl and no \*\.parquet"):
        DuckDBContent(tmp_path)


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([{"id": "a", "title": "A"}], "the records have no modality"),
        ([record("a", "SMELL")], "the modality 'SMELL', which is none of VIDEO"),
        ([record("a"), record("a")], "two records have the id 'a'"),
        ([{**record("a"), "title": ""}], "'a' has no id, no title"),
    ],
)
def test_wrong_records_are_refused_by_name(
    tmp_path: Path, records: list[dict[str, Any]], said: str
) -> None:
    with pytest.raises(BackendError, match=said):
        DuckDBContent(folder(tmp_path, *records))


def test_a_broken_line_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text('{"id": "a", "title"\n')
    with pytest.raises(BackendError, match="cannot be read as content"):
        DuckDBContent(tmp_path)


def test_a_query_that_takes_too_long_is_interrupted(tmp_path: Path) -> None:
    backend = DuckDBContent(folder(tmp_path, record("a")))
    backend._timeout_s = 0.05
    with pytest.raises(BackendSlowError, match=r"within 0\.05 s"), backend._cursor() as cursor:
        cursor.execute("SELECT count(*) FROM range(100000000000) t(a) WHERE a % 7 = 3").fetchall()


def test_several_threads_may_ask_at_once(shipped: ContentBackend) -> None:
    orders = [SampleOrder(s, 20, seed=n) for n in range(4) for s in STRATEGIES]
    alone = [shipped.sample(order) for order in orders]
    together: list[list[Content]] = [[] for _ in orders]

    def ask(place: int) -> None:
        together[place] = shipped.sample(orders[place])

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(len(orders))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


def test_strategies_share_the_size_and_no_record_comes_twice(shipped: ContentBackend) -> None:
    orders = sample_orders(
        ["diverse", "entity_rich", "diverse"], size=31, tenant="default", seed=1, recency_days=9
    )
    assert [order.size for order in orders] == [16, 15]
    contents = merged(shipped.sample(order) for order in orders)
    assert len({c.id for c in contents}) == len(contents) <= 31


@pytest.mark.slow
def test_every_strategy_is_right_on_a_million_records(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "big"
    path.mkdir()
    duckdb.execute(
        "COPY (SELECT 'r' || i AS id, ['VIDEO', 'DOCUMENT', 'IMAGE', 'AUDIO'][i % 4 + 1] AS "
        "modality, 'Title ' || i AS title, timestamp '2020-01-01' + to_minutes(i) AS created_at, "
        "['s' || i // 50, 't' || i % 1000] AS entities, i % 64 AS cluster "
        f"FROM range(1000000) t(i)) TO '{path}/big.parquet'"
    )
    backend = DuckDBContent(path)
    for strategy in STRATEGIES:
        drawn = backend.sample(SampleOrder(strategy, 200, seed=3))
        assert len(drawn) == 200, strategy
        assert drawn == backend.sample(SampleOrder(strategy, 200, seed=3))
