"""pipeline, generate and single stages: a configuration in, a run directory and an exit code out.

It knows that a recipe has stages and a flow, and no recipe. Raises what is the user's to mend
(`UserError`, `SetupError`, `StoreError`); everything else ends in an exit code with all kept.
"""

from __future__ import annotations

import asyncio
import platform
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth_dspy import __version__
from synth_dspy.commands.caching import clear
from synth_dspy.commands.tracing import tracer_of
from synth_dspy.config import Config
from synth_dspy.recipes.flow import Ending, Flow, Shortage
from synth_dspy.recipes.registry import flow_of, stage_named
from synth_dspy.recipes.resources import Resources
from synth_dspy.runners.local import LocalRunner
from synth_dspy.runners.progress import Reporter
from synth_dspy.runners.workbench import Workbench
from synth_dspy.stages.contract import Stage
from synth_dspy.stages.engine import INTERRUPTED as BY_THE_USER
from synth_dspy.stages.engine import Stopped
from synth_dspy.store.run_directory import RunDirectory, write_json

if TYPE_CHECKING:
    from synth_dspy.commands.remote import Remote

DONE, SHORT, INTERRUPTED = 0, 1, 130

_TRIAL_SAMPLES = 12
_KEPT = "Everything made so far is kept"
_PACKAGES = ("dspy-ai", "pydantic", "pymupdf", "nbformat", "datasets", "docker", "mlflow")

Work = Callable[[LocalRunner], Awaitable[Ending]]


