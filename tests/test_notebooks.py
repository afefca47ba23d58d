"""Every tutorial runs from top to bottom, in a folder of its own, and carries real outputs."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.commandline import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_there_are_tutorials() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_carries_its_outputs_and_no_path_of_any_machine(path: Path) -> None:
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert any(cell.outputs for cell in code)
    assert all(cell.execution_count for cell in code)
    assert not re.search(r"/(home|root|Users|tmp)/", path.read_text())


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path: Path, tmp_path: Path, sandbox_backend: str) -> None:
    import nbclient
    import nbformat

    if sandbox_backend == "process":
        pytest.skip("tutorials use `sandbox.backend: auto`: start Docker, or install bubblewrap")
    committed = nbformat.read(path, as_version=4)
    notebook = nbformat.read(path, as_version=4)
    os.environ["PYTHONPATH"] = str(ROOT)
    client = nbclient.NotebookClient(
        notebook, timeout=280, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    for cell, before in zip(notebook.cells, committed.cells, strict=True):
        if cell.cell_type == "code":
            assert results(cell) == results(before), cell.source


def results(cell: Any) -> list[str]:
    """What a cell gave back, where it is an exit code or a count; the rest may differ by a run."""
    found = [o["data"]["text/plain"] for o in cell.outputs if o.output_type == "execute_result"]
    return [text for text in found if text.isdigit()]
