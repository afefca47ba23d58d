"""Another rollout of the same prompt is another sample, though engines never see its number."""

from __future__ import annotations

from pathlib import Path

import dspy

from synth_dspy.optimize.purse import CompileBudget
from tests.loopback import Loopback
from tests.optimize.made import endpoint, models_of

ASKED = "Say something."


def test_the_same_prompt_is_asked_once_and_once_more_for_each_rollout(tmp_path: Path) -> None:
    with (
        Loopback() as server,
        models_of(tmp_path, endpoint(server.url), CompileBudget()) as model,
        dspy.context(disable_history=True),
    ):
        lm = model()
        lm(ASKED)
        lm(ASKED)
        assert server.count == 1
        first, second = (lm.copy(rollout_id=n, temperature=1.0) for n in (1, 2))
        for one in (first, second, first):
            one(ASKED)
        assert server.count == 3
        assert "rollout_id" not in server.bodies[-1]
