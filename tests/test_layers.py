"""Holds the import rule of the house: imports point down only, and heavy ones wait until used.

The rule is read from the sources with `ast`, so an import inside a function counts, too.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("signatures", "sandbox", "synth_dspy")

GROUND = frozenset({"errors", "records", "outcomes", "config", "dialogues", "terminal"})
BOXES = frozenset({"signatures", "sandbox"})
FLOOR = frozenset({"store", "lm", "sources", "parsing", "dataset"})
WIRING = frozenset({"recipes", "optimize", "runners"})

# What each part may import besides itself. `synth_dspy` is the package's own `__init__`, which
# holds the version. A part that is not here fails the tests: give it its place first.
MAY_IMPORT: dict[str, frozenset[str]] = {
    "signatures": frozenset(),
    "sandbox": frozenset(),
    "synth_dspy": frozenset(),
    **dict.fromkeys(GROUND, GROUND),
    "store": GROUND,
    "lm": GROUND,
    "parsing": GROUND,
    "sources": GROUND | {"parsing"},  # which kinds of file there is a parser for
    "dataset": GROUND,
    "programs": GROUND | BOXES | FLOOR,
    "stages": GROUND | BOXES | FLOOR | {"programs"},
    "recipes": GROUND | BOXES | FLOOR | {"programs", "stages"},
    "runners": GROUND | BOXES | FLOOR | {"stages"},
    # Never stages: what is compiled is exactly what runs.
    "optimize": GROUND | BOXES | FLOOR | {"programs"},
    "commands": GROUND | BOXES | FLOOR | WIRING | {"programs", "stages", "service"},
    "service": GROUND | BOXES | FLOOR | WIRING | {"programs", "stages"},
    "cli": GROUND | {"commands"},
    "run": GROUND | {"cli"},
}

# The parts of `stages` that are not stages: what stages and engines are, what a stage left, how
# tasks are ranked.
STAGE_CONTRACTS = {
    "synth_dspy.stages",
    "synth_dspy.stages.contract",
    "synth_dspy.stages.engine",
    "synth_dspy.stages.results",
    "synth_dspy.stages.allocation",
    "synth_dspy.stages.children",
    "synth_dspy.stages.drawings",
}

# Seconds to import, or an extra that may be missing.
HEAVY = frozenset({
    "datasets", "docker", "duckdb", "fastapi", "litellm", "matplotlib", "mlflow", "pymupdf", "ray",
    "sentence_transformers", "sklearn", "uvicorn", "vespa",
})  # fmt: skip
NOT_FOR_HELP = (
    "dspy", "litellm", "mlflow", "datasets", "sklearn", "matplotlib", "docker", "pymupdf",
    "pydantic", "numpy",
)  # fmt: skip


@dataclass(frozen=True)
class Import:
    """One import: `module` (dotted, absolute) is imported by `importer` in `file`, `line`.

    Attributes:
        eager: at module level, so it happens when the importer is imported.
        typing_only: below `if TYPE_CHECKING`, so it never happens.
    """

    importer: str
    module: str
    file: Path
    line: int
    eager: bool
    typing_only: bool

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.module}"


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


class _Finder(ast.NodeVisitor):
    def __init__(self, file: Path, known: frozenset[str]) -> None:
        self.file, self.known = file, known
        self.name = module_name(file)
        self.package = self.name if file.name == "__init__.py" else self.name.rpartition(".")[0]
        self.found: list[Import] = []
        self.depth = 0
        self.typing_only = False

    def add(self, module: str, line: int) -> None:
        self.found.append(
            Import(self.name, module, self.file, line, self.depth == 0, self.typing_only)
        )

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.add(alias.name, node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = node.module or ""
        if node.level:
            up = self.package.split(".")[: len(self.package.split(".")) - node.level + 1]
            base = ".".join([*up, base] if base else up)
        for alias in node.names:
            inner = f"{base}.{alias.name}"
            self.add(inner if inner in self.known else base, node.lineno)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_If(self, node: ast.If) -> None:
        before = self.typing_only
        self.typing_only = before or "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body:
            self.visit(statement)
        self.typing_only = before
        for statement in node.orelse:
            self.visit(statement)


def _all_imports() -> tuple[Import, ...]:
    files = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
    known = frozenset(map(module_name, files))
    found: list[Import] = []
    for file in files:
        finder = _Finder(file, known)
        finder.visit(ast.parse(file.read_text(encoding="utf-8"), str(file)))
        found += finder.found
    return tuple(found)


@pytest.fixture(scope="module")
def imports() -> tuple[Import, ...]:
    """Every import of the three packages."""
    return _all_imports()


def part_of(module: str) -> str:
    """The part of the house that a module is in: `sandbox`, `stages`, `errors`, ..."""
    first, _, rest = module.partition(".")
    return rest.partition(".")[0] or first if first == "synth_dspy" else first


def in_the_box(module: str) -> bool:
    return module == "sandbox.image" or module.startswith("sandbox.image.")


def lines(broken: list[Import]) -> str:
    return "\n".join(map(str, broken))


def test_the_reader_of_imports_finds_every_form(tmp_path: Path) -> None:
    source = (
        "import a.b\nfrom c import d\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import e\nelse:\n    import f\n"
        "async def g():\n    from .sibling import h\n    from .. import up\n"
    )
    file = ROOT / "synth_dspy" / "stages" / "made_up.py"
    finder = _Finder(file, frozenset({"synth_dspy.up"}))
    finder.visit(ast.parse(source))
    seen = [(i.module, i.eager, i.typing_only) for i in finder.found]
    assert seen == [
        ("a.b", True, False), ("c", True, False), ("typing", True, False), ("e", True, True),
        ("f", True, False), ("synth_dspy.stages.sibling", False, False),
        ("synth_dspy.up", False, False),
    ]  # fmt: skip


def test_every_part_has_its_place(imports: tuple[Import, ...]) -> None:
    assert {part_of(i.importer) for i in imports} <= set(MAY_IMPORT)


def test_the_permissions_have_no_circle() -> None:
    order: list[str] = []
    while len(order) < len(MAY_IMPORT):
        ready = [
            part
            for part, below in MAY_IMPORT.items()
            if part not in order and below - (GROUND if part in GROUND else set()) <= set(order)
        ]
        assert ready, f"a circle among {sorted(set(MAY_IMPORT) - set(order))}"
        order += ready


@pytest.mark.parametrize("part", sorted(MAY_IMPORT))
def test_imports_point_down(imports: tuple[Import, ...], part: str) -> None:
    allowed = MAY_IMPORT[part] | {part, "synth_dspy"}
    broken = [
        i for i in imports
        if part_of(i.importer) == part and i.top in PACKAGES and part_of(i.module) not in allowed
    ]  # fmt: skip
    assert not broken, f"{part} may import {sorted(allowed)} only:\n{lines(broken)}"


def test_stages_never_import_each_other(imports: tuple[Import, ...]) -> None:
    broken = [
        i for i in imports
        if part_of(i.importer) == "stages" and part_of(i.module) == "stages"
        and i.module not in STAGE_CONTRACTS | {i.importer}
    ]  # fmt: skip
    assert not broken, f"order lives in recipes:\n{lines(broken)}"


def test_runners_know_the_stage_contract_and_no_stage(imports: tuple[Import, ...]) -> None:
    broken = [
        i for i in imports
        if part_of(i.importer) == "runners" and part_of(i.module) == "stages"
        and i.module not in STAGE_CONTRACTS
    ]  # fmt: skip
    assert not broken, lines(broken)


def test_signatures_import_dspy_and_pydantic_only(imports: tuple[Import, ...]) -> None:
    allowed = sys.stdlib_module_names | {"signatures", "dspy", "pydantic"}
    broken = [i for i in imports if part_of(i.importer) == "signatures" and i.top not in allowed]
    assert not broken, lines(broken)


def test_the_sandbox_needs_the_standard_library_and_docker(imports: tuple[Import, ...]) -> None:
    # docker raises exceptions of requests, which it depends on.
    allowed = sys.stdlib_module_names | {"sandbox", "docker", "requests"}
    broken = [
        i for i in imports
        if part_of(i.importer) == "sandbox" and i.top not in allowed
        # numpy may be in the box, and its values are read only if it is.
        and not (in_the_box(i.importer) and i.top == "numpy" and not i.eager)
    ]  # fmt: skip
    assert not broken, lines(broken)


def test_the_worker_in_the_box_needs_the_standard_library_only(imports: tuple[Import, ...]) -> None:
    allowed = sys.stdlib_module_names | {"sandbox"}
    broken = [
        i for i in imports
        if in_the_box(i.importer) and i.eager
        and (i.top not in allowed or (i.top == "sandbox" and not in_the_box(i.module)))
    ]  # fmt: skip
    assert not broken, lines(broken)


@pytest.mark.parametrize("module", sorted(HEAVY | {"requests"}))
def test_heavy_libraries_are_imported_where_they_are_used(
    imports: tuple[Import, ...], module: str
) -> None:
    broken = [
        i for i in imports
        if i.top == module and i.eager and not i.typing_only
        # FastAPI finds the types of an endpoint's parameters among its module's names.
        and not (module == "fastapi" and part_of(i.importer) == "service")
    ]  # fmt: skip
    assert not broken, f"import {module} inside the function that uses it:\n{lines(broken)}"


@pytest.mark.parametrize(
    ("module", "home"), [("mlflow", "synth_dspy.optimize"), ("ray", "synth_dspy.runners.ray")]
)
def test_each_of_these_has_one_home(imports: tuple[Import, ...], module: str, home: str) -> None:
    broken = [
        i for i in imports
        if i.top == module and i.importer != home and not i.importer.startswith(f"{home}.")
    ]  # fmt: skip
    assert not broken, f"only {home} imports {module}:\n{lines(broken)}"


def test_nothing_that_is_shipped_imports_tests_or_benchmarks(imports: tuple[Import, ...]) -> None:
    broken = [i for i in imports if i.top in ("tests", "benchmarks", "conftest")]
    assert not broken, lines(broken)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["pipeline", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    # Typer itself reads an option's value with pydantic; --help alone reads none.
    unwanted = [m for m in NOT_FOR_HELP if m != "pydantic" or arguments == ["--help"]]
    code = (
        "import sys\n"
        f"sys.argv = ['synth-dspy', *{arguments!r}]\n"
        "from synth_dspy.run import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        f"print('HEAVY', [name for name in {unwanted!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "HEAVY []"
