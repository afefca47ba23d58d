"""select: deduplicated dialogues -> the top K, each with why it was taken, and its split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from synth_dspy.dataset.embedding import Embed
from synth_dspy.dataset.split import split_samples
from synth_dspy.dataset.top_k import Candidate, Weights, top_k
from synth_dspy.dialogues import Dialogue, Selection
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.records import Sample
from synth_dspy.stages.contract import BarrierStage


@dataclass(frozen=True, slots=True)
class SelectRules:
    """How many are taken, by what, and how they are divided.

    Attributes:
        ratios: of train, validation and test.
    """

    count: int
    weights: Weights
    ratios: tuple[float, float, float]
    seed: int


class SelectConversations(BarrierStage[Dialogue, Dialogue]):
    """With fewer than K, all of them."""

    name, folder, unit = "select", "selected", "dialogues"
    aliases = ("stage7",)
    output_type = Dialogue

    def __init__(self, embed: Embed, model: str, rules: SelectRules) -> None:
        self._embed, self._model, self._rules = embed, model, rules

    def settings(self) -> object:
        return (self._model, asdict(self._rules))

    def run(self, records: Sequence[Dialogue]) -> Sequence[Outcome]:
        if not records:
            return []
        rules = self._rules
        order = sorted(range(len(records)), key=lambda at: (records[at].task.rank, records[at].id))
        ordered = [records[at] for at in order]
        candidates = [Candidate(_judged(one), _groups(one)) for one in ordered]
        vectors = self._embed([one.text for one in ordered])
        picks = top_k(candidates, vectors, rules.count, rules.weights)
        taken = [
            replace(
                ordered[pick.index],
                selection=Selection(place, pick.score, pick.judge, pick.diversity, pick.coverage),
            )
            for place, pick in enumerate(picks.taken)
        ]
        split = {one.id: name for one, name in zip(taken, _splits(taken, rules), strict=True)}
        by_id = {one.id: replace(one, split=split[one.id]) for one in taken}
        last = picks.taken[-1].score
        outcomes: list[Outcome] = [Kept(()) for _ in records]
        for place, at in enumerate(order):
            record = records[at]
            if record.id in by_id:
                outcomes[at] = Kept((by_id[record.id],))
            else:
                left = picks.left[place]
                detail = (
                    f"score {left.score:.4f} when the last of {rules.count} was taken with "
                    f"{last:.4f}: judge {left.judge:.2f}, diversity {left.diversity:.4f}, "
                    f"coverage {left.coverage:.4f}"
                )
                outcomes[at] = Dropped("not_among_the_top", detail, record)
        return outcomes


def _groups(dialogue: Dialogue) -> tuple[str, ...]:
    """What is to be covered: who asks, about what, in how many turns."""
    traits = dialogue.task.traits
    return (traits.persona, dialogue.task.topic, str(traits.turns))


def _judged(dialogue: Dialogue) -> float:
    criteria = dialogue.judgement.criteria if dialogue.judgement else {}
    return sum(criteria.values()) / len(criteria) if criteria else 0.0


def _splits(taken: Sequence[Dialogue], rules: SelectRules) -> list[str]:
    """Dialogues of one section of the facts, or nearly of one wording, are in one split."""
    samples = [
        Sample(
            id=one.id, rank=one.task.rank,
            question="\n".join(m.content for m in one.spoken if m.role == "user"),
            answer="\n".join(m.content for m in one.spoken if m.role == "assistant"),
            category=one.task.topic, type="conversation", difficulty="easy",
            test_code="", entry_point="", image="", has_image=False, code_context="",
            source=one.task.pairs[0].chunk.path, metadata={},
        )
        for one in taken
    ]  # fmt: skip
    sections = {one.id: one.task.section for one in taken}
    divided = split_samples(samples, ratios=rules.ratios, seed=rules.seed, extra_groups=sections)
    return [sample.split for sample in divided]
