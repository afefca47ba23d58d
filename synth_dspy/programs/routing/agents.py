"""Which agent answers what, by the configured map; and whether a sequence of agents can work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth_dspy.errors import ConfigError

if TYPE_CHECKING:
    from synth_dspy.config.routing import Agent

SEARCH = "search"
INTENTS = ("search", "summarize", "report", "compare")


@dataclass(frozen=True)
class AgentMap:
    """The configured agents, by name."""

    agents: Mapping[str, Agent]

    def searching(self, modality: str) -> str:
        """The agent that searches a modality: the one with the fewest others besides.

        Raises:
            ConfigError: there is none.
        """
        able = [
            name
            for name, agent in self.agents.items()
            if modality in agent.modalities and SEARCH in agent.tasks
        ]
        if not able:
            raise ConfigError(
                f"routing.agents: no agent searches {modality}; give one `modalities: [{modality}]`"
            )
        return min(able, key=lambda name: len(self.agents[name].modalities))

    def searched(self) -> tuple[str, ...]:
        """The modalities that some agent searches."""
        return tuple(
            dict.fromkeys(
                modality
                for agent in self.agents.values()
                if SEARCH in agent.tasks
                for modality in agent.modalities
            )
        )

    def working(self, intent: str) -> str | None:
        """The agent that does something with what was found; None when there is none."""
        return next((n for n, a in self.agents.items() if intent in a.tasks), None)

    def intents(self) -> tuple[str, ...]:
        """What can be asked for: searching, and what some agent does with the findings."""
        return tuple(i for i in INTENTS if i == SEARCH or self.working(i))

    def for_query(self, modality: str, intent: str) -> str:
        """The agent that a query is routed to: the one for its intent, or for its modality.

        Raises:
            ConfigError: as `searching`.
        """
        worker = None if intent == SEARCH else self.working(intent)
        return worker or self.searching(modality)

    def sequence(self, modalities: Sequence[str], intent: str) -> tuple[str, ...]:
        """The agents of a workflow: the searches, which may run at once, then who works on them.

        Raises:
            ConfigError: as `searching`.
        """
        searches = tuple(dict.fromkeys(self.searching(modality) for modality in modalities))
        worker = None if intent == SEARCH else self.working(intent)
        return (*searches, worker) if worker and worker not in searches else searches

    def dependencies(self, sequence: Sequence[str]) -> list[tuple[int, int]]:
        """`(earlier, later)` positions: who works on findings waits for every search."""
        searches = [i for i, name in enumerate(sequence) if self.agents[name].modalities]
        workers = [i for i, name in enumerate(sequence) if not self.agents[name].modalities]
        return [(search, worker) for worker in workers for search in searches]

    def works(self, sequence: Sequence[str]) -> bool:
        """Whether a sequence can run: known agents, each once, a search before all other work."""
        if not sequence or len(set(sequence)) != len(sequence):
            return False
        if any(name not in self.agents for name in sequence):
            return False
        searches = [bool(self.agents[name].modalities) for name in sequence]
        return searches[0] and searches == sorted(searches, reverse=True)
