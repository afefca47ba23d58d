"""Small gold, and compilations of it with the offline model or behind a loopback server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dspy

from synth_dspy.config.endpoints import Endpoint
from synth_dspy.lm.models import Models
from synth_dspy.lm.offline import OfflineModel
from synth_dspy.lm.replies import ReplyStore
from synth_dspy.optimize.compile_records import Compiled, Order
from synth_dspy.optimize.compiling import Compilation
from synth_dspy.optimize.gold import GoldItem, GoldSet, gold_set, gold_step
from synth_dspy.optimize.optimizers import optimizer_named
from synth_dspy.optimize.proposers import same_instructions
from synth_dspy.optimize.purse import CompileBudget
from synth_dspy.optimize.scoring import Scorer
from synth_dspy.programs.promotions import CompiledPrograms
from synth_dspy.recipes.programs import unbound_program

CATEGORIES = ["data: containers and their costs", "network: machines that talk"]
# Words that neither description has: only worked examples tell whose they are.
WORDS = {
    "data": ("heap", "queue", "trie", "stack", "bucket", "vector", "deque", "ring", "leaf", "node"),
    "network": ("socket", "packet", "port", "proxy", "router", "frame", "peer", "relay", "hop",
                "mask"),
}  # fmt: skip


def gold(train: int = 8, validation: int = 8, heldout: int = 40) -> GoldSet:
    """Gold for the classifier, half of it of each category."""
    items = []
    for split, count in (("train", train), ("validation", validation), ("heldout", heldout)):
        for number in range(count):
            category = ("data", "network")[number % 2]
            items.append(item(f"{split}-{number}", split, category, number // 2))
    return gold_set("classify", items)


def item(name: str, split: Any, category: str, number: int) -> GoldItem:
    """One labelled example; its words are those of its category, in another order each."""
    words = WORDS[category]
    told = " ".join(words[(number * 3 + k) % len(words)] for k in range(4))
    return GoldItem(
        id=name,
        split=split,
        inputs={
            "question": f"What has the {told}, number {name}?",
            "answer": f"The {words[number % len(words)]} does, as {name} says.",
            "heading": name,
            "categories": CATEGORIES,
        },
        labels={"category": category},
        source="a test",
        license="Apache-2.0",
    )


def endpoint(url: str | None, **settings: Any) -> Endpoint:
    """An endpoint that gives up soon."""
    given: dict[str, Any] = {
        "name": "one",
        "base_url": url,
        "model_name": "test-model" if url else "offline",
        "api_key": "sk-test",
        "max_retries": 1,
        "retry_delay": 0.01,
        "timeout": 5.0,
    }
    return Endpoint(**(given | settings))


@contextmanager
def models_of(
    folder: Path, one: Endpoint, budget: CompileBudget
) -> Iterator[Callable[[], dspy.LM]]:
    """The endpoint's language model, its replies kept in `folder`."""
    import asyncio

    store = ReplyStore(folder / "replies.sqlite")
    models = Models(
        [one], store=store, budget=budget, traces=None, concurrency=4, vision_concurrency=1,
        offline=OfflineModel(seed=0),
    )  # fmt: skip
    try:
        yield lambda: models.lm(one.name)
    finally:
        asyncio.run(models.aclose())
        store.close()


def compiled(
    folder: Path,
    optimizer: str,
    *,
    url: str | None = None,
    of: GoldSet | None = None,
    budget: CompileBudget | None = None,
    demos: int = 8,
    said: list[str] | None = None,
    **order: Any,
) -> Compiled:
    """Compile the classifier; artefacts go to `folder/compiled`."""
    budget, one, step = budget or CompileBudget(), endpoint(url), gold_step("classify")
    with models_of(folder, one, budget) as model:
        made = Order(
            step=step,
            gold=of or gold(),
            optimizer=optimizer_named(optimizer),
            model=model(),
            model_name=one.model_name,
            writer=model() if url else same_instructions(),
            writer_name=one.model_name if url else "",
            seed=0,
            demos=demos,
            threads=4,
            **order,
        )
        programs = CompiledPrograms("assistant", [folder / "compiled"])
        say = (said if said is not None else []).append
        program = unbound_program("assistant")
        return Compilation(made, program, programs, Scorer(step), budget, say).run()


def in_use(folder: Path) -> str:
    """The hash of the classifier's program in use in `folder`, "" for none."""
    return CompiledPrograms("assistant", [folder / "compiled"]).pointer("classify").current
