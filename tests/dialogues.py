"""Made-up facts, pairs, tasks and dialogues, and the recipe's Program behind a loopback server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import dspy

from synth_dspy.config.endpoints import Endpoint, Role
from synth_dspy.dialogues import Dialogue, DialogueTask, FactChunk, Message, QaPair, Traits
from synth_dspy.lm.adapter import SynthAdapter
from synth_dspy.lm.budget import Budget
from synth_dspy.lm.models import Models
from synth_dspy.lm.offline import OfflineModel
from synth_dspy.lm.replies import ReplyStore
from synth_dspy.programs.conversations import ConversationsProgram
from synth_dspy.programs.program import Binding
from synth_dspy.records import Judgement
from tests.loopback import Loopback

FACT = "The Kestrel Two weighs 1.9 kilograms and costs 349 euros. It is sold by Maren Holt."


def chunk(text: str = FACT, **changed: Any) -> FactChunk:
    """A fact about a tent."""
    made = FactChunk(
        id=f"c {text}", path="shop.md", source="facts", sha256="0" * 64, heading="Tents",
        text=text, before="", after="", line=1, index=0,
    )  # fmt: skip
    return replace(made, **changed)


def pair(number: int = 0, **changed: Any) -> QaPair:
    """A pair about it."""
    made = QaPair(
        id=f"p{number}", chunk=chunk(index=number, line=number + 1),
        question=f"How much does tent {number} cost?", answer=f"Tent {number} costs 349 euros.",
        difficulty="basic", topic="tents", ordinal=0,
    )  # fmt: skip
    return replace(made, **changed)


def traits(**changed: Any) -> Traits:
    """A plain customer."""
    return replace(
        Traits("customer", "balanced", "plain", "neutral", "standard", "none", 1), **changed
    )


def task(rank: int = 0, *, pairs: tuple[QaPair, ...] = (), **changed: Any) -> DialogueTask:
    """An order for a dialogue; `changed` are traits."""
    return DialogueTask(f"t{rank}", rank, pairs or (pair(),), traits(**changed))


def dialogue(rank: int = 0, *said: str, order: DialogueTask | None = None) -> Dialogue:
    """A dialogue of these turns, user first, judged and found good."""
    said = said or ("What does it cost?", "It costs 349 euros.")
    roles = ("user", "assistant") * len(said)
    messages = (Message("system", "You help."), *map(Message, roles, said))
    good = Judgement(True, {"grounded": True, "on_topic": True})
    return Dialogue(f"d{rank}", order or task(rank), messages, judgement=good)


@asynccontextmanager
async def program(
    folder: Path, server: Loopback, *, topics: tuple[str, ...] = (), pairs: int = 3
) -> AsyncIterator[ConversationsProgram]:
    """A Program whose every role is at the server."""
    store = ReplyStore(folder / "replies.sqlite")
    models = Models(
        [Endpoint(name="all", base_url=server.url, model_name="m", max_retries=1)],
        store=store, budget=Budget(), traces=None, concurrency=8, vision_concurrency=8,
        offline=OfflineModel(),
    )  # fmt: skip
    made = ConversationsProgram(dict.fromkeys(topics, ""), pairs=pairs)
    made.bind({role: Binding(models.lm("all"), "m") for role in get_args(Role)}, {})
    with dspy.context(adapter=SynthAdapter(), disable_history=True, trace=None):
        try:
            yield made
        finally:
            await models.aclose()
            store.close()
