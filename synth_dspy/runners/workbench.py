"""The workbench of a run: journals, keys and the one place where a stage meets a record.

Enters: a stage and a record. Leaves: the outcome, from the journal or freshly made and journaled.
Knows the stage contract and no stage.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import SandboxError
from synth_dspy.errors import RecordError, SetupError, SynthError
from synth_dspy.lm.faults import classify_error
from synth_dspy.lm.meter import metered, trace_scope
from synth_dspy.outcomes import Dropped, Failed, Kept, Mark, Outcome, Tally
from synth_dspy.records import digest, from_dict
from synth_dspy.runners.ledger import Ledger
from synth_dspy.stages.contract import MapStage, Stage
from synth_dspy.stages.results import keys_path, summary_path
from synth_dspy.store.journal import Entry, Journal, Syncer, line, replace
from synth_dspy.store.run_directory import RunDirectory, write_json, write_pieces
from synth_dspy.store.shards import discard, gather

_TRACEBACK_LINES = 3

TRIES_A_RUN = 3
"""How often a record that fails in a way that may pass is tried before its failure stands."""

GIVEN_UP_AFTER = 9
"""Tries in all runs together after which it is not tried again, unless failures are started over:
a run that ended must not change its dataset with every restart."""

ENDPOINT_DOWN = "endpoint_down"
"""Reason of a record whose endpoint is known to be away: no try of the record itself."""

BLOCKED = "blocked"
"""Reason of a record for which a provider's safety filter refused the prompt or the reply."""


@dataclass(frozen=True, slots=True)
class Done:
    """A record that went through a stage.

    Attributes:
        cached: the journal had it.
        meta: seconds, calls, tokens, cost_usd of the work; when it finished (seconds since 1970);
            tries, of a failure that may pass.
    """

    key: str
    outcome: Outcome
    cached: bool
    meta: dict[str, Any]

    def mark(self) -> Mark:
        """What memory keeps of it."""
        outcome, meta = self.outcome, self.meta
        dropped = isinstance(outcome, Dropped)
        return Mark(
            key=self.key,
            kind="kept" if isinstance(outcome, Kept) else "dropped" if dropped else "failed",
            reason="" if isinstance(outcome, Kept) else outcome.reason,
            outputs=len(outcome.outputs) if isinstance(outcome, Kept) else 0,
            cached=self.cached,
            calls=meta.get("calls", 0),
            replayed=meta.get("replayed", 0),
            tokens=meta.get("tokens", 0),
            cost_usd=meta.get("cost_usd", 0.0),
            seconds=meta.get("seconds", 0.0),
        )


