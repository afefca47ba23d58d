"""Items of a benchmark, planted in documents of every kind among others, are found: all of them."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import nbformat
import pymupdf
import pytest

from tests.commandline import QUICKSTART, overrides, run
from tests.dataset.made import WORDS

INTRO = "Notes that stand before the exercise, on how a gauge is read and what it is good for.\n\n"
COUNT = 20


def item(number: int) -> dict[str, str]:
    """A task of a benchmark that shares no run of words or tokens with another one."""
    pick = random.Random(number)
    told = " ".join(pick.choices(WORDS, k=22))
    low, step, scale = pick.sample(range(2, 90), 3)
    prompt = f'def task_{number}(values):\n    """Return the {told}."""\n'
    lines = [
        f"    found = {{{low}: {scale}}}",
        f"    for place, value in enumerate(values, {step}):",
        f"        if value % {low} > place // {scale}:",
        f"            found[value - {step}] = found.get(place * {scale}, {low}) + {step}",
        f"    return sorted(found.items(), key=lambda pair: pair[1] * {scale} - {low})[:{step}]",
    ]
    return {
        "task_id": f"Exam/{number}",
        "prompt": prompt,
        "canonical_solution": "\n".join(lines) + "\n",
    }


def plant(folder: Path, number: int, planted: dict[str, str]) -> str:
    """A document that holds the item: whole, its task alone, or its solution under other names."""
    prompt, solution = planted["prompt"], planted["canonical_solution"]
    renamed = solution.replace("found", "table").replace("place", "i").replace("value", "v")
    form = ("md", "ipynb", "mdx", "pdf")[number % 4]
    path = folder / f"{number:02d}.{form}"
    if form == "md":
        path.write_text(f"# Exercise\n\n{INTRO}```python\n{prompt}{solution}```\n")
    elif form == "mdx":
        path.write_text(f"# Exercise\n\n{INTRO}{prompt.split(chr(34) * 3)[1]}\n")
    elif form == "ipynb":
        code = f"def mine(vs):\n{renamed.replace('vs', 'data')}"
        cells = [nbformat.v4.new_markdown_cell(INTRO), nbformat.v4.new_code_cell(code)]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    else:
        with pymupdf.open() as document:
            page: Any = document.new_page()
            page.insert_textbox(
                (50, 50, 550, 700), f"Exercise\n\n{INTRO}{prompt}{solution}", fontsize=8
            )
            document.save(path)
    return path.name


def sources(folder: Path, others: list[Path]) -> str:
    return "[" + ", ".join(f"{{path: {path}}}" for path in (folder, *others)) + "]"


def find(tmp_path: Path, others: list[Path], backend: str) -> None:
    folder = tmp_path / "planted"
    folder.mkdir()
    items = [item(number) for number in range(COUNT)]
    (tmp_path / "exam.jsonl").write_text("\n".join(map(json.dumps, items)))
    expected = {(one["task_id"], plant(folder, number, one)) for number, one in enumerate(items)}
    settings = overrides(
        sources=sources(folder, others),
        dataset__name="planted",
        dataset__decontaminate=f"[{tmp_path / 'exam.jsonl'}]",
        generation__target_samples=4,
        tracking__enabled=False,
        sandbox__backend=backend,
    )
    done = run(
        "pipeline", "--skip-analysis", "--config", str(QUICKSTART), *settings,
        cwd=tmp_path, timeout_s=800,
    )  # fmt: skip
    assert done.code in (0, 1), done.err
    run_dir = tmp_path / "outputs" / "planted"
    report = json.loads((run_dir / "analysis" / "contamination.json").read_text())
    assert {(hit["item"], hit["source"]) for hit in report["passages"]} == expected
    assert report["dropped_passages"] == COUNT
    assert (
        f"exam ({COUNT} of its {COUNT} items found)"
        in (run_dir / "final" / "README.md").read_text()
    )


@pytest.mark.slow
def test_every_planted_item_is_found_and_nothing_else(tmp_path: Path, sandbox_backend: str) -> None:
    find(tmp_path, [QUICKSTART.parent / "docs"], sandbox_backend)


@pytest.mark.slow
@pytest.mark.corpus
@pytest.mark.timeout(900)
def test_every_planted_item_is_found_among_real_documents(
    tmp_path: Path, sandbox_backend: str
) -> None:
    corpus = Path(os.environ["SYNTH_CORPUS"])
    find(tmp_path, [corpus / "qiskit-docs", corpus / "notebooks"], sandbox_backend)
