"""Which profiles' content an optimizer's examples are made from: chosen by rules, or by a model.

Rules: the profile that adds most modalities comes first; among equals the one whose description
shares most words with the optimizer's task. So a small number of profiles covers much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import dspy

from signatures.routing import SelectProfiles
from synth_dspy.programs.module import StepModule
from synth_dspy.programs.routing.patterns import words_of

if TYPE_CHECKING:
    from synth_dspy.config.routing import Modality, Profile


@dataclass(frozen=True, slots=True)
class Selection:
    """Profiles, the best first, and why these.

    Attributes:
        modalities: what they cover together.
    """

    profiles: tuple[str, ...]
    reasoning: str
    modalities: tuple[Modality, ...]


class ProfileSelector(StepModule):
    """Selects profiles.

    Args:
        profiles: the configured ones, by name.
        by: rules, or the question model; what a model names wrongly, the rules replace.
    """

    def __init__(
        self, profiles: Mapping[str, Profile], by: Literal["rules", "model"] = "rules"
    ) -> None:
        super().__init__()
        self.select_profiles_by_model = dspy.Predict(SelectProfiles)
        self._profiles, self._by = dict(profiles), by
        self._words = {name: set(words_of(p.description)) for name, p in profiles.items()}

    async def select_profiles(self, task: str, max_profiles: int, needed: int = 1) -> Selection:
        """At most `max_profiles` profiles for a task.

        Args:
            needed: modalities that the task cannot do without; profiles that cover so many come
                before others where the limit allows it.
        """
        if self._by == "rules" or len(self._profiles) == 1:
            return self.by_rules(task, max_profiles, needed)
        reply = await self.select_profiles_by_model.acall(
            task=task,
            profiles=[
                f"{name} ({', '.join(p.modalities)}): {p.description}"
                for name, p in self._profiles.items()
            ],
            limit=max_profiles,
        )
        said = [str(name).strip() for name in reply.selected_profiles]
        chosen = [n for n in dict.fromkeys(said) if n in self._profiles][:max_profiles]
        if not chosen or len(self._covered(chosen)) < needed:
            rules = self.by_rules(task, max_profiles, needed)
            return Selection(
                rules.profiles,
                f"The model named {', '.join(said) or 'none'}, which cannot serve the task; "
                f"by rules: {rules.reasoning}",
                rules.modalities,
            )
        return Selection(tuple(chosen), str(reply.why).strip(), self._covered(chosen))

    def by_rules(self, task: str, max_profiles: int, needed: int = 1) -> Selection:
        """At most `max_profiles` profiles, without asking a model."""
        words = set(words_of(task))
        fit = {name: len(words & known) for name, known in self._words.items()}
        order = list(self._profiles)
        chosen: list[str] = []
        reasons: list[str] = []
        while len(chosen) < min(max_profiles, len(order)):
            covered = set(self._covered(chosen))
            new = {n: set(self._profiles[n].modalities) - covered for n in order}
            rest = [n for n in order if n not in chosen]
            best = max(rest, key=lambda n: (len(new[n]), fit[n], -order.index(n)))
            if chosen and not new[best] and len(covered) >= needed:
                break
            chosen.append(best)
            added = ", ".join(m for m in self._profiles[best].modalities if m in new[best])
            reasons.append(f"{best} adds {added or 'nothing new'} (fit {fit[best]})")
        return Selection(tuple(chosen), "; ".join(reasons) + ".", self._covered(chosen))

    def _covered(self, names: Sequence[str]) -> tuple[Modality, ...]:
        return tuple(dict.fromkeys(m for name in names for m in self._profiles[name].modalities))
