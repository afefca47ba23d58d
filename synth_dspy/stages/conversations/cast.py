"""cast: validated pairs -> orders for dialogues, each with its persona, tone, turns and pairs.

The drawing half of `converse`: a barrier that asks no model. Every dimension is drawn by largest
remainder and shuffled by the seed, so what is realised is within one of what was asked, unless
topics, or sections with few pairs, forbid it; `distribution.json` says both.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from synth_dspy.dataset.stratified import drawn, matched, quotas
from synth_dspy.dialogues import DialogueTask, QaPair, Traits
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.records import digest
from synth_dspy.stages.contract import BarrierStage
from synth_dspy.store.run_directory import write_json

DISTRIBUTION = "distribution.json"
_SAME = 0.8


@dataclass(frozen=True, slots=True)
class Casting:
    """What is drawn from.

    Attributes:
        weights: by dimension (persona, system_prompt, style, emotion, modality, variation) the
            weight of each name; turns: of each number of user turns.
        personas_of: topic -> the personas that ask about it; a topic that is not there: all.
        per_pair, most: dialogues that one pair leads, and all together, at most.
    """

    weights: Mapping[str, Mapping[str, float]]
    turns: Mapping[int, float]
    personas_of: Mapping[str, tuple[str, ...]]
    per_pair: int
    most: int
    seed: int


class Cast(BarrierStage[QaPair, DialogueTask]):
    """Writes `distribution.json` beside its journal."""

    name, folder, unit = "cast", "conversations", "pairs"
    journal = "tasks.jsonl"
    output_type = DialogueTask

    def __init__(self, casting: Casting, run_dir: Path) -> None:
        self._casting, self._folder = casting, run_dir / self.folder

    def settings(self) -> object:
        # Dictionaries are hashed by sorted keys; their order decides ties.
        casting = asdict(self._casting)
        order = {name: list(weights) for name, weights in self._casting.weights.items()}
        turns = [[count, weight] for count, weight in self._casting.turns.items()]
        return ({**casting, "turns": turns}, order)

    def products(self) -> tuple[Path, ...]:
        return (self._folder / DISTRIBUTION,)

    def run(self, records: Sequence[QaPair]) -> Sequence[Outcome]:
        tasks = cast(records, self._casting)
        self._folder.mkdir(parents=True, exist_ok=True)
        write_json(self._folder / DISTRIBUTION, distribution(tasks, self._casting))
        led: dict[str, list[DialogueTask]] = {}
        for task in tasks:
            led.setdefault(task.pairs[0].id, []).append(task)
        return [
            Kept(tuple(led[pair.id]))
            if pair.id in led
            else Dropped("not_needed", "num_conversations is reached without it", pair)
            for pair in records
        ]


def cast(pairs: Sequence[QaPair], casting: Casting) -> list[DialogueTask]:
    """The orders, by rank; equal pairs, settings and seed give equal orders."""
    if not pairs:
        return []
    ordered = sorted(pairs, key=lambda pair: (pair.chunk.path, pair.chunk.line, pair.ordinal))
    count, seed = min(casting.most, casting.per_pair * len(ordered)), casting.seed
    leads = drawn(dict.fromkeys(range(len(ordered)), 1.0), count, seed=f"{seed} lead")
    sections: dict[tuple[str, str], list[QaPair]] = {}
    for pair in ordered:
        sections.setdefault((pair.chunk.path, pair.chunk.heading), []).append(pair)
    rooms = [len(sections[ordered[at].chunk.path, ordered[at].chunk.heading]) for at in leads]
    turns = _turns(rooms, casting)
    personas = casting.weights["persona"]
    everybody = tuple(personas)
    topics = [ordered[at].topic for at in leads]
    allowed = {topic: casting.personas_of.get(topic) or everybody for topic in set(topics)}
    who = matched(topics, allowed, personas, seed=f"{seed} persona")
    other = {
        name: drawn(weights, count, seed=f"{seed} {name}")
        for name, weights in casting.weights.items()
        if name != "persona"
    }
    tasks = []
    for rank, at in enumerate(leads):
        lead = ordered[at]
        near = sections[lead.chunk.path, lead.chunk.heading]
        traits = Traits(
            persona=who[rank], turns=turns[rank], **{name: other[name][rank] for name in other}
        )
        chosen = related(lead, near, turns[rank], seed=f"{seed} {rank}")
        id_ = digest("dialogue", [pair.id for pair in chosen], asdict(traits), seed)
        tasks.append(DialogueTask(id_, rank, chosen, traits))
    return tasks


def related(lead: QaPair, near: Sequence[QaPair], most: int, *, seed: str) -> tuple[QaPair, ...]:
    """`lead` and the pairs of its section that go with it: those of its topic first, then by how
    near their chunks stand; what is equally near is drawn by the seed."""
    chance = random.Random(seed)
    others = [pair for pair in near if pair.id != lead.id]
    lots = {pair.id: chance.random() for pair in others}

    def order(pair: QaPair) -> tuple[bool, int, float]:
        away = abs(pair.chunk.index - lead.chunk.index)
        # Next to the lead or one further is as near; beyond that, distance counts.
        return pair.topic != lead.topic, max(1, away // 2), lots[pair.id]

    chosen, spare = [lead], list[QaPair]()
    for pair in sorted(others, key=order):
        # What was answered already is asked again only where there is nothing else.
        (spare if any(_repeats(pair, one) for one in chosen) else chosen).append(pair)
        if len(chosen) == most:
            break
    return tuple([*chosen, *spare][:most])


def _repeats(pair: QaPair, other: QaPair) -> bool:
    """Whether one's answer holds nearly all words of the other's."""
    a, b = set(pair.answer.lower().split()), set(other.answer.lower().split())
    return len(a & b) >= _SAME * min(len(a), len(b))


def _turns(rooms: Sequence[int], casting: Casting) -> list[int]:
    """User turns of each task, no more than its section has pairs; the many-turned go to tasks with
    room for them, so that the asked numbers are met where they can be."""
    left = quotas(casting.turns, len(rooms))
    order = list(range(len(rooms)))
    random.Random(f"{casting.seed} turns").shuffle(order)
    turns = [0] * len(rooms)
    for count in sorted(left, reverse=True):
        fit = [at for at in order if not turns[at] and rooms[at] >= count]
        for at in fit[: left[count]]:
            turns[at] = count
    for at in order:
        if not turns[at]:
            turns[at] = min(rooms[at], max(casting.turns))
    return turns


def distribution(tasks: Sequence[DialogueTask], casting: Casting) -> dict[str, Any]:
    """Asked and realised numbers of each dimension, and the widest gap between them."""
    count = len(tasks)
    dimensions: dict[str, Mapping[Any, float]] = {**casting.weights, "turns": casting.turns}
    found: dict[str, Any] = {"conversations": count}
    for name, weights in dimensions.items():
        got = Counter(getattr(task.traits, name) for task in tasks)
        total = sum(weights.values())
        rows = {
            str(key): {"asked": round(count * weight / total, 2), "made": got[key]}
            for key, weight in weights.items()
        }
        gap = max((abs(row["made"] - row["asked"]) for row in rows.values()), default=0)
        found[name] = {"values": rows, "widest_gap": round(gap, 2)}
    found["topic"] = dict(sorted(Counter(task.topic for task in tasks).items()))
    return found
