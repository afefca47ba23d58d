"""What sandbox/README.md claims to be tried is tried, and all that is tried is a family's."""

from __future__ import annotations

import re
from pathlib import Path

import sandbox
from tests.sandbox.attacks import FAMILIES

README = (Path(sandbox.__file__).parent / "README.md").read_text()
ATTACKS = {f"{family}: {name}" for family, attacks in FAMILIES.items() for name in attacks}


def rows() -> dict[str, list[str]]:
    """The covered families, and what is named for each."""
    table = README.partition("## Covered")[2].partition("## Not covered")[0]
    cells = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("|")]
    return {name.strip(): re.findall(r"`([^`]+)`", tests) for name, tests in cells[2:]}


def test_twenty_six_families_are_covered() -> None:
    assert len(rows()) == 26
    assert all(rows().values())


def test_every_name_in_the_table_is_an_attack_or_a_test() -> None:
    sources = [path.read_text() for path in Path(__file__).parent.glob("test_*.py")]
    functions = set(re.findall(r"^def (test_\w+)", "\n".join(sources), re.MULTILINE))
    named = {name for names in rows().values() for name in names}
    assert named - ATTACKS - functions == set()


def test_the_example_imports_what_there_is() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    compile(example, "README.md", "exec")
    for name in re.findall(r"from sandbox import (.+)", example)[0].split(", "):
        assert name in sandbox.__all__
