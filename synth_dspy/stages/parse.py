"""parse: SourceFile -> Document. Runs in child processes, since parsing is CPU work."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import astuple, replace
from multiprocessing import get_context
from pathlib import Path

from synth_dspy.dataset.scan_policy import Refusal, ScanPolicy
from synth_dspy.errors import DocumentError
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.parsing import ImageStore, ParseOptions, parse_file
from synth_dspy.parsing.beside import Beside
from synth_dspy.records import Document, SourceFile
from synth_dspy.stages.contract import MapStage

_PR_SET_PDEATHSIG = 1


class Parse(MapStage[SourceFile, Document]):
    """Reads documents and stores their images once each.

    Args:
        policy: what becomes of a document that holds secrets or personal data, or may not be used.
    """

    name, folder, unit = "parse", "parsed", "files"
    output_type = Document

    def __init__(
        self,
        run_dir: Path,
        options: ParseOptions,
        timeout_s: float = 300.0,
        *,
        policy: ScanPolicy | None = None,
    ) -> None:
        self.concurrency = os.cpu_count() or 1
        self._run_dir = run_dir
        self._options = options
        self._policy = policy or ScanPolicy()
        self._timeout_s = timeout_s
        self._pool: ProcessPoolExecutor | None = None
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
        if self._pool is None:
            # A forked child would inherit threads that hold locks; spawn starts clean.
            self._pool = ProcessPoolExecutor(
                self.concurrency,
                mp_context=get_context("spawn"),
                initializer=_obey_the_parent_alone,
            )
        work = asyncio.get_running_loop().run_in_executor(
            self._pool, _parse, record, self._run_dir, self._options, self._policy
        )
        try:
            parsed = await asyncio.wait_for(work, self._timeout_s)
        except BrokenProcessPool as error:
            self._pool = None
            raise DocumentError("parser_died", f"{record.path}: {error}") from error
        except TimeoutError as error:
            self._stop(kill=True)
            raise DocumentError(
                "parse_timeout", f"{record.path} took over {self._timeout_s:g} s"
            ) from error
        if isinstance(parsed, Refusal):
            return Dropped(parsed.reason, parsed.detail, {"path": record.path})
        return Kept((parsed,))

    def _stop(self, *, kill: bool = False) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        processes = list((pool._processes or {}).values())
        pool.shutdown(wait=not kill, cancel_futures=True)
        if kill:
            for process in processes:
                process.kill()

    def close(self) -> None:
        """End the child processes."""
        self._stop()


def _obey_the_parent_alone() -> None:
    """Ctrl+C reaches every process of a terminal: the parent answers it. And when the parent is
    killed, its children end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _parse(
    file: SourceFile, run_dir: Path, options: ParseOptions, policy: ScanPolicy
) -> Document | Refusal:
    # Before anything is journaled: a secret that is masked or dropped is written nowhere.
    images = ImageStore(run_dir, max_pixels=options.max_image_pixels)
    return policy.document(parse_file(file, images=images, options=options))
