"""Which agent answers what, and which sequences can work."""

from __future__ import annotations

import pytest

from synth_dspy.config.routing import Agent
from synth_dspy.errors import ConfigError
from synth_dspy.programs.routing import figures
from synth_dspy.programs.routing.agents import AgentMap
from tests.programs.routing.made import AGENTS


def test_the_most_special_agent_searches_a_modality() -> None:
    both = Agent(description="Both.", modalities=("VIDEO", "AUDIO"))
    one = Agent(description="One.", modalities=("AUDIO",))
    agents = AgentMap({"both": both, "one": one})
    assert (agents.searching("AUDIO"), agents.searching("VIDEO")) == ("one", "both")


def test_a_modality_without_an_agent_says_what_to_add() -> None:
    agents = AgentMap({"one": Agent(description="One.", modalities=("AUDIO",))})
    with pytest.raises(ConfigError, match=r"no agent searches IMAGE; give one `modalities"):
        agents.searching("IMAGE")


def test_searches_come_before_who_works_on_their_findings() -> None:
    sequence = AGENTS.sequence(["VIDEO", "DOCUMENT"], "summarize")
    assert sequence == ("video_search_agent", "document_search_agent", "summarizer_agent")
    assert AGENTS.dependencies(sequence) == [(0, 2), (1, 2)]
    assert AGENTS.works(sequence)


@pytest.mark.parametrize(
    "sequence",
    [
        (),
        ("nobody",),
        ("summarizer_agent",),
        ("summarizer_agent", "video_search_agent"),
        ("video_search_agent", "video_search_agent"),
    ],
)
def test_a_sequence_that_cannot_run_is_no_sequence(sequence: tuple[str, ...]) -> None:
    assert not AGENTS.works(sequence)


def test_searches_at_once_save_the_shorter_ones_time() -> None:
    sequence = ("video_search_agent", "document_search_agent", "summarizer_agent")
    assert figures.execution_seconds(AGENTS, sequence) == (4.5, 5.5)
    assert figures.parallel_efficiency(AGENTS, sequence) == round(1 - 4.5 / 5.5, 3)
