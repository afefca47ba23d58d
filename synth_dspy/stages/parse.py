"""parse: SourceFile -> Document. Runs in child processes, since parsing is CPU work."""

from __future__ import annotations

from dataclasses import astuple, replace
from pathlib import Path

from synth_dspy.dataset.scan_policy import Refusal, ScanPolicy
from synth_dspy.errors import DocumentError
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.parsing import ImageStore, ParseOptions, parse_file
from synth_dspy.parsing.beside import Beside
from synth_dspy.records import Document, SourceFile
from synth_dspy.stages.children import ChildDiedError, Children
from synth_dspy.stages.contract import MapStage


class Parse(MapStage[SourceFile, Document]):
    """Reads documents and stores their images once each, as they are.

    Args:
        children: the processes that parse.
        policy: what becomes of a document that holds secrets or personal data, or may not be used.
    """

    name, folder, unit = "parse", "parsed", "files"
    aliases = ("documents",)
    output_type = Document
    version = 2

    def __init__(
        self,
        run_dir: Path,
        options: ParseOptions,
        *,
        policy: ScanPolicy | None = None,
        children: Children | None = None,
    ) -> None:
        self._children = children or Children()
        self.concurrency = self._children.count
        self._run_dir = run_dir
        self._options = options
        self._policy = policy or ScanPolicy()
        self._beside: dict[tuple[str, tuple[str, ...]], Beside] = {}

    def settings(self) -> object:
        return (astuple(self._options), astuple(self._policy))

    def identity(self, record: SourceFile) -> object:
        # Where the source lies on this machine decides nothing; the images that it shows do.
        place = (record.root, record.public_roots)
        if place not in self._beside:
            self._beside[place] = Beside(Path(record.root), tuple(map(Path, record.public_roots)))
        shown = self._beside[place].of(record)
        return replace(record, root="", public_roots=()), shown

    async def process(self, record: SourceFile) -> Outcome:
        try:
            parsed = await self._children.call(
                _parse, record, self._run_dir, self._options, self._policy
            )
        except ChildDiedError as error:
            raise DocumentError(
                "parser_died", f"{record.path}: {error} Leave it out with exclude_patterns."
            ) from error
        except TimeoutError as error:
            limit = self._children.timeout_s
            raise DocumentError(
                "parse_timeout",
                f"{record.path} took over {limit:g} s; divide it, or leave it out with "
                "exclude_patterns",
            ) from error
        if isinstance(parsed, Refusal):
            return Dropped(parsed.reason, parsed.detail, {"path": record.path})
        return Kept((parsed,))

    def close(self) -> None:
        """End the child processes."""
        self._children.close()


def _parse(
    file: SourceFile, run_dir: Path, options: ParseOptions, policy: ScanPolicy
) -> Document | Refusal:
    # Before anything is journaled: a secret that is masked or dropped is written nowhere.
    images = ImageStore(run_dir, max_pixels=options.max_image_pixels)
    return policy.document(parse_file(file, images=images, options=options))
