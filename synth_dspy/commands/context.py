"""What every command starts from: the configuration and a console on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from synth_dspy.config import Config, default_config_path, load_config
from synth_dspy.store.run_directory import RunDirectory


@dataclass(frozen=True, slots=True)
class Context:
    """A loaded configuration.

    Attributes:
        console: on standard error: progress and words; standard output is for results.
    """

    config: Config
    console: Console

    @classmethod
    def load(cls, path: Path | None, overrides: Sequence[str], *, quiet: bool = False) -> Context:
        """Read the configuration and tell what it says that no longer means anything.

        Raises:
            ConfigError: the file or an override is wrong.
        """
        console = Console(stderr=True, soft_wrap=True)
        loaded = load_config(path or default_config_path(), overrides)
        if not quiet:
            for note in loaded.notes:
                console.print(f"note: {note}", highlight=False, markup=False)
        return cls(loaded.config, console)

    @property
    def run(self) -> RunDirectory:
        """The run directory."""
        return RunDirectory(self.config.output_dir)


def print_json(value: Any) -> None:
    """One JSON line on standard output."""
    print_json_lines([value])


def print_json_lines(values: Iterable[Any]) -> None:
    """A JSON line a value on standard output."""
    for value in values:
        sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.flush()


def show(text: str) -> None:
    """A line on standard output."""
    sys.stdout.write(f"{text}\n")
