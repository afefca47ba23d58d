"""Why an image cannot be used: one exception, with a reason for machines."""

from __future__ import annotations


class ImageError(Exception):
    """Bytes that cannot be used as an image, or a reference that leads to none.

    Attributes:
        reason: unreadable, too_large, too_small, unsupported, missing, outside_root, remote,
            expression.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
