"""The offline model as an engine: a request enters, a reply made of the request's own text leaves.

It asks no network, draws no random number and keeps nothing between calls, so equal requests get
equal replies. It is reached through `dspy.LM` like any endpoint and says that it is what it is:
`name` and the reply's model are "offline".
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from dspy import lm15

from synth_dspy.lm.offline import fields
from synth_dspy.lm.offline.contract import Executor, Tools
from synth_dspy.lm.offline.skills import find

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOG = logging.getLogger(__name__)
RULES = 6
"""Raised when the rules change what the model answers to the same prompt."""

_CHARS_PER_TOKEN = 4  # a rough count, for budgets and statistics


class OfflineModel:
    """An extractive model: everything that it says stands in the prompt or follows from running it.

    Args:
        seed: varies the wording of questions; equal seeds give equal replies.
        execute: runs the document's own code on literal inputs, for expected values that the
            document does not record. Without it tests hold recorded values only.
    """

    name = "offline"

    def __init__(self, *, seed: int = 0, execute: Executor | None = None) -> None:
        self.seed = seed
        self._execute = execute

    @property
    def version(self) -> str:
        """What a stored reply stays true for: another one may answer the same prompt otherwise."""
        return f"{RULES}.{self.seed}"

    def __repr__(self) -> str:
        return f"OfflineModel(seed={self.seed})"

    def __deepcopy__(self, memo: Mapping[int, Any]) -> OfflineModel:
        return self

    async def complete(self, request: lm15.Request) -> lm15.Response:
        """The reply.

        Raises:
            lm15.InvalidRequestError: the prompt asks for fields that it has no skill for.
        """
        ask = fields.read(request)
        skill = find(ask)
        if skill is None:
            wanted = ", ".join(ask.outputs) or "none that ChatAdapter lists"
            raise lm15.InvalidRequestError(
                f"the offline model cannot fill these output fields: {wanted}; it knows the "
                "questions of this project's own signatures in DSPy's ChatAdapter format only. "
                "Configure an endpoint under `models.endpoints`."
            )
        config_seed = request.config.seed or 0
        values = await skill(ask, Tools(seed=self.seed + config_seed, execute=self._execute))
        text = fields.write(ask.outputs, values)
        _LOG.debug("filled %s", ask.outputs)
        return lm15.Response(
            id=None,
            model=request.model,
            message=lm15.Message.assistant(text),
            finish_reason="stop",
            usage=lm15.Usage(
                input_tokens=_tokens(request), output_tokens=len(text) // _CHARS_PER_TOKEN + 1
            ),
        )


def _tokens(request: lm15.Request) -> int:
    chars = sum(len(fields.plain(m.parts)) for m in request.messages)
    return (chars + len(fields.plain(request.system))) // _CHARS_PER_TOKEN + 1
