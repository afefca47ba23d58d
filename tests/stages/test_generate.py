"""The stages that write: what a task needs of the stages before it."""

from __future__ import annotations

import pytest

from sandbox import open_sandbox
from synth_dspy.errors import StageError
from synth_dspy.programs.answers import Verification
from synth_dspy.programs.assistant import AssistantProgram
from synth_dspy.recipes.resources import LazySandbox
from synth_dspy.stages.generate import WriteCandidates
from tests.programs.made import task


def test_a_task_whose_chunk_was_not_kept_says_what_to_run_again() -> None:
    program = AssistantProgram(
        LazySandbox(open_sandbox), verification=Verification(), categories={}
    )
    asked = task("qa")
    stage = WriteCandidates(program.question_writer, (), {})
    with pytest.raises(StageError, match=f"Task {asked.id} needs chunk .* Run `plan` again"):
        stage.identity(asked)
