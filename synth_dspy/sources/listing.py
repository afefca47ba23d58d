"""Every file of every configured source, in order. Reads the configuration; parses nothing."""

from __future__ import annotations

from synth_dspy.config import Config
from synth_dspy.errors import SourceError
from synth_dspy.records import SourceFile
from synth_dspy.sources.files import Skipped, list_files


def source_files(config: Config) -> tuple[list[SourceFile], list[Skipped]]:
    """Every file of every source, in order, and what was passed over.

    Raises:
        SourceError: a source is not there, or no file at all was found.
    """
    files: list[SourceFile] = []
    skipped: list[Skipped] = []
    for index, source in enumerate(config.sources):
        where = f"{config.file or 'the configuration'}: sources.{index}.path"
        if source.type == "github":
            raise SourceError(
                f"{where}: {source.path!r} is a GitHub source, which this version cannot fetch. "
                "Clone the repository and name its folder, with `type: directory`."
            )
        try:
            found, passed_over = list_files(
                source.resolved,
                name=source.name,
                include=source.include_patterns,
                exclude=source.exclude_patterns,
                folders=source.folders,
                public_roots=source.resolved_public_roots,
                max_files=source.max_files,
            )
        except SourceError as error:
            raise SourceError(f"{where}: {error}") from error
        files += found
        skipped += passed_over
    if not files:
        listed = ", ".join(str(source.resolved) for source in config.sources)
        raise SourceError(
            f"{config.file or 'the configuration'}: sources: No document was found in {listed}: "
            "no file matches include_patterns (notebooks, MDX, Markdown and PDF are read)."
        )
    return files, skipped
