"""The line beside the bar of a run with quotas."""

from __future__ import annotations

from synth_dspy.dataset.quota import Quota
from synth_dspy.runners.quota_progress import how_far

CELLS = [("qa", "text"), ("qa", "multimodal"), ("code", "text"), ("code", "text")]
TARGETS = {("qa", "text"): 1, ("qa", "multimodal"): 1, ("code", "text"): 2}


def quota(accepted: int) -> Quota[tuple[str, str], str]:
    made: Quota[tuple[str, str], str] = Quota(CELLS, TARGETS, lambda rank, value: False)
    while (rank := made.admit()) is not None:
        made.report(rank, f"record {rank}" if rank < accepted else None)
    return made


def test_it_counts_accepted_records_by_type_against_their_quota() -> None:
    done, line = how_far(quota(3), 0.0, 30)
    assert done == 3
    assert line == "qa 2/2, code 1/2; 4 tried; 6/min"


def test_it_projects_the_cost_from_what_was_accepted() -> None:
    assert how_far(quota(2), 0.5, 60)[1].endswith("2/min; $0.50, about $1.00 in all")


def test_nothing_accepted_yet_projects_nothing() -> None:
    assert how_far(quota(0), 0.25, 60)[1].endswith("0/min; $0.25")