class Workbench:
    """Opens each stage's journal once, and runs stages on records through it.

    Args:
        fresh: stages (by name) whose finished work is ignored; it is put aside, as `*.old`, when
            the stage has ended, and stays in force when it did not get there.
        concluded: called with each stage after its result is on disk.
        retry_failed: start failures that may pass over, however often they were tried.
        looking: nothing is to be written; journals are read as they are.
    """

    def __init__(
        self,
        run: RunDirectory,
        *,
        fresh: frozenset[str] = frozenset(),
        concluded: Callable[[Stage], None] = lambda _stage: None,
        retry_failed: bool = False,
        looking: bool = False,
    ) -> None:
        self.run = run
        self._fresh = set(fresh)
        self._concluded = concluded
        self._retry_failed = retry_failed
        self._looking = looking
        self._journals: dict[str, Journal] = {}
        self._fingerprints: dict[str, str] = {}
        self._syncer = Syncer(watched=run.path)

    @property
    def fault(self) -> str:
        """Why no further record should be begun (the disk is about to be full), or ""."""
        return self._syncer.fault

    def _path(self, stage: Stage) -> Path:
        return self.run.folder(stage.folder) / stage.journal

    def journal(self, stage: Stage) -> Journal:
        """The stage's journal, opened at first use; of a fresh stage a new one beside the old."""
        if stage.name not in self._journals:
            path = self._path(stage)
            if self._looking:
                return self._journals.setdefault(stage.name, Journal(path, writable=False))
            gather(path)
            if stage.name in self._fresh and path.exists():
                path = path.with_name(f"{path.name}.new")
                path.unlink(missing_ok=True)
                discard(path)
            journal = self._journals[stage.name] = Journal(path)
            self._syncer.watch(journal)
        return self._journals[stage.name]

    def key(self, stage: MapStage[Any, Any], record: object) -> str:
        """What the stage would be asked for this record: 32 hex characters."""
        if stage.name not in self._fingerprints:
            self._fingerprints[stage.name] = stage.fingerprint()
        return digest(self._fingerprints[stage.name], stage.identity(record))

    def width(self, stage: MapStage[Any, Any]) -> int:
        """How many records of a stage are worked on at once."""
        return max(1, stage.concurrency)

    def recall(self, stage: MapStage[Any, Any], key: str) -> Done | None:
        """The finished outcome of a key, with its records; None when there is work to do."""
        entry = self.journal(stage).get(key)
        if entry is None or (_may_pass(entry.outcome) and not self._given_up(entry)):
            return None
        return Done(key, self.revive(stage, entry.outcome), True, entry.meta)

    def _given_up(self, entry: Entry) -> bool:
        return not self._retry_failed and entry.meta.get("tries", 0) >= GIVEN_UP_AFTER

    def revive(self, stage: Stage, outcome: Outcome) -> Outcome:
        """An outcome as read from a journal, its outputs turned into records again."""
        if not isinstance(outcome, Kept):
            return outcome
        where = str(self._path(stage))
        return Kept(tuple(from_dict(stage.output_type, o, where=where) for o in outcome.outputs))

    async def do(self, stage: MapStage[Any, Any], record: Any, key: str) -> Done:
        """Process a record and journal its outcome before anybody sees it.

        A failure that may pass is tried `TRIES_A_RUN` times before it stands.

        Raises:
            SynthError: nothing can be processed any more; nothing is journaled for this record.
        """
        started, tries = time.perf_counter(), 0
        with metered() as meter, trace_scope(stage=stage.name, record=key):
            outcome = await _process(stage, record)
            while _counts(outcome) and (tries := tries + 1) < TRIES_A_RUN:
                outcome = await _process(stage, record)
        meta: dict[str, Any] = {
            "seconds": round(time.perf_counter() - started, 4),
            "calls": meter.calls,
            "replayed": meter.replayed,
            "tokens": meter.input_tokens + meter.output_tokens,
            "cost_usd": meter.cost_usd,
            "finished": round(time.time(), 3),
        }
        if _may_pass(outcome):
            meta["tries"] = self._tried(stage, key) + tries
        self.journal(stage).append(key, outcome, meta)
        return Done(key, outcome, False, meta)

    def _tried(self, stage: Stage, key: str) -> int:
        """Tries that count, of runs before; none when they are started over."""
        entry = self.journal(stage).get(key)
        tries: int = entry.meta.get("tries", 0) if entry else 0
        return 0 if tries >= GIVEN_UP_AFTER else tries

    def is_fresh(self, stage: Stage) -> bool:
        """Whether the stage's finished work is to be ignored."""
        return stage.name in self._fresh

    def replace_journal(self, stage: Stage, done: Iterable[Done]) -> None:
        """Write a barrier's journal whole, in place of the one before."""
        write_pieces(self._path(stage), (line(item.key, item.outcome, item.meta) for item in done))

    def conclude(
        self, stage: Stage, ledger: Ledger, seconds: float, *, whole: bool = True
    ) -> Tally:
        """Write which keys are the stage's present result, in this order, and its summary.

        Args:
            whole: every record of the input is among them. A fresh stage that was stopped before
                that changes nothing: the work that was to be ignored is the present result still.
        """
        tally = ledger.tally
        tally.seconds = seconds
        folder, journal = self.run.folder(stage.folder), self._journals.get(stage.name)
        if journal is not None and journal.path != self._path(stage):
            if not whole:
                return tally
            journal.sync()
            replace(self._path(stage), journal.path)
            journal.path = self._path(stage)
        self._fresh.discard(stage.name)
        write_pieces(
            keys_path(folder, stage.journal), (f"{k}\n".encode() for k in ledger.in_order())
        )
        write_json(summary_path(folder, stage), tally.summary())
        self._concluded(stage)
        return tally

    def close(self) -> None:
        """Sync and close every journal."""
        self._syncer.close()
        self._journals.clear()


def _may_pass(outcome: Outcome) -> bool:
    return isinstance(outcome, Failed) and outcome.retryable


def _counts(outcome: Outcome) -> bool:
    """Whether it is a failed try of the record itself."""
    return _may_pass(outcome) and outcome.reason != ENDPOINT_DOWN  # type: ignore[union-attr]


async def _process(stage: MapStage[Any, Any], record: Any) -> Outcome:
    try:
        return await stage.process(record)
    except RecordError as error:
        if error.reason == BLOCKED:
            # A safety filter would refuse it again: no failure that somebody could mend.
            return Dropped(BLOCKED, error.detail, record)
        return Failed(error.reason, error.detail, error.retryable)
    except SynthError:
        raise
    except SandboxError as error:
        raise SetupError(
            f"The sandbox broke and could not be started again: {error} Everything finished is "
            "kept; run the same command again once it works (`python -m synth_dspy.run doctor`)."
        ) from error
    except Exception as error:  # a bug in a stage fails its record, never the run
        known = classify_error(error)
        if isinstance(known, RecordError):
            return Failed(known.reason, known.detail, known.retryable)
        if known is not None:
            raise known from error
        text = "".join(traceback.format_exception(error)[-_TRACEBACK_LINES:])
        return Failed("internal_error", text, retryable=True)
