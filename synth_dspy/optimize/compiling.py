"""One step compiled: baseline, optimizer, candidate, gate, artefact, promotion.

A step's gold, its predictor, models and an optimizer enter; a `Compiled` leaves, with the artefact
on disk. What is judged on held-out gold is the artefact as it would be loaded by a run, never the
optimizer's own object.
"""

from __future__ import annotations

import contextlib
import io
import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import dspy

from synth_dspy import __version__
from synth_dspy.errors import ArtefactError
from synth_dspy.lm.adapter import SynthAdapter
from synth_dspy.optimize.compile_records import DIGITS, Compiled, Order, Scores
from synth_dspy.optimize.evaluation import evaluate
from synth_dspy.optimize.gate import Interval, paired_interval
from synth_dspy.optimize.optimizers import Job
from synth_dspy.optimize.purse import CompileBudget
from synth_dspy.optimize.scoring import Scorer
from synth_dspy.optimize.subject import Guard, Subject, Watch, subject_of
from synth_dspy.programs.artefact import Artefact, apply_artefact, make_artefact
from synth_dspy.programs.program import Program
from synth_dspy.programs.promotions import CompiledPrograms


class Compilation:
    """Compiles one step.

    Args:
        programs: where artefacts lie.
        scorer: the step's metric.
        say: takes lines for the user.
    """

    def __init__(
        self,
        order: Order,
        program: Program,
        programs: CompiledPrograms,
        scorer: Scorer,
        budget: CompileBudget,
        say: Callable[[str], None],
    ) -> None:
        self._order, self._program, self._programs = order, program, programs
        self._scorer, self._budget, self._say = scorer, budget, say
        self._guard = Guard()

    def run(self) -> Compiled:
        """Do it.

        Raises:
            EndpointError, BudgetExceededError, SetupError: nothing more can be asked; every reply
                is kept, and the same again pays only for what is new.
            StoreError: the artefact cannot be written.
        """
        order, started = self._order, time.perf_counter()
        calls, tokens = self._budget.calls, self._budget.spent_tokens
        cost = self._budget.spent_cost_usd
        plain = subject_of(self._program, order.step, self._guard)
        with _settings(order.model, self._guard):
            baseline = self._scores(plain)
            found = self._optimized(plain)
            made = self._artefact(found.program)
            loaded = self._loaded(made)
            compiled = self._scores(loaded)
            interval = self._interval(baseline, compiled)
            against, same = self._against(made, compiled)
        passed, why = _verdict(interval, against, same=same)
        promoted = passed or order.force
        if order.force and not passed:
            why = f"promoted by force: {why}"
        artefact = self._described(made, baseline, compiled, interval, passed=passed, why=why)
        path = self._programs.write(artefact)
        if promoted:
            self._programs.promote(order.step.name, artefact.sha256, forced=not passed)
        return Compiled(
            order=order,
            artefact=artefact,
            baseline=baseline,
            compiled=compiled,
            interval=interval,
            against=against,
            promoted=promoted,
            why=why,
            path=str(path),
            prompts=(prompt_text(plain.step), prompt_text(loaded.step)),
            candidates=found.candidates,
            calls=self._budget.calls - calls,
            tokens=self._budget.spent_tokens - tokens,
            cost_usd=self._budget.spent_cost_usd - cost,
            seconds=time.perf_counter() - started,
        )

    def _scores(self, subject: Subject) -> Scores:
        validation, heldout = (
            evaluate(
                subject,
                self._order.gold.examples(split),
                self._scorer,
                self._order.step,
                threads=self._order.threads,
            )
            for split in ("validation", "heldout")
        )
        return Scores(validation, heldout)

    def _optimized(self, plain: Subject) -> Any:
        order = self._order
        job = Job(
            subject=plain.deepcopy(),
            step=order.step,
            train=order.gold.examples("train"),
            validation=order.gold.examples("validation"),
            scorer=self._scorer,
            model=order.model,
            writer=order.writer,
            seed=order.seed,
            demos=order.demos,
            threads=order.threads,
            writes=order.writer_name != "",
        )
        try:
            with _silence():
                found = order.optimizer.run(job)
        finally:
            # What stopped it is told, not what the optimizer made of it.
            self._guard.check()
        return found

    def _artefact(self, program: Any) -> Artefact:
        return make_artefact(
            type(self._program).__name__,
            {self._order.step.predictor: program.step},
            {"recipe": self._order.step.recipe, "step": self._order.step.name},
        )

    def _loaded(self, artefact: Artefact) -> Subject:
        subject = subject_of(self._program, self._order.step, self._guard)
        apply_artefact(artefact, {self._order.step.predictor: [subject.step]})
        return subject

    def _interval(self, before: Scores, after: Scores) -> Interval:
        return paired_interval(before.heldout.values, after.heldout.values, seed=self._order.seed)

    def _against(self, made: Artefact, compiled: Scores) -> tuple[Interval | None, bool]:
        """The gain over the program in use, and whether that is the very same."""
        try:
            used = self._programs.promoted(self._order.step.name)
            if used is None:
                return None, False
            if used.sha256 == made.sha256:
                return None, True
            subject = self._loaded(used)
        except ArtefactError as error:
            self._say(f"{error} It is compared with the prompt as written instead.")
            return None, False
        return self._interval(self._scores(subject), compiled), False

    def _described(
        self,
        made: Artefact,
        baseline: Scores,
        compiled: Scores,
        interval: Interval,
        *,
        passed: bool,
        why: str,
    ) -> Artefact:
        order = self._order
        meta = {
            **made.meta,
            "predictor": order.step.predictor,
            "model": order.model_name,
            "optimizer": order.optimizer.name,
            "instructions_by": order.writer_name,
            "seed": order.seed,
            "max_demos": order.demos,
            "gold_sha256": order.gold.sha256,
            "gold_items": len(order.gold.items),
            "baseline": baseline.rounded(),
            "compiled": compiled.rounded(),
            "interval": [round(interval.low, DIGITS), round(interval.high, DIGITS)],
            "n": interval.n,
            "passed_gate": passed,
            "why": why,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "synth_dspy": __version__,
            "mlflow_run": order.mlflow_run,
        }
        return Artefact(made.dspy, made.program, made.sha256, meta, made.state)


