"""Which passages a query chooses."""

from __future__ import annotations

from synth_dspy.recipes.rows_seeds import seeds_of_chunks
from tests.programs.made import chunk

DEW = chunk(id="dew", heading="", text="The dew point says how much vapour the air can hold.")
STOP = chunk(id="stop", heading="", text="At this point tie your shoelaces and stop for a rest.")


def chosen(query: str) -> list[str]:
    return [seed.passage for seed in seeds_of_chunks([STOP, DEW], 7, query)]


def test_a_passage_has_half_of_the_querys_subjects() -> None:
    assert chosen("dew point and humidity") == [DEW.text]


def test_the_most_alike_comes_first() -> None:
    assert chosen("dew point") == [DEW.text, STOP.text]


def test_a_query_of_other_subjects_chooses_none() -> None:
    assert chosen("sourdough bread") == []
