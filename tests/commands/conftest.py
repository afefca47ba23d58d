"""A finished quickstart for tests that only look at one, and small documents for the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.commandline import QUICKSTART, Result, overrides, run
from tests.loopback import loopback  # noqa: F401

PAGE = '''# Rain gauges

A rain gauge is an instrument that collects rain and measures its depth over a period of time. It
stands in the open, away from walls and trees, because both shelter it from the wind.

## Counting tips

A tipping bucket is a rain gauge that counts instead of weighing: a small seesaw fills, tips and
closes a switch. Each tip stands for a fixed depth of rain.

```python
def depth(tips: int, size: float = 0.2) -> float:
    """Return the depth of rain in millimetres, rounded to one decimal.

    A negative number of tips raises ValueError. More than 1000 tips are counted as 1000.

    >>> depth(3)
    0.6
    >>> depth(10, 0.5)
    5.0
    >>> depth(2000)
    200.0
    >>> [depth(999, 1.0), depth(1000, 1.0), depth(1001, 1.0)]
    [999.0, 1000.0, 1000.0]
    >>> [depth(0), depth(1, 0.25)]
    [0.0, 0.2]
    """
    if tips < 0:
        raise ValueError("tips must not be negative")
    if tips > 1000:
        tips = 1000
    return round(tips * size, 1)
```
'''

CONFIG = """\
recipe: assistant
dataset: {name: small}
sources: [{path: docs}]
generation:
  target_samples: 3
  type_allocations:
    function_completion: {ratio: 0.34, multimodal_ratio: 0}
    qa: {ratio: 0.66, multimodal_ratio: 0}
tracking: {enabled: false}
sandbox: {backend: BACKEND}
"""


@dataclass(frozen=True, slots=True)
class Quickstart:
    """A finished run of the quickstart in `cwd`."""

    cwd: Path
    result: Result

    @property
    def run_dir(self) -> Path:
        """Its run directory."""
        return self.cwd / "outputs" / "quickstart"


@pytest.fixture(scope="session")
def quickstart(tmp_path_factory: pytest.TempPathFactory, sandbox_backend: str) -> Quickstart:
    """The quickstart as `make run` runs it, tracking and all."""
    cwd = tmp_path_factory.mktemp("quickstart")
    backend = overrides(sandbox__backend=sandbox_backend)
    result = run("pipeline", "--config", str(QUICKSTART), *backend, cwd=cwd)
    assert result.code == 0, result.err
    return Quickstart(cwd, result)


@pytest.fixture
def project(tmp_path: Path, sandbox_backend: str) -> Path:
    """A working directory with `config.yaml` and one page in `docs/`."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "rain.md").write_text(PAGE)
    (tmp_path / "config.yaml").write_text(CONFIG.replace("BACKEND", sandbox_backend))
    return tmp_path


@pytest.fixture
def small(project: Path) -> Callable[..., Result]:
    """Runs a command on the small project's configuration."""

    def command(*arguments: str, **env: str) -> Result:
        name, *rest = arguments
        return run(name, "--config", "config.yaml", *rest, cwd=project, env=env)

    return command
