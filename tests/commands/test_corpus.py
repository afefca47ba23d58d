"""The whole recipe on real documents that nobody here wrote: it ends, and accounts for each."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.commandline import QUICKSTART, overrides, run


@pytest.mark.slow
@pytest.mark.corpus
@pytest.mark.timeout(900)
def test_real_documents_end_with_a_dataset_or_with_a_table_of_what_is_short(
    tmp_path: Path, sandbox_backend: str
) -> None:
    corpus = Path(os.environ["SYNTH_CORPUS"])
    sources = f"[{{path: {corpus / 'qiskit-docs'}}}, {{path: {corpus / 'notebooks'}}}]"
    settings = overrides(
        sources=sources,
        dataset__name="corpus",
        sandbox__backend=sandbox_backend,
        tracking__enabled=False,
    )
    result = run("pipeline", "--config", str(QUICKSTART), *settings, cwd=tmp_path, timeout_s=800)
    assert result.code in (0, 1), result.err
    if result.code == 1:
        assert "ended short of its target" in result.err
    run_dir = tmp_path / "outputs" / "corpus"
    for path in run_dir.glob("*/summary.json"):
        summary = json.loads(path.read_text())
        dropped = sum(summary["dropped"].values())
        assert summary["in"] == summary["kept"] + dropped + summary["failed"], path
    parsed = json.loads((run_dir / "parsed" / "summary.json").read_text())
    assert parsed["kept"] == parsed["in"] >= 30
    assert json.loads((run_dir / "splits" / "summary.json").read_text())["kept"] >= 20
    assert (run_dir / "analysis" / "report.html").is_file()