def prompt_text(predictor: dspy.Predict) -> str:
    """A predictor's messages with the names of its fields where their values will stand."""
    signature = predictor.signature
    inputs = {name: f"{{{name}}}" for name in signature.input_fields}
    messages = SynthAdapter().format(signature, predictor.demos, inputs)
    return "\n\n".join(f"# {m['role']}\n\n{m['content']}" for m in messages)


def _verdict(interval: Interval, against: Interval | None, *, same: bool) -> tuple[bool, str]:
    """Whether the gate lets a candidate pass, and why."""
    shown = f"[{interval.low:+.3f}, {interval.high:+.3f}]"
    if not interval.clears_zero:
        if interval.low == interval.high == 0:
            return False, "it gains nothing: every held-out score is what it was"
        return False, f"the gain's 95% interval {shown} does not clear zero"
    if same:
        return True, f"it is the program in use; its gain's 95% interval is {shown}"
    if against is not None and not against.clears_zero:
        other = f"[{against.low:+.3f}, {against.high:+.3f}]"
        return False, (
            f"it beats the prompt as written ({shown}), but not the program in use: the 95% "
            f"interval over that is {other}"
        )
    return True, f"the gain's 95% interval {shown} is above zero"


@contextlib.contextmanager
def _settings(model: dspy.LM, guard: Guard) -> Iterator[None]:
    """DSPy as a compilation needs it, and only there."""
    with dspy.context(
        lm=model,
        adapter=SynthAdapter(),
        trace=None,
        disable_history=True,
        max_errors=1,
        callbacks=[Watch(guard)],
    ):
        yield


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep optimizers' prints, progress bars and logs away: standard output is for results."""
    loggers = [logging.getLogger(name) for name in ("dspy", "optuna", "gepa")]
    levels = [logger.level for logger in loggers]
    sink = io.StringIO()
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
