"""The six sampling strategies as SQL, and the tables that make each of them one quick query.

Every record has a `lot`, 64 bits of the MD5 of its id. Records are drawn in the order of
`xor(lot, $ticket)`, where the ticket comes from the seed: another ticket is another draw, the same
on every machine, and nothing is hashed while a query runs. Entities are unnested once, when the
tables are made (`mention`), and counted by tenant (`subject`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth_dspy.config.routing import SamplingStrategy

COLUMNS: Mapping[str, str] = {
    "id": "VARCHAR",
    "tenant": "VARCHAR",
    "modality": "VARCHAR",
    "title": "VARCHAR",
    "description": "VARCHAR",
    "transcript": "VARCHAR",
    "created_at": "TIMESTAMP",
    "entities": "VARCHAR[]",
    "cluster": "INTEGER",
    "embedding": "FLOAT[]",
}
"""The columns of content, in a file or a folder; all but `id`, `modality` and `title` may miss."""

TABLES = """
CREATE TABLE content AS
  SELECT * REPLACE (coalesce(tenant, 'default') AS tenant, upper(modality) AS modality,
                    coalesce(entities, []) AS entities),
         md5_number_lower(id) AS lot
  FROM given ORDER BY id;
CREATE TABLE mention AS
  SELECT entity, tenant, modality, lot, record
  FROM (SELECT unnest(list_distinct(entities)) AS entity, tenant, modality, lot, rowid AS record
        FROM content)
  ORDER BY entity, lot;
CREATE TABLE subject AS
  SELECT entity, tenant, count(DISTINCT modality) AS modalities, md5_number_lower(entity) AS lot
  FROM mention GROUP BY entity, tenant ORDER BY entity, tenant;
"""

_SHOWN = "c.id, c.modality, c.title, c.description, c.transcript, c.created_at, c.entities"

# Strata are taken in turns: the first of each, then the second of each, so that none is left out
# while another is there twice. Without clusters, a modality is one.
_IN_TURNS = """
WITH drawn AS (
  SELECT {stratum} AS stratum, min_by(rowid, xor(lot, $ticket), $size) AS records
  FROM content WHERE tenant = $tenant GROUP BY stratum),
placed AS (
  SELECT stratum, unnest(records) AS record, unnest(range(len(records))) AS turn FROM drawn)
SELECT {shown}, '' AS place
FROM placed JOIN content c ON c.rowid = placed.record
ORDER BY turn, xor(md5_number_lower(stratum), $ticket), stratum LIMIT $size
"""

SAMPLING: Mapping[SamplingStrategy, str] = {
    "diverse": _IN_TURNS.format(stratum="coalesce(cluster::VARCHAR, modality)", shown=_SHOWN),
    "by_modality": _IN_TURNS.format(stratum="modality", shown=_SHOWN),
    "temporal_recent": f"""
WITH drawn AS (
  SELECT rowid AS record, created_at FROM content
  WHERE tenant = $tenant AND created_at >=
    (SELECT max(created_at) FROM content WHERE tenant = $tenant) - to_days($days)
  ORDER BY xor(lot, $ticket) LIMIT $size)
SELECT {_SHOWN}, '' AS place FROM drawn JOIN content c ON c.rowid = drawn.record
ORDER BY c.created_at DESC, c.id
""",
    "entity_rich": f"""
WITH drawn AS (
  SELECT rowid AS record FROM content WHERE tenant = $tenant AND len(entities) > 0
  ORDER BY len(entities) DESC, xor(lot, $ticket) LIMIT $size)
SELECT {_SHOWN}, '' AS place FROM drawn JOIN content c ON c.rowid = drawn.record
ORDER BY len(c.entities) DESC, xor(c.lot, $ticket)
""",
    # What was made about one subject, oldest first, in at least two modalities.
    "multi_modal_sequences": f"""
WITH subjects AS (
  SELECT entity, lot FROM subject WHERE tenant = $tenant AND modalities > 1
  ORDER BY xor(lot, $ticket), entity LIMIT $size),
members AS (
  SELECT entity, s.lot AS subject_lot, modality,
         min_by(record, xor(mention.lot, $ticket), 2) AS records
  FROM mention JOIN subjects s USING (entity) WHERE tenant = $tenant
  GROUP BY entity, subject_lot, modality),
placed AS (SELECT entity, subject_lot, unnest(records) AS record FROM members)
SELECT {_SHOWN}, entity AS place FROM placed JOIN content c ON c.rowid = placed.record
ORDER BY xor(subject_lot, $ticket), entity, c.created_at, c.id LIMIT $size
""",
    # Two records of different modalities that name the same subject.
    "cross_modal_pairs": f"""
WITH subjects AS (
  SELECT entity, lot FROM subject WHERE tenant = $tenant AND modalities > 1
  ORDER BY xor(lot, $ticket), entity LIMIT $size),
members AS (
  SELECT entity, s.lot AS subject_lot, modality,
         min_by(record, xor(mention.lot, $ticket)) AS record
  FROM mention JOIN subjects s USING (entity) WHERE tenant = $tenant
  GROUP BY entity, subject_lot, modality),
pairs AS (
  SELECT a.entity, a.subject_lot, a.record AS one, b.record AS other,
         a.modality || '+' || b.modality AS kinds
  FROM members a JOIN members b ON a.entity = b.entity AND a.modality < b.modality
  ORDER BY xor(a.subject_lot, $ticket), a.entity, kinds LIMIT greatest($size // 2, 1)),
placed AS (
  SELECT entity, subject_lot, kinds, unnest([one, other]) AS record, unnest([0, 1]) AS side
  FROM pairs)
SELECT {_SHOWN}, entity || '/' || kinds AS place
FROM placed JOIN content c ON c.rowid = placed.record
ORDER BY xor(subject_lot, $ticket), entity, kinds, side
""",
}
