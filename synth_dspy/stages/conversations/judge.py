"""judge: dialogues -> those that are grounded by rule, and good by every criterion of the judge.

The rule comes first: what no source supports costs no call.
"""

from __future__ import annotations

from dataclasses import replace

from synth_dspy.dataset.grounding import ungrounded
from synth_dspy.dialogues import Dialogue
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.programs.conversations import ConversationsProgram
from synth_dspy.records import Judgement
from synth_dspy.stages.contract import MapStage

UNMET = {
    "factually_accurate": "not_accurate",
    "natural_conversation": "not_natural",
    "on_topic": "off_topic",
    "adds_value": "adds_no_value",
}
"""The reason of a drop, by the first criterion that does not hold."""


class JudgeConversations(MapStage[Dialogue, Dialogue]):
    """The verdict is computed: every criterion has to hold."""

    name, folder, unit = "judge", "judged", "dialogues"
    aliases = ("stage4",)
    output_type = Dialogue

    def __init__(self, program: ConversationsProgram, *, concurrency: int) -> None:
        self._program, self.concurrency = program, concurrency

    def settings(self) -> object:
        return self._program.fingerprint(self._program.judge)

    async def process(self, record: Dialogue) -> Outcome:
        said = "\n".join(m.content for m in record.spoken if m.role == "assistant")
        if added := ungrounded(said, record.task.facts):
            detail = f"not in its facts: {', '.join(added)}"
            verdict = Judgement(False, {"grounded": False}, detail)
            return Dropped("ungrounded", detail, replace(record, judgement=verdict))
        judge = self._program.judge
        reply = await judge.acall(record)
        criteria = {"grounded": True, **reply.judgement.criteria}
        reason = "; ".join(dict.fromkeys((reply.judgement.reason, *reply.issues)))
        judged = replace(
            record,
            judgement=Judgement(reply.judgement.passed, criteria, reason),
            steps={**record.steps, "judge_conversation": judge.step("judge_conversation")},
        )
        for name, why in UNMET.items():
            if not criteria[name]:
                return Dropped(why, reason, judged)
        return Kept((judged,))
