"""The rules of admission: their order, their reasons, and that they see nothing but the past."""

import json
import random
from pathlib import Path

import pytest

from synth_dspy.dataset.admission import Admission, Rules
from synth_dspy.dataset.benchmarks import Benchmarks
from synth_dspy.dataset.scan_policy import Refusal, ScanPolicy
from synth_dspy.errors import SetupError
from synth_dspy.records import Sample
from tests.dataset.made import WORDS, sample

KEY = "AKIA" + "Q3EGRIZ7WS2LKPOB"


def reasons(rules: Rules, samples: list[Sample]) -> list[str]:
    admission = Admission(rules)
    results = [admission.admit(one) for one in samples]
    return [r.reason if isinstance(r, Refusal) else "" for r in results]


def benchmark(folder: Path, items: list[Sample]) -> Benchmarks:
    lines = [
        json.dumps({"task_id": f"t/{i}", "prompt": s.question, "solution": s.answer})
        for i, s in enumerate(items)
    ]
    (folder / "exam.jsonl").write_text("\n".join(lines))
    return Benchmarks((folder / "exam.jsonl",))


def test_duplicates_are_refused_by_layer() -> None:
    one = sample(2)
    near = sample(2, id="near", rank=5, answer=f"{one.answer} Indeed.")
    rules = Rules(threshold=0.8)
    assert reasons(rules, [one, sample(2, id="again", rank=4), near]) == [
        "", "exact_duplicate", "near_duplicate",
    ]  # fmt: skip


def test_reordered_words_are_a_semantic_duplicate() -> None:
    one = sample(2, question="Why?", answer="the gauge is open and the river rises over the weir")
    other = sample(5, question="Why?", answer="the river rises over the weir and the gauge is open")
    assert reasons(Rules(semantic_threshold=0.8), [one, other]) == ["", "semantic_duplicate"]
    assert reasons(Rules(semantic_threshold=0.0), [one, other]) == ["", ""]


def exam_item(number: int) -> Sample:
    """A program that no made sample resembles."""
    pick = random.Random(number)
    ask = f"Program {number}: " + " ".join(pick.choices(WORDS, k=20))
    steps = "".join(
        f"    total {pick.choice('+-*')}= {pick.randrange(99)} ** len(data[{pick.randrange(9)}:])\n"
        for _ in range(6)
    )
    code = f"def solve_{number}(data):\n    total = {number}\n{steps}    return total\n"
    return sample(number, type="code_generation", question=ask, answer=code)


def test_twenty_planted_items_are_refused_and_nothing_else(tmp_path: Path) -> None:
    items = [exam_item(n) for n in range(1000, 1020)]
    admission = Admission(Rules(benchmarks=benchmark(tmp_path, items)))
    others = [sample(n) for n in range(60)]
    results = {s.id: admission.admit(s) for s in (*others[:30], *items, *others[30:])}
    refused = {i for i, r in results.items() if isinstance(r, Refusal)}
    assert refused == {item.id for item in items}
    assert {hit.sample_id for hit in admission.hits} == refused


def test_a_contaminated_sample_says_what_it_repeats(tmp_path: Path) -> None:
    item = sample(7)
    refusal = Admission(Rules(benchmarks=benchmark(tmp_path, [item]))).admit(item)
    assert refusal == Refusal("contaminated", "exam t/0 (words 1.00)")


def test_what_is_refused_is_not_remembered() -> None:
    with_key = sample(1, answer=f"def f():\n    return {KEY!r}\n")
    clean = sample(1, id="clean", answer="def f():\n    return 'no key at all'\n")
    assert reasons(Rules(), [with_key, clean]) == ["secret", ""]


def test_a_masked_sample_is_admitted_as_masked() -> None:
    admitted = Admission(Rules(policy=ScanPolicy())).admit(sample(2, answer=f"Use {KEY}."))
    assert isinstance(admitted, Sample)
    assert KEY not in admitted.answer


def test_without_deduplication_repeats_are_admitted() -> None:
    rules = Rules(deduplicate=False, semantic_threshold=0.9)
    assert reasons(rules, [sample(2), sample(2, id="again")]) == ["", ""]


def test_the_identity_of_rules_changes_with_a_benchmarks_content(tmp_path: Path) -> None:
    before = Rules(benchmarks=benchmark(tmp_path, [sample(1)])).identity()
    after = Rules(benchmarks=benchmark(tmp_path, [sample(2)])).identity()
    assert before != after


def test_a_local_model_without_its_extra_says_how_to_get_it() -> None:
    rules = Rules(semantic_threshold=0.9, embedding_model="sentence-transformers/any")
    with pytest.raises(SetupError, match=r"pip install 'synth-dspy\[embeddings\]'"):
        Admission(rules)
