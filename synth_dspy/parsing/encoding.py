"""Bytes in, text out; what is not UTF-8 (or UTF-16 with its mark) is refused, never guessed."""

from __future__ import annotations

import codecs

from synth_dspy.errors import DocumentError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode_text(data: bytes) -> str:
    """The text of a file.

    Raises:
        DocumentError: `encoding`; the detail names the byte and what to do.
    """
    name = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        raise DocumentError(
            "encoding",
            f"not {name}: byte 0x{data[error.start]:02x} at offset {error.start}; "
            "save the file as UTF-8",
        ) from error
