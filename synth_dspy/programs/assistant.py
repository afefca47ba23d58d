"""The Program of the `assistant` recipe: every module of it that asks a model, composed in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sandbox import Sandbox
from synth_dspy.programs.answers import AnswerWriter, Verification
from synth_dspy.programs.filters import CandidateFilter, ChunkFilter, ImageDescriber, ImageFilter
from synth_dspy.programs.judges import SampleClassifier, SampleJudge
from synth_dspy.programs.policy import Policy
from synth_dspy.programs.program import Program
from synth_dspy.programs.questions import QuestionWriter
from synth_dspy.programs.types import TYPES, Kind

IMAGE_KINDS = (
    "circuit", "chart", "bloch_sphere", "formula", "diagram", "table", "code_output", "decorative",
)  # fmt: skip


class AssistantProgram(Program):
    """Describes and filters images, filters chunks, writes and filters questions, answers, judges.

    Args:
        sandbox: where tests and answers run.
        categories: name to description; what finished samples are sorted into.
        types: the question types it can make.
        policy: what no text of a sample may hold.
        refine: whether questions are looked at a second time.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        verification: Verification,
        categories: Mapping[str, str],
        image_kinds: tuple[str, ...] = IMAGE_KINDS,
        types: Sequence[Kind] = TYPES,
        policy: Policy | None = None,
        refine: bool = False,
    ) -> None:
        super().__init__()
        self.image_describer = ImageDescriber(image_kinds)
        self.image_filter = ImageFilter()
        self.chunk_filter = ChunkFilter()
        self.question_writer = QuestionWriter(
            sandbox,
            test_corrections=verification.test_corrections,
            timeout_s=verification.timeout_s,
            types=types,
            policy=policy,
            refine=refine,
        )
        self.candidate_filter = CandidateFilter(types)
        self.answer_writer = AnswerWriter(sandbox, verification, types=types, policy=policy)
        self.judge = SampleJudge(types)
        self.classifier = SampleClassifier(dict(categories))
        self.refines = refine

    def fingerprints_by_type(self, module: QuestionWriter | AnswerWriter) -> dict[str, str]:
        """By question type, the hash of what only its own steps are asked; a new type changes
        nothing for the others."""
        return {name: self.fingerprint(inner) for name, inner in module.by_type.items()}
