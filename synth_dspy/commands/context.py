"""What every command starts from: the configuration and a console on standard error."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.text import Text

from synth_dspy.config import Config, default_config_path, load_config
from synth_dspy.runners.progress import Reporter
from synth_dspy.store.run_directory import RunDirectory
from synth_dspy.terminal import spelled, spelled_json


class PlainConsole(Console):
    """A console on standard error that writes control characters out, in whatever it prints."""

    def __init__(self) -> None:
        super().__init__(stderr=True, soft_wrap=True)

    def render_str(self, text: str, **how: Any) -> Text:
        """Every string that is printed, a cell of a table too, comes through here."""
        return super().render_str(spelled(text), **how)


@dataclass(frozen=True, slots=True)
class Context:
    """A loaded configuration.

    Attributes:
        console: on standard error: progress and words; standard output is for results.
        log_json: progress and words are JSON objects, a line each.
    """

    config: Config
    console: Console
    log_json: bool = False

    @classmethod
    def load(
        cls,
        path: Path | None,
        overrides: Sequence[str],
        *,
        quiet: bool = False,
        verbose: bool = False,
        log_json: bool = False,
    ) -> Context:
        """Read the configuration and tell what it says that no longer means anything.

        Args:
            verbose: also tell of retries, pauses and unreadable replies as they happen.

        Raises:
            ConfigError: the file or an override is wrong.
        """
        console = PlainConsole()
        loaded = load_config(path or default_config_path(), overrides)
        context = cls(loaded.config, console, log_json)
        reporter = context.reporter(quiet=quiet)
        for note in loaded.notes:
            reporter.say(f"note: {note}")
        if verbose:
            log = logging.getLogger("synth_dspy")
            log.setLevel(logging.INFO)
            log.addHandler(_Told(reporter))
        return context

    def reporter(self, *, quiet: bool) -> Reporter:
        """What a command tells through."""
        return Reporter(self.console, quiet=quiet, as_json=self.log_json)

    def say(self, line: str) -> None:
        """A line for the user, on standard error."""
        self.console.print(line, highlight=False, markup=False)

    @property
    def run(self) -> RunDirectory:
        """The run directory."""
        return RunDirectory(self.config.output_dir)


class _Told(logging.Handler):
    """Log records as lines of a reporter."""

    def __init__(self, reporter: Reporter) -> None:
        super().__init__()
        self._reporter = reporter

    def emit(self, record: logging.LogRecord) -> None:
        self._reporter.say(f"{record.levelname.lower()}: {record.getMessage()}")


def print_json(value: Any) -> None:
    """One JSON line on standard output."""
    print_json_lines([value])


def print_json_lines(values: Iterable[Any]) -> None:
    """A JSON line a value on standard output; it reads as it was, and steers no terminal."""
    for value in values:
        line = orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE).decode()
        sys.stdout.buffer.write(spelled_json(line).encode())
    sys.stdout.flush()


def show(text: str) -> None:
    """Text on standard output; control characters but tabs and ends of lines are spelled out."""
    sys.stdout.write(f"{spelled(text)}\n")
