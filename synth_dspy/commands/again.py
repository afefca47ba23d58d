"""A command as it must be typed to meet the same run again."""

from __future__ import annotations

import shlex
from pathlib import Path

from synth_dspy.config import Config


def again(config: Config, command: str) -> str:
    """`command` on the run of `config`: with its file, its overrides and its run directory."""
    file = [f"--config {shlex.quote(str(config.file))}"] if config.file else []
    options = [argument for argument in config.arguments if argument.startswith("--set ")]
    if config.output_dir != Path.cwd() / "outputs" / config.dataset.name:
        options.append(f"--set output_dir={shlex.quote(str(shown(config.output_dir)))}")
    return " ".join(("python -m synth_dspy.run", command, *file, *options))


def shown(path: Path) -> Path:
    """A path as a user would type it: relative to the working directory where that is shorter."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path
