"""Which replies the service keeps: those that cost something.

A run resumes from its stored replies. The service resumes nothing, so the only use of a stored
reply is that an equal request is not paid twice, now or after a restart, and gets equal data. The
offline model costs nothing and answers equal prompts equally; its replies would only make a file
that grows with every request. They are kept where `replies.path` names a file for them.
"""

from __future__ import annotations

from pathlib import Path

from synth_dspy.config import Config
from synth_dspy.lm.replies import Reply, ReplyStore


class UnkeptReplies(ReplyStore):
    """A store without a file that has nothing and keeps nothing."""

    def __init__(self) -> None:
        super().__init__(Path(":memory:"))

    def get(self, key: bytes) -> Reply | None:
        """None."""
        del key
        return None

    def put(self, key: bytes, reply: Reply, *, endpoint: str, model: str) -> Reply:
        """The reply itself."""
        del key, endpoint, model
        return reply


def forgets_replies(config: Config) -> bool:
    """Whether no reply is worth a file: all are of the offline model, and no file is named."""
    offline = all(endpoint.is_offline for endpoint in config.models.endpoints)
    return offline and config.replies.path is None
