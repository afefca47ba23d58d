"""Who writes instructions where no model can: the offline model's stand-in hands them back.

Optimizers ask a model for better instructions. The offline model cannot write any and never reads
them, so the honest answer is the instructions that came in: the optimizer then finds no gain and
the gate refuses, as it should. Nothing is asked and nothing is counted.
"""

from __future__ import annotations

import re
from typing import Any

import dspy
from dspy import lm15

# As MIPROv2 and as GEPA call the instructions that they want bettered.
_OLD = re.compile(
    r"\[\[ ## (?:basic|current)_instruction ## \]\]\n(.*?)(?=\n\n\[\[ ## |\n\nRespond with|\Z)",
    re.DOTALL,
)
_ASKED = re.compile(r"Respond with the corresponding output fields(.*)", re.DOTALL)
_FIELD = re.compile(r"\[\[ ## (\w+) ## \]\]")


class SameInstructions:
    """An engine that answers a request for new instructions with the old ones."""

    def __deepcopy__(self, memo: dict[int, Any]) -> SameInstructions:
        return self

    def complete(self, request: lm15.Request) -> lm15.Response:
        """The instructions that the prompt holds, in the form that it asks for."""
        prompt = request.messages[-1].text or ""
        return lm15.Response(
            id=None,
            model=request.model,
            message=lm15.Message.assistant(_reply(prompt)),
            finish_reason="stop",
            usage=lm15.Usage(input_tokens=0, output_tokens=0),
        )


def same_instructions() -> dspy.LM:
    """The stand-in as a language model."""
    return dspy.LM("offline:same-instructions", engine=SameInstructions(), cache=False)


def _reply(prompt: str) -> str:
    old, asked = _OLD.search(prompt), _ASKED.search(prompt)
    said = old[1].strip() if old else "There is nothing to say."
    names = [n for n in _FIELD.findall(asked[1] if asked else "") if n != "completed"]
    return "".join(f"[[ ## {n} ## ]]\n{said}\n\n" for n in names) + "[[ ## completed ## ]]"
