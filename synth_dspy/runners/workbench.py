"""The workbench of a run: journals, keys and the one place where a stage meets a record.

Enters: a stage and a record. Leaves: the outcome, from the journal or freshly made and journaled.
Knows the stage contract and no stage.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
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
from synth_dspy.store.journal import Journal, Syncer, line, rotate
from synth_dspy.store.run_directory import RunDirectory, write_bytes, write_json

_TRACEBACK_LINES = 3

BLOCKED = "blocked"
"""Reason of a record for which a provider's safety filter refused the prompt or the reply."""


@dataclass(frozen=True, slots=True)
class Done:
    """A record that went through a stage.

    Attributes:
        cached: the journal had it; meta: seconds, calls, tokens, cost_usd of the work.
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
        fresh: stages (by name) whose finished work is put aside instead of used.
        concluded: called with each stage after its result is on disk.
    """

    def __init__(
        self,
        run: RunDirectory,
        *,
        fresh: frozenset[str] = frozenset(),
        concluded: Callable[[Stage], None] = lambda _stage: None,
    ) -> None:
        self.run = run
        self._fresh = fresh
        self._concluded = concluded
        self._journals: dict[str, Journal] = {}
        self._fingerprints: dict[str, str] = {}
        self._syncer = Syncer()

    def journal(self, stage: Stage) -> Journal:
        """The stage's journal, opened at first use."""
        if stage.name not in self._journals:
            path = self.run.folder(stage.folder) / stage.journal
            if stage.name in self._fresh:
                rotate(path)
            journal = self._journals[stage.name] = Journal(path)
            self._syncer.watch(journal)
        return self._journals[stage.name]

    def key(self, stage: MapStage[Any, Any], record: object) -> str:
        """What the stage would be asked for this record: 32 hex characters."""
        if stage.name not in self._fingerprints:
            self._fingerprints[stage.name] = stage.fingerprint()
        return digest(self._fingerprints[stage.name], stage.identity(record))

    def recall(self, stage: MapStage[Any, Any], key: str) -> Done | None:
        """The finished outcome of a key, with its records; None when there is work to do."""
        entry = self.journal(stage).get(key)
        if entry is None or (isinstance(entry.outcome, Failed) and entry.outcome.retryable):
            return None
        return Done(key, self.revive(stage, entry.outcome), True, entry.meta)

    def revive(self, stage: Stage, outcome: Outcome) -> Outcome:
        """An outcome as read from a journal, its outputs turned into records again."""
        if not isinstance(outcome, Kept):
            return outcome
        where = str(self.run.folder(stage.folder) / stage.journal)
        return Kept(tuple(from_dict(stage.output_type, o, where=where) for o in outcome.outputs))

    async def do(self, stage: MapStage[Any, Any], record: Any, key: str) -> Done:
        """Process a record and journal its outcome before anybody sees it.

        Raises:
            SynthError: nothing can be processed any more; nothing is journaled for this record.
        """
        started = time.perf_counter()
        with metered() as meter, trace_scope(stage=stage.name, record=key):
            outcome = await _process(stage, record)
        meta = {
            "seconds": round(time.perf_counter() - started, 4),
            "calls": meter.calls,
            "replayed": meter.replayed,
            "tokens": meter.input_tokens + meter.output_tokens,
            "cost_usd": meter.cost_usd,
        }
        self.journal(stage).append(key, outcome, meta)
        return Done(key, outcome, False, meta)

    def is_fresh(self, stage: Stage) -> bool:
        """Whether the stage's finished work is to be put aside."""
        return stage.name in self._fresh

    def replace_journal(self, stage: Stage, done: Iterable[Done]) -> None:
        """Write a barrier's journal whole, in place of the one before."""
        path = self.run.folder(stage.folder) / stage.journal
        write_bytes(path, b"".join(line(item.key, item.outcome, item.meta) for item in done))

    def conclude(self, stage: Stage, ledger: Ledger, seconds: float) -> Tally:
        """Write which keys are the stage's present result, in this order, and its summary."""
        tally = ledger.tally
        tally.seconds = seconds
        folder = self.run.folder(stage.folder)
        write_bytes(
            keys_path(folder, stage.journal), "".join(f"{k}\n" for k in ledger.in_order()).encode()
        )
        write_json(summary_path(folder, stage), tally.summary())
        self._concluded(stage)
        return tally

    def close(self) -> None:
        """Sync and close every journal."""
        self._syncer.close()
        self._journals.clear()


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
