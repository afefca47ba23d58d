"""One listed file in, one document out, or a DocumentError with the reason: never a crash."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from synth_dspy.errors import DocumentError, StoreError
from synth_dspy.parsing.registry import PARSERS, Parser, parser_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth_dspy.parsing.images import ImageStore
    from synth_dspy.parsing.options import ParseOptions
    from synth_dspy.records import Document, SourceFile


def parse_file(
    file: SourceFile,
    *,
    images: ImageStore,
    options: ParseOptions,
    parsers: Sequence[Parser] = PARSERS,
) -> Document:
    """Parse one file; its images are kept in `images`.

    Raises:
        DocumentError: the file cannot be read or parsed; `reason` says why in a word.
        StoreError: an image cannot be written.
    """
    parser = parser_of(file.kind, parsers)
    if parser is None:
        raise DocumentError("unsupported", f"no parser reads {file.kind!r} ({file.path})")
    try:
        data = (Path(file.root) / file.path).read_bytes()
    except OSError as error:
        raise DocumentError("unreadable", f"{file.path}: {error.strerror or error}") from error
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise DocumentError(
            "changed", f"{file.path} was changed after it was listed", retryable=True
        )
    try:
        return parser.load()(data, file, images, options)
    except StoreError:
        raise
    except DocumentError as error:
        if file.path in error.detail:
            raise
        # A parser knows bytes; whoever reads the error later has to find the file.
        detail = f"{file.path}: {error.detail}" if error.detail else file.path
        raise DocumentError(error.reason, detail, retryable=error.retryable) from error
    except (MemoryError, RecursionError) as error:
        raise DocumentError("too_complex", f"{file.path}: {type(error).__name__}") from error
    except Exception as error:
        raise DocumentError("parser_error", f"{file.path}: {error!r}") from error
