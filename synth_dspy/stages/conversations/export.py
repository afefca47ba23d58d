"""export: selected dialogues -> `final/`: a Hugging Face dataset, its card, and chat files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth_dspy.dialogues import Dialogue
from synth_dspy.outcomes import Kept, Outcome
from synth_dspy.stages.contract import BarrierStage

Card = Callable[[Sequence[Dialogue]], str]
"""The text of the dataset card for the dialogues that are exported."""


@dataclass(frozen=True, slots=True)
class CardSource:
    """What writes the card, and what it says that dialogues do not.

    Attributes:
        decides: what makes the card another one; nothing volatile is in it.
    """

    write: Card
    decides: Callable[[], Mapping[str, Any]]


class ExportConversations(BarrierStage[Dialogue, Dialogue]):
    """Writes nothing when there is no dialogue: an earlier dataset stays."""

    name, folder, unit = "export", "final", "dialogues"
    output_type = Dialogue

    def __init__(self, run_dir: Path, card: CardSource) -> None:
        self._final, self._card = run_dir / self.folder, card

    def settings(self) -> object:
        return self._card.decides()

    def products(self) -> tuple[Path, ...]:
        chats = (self._final / "chat" / form for form in ("messages", "nanochat", "sharegpt"))
        return (self._final / "dataset_dict.json", self._final / "README.md", *chats)

    def run(self, records: Sequence[Dialogue]) -> Sequence[Outcome]:
        # datasets takes seconds to import; nothing else of a run needs it.
        from synth_dspy.dataset.export_dialogues import export_dialogues

        if records:
            export_dialogues(records, final=self._final, card=self._card.write(records))
        return [Kept((record,)) for record in records]
