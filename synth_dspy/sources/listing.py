"""Every file of every configured source, in order. Reads the configuration; parses nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_dspy.config import Config
from synth_dspy.errors import SourceError
from synth_dspy.records import SourceFile
from synth_dspy.sources.files import SITE_FOLDERS, Skipped, list_files
from synth_dspy.sources.github import announcement, fetched

if TYPE_CHECKING:
    from synth_dspy.config.content import Source


def source_files(config: Config) -> tuple[list[SourceFile], list[Skipped]]:
    """Every file of every source, in order, and what was passed over.

    Raises:
        SourceError: a source is not there, or no file at all was found.
        SetupError: this machine lacks what a source needs.
    """
    files: list[SourceFile] = []
    skipped: list[Skipped] = []
    for index, source in enumerate(config.sources):
        try:
            found, passed_over = _listed(source)
        except SourceError as error:
            raise SourceError(f"{_where(config, index)}: {error}") from error
        files += found
        skipped += passed_over
    if not files:
        listed = ", ".join(
            source.path if source.type == "github" else str(source.resolved)
            for source in config.sources
        )
        raise SourceError(
            f"{config.file or 'the configuration'}: sources: No document was found in {listed}: "
            "no file matches include_patterns (notebooks, MDX, Markdown and PDF are read; text, "
            "HTML, CSV and others when a pattern names them)."
        )
    return files, skipped


def clones_to_make(config: Config) -> list[str]:
    """What `source_files` will clone, a line a repository that is not on this machine yet.

    Raises:
        SourceError: an address is none.
    """
    lines = []
    for index, source in enumerate(config.sources):
        if source.type == "github":
            try:
                lines.append(announcement(source.path, folders=source.folders))
            except SourceError as error:
                raise SourceError(f"{_where(config, index)}: {error}") from error
    return [line for line in lines if line is not None]


def _where(config: Config, index: int) -> str:
    return f"{config.file or 'the configuration'}: sources.{index}.path"


def _listed(source: Source) -> tuple[list[SourceFile], list[Skipped]]:
    root, revision, public_roots = source.resolved, "", source.resolved_public_roots
    if source.type == "github":
        clone = fetched(source.path, folders=source.folders)
        root, revision = clone.path, clone.revision
        folders = source.public_roots or SITE_FOLDERS
        public_roots = tuple(root / folder.strip("/") for folder in folders)
    return list_files(
        root,
        name=source.name,
        include=source.include_patterns,
        exclude=source.exclude_patterns,
        folders=source.folders,
        public_roots=public_roots,
        max_files=source.max_files,
        revision=revision,
    )
