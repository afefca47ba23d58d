"""What may be said to every command that runs stages; each field of a class here is an option.

A command takes such a class as a parameter and is `unfolded`, which makes options of the fields;
what each option is called and says is in `arguments`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth_dspy.cli.arguments import (
    ClearCache,
    Config,
    HubId,
    HubPrivate,
    LogJson,
    NoCache,
    NoTrace,
    Quiet,
    RayAddress,
    RayWorkers,
    RetryFailed,
    Runner,
    Set,
    Verbose,
    loaded,
)
from synth_dspy.errors import UserError

if TYPE_CHECKING:
    from synth_dspy.commands.context import Context
    from synth_dspy.commands.execution import OnRay, Options
    from synth_dspy.commands.finishing import Push


@dataclass(frozen=True, slots=True)
class Work:
    """The run, and what becomes of the work that it has finished."""

    config: Config = None
    overrides: Set = None
    no_cache: NoCache = False
    clear_cache: ClearCache = False
    retry_failed: RetryFailed = False
    quiet: Quiet = False
    no_trace: NoTrace = False

    def options(
        self, *, trial: bool = False, skip_analysis: bool = False, ray: OnRay | None = None
    ) -> Options:
        """As commands take them, with what only some commands have."""
        from synth_dspy.commands.execution import Options

        return Options(
            no_cache=self.no_cache,
            clear_cache=self.clear_cache,
            retry_failed=self.retry_failed,
            trial=trial,
            quiet=self.quiet,
            trace=not self.no_trace,
            skip_analysis=skip_analysis,
            ray=ray,
        )


@dataclass(frozen=True, slots=True)
class Run(Work):
    """The same, and what is reported of it."""

    verbose: Verbose = False
    log_json: LogJson = False

    def context(self, *, quiet: bool = False) -> Context:
        """The configuration and a console, which `quiet` makes as quiet as `--quiet` does."""
        return loaded(
            self.config,
            self.overrides,
            quiet=quiet or self.quiet,
            verbose=self.verbose,
            log_json=self.log_json,
        )


@dataclass(frozen=True, slots=True)
class Where:
    """What runs the stages."""

    runner: Runner = "local"
    ray_address: RayAddress = ""
    ray_workers: RayWorkers = None

    def ray(self) -> OnRay | None:
        """What `--runner ray` and its options say; None is this process.

        Raises:
            UserError: the runner is unknown, or an option of Ray's is given without it.
        """
        if self.runner not in ("local", "ray"):
            raise UserError(f"--runner {self.runner!r} is not one of local, ray.")
        if self.runner == "local":
            if self.ray_address or self.ray_workers:
                option = "--ray-address" if self.ray_address else "--ray-workers"
                raise UserError(
                    f"{option} goes with `--runner ray`; this run is on this machine alone."
                )
            return None
        from synth_dspy.commands.execution import OnRay

        return OnRay(self.ray_address, self.ray_workers)


@dataclass(frozen=True, slots=True)
class Hub:
    """Where the dataset is pushed."""

    hub_id: HubId = ""
    hub_private: HubPrivate = False

    def push(self) -> Push:
        """As commands take it."""
        from synth_dspy.commands.finishing import Push

        return Push(self.hub_id, self.hub_private)
