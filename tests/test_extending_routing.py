"""The README's pages on a new optimizer and a new backend, done in a copy of the code."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.commandline import ROOT, Result, command, environment, overrides


class Page:
    """A section of the README."""

    def __init__(self, heading: str) -> None:
        readme = (ROOT / "README.md").read_text()
        self.text = readme.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        self.blocks = re.findall(r"^```python\n(.*?)^```", self.text, re.MULTILINE | re.DOTALL)
        self.inline = [
            " ".join(code.split()) for code in re.findall(r"(?<!`)`([^`]+)`(?!`)", self.text)
        ]


class Checkout:
    """A copy of the code that can be changed and run."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("signatures", "sandbox", "synth_dspy", "configs"):
            shutil.copytree(ROOT / name, root / name)

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        assert file.parent.is_dir(), "the page names a folder that is not there"
        file.write_text(text)

    def insert(self, path: str, before: str, text: str) -> None:
        file = self.root / path
        was = file.read_text()
        assert was.count(before) == 1, (path, before)
        file.write_text(was.replace(before, text + before))

    def run(self, *arguments: str) -> Result:
        done = subprocess.run(
            command(*arguments), cwd=self.root, env=environment({"PYTHONPATH": str(self.root)}),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return Result(done.returncode, done.stdout, done.stderr)

    def pipeline(self, **settings: object) -> Result:
        given = overrides(tracking__enabled="false", routing__count=12, **settings)
        return self.run("pipeline", "--config", "configs/routing.yaml", "--skip-analysis", *given)

    def rows(self) -> list[dict[str, object]]:
        journal = next((self.root / "outputs").rglob("generated/journal.jsonl"))
        lines = map(json.loads, journal.read_text().splitlines())
        return [one["row"] for line in lines for one in line.get("outputs", ())]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_a_new_optimizer_makes_balanced_examples(checkout: Checkout) -> None:
    page = Page("A new optimizer for routers")
    (generator,) = page.blocks
    (line,) = [code for code in page.inline if code.startswith("OptimizerConfig(")]
    registry = "synth_dspy/programs/routing/registry.py"
    assert registry in page.inline
    checkout.write("synth_dspy/programs/routing/intent.py", generator)
    checkout.insert(
        registry, '        OptimizerConfig(\n            "modality"', f"        {line}\n"
    )
    checkout.insert(
        registry,
        "from synth_dspy.programs.routing.modality",
        "from synth_dspy.programs.routing.intent import IntentGenerator\n",
    )
    result = checkout.pipeline(routing__optimizer="intent")
    assert result.code == 0, result.err
    rows = checkout.rows()
    assert Counter(row["intent"] for row in rows) == {"search": 4, "summarize": 4, "report": 4}
    assert len({row["query"] for row in rows}) == 12


@pytest.fixture
def with_sqlite(checkout: Checkout) -> Checkout:
    """The copy with the page's backend, and 40 records of two tenants."""
    page = Page("A new content backend")
    backend, opening = page.blocks
    config, opens = "synth_dspy/config/routing.py", "synth_dspy/sources/backends/opening.py"
    assert {config, opens} <= set(page.inline)
    checkout.write("synth_dspy/sources/backends/sqlite_backend.py", backend)
    checkout.insert(opens, '    if backend.kind == "vespa":', opening)
    checkout.insert(config, '"vespa"] = Field(', '"sqlite", ')
    with sqlite3.connect(checkout.root / "content.db") as connection:
        connection.execute("CREATE TABLE content (id, tenant, modality, title, description)")
        connection.executemany(
            "INSERT INTO content VALUES (?, ?, ?, ?, ?)",
            [
                (f"r{n}", "default" if n % 2 else "other", ("VIDEO", "DOCUMENT")[n // 2 % 2],
                 f"Rain gauges of station {n}", f"How the gauge of station {n} is read.")
                for n in range(40)
            ],
        )  # fmt: skip
    connection.close()
    return checkout


SQLITE = {
    "routing__optimizer": "modality",
    "routing__backend__kind": "sqlite",
    "routing__backend__path": "../content.db",
}


def test_a_new_backend_is_sampled_for_its_tenant(with_sqlite: Checkout) -> None:
    result = with_sqlite.pipeline(routing__strategies="[diverse]", **SQLITE)
    assert result.code == 0, result.err
    sources = {str(row["synthetic_source"]) for row in with_sqlite.rows()}
    assert sources <= {f"r{n}" for n in range(1, 40, 2)}
    again = with_sqlite.pipeline(routing__strategies="[diverse]", **SQLITE)
    assert "0 new, 1 cached" in again.err


def test_a_new_backend_refuses_what_it_cannot_do(with_sqlite: Checkout) -> None:
    result = with_sqlite.pipeline(**SQLITE)
    assert result.code == 2
    assert "set routing.strategies: [diverse]" in result.err


def test_a_new_backend_says_that_nothing_is_there(with_sqlite: Checkout) -> None:
    (with_sqlite.root / "content.db").unlink()
    result = with_sqlite.pipeline(routing__strategies="[diverse]", **SQLITE)
    assert result.code == 2
    assert "content.db; set routing.backend.path" in result.err
