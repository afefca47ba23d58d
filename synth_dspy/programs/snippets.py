"""Code in an answer in words: whether it runs, alone or after the code of its passage.

Enters: an answered candidate. Leaves: a sentence that says how its code fails, or None. What the
sandbox does not have installed is no fault of the answer's.
"""

from __future__ import annotations

from sandbox import Sandbox
from synth_dspy.programs.code import python_blocks
from synth_dspy.records import Candidate

_TIMEOUT_S = 10.0
# Not to be had in a sandbox: the package, the file, the network.
_EXCUSED = ("ModuleNotFoundError", "ImportError", "FileNotFoundError", "ConnectionError", "OSError",
            "URLError", "gaierror", "PermissionError")  # fmt: skip


async def fault_in_snippets(candidate: Candidate, sandbox: Sandbox) -> str | None:
    """How the Python of an answer fails when it is run, or None."""
    blocks = python_blocks(candidate.answer)
    if not blocks:
        return None
    source = "\n\n".join(blocks)
    chunk = candidate.chunk
    shown = [block.code for block in chunk.code_blocks if block.language in ("", "python", "py")]
    before = "\n\n".join([chunk.prior_code, *shown])
    error = await _error_of(source, sandbox)
    if error is None or _excused(error):
        return None
    if before.strip():
        # An answer may build on what the passage has defined.
        again = await _error_of(f"{before}\n\n{source}", sandbox)
        if again is None or _excused(again):
            return None
    return f"the code in the answer fails when it is run: {error}"


async def _error_of(source: str, sandbox: Sandbox) -> str | None:
    (result,) = await sandbox.evaluate(source, ["None"], timeout_s=_TIMEOUT_S)
    return None if result.ok else result.error


def _excused(error: str) -> bool:
    return error.partition(":")[0].strip().rpartition(".")[2] in _EXCUSED
