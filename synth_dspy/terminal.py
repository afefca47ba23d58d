"""Text that a terminal prints and does not obey.

The name of a file, a document or a model's reply may hold escape sequences: colours, a title, a
cleared screen, a line above overwritten. Any text enters; printable text leaves.
"""

from __future__ import annotations

# C0 but tabs and ends of lines, DEL, and C1, which some terminals take for escape sequences, too.
_CONTROLS = [code for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"]
_SPELLED = {code: f"\\x{code:02x}" for code in _CONTROLS}
_IN_JSON = {code: f"\\u{code:04x}" for code in _CONTROLS}


def spelled(text: str) -> str:
    r"""`text` with its control characters written out, as `\x1b`."""
    return text.translate(_SPELLED)


def spelled_json(line: str) -> str:
    r"""JSON with what its writer left of them written as `\u009b`, so that it stays JSON."""
    return line.translate(_IN_JSON)
