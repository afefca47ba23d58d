"""The README's pages on extending: each block of code is put in its place and run."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from synth_dspy.commands.context import Context
from synth_dspy.commands.execution import DONE, Execution, Options
from synth_dspy.commands.running import run_pipeline
from synth_dspy.config import load_config
from synth_dspy.parsing import ImageStore, ParseOptions, parse_file
from synth_dspy.parsing.registry import PARSERS, Parser
from synth_dspy.recipes import registry
from synth_dspy.runners.progress import Reporter
from synth_dspy.sources.files import list_files
from tests.commandline import ROOT
from tests.parsing.samples import check, picture, write


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Writes the code below a heading of the README to a module that can be imported."""
    monkeypatch.syspath_prepend(str(tmp_path))
    modules: list[str] = []

    def install(heading: str, module: str) -> str:
        section = (ROOT / "README.md").read_text().partition(f"## {heading}\n")[2]
        block = re.search(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
        assert block is not None
        (tmp_path / f"{module}.py").write_text(block[1])
        modules.append(module)
        return module

    yield install
    for module in modules:
        sys.modules.pop(module, None)


def test_a_new_parser_reads_documents(tmp_path: Path, page) -> None:  # type: ignore[no-untyped-def]
    module = page("A new parser", "page_rst")
    write(tmp_path, "docs/a.rst", "Rain\n\n.. image:: gauge.png")
    write(tmp_path, "docs/gauge.png", picture())
    parsers = (*PARSERS, Parser("rst", (".rst",), f"{module}:parse", shows_files=True))
    (file,), _ = list_files(tmp_path / "docs", name="docs", include=[], exclude=[], parsers=parsers)
    document = parse_file(
        file, images=ImageStore(tmp_path), options=ParseOptions(), parsers=parsers
    )
    check(document)
    assert [image.ref for image in document.images] == ["gauge.png"]


def test_a_new_recipe_runs_and_resumes(  # type: ignore[no-untyped-def]
    tmp_path: Path, page, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = page("A new recipe", "page_headings")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(registry._FLOWS, "headings", f"{module}:HeadingsFlow")
    write(tmp_path, "docs/a.md", "# Rain\n\ntext\n\n## Snow\n")
    write(tmp_path, "docs/b.md", "no heading\n")
    write(
        tmp_path,
        "c.yaml",
        "dataset: {name: x}\nsources: [{path: docs}]\ntracking: {enabled: false}",
    )
    config = load_config(Path("c.yaml")).config.model_copy(update={"recipe": "headings"})
    for cached in (0, 2):
        with Reporter(Console(quiet=True)) as reporter:
            execution = Execution(config, reporter, Options())
            assert execution.pipeline() == DONE
        assert [heading.text for heading in execution.ending.records] == ["Rain", "Snow"]
        summary = (tmp_path / "outputs" / "x" / "headings" / "summary.json").read_text()
        assert f'"cached":{cached}' in summary.replace(" ", "")
    assert list(execution.flow.conclusion(execution.ending)) == ["2 headings"]


def test_a_recipe_that_exports_nothing_ends_with_no_dataset(  # type: ignore[no-untyped-def]
    tmp_path: Path, page, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = page("A new recipe", "page_headings_alone")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(registry._FLOWS, "headings", f"{module}:HeadingsFlow")
    write(tmp_path, "docs/a.md", "# Rain\n")
    write(
        tmp_path,
        "c.yaml",
        "dataset: {name: x}\nsources: [{path: docs}]\ntracking: {enabled: false}",
    )
    context = Context.load(Path("c.yaml"), ())
    headings = context.config.model_copy(update={"recipe": "headings"})
    assert run_pipeline(replace(context, config=headings), Options()) == DONE
    said = capsys.readouterr().err
    assert "1 headings" in said
    assert "inspect --stage find-headings" in said
    assert "final" not in said
