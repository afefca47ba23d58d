"""Rows that repeat an item of a benchmark are found, and others are not."""

import gzip
import json
from pathlib import Path

import pytest

from synth_dspy.dataset.benchmarks import read_benchmark
from synth_dspy.dataset.decontaminate import BenchmarkItem, Decontaminator, Hit
from synth_dspy.errors import SourceError
from tests.dataset.made import sample

PROMPT = (
    "import math\nfrom typing import List\n\n\ndef closest(values: List[float]) -> float:\n"
    '    """Return the smallest distance between any two of the given values, and infinity when\n'
    '    there are fewer than two of them.\n    """\n'
)
BODY = (
    "    ordered = sorted(values)\n    best = math.inf\n"
    "    for left, right in zip(ordered, ordered[1:]):\n"
    "        best = min(best, right - left)\n    return best\n"
)
ITEM = BenchmarkItem("Exam", "Exam/7", PROMPT, BODY)


@pytest.fixture
def known() -> Decontaminator:
    return Decontaminator([ITEM])


def test_the_item_itself_is_found_by_its_words(known: Decontaminator) -> None:
    same = sample(0, type="function_completion", question=PROMPT, answer=BODY)
    assert known.hits(same) == [Hit(same.id, "Exam", "Exam/7", "words", 1.0)]


def test_a_question_that_quotes_the_item_is_found(known: Decontaminator) -> None:
    quoting = sample(
        2,
        question="How would you return the smallest distance between any two of the given values, "
        "and infinity when the list is short?",
        answer="By sorting.",
    )
    (hit,) = known.hits(quoting)
    assert (hit.item, hit.layer) == ("Exam/7", "words")
    assert 0 < hit.overlap < 1


def test_its_code_under_other_names_is_found(known: Decontaminator) -> None:
    code = (
        (f"def gap(xs):\n{BODY}")
        .replace("ordered", "s")
        .replace("values", "xs")
        .replace("best", "b")
    )
    copied = sample(
        1, type="code_generation", question="Find the gap.", answer=f"import math\n{code}"
    )
    (hit,) = known.hits(copied)
    assert (hit.item, hit.layer) == ("Exam/7", "code")
    assert hit.overlap >= 0.5


def test_nearly_the_item_is_found() -> None:
    item = BenchmarkItem("Quiz", "1", "Which planet is the largest?", "It is Jupiter.")
    near = sample(2, question="Which planet is largest?", answer="It is Jupiter.")
    (hit,) = Decontaminator([item], near_threshold=0.6).hits(near)
    assert (hit.item, hit.layer) == ("1", "near")


def test_shared_imports_are_no_contamination() -> None:
    imports = (
        "from qiskit import QuantumCircuit\nfrom qiskit_aer import AerSimulator\n"
        "from qiskit_ibm_runtime import Sampler\n"
        "from qiskit.transpiler.preset_passmanagers import generate_preset_pass_manager\n"
    )
    item = BenchmarkItem(
        "Exam", "1", f'{imports}def bell():\n    """Make a pair."""\n', "    x()\n"
    )
    other = sample(
        1, type="code_generation", question="Draw a chart.", answer=f"{imports}draw(circuit)\n"
    )
    assert Decontaminator([item]).hits(other) == []


def test_other_samples_are_no_hits(known: Decontaminator) -> None:
    assert [known.hits(sample(n)) for n in range(30)] == [[]] * 30


def test_every_planted_item_is_found() -> None:
    items = [
        BenchmarkItem("Exam", str(n), made.question, made.answer)
        for n in range(60)
        if (made := sample(n)).type != "qa"
    ]
    known = Decontaminator(items)
    planted = [sample(n) for n in range(60) if sample(n).type != "qa"]
    for item, row in zip(items, planted, strict=True):
        assert item.id in {hit.item for hit in known.hits(row)}


def test_without_items_nothing_is_a_hit() -> None:
    assert Decontaminator([]).hits(sample(1)) == []


RECORDS = [
    {"task_id": "a", "prompt": "Add.", "canonical_solution": "    return 1"},
    {"id": 7, "text": "Subtract.", "code": "x - y"},
    {"question": "Why?", "answer": "Because."},
]
READ = [
    BenchmarkItem("exam", "a", "Add.", "    return 1"),
    BenchmarkItem("exam", "7", "Subtract.", "x - y"),
    BenchmarkItem("exam", "3", "Why?", "Because."),
]


@pytest.mark.parametrize("name", ["exam.jsonl", "exam.jsonl.gz", "exam.json"])
def test_benchmarks_are_read_in_the_forms_they_come_in(tmp_path: Path, name: str) -> None:
    lines = "\n".join(json.dumps(record) for record in RECORDS)
    data = (json.dumps(RECORDS, indent=1) if name == "exam.json" else lines).encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    assert read_benchmark(tmp_path / name) == READ


def test_a_benchmark_without_prompts_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "exam.jsonl"
    path.write_text('{"prompt": "Add."}\n{"title": "no"}\n')
    with pytest.raises(SourceError, match=r"record 2: .* needs one of prompt, question"):
        read_benchmark(path)


@pytest.mark.parametrize(("name", "data"), [("a.jsonl", b"{no"), ("a.jsonl.gz", b"plain")])
def test_a_benchmark_that_cannot_be_read_is_named(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError, match=f"{name}.* cannot be read"):
        read_benchmark(tmp_path / name)


def test_a_missing_benchmark_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        read_benchmark(tmp_path / "none.jsonl")
