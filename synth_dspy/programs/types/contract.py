"""What a question type is: a name, what it needs of a chunk, and the modules that ask and answer.

Allocation reads what a chunk can bear, the Program's writers call the modules. Neither knows a type
by name; a type knows neither of them.
"""

from __future__ import annotations

import difflib
from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import dspy

from synth_dspy.outcomes import Kept, Outcome
from synth_dspy.programs.module import Role, StepModule
from synth_dspy.records import Candidate, Chunk, Image

ImageNeed = Literal["never", "may", "always"]

MOST_ON_AN_IMAGE = 2
_QUALITY = {"HIGH": 1.0, "MEDIUM": 0.7, "LOW": 0.3}


class _AbstractModule(ABCMeta, type(StepModule)):  # type: ignore[misc]
    """DSPy's modules have a metaclass of their own; this one also refuses what is not whole."""


class QuestionModule(StepModule, metaclass=_AbstractModule):
    """Writes the question of a candidate that has a task and a chunk; tests come later."""

    role: ClassVar[Role] = "question"

    async def aforward(self, candidate: Candidate) -> dspy.Prediction:
        """`outcome`: Kept with the candidate and its question, or Dropped with the reason."""
        return dspy.Prediction(outcome=await self.write(candidate))

    @abstractmethod
    async def write(self, candidate: Candidate) -> Outcome:
        """The candidate with its question and, for code, its entry point."""

    def clean(self, text: str) -> str:
        """A question as a model wrote it, without what is not part of it."""
        return text.strip()

    def fault_in(self, candidate: Candidate) -> str | None:
        """What is wrong with a written question, or None."""
        return None if candidate.question.strip() else "the question is empty"


class FixedQuestion(QuestionModule):
    """A question that needs no model: the same order for every task of a type.

    Args:
        order: the question of a candidate.
    """

    def __init__(self, order: Callable[[Candidate], str]) -> None:
        super().__init__()
        self._order = order

    async def write(self, candidate: Candidate) -> Outcome:
        return Kept((replace(candidate, question=self._order(candidate)),))


class AnswerModule(StepModule, metaclass=_AbstractModule):
    """Writes the answer of a candidate; whether it is right is found out elsewhere.

    Attributes:
        step_name: the step that a sample's provenance names.
    """

    role: ClassVar[Role] = "answer"
    step_name: ClassVar[str]

    async def aforward(self, candidate: Candidate) -> dspy.Prediction:
        """`answer`: its text, "" when there is none."""
        return dspy.Prediction(answer=await self.answer(candidate))

    @abstractmethod
    async def answer(self, candidate: Candidate) -> str:
        """The answer's text."""


@dataclass(frozen=True, slots=True)
class CodeForm:
    """How the answer of a code type becomes a program, and a program the answer.

    Attributes:
        program_of: the whole program of an answered candidate, as the sandbox runs it.
        taken_from: the answer in a whole program that a model repaired.
        stub_of: a program that defines the entry point and does nothing: the test must fail it.
    """

    program_of: Callable[[Candidate], str]
    taken_from: Callable[[str, Candidate], str]
    stub_of: Callable[[Candidate], str]


@dataclass(frozen=True, slots=True)
class Kind:
    """A question type.

    Attributes:
        name: in the configuration and in a sample's `type`.
        form: what a sample of it is, in a sentence; judges and refiners are told.
        code: of a type whose answer is a program with a test that is run; None for words.
        image: whether a task of it is never, maybe or always about an image.
        refinable: its question is a model's text, which a second look may better.
        suits: how well a chunk, and an image of it or None, bear a task: 0 (not at all) to 2.
        bears: how many tasks they bear, at least 1 where `suits` is above 0.
        writer, answerer: make the modules, once a Program.
    """

    name: str
    form: str
    suits: Callable[[Chunk, Image | None], float]
    bears: Callable[[Chunk, Image | None], int]
    writer: Callable[[], QuestionModule]
    answerer: Callable[[], AnswerModule]
    code: CodeForm | None = None
    image: ImageNeed = "may"
    refinable: bool = False

    @property
    def is_code(self) -> bool:
        """Whether its answer is run."""
        return self.code is not None


def worth(chunk: Chunk, image: Image | None) -> float:
    """What any task has of a chunk's quality and of what is known of an image, 0.3 to 1.5."""
    score = _QUALITY[chunk.quality]
    if image is not None:
        score += 0.25 * bool(image.description) + 0.25 * bool(image.caption or image.alt)
    return score


def prose_suits(chunk: Chunk, image: Image | None) -> float:
    """The suitability of a chunk for questions in words: the longer the better, up to a point."""
    return worth(chunk, image) + min(len(chunk.text), 2000) / 4000


def nearest(name: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?` for a name that is not known, "" when nothing is near."""
    near = difflib.get_close_matches(name, list(known), 1, 0.5)
    return f" Did you mean {near[0]!r}?" if near else ""
