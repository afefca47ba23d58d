"""rows --loader: what a loader of the user's yields, as a folder of Markdown that runs read."""

from __future__ import annotations

import re
from pathlib import Path

from synth_dspy.errors import SourceError
from synth_dspy.records import digest
from synth_dspy.sources.loaders import loaded_documents
from synth_dspy.store.run_directory import write_bytes

_NAME_CHARS = 80


def load_to_folder(loader: str, documents: Path | None) -> Path:
    """The folder with a file a document; files of an earlier load that are the same stay as they
    are, so that nothing is parsed again.

    Args:
        loader: `module:Class`; documents: its argument, where it takes one.

    Raises:
        SourceError: the loader cannot be used, or yields nothing.
    """
    arguments = () if documents is None else (str(documents),)
    folder = Path("outputs", f"loaded-{digest(loader, arguments)[:8]}").absolute()
    kept: set[Path] = set()
    for number, document in enumerate(loaded_documents(loader, *arguments, run_dir=folder)):
        stem = re.sub(r"[^\w.-]+", "-", document.path).strip("-.")[-_NAME_CHARS:]
        file = folder / f"{number:06}-{stem}.md"
        text = document.text.encode()
        if not file.exists() or file.read_bytes() != text:
            write_bytes(file, text)
        kept.add(file)
    for old in set(folder.glob("*.md")) - kept:
        old.unlink()
    if not kept:
        raise SourceError(f"Loader {loader!r} yielded no document, so there is nothing to read.")
    return folder
