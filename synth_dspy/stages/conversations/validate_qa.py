"""validate-qa: pairs -> those that the judge's every criterion holds for, with the verdict."""

from __future__ import annotations

from dataclasses import replace

from synth_dspy.dialogues import QaPair
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.programs.conversations import ConversationsProgram
from synth_dspy.stages.contract import MapStage

UNMET = {
    "uses_source_fact": "not_from_the_fact",
    "realistic_question": "unrealistic_question",
    "sensible_answer": "not_a_sensible_answer",
}
"""The reason of a drop, by the first criterion that does not hold."""


class ValidateQa(MapStage[QaPair, QaPair]):
    """The verdict is computed: every criterion has to hold."""

    name, folder, unit = "validate-qa", "validated_qa", "pairs"
    aliases = ("stage2",)
    output_type = QaPair

    def __init__(self, program: ConversationsProgram, *, concurrency: int) -> None:
        self._program, self.concurrency = program, concurrency

    def settings(self) -> object:
        return self._program.fingerprint(self._program.validator)

    async def process(self, record: QaPair) -> Outcome:
        validator = self._program.validator
        judgement = (await validator.acall(record)).judgement
        steps = {**record.steps, "validate_qa": validator.step("validate_qa")}
        judged = replace(record, validation=judgement, steps=steps)
        for name, reason in UNMET.items():
            if not judgement.criteria[name]:
                return Dropped(reason, judgement.reason, judged)
        return Kept((judged,))
