"""What holds of every zip archive that is read: it is one, and it unpacks to what it may."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from synth_dspy.errors import DocumentError

if TYPE_CHECKING:
    from synth_dspy.records import SourceFile

MAX_UNPACKED_BYTES = 512 * 1024 * 1024


def check_archive(data: bytes, file: SourceFile, kind: str) -> None:
    """Refuse what is no archive, and what unpacks to more than anything should.

    Raises:
        DocumentError: `invalid_<kind>`, `too_large`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(info.file_size for info in archive.infolist())
    except zipfile.BadZipFile as error:
        raise DocumentError(f"invalid_{kind}", f"{file.path}: {error}") from error
    if size > MAX_UNPACKED_BYTES:
        raise DocumentError(
            "too_large",
            f"{file.path} unpacks to {size} bytes, over {MAX_UNPACKED_BYTES}; divide it",
        )
