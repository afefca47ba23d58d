"""What goes wrong with the box itself; code that fails inside it is data, never an error.

SandboxError                the box broke: an engine that died, a worker that fails honest code
└── SandboxUnavailable      no box can be opened here; the text says what is missing
"""

from __future__ import annotations


class SandboxError(Exception):
    """The sandbox broke, and a fresh worker broke too. The job's verdict is not known."""


class SandboxUnavailable(SandboxError):  # noqa: N818 - a state of the machine, not of a job
    """No backend can run here; the text says what was looked for and how to get it."""