@dataclass(frozen=True, slots=True)
class OnRay:
    """Workers on Ray: of the cluster at `address`, or of one that is started here for the run.

    Attributes:
        workers: how many; None is one for each processor.
    """

    address: str = ""
    workers: int | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says besides the configuration.

    Attributes:
        no_cache: ignore finished work and replies, and put them aside once the stage has ended.
        clear_cache: first delete the finished work of the stages that are run.
        retry_failed: start failures over that were given up.
        trial: a small sample, in a run directory of its own.
        quiet: errors only; trace: write conversations.
        skip_analysis: end with the dataset.
        ray: what does the work instead of this process.
    """

    no_cache: bool = False
    clear_cache: bool = False
    retry_failed: bool = False
    trial: bool = False
    quiet: bool = False
    trace: bool = True
    skip_analysis: bool = False
    ray: OnRay | None = None


class Execution:
    """One run of one configuration.

    Attributes:
        flow: the recipe's, wired to this run's resources.
        ending: what the last of `pipeline`, `generate` and `stage` came to.
    """

    def __init__(self, config: Config, reporter: Reporter, options: Options) -> None:
        self.config = for_trial(config) if options.trial else config
        self.options = options
        self.reporter = reporter
        self.run = RunDirectory(self.config.output_dir)
        self.tracer = tracer_of(self.config, reporter.say)
        self.resources = Resources(self.config, reporter.say, trace=options.trace)
        if self.tracer is not None:
            self.resources.watch = self.tracer.watch
        self.flow: Flow = flow_of(self.config.recipe)(self.resources, reporter.say)
        self.ending = Ending()

    def pipeline(self) -> int:
        """Everything, from the sources to the report; the exit code."""
        analysis = not self.options.skip_analysis
        return self._with_runner(
            self.flow.stages, lambda engine: self.flow.pipeline(engine, analysis=analysis)
        )

    def generate(self) -> int:
        """The stages between the quotas; the exit code."""
        return self._with_runner(self.flow.generating, self.flow.generate)

    def stage(self, name: str) -> int:
        """One stage, on what the stage before it left."""
        stage = stage_named(self.config.recipe, name)
        return self._with_runner([stage], lambda engine: self.flow.stage(stage, engine))

    def other(self, stages: Sequence[type[Stage]], work: Callable[[], None]) -> int:
        """Anything else that needs the run directory for itself."""

        async def run(_engine: LocalRunner) -> Ending:
            work()
            return Ending()

        return self._with_runner(stages, run)

    # -- around every run ------------------------------------------------------------------------

    def _with_runner(self, stages: Sequence[type[Stage]], work: Work) -> int:
        for line in self.flow.announced(self.config, stages):
            self.reporter.say(line)
        self.flow.check(self.config, stages)
        names = frozenset(stage.name for stage in stages)
        with self._remote() as remote:
            return self._locked(names, work, remote)

    def _remote(self) -> AbstractContextManager[Remote | None]:
        if self.options.ray is None:
            return nullcontext()
        # Ray is an extra, and takes seconds.
        from synth_dspy.commands.remote import Remote

        return Remote(self.options.ray.address, self.options.ray.workers)

    def _locked(self, names: frozenset[str], work: Work, remote: Remote | None) -> int:
        if names & self.flow.executes:
            self.resources.sandbox.open()
            if remote is not None:  # it can be opened; the workers open their own
                asyncio.run(self.resources.sandbox.aclose())
        self.run.lock()
        bench = None
        try:
            if self.options.clear_cache:
                for stage in self.flow.stages:
                    if stage.name in names:
                        clear(self.run, stage, products=False)
            if self.options.no_cache and self.resources.replies.path.exists():
                self.resources.replies.rotate()
            bench = self._bench(
                self._fresh(names) if self.options.no_cache else frozenset(), remote
            )
            runner = LocalRunner(bench, self.reporter)
            write_json(self.run.path / "run.json", self._description())
            stop = remote.stop if remote is not None else self.resources.stop
            return asyncio.run(self._guarded(runner, work, stop))
        except KeyboardInterrupt:
            self.reporter.say("Stopped. Everything finished is kept; the same command goes on.")
            return INTERRUPTED
        finally:
            if bench is not None:
                bench.close()
            self.run.unlock()

    def _bench(self, fresh: frozenset[str], remote: Remote | None) -> Workbench:
        concluded = self.flow.concluded
        if remote is None:
            return Workbench(
                self.run,
                fresh=fresh,
                concluded=concluded,
                retry_failed=self.options.retry_failed,
            )
        return remote.bench(
            self.run,
            self.config,
            self.resources,
            trace=self.options.trace,
            fresh=fresh,
            concluded=concluded,
            retry_failed=self.options.retry_failed,
        )

    def _fresh(self, names: frozenset[str]) -> frozenset[str]:
        """These stages, and those without a command that share a folder with one of them."""
        folders = {s.folder for s in self.flow.all_stages() if s.name in names}
        return names | {s.name for s in self.flow.all_stages() if s.folder in folders}

    async def _guarded(self, runner: LocalRunner, work: Work, stop: Callable[[], None]) -> int:
        loop, main = asyncio.get_running_loop(), asyncio.current_task()
        interrupts = 0

        def interrupt() -> None:
            nonlocal interrupts
            interrupts += 1
            if interrupts == 1:
                runner.stop(BY_THE_USER)
                stop()
                self.reporter.say("Stopping after what is in flight; Ctrl+C again to stop now.")
            elif main is not None:
                main.cancel()

        loop.add_signal_handler(signal.SIGINT, interrupt)
        try:
            self.ending = await work(runner)
        except Stopped as stopped:
            if interrupts:
                raise KeyboardInterrupt from stopped
            said = str(stopped)
            self.reporter.say(said if _KEPT in said else f"{said} {_KEPT}.")
            return SHORT
        except asyncio.CancelledError:
            if interrupts:
                raise KeyboardInterrupt from None
            raise
        finally:
            self.flow.close()
            await self.resources.aclose()
            if self.tracer is not None:
                self.tracer.close()
            loop.remove_signal_handler(signal.SIGINT)
        return SHORT if self.ending.is_short else DONE

    def _description(self) -> dict[str, Any]:
        """The content of `run.json`: what was asked, with what versions."""
        return {
            "synth_dspy": __version__,
            "python": platform.python_version(),
            "packages": {name: _version(name) for name in _PACKAGES},
            "config_file": str(self.config.file or ""),
            "config": self.config.redacted(),
            "fingerprints": dict(self.flow.fingerprints()),
            "compiled": {
                step: {"sha256": artefact.sha256, "run": artefact.meta.get("mlflow_run", "")}
                for step, artefact in self.resources.compiled.items()
            },
        }


def shortage_lines(short: Sequence[Shortage], *, stopped: bool = False) -> list[str]:
    """The table of what is short: asked, made, accepted, missing, and the commonest reasons.

    Args:
        stopped: the run ended before the tasks did.
    """
    otherwise = (
        "the run was stopped" if stopped else "the sources bear no further task of this kind"
    )
    lines = [f"{'cell':<34}{'asked':>6}{'made':>6}{'accepted':>10}{'short':>7}  why"]
    for one in short:
        why = ", ".join(f"{name} {count}" for name, count in one.reasons.most_common(3))
        lines.append(
            f"{' '.join(f'{part:<21}' for part in one.cell):<34}{one.asked:>6}{one.made:>6}"
            f"{one.accepted:>10}"
            f"{one.asked - one.accepted:>7}  " + (why or otherwise)
        )
    return lines


def for_trial(config: Config) -> Config:
    """The configuration of a trial: few samples, in a run directory of its own."""
    trial = Path(f"{config.output_dir}-trial")
    small = flow_of(config.recipe).for_trial(config, _TRIAL_SAMPLES)
    return small.model_copy(update={"output_dir": trial}).with_argument("--trial")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
