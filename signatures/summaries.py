"""What is asked when a passage is summed up."""

from __future__ import annotations

import dspy

from signatures.questions import PASSAGE


class WriteSummary(dspy.Signature):
    """Sum up the passage for somebody who will not read it: its main statement first, then what
    supports or limits it. Use no more sentences than asked for, state nothing that the passage does
    not state, and do not speak of "the passage" or "the text"."""

    sentences: int = dspy.InputField(desc="most sentences that the summary may have")
    passage: str = dspy.InputField(desc=PASSAGE)
    summary: str = dspy.OutputField()
