"""The dataset card."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from synth_dspy.dataset.card import CardFacts, ModelFact, SourceFact, dataset_card
from synth_dspy.dataset.card_facts import models_of, sources_of
from synth_dspy.dataset.statistics import statistics
from tests.dataset.made import sample
from tests.dataset.whole import whole


@pytest.fixture
def facts(tmp_path: Path) -> CardFacts:
    made = whole(tmp_path)
    return CardFacts(
        name="Field notes",
        description="Questions about field notes.",
        statistics=made.stats,
        license="apache-2.0",
        models=models_of(made.samples),
        sources=sources_of(made.samples),
        version="0.1.0",
    )


def head(card: str) -> dict[str, object]:
    _, text, _ = card.split("---\n", 2)
    loaded = yaml.safe_load(text)
    assert isinstance(loaded, dict)
    return loaded


def test_equal_facts_give_an_equal_card(facts: CardFacts) -> None:
    assert dataset_card(facts) == dataset_card(replace(facts))


def test_the_hub_reads_its_head(facts: CardFacts) -> None:
    from huggingface_hub import DatasetCard

    data = DatasetCard(dataset_card(facts)).data.to_dict()
    assert data["license"] == "apache-2.0"
    assert data["size_categories"] == ["n<1K"]
    assert data["task_categories"] == [
        "text-generation", "question-answering", "image-text-to-text",
    ]  # fmt: skip


def test_the_head_says_where_each_split_is(facts: CardFacts) -> None:
    assert head(dataset_card(facts))["configs"] == [
        {
            "config_name": "default",
            "data_files": [
                {"split": split, "path": f"data/{split}-*"}
                for split in ("train", "validation", "test")
            ],
        }
    ]


def test_a_name_cannot_break_the_head(facts: CardFacts) -> None:
    name = "a: b\n---\nlicense: mit #"
    found = head(dataset_card(replace(facts, name=name)))
    assert found["pretty_name"] == "a: b --- license: mit #"
    assert found["license"] == "apache-2.0"


def test_an_unknown_licence_is_not_invented(facts: CardFacts) -> None:
    card = dataset_card(replace(facts, license=""))
    assert "license" not in head(card)
    assert "No licence was stated" in card


def test_a_judge_that_was_never_calibrated_is_said_to_be_so(facts: CardFacts) -> None:
    assert "never calibrated" in dataset_card(facts)


def test_calibration_is_told(facts: CardFacts) -> None:
    card = dataset_card(replace(facts, calibration={"agreement": 0.91}))
    assert "agreement 0.91" in card
    assert "never calibrated" not in card


def test_the_offline_model_is_named_as_such(facts: CardFacts) -> None:
    card = dataset_card(facts)
    assert "**offline model**" in card
    assert "No language model was asked" in card


def test_a_real_model_is_not_called_offline(facts: CardFacts) -> None:
    card = dataset_card(replace(facts, models=(ModelFact("answer", "big-one", "abc123"),)))
    assert "offline" not in card
    assert "`abc123`" in card


def test_a_mix_of_both_says_which_is_which(facts: CardFacts) -> None:
    mixed = (ModelFact("answer", "big-one"), ModelFact("classify", "offline"))
    card = dataset_card(replace(facts, models=mixed))
    assert "| answer | `big-one` |" in card
    assert "| classify | `offline` (the offline model) |" in card
    assert "**offline model**" not in card


def test_isolation_tests_and_mutants_are_told(facts: CardFacts) -> None:
    card = dataset_card(facts)
    checked = facts.statistics["verification"]
    assert f"isolation: docker ({checked['executed']})" in card
    assert f"{checked['mutants_killed']:,} of {checked['mutants_run']:,} mutants" in card


def test_an_image_that_the_judge_did_not_see_is_unverified(facts: CardFacts) -> None:
    assert "unverified (caption only)" in dataset_card(facts)


def test_drops_are_told_by_stage_and_reason(facts: CardFacts) -> None:
    assert "| `answer` | 80 | 66 | test\\_failed 9" not in dataset_card(facts)
    assert "| `answer` | 80 | 66 | test_failed 9, weak_tests 4 | 1 |" in dataset_card(facts)


def test_without_a_benchmark_it_says_that_nothing_was_compared(facts: CardFacts) -> None:
    assert "not compared with any benchmark" in dataset_card(facts)


def test_benchmarks_are_named_with_what_was_found(facts: CardFacts) -> None:
    card = dataset_card(replace(facts, decontamination={"HumanEval": 2, "MBPP": 0}))
    assert "Compared with HumanEval (2 found), MBPP (0 found)" in card


def test_nothing_volatile_enters_the_card(facts: CardFacts) -> None:
    slower = {
        **facts.statistics,
        "stages": [{**s, "seconds": 999.0, "cost_usd": 9.0} for s in facts.statistics["stages"]],
        "usage": {},
    }
    assert dataset_card(replace(facts, statistics=slower)) == dataset_card(facts)


def test_a_path_cannot_break_its_table(facts: CardFacts) -> None:
    odd = SourceFact(path="a|b`c\nd.md", sha256="0" * 64, rows=3)
    assert "| `a\\|b'c d.md` | `0000000000000000` |" in dataset_card(replace(facts, sources=(odd,)))


def test_markup_in_a_name_is_text(facts: CardFacts) -> None:
    card = dataset_card(replace(facts, name="<script>alert(1)</script>"))
    assert "<script>" not in card.split("---\n", 2)[2].replace("\\<script\\>", "")


def test_a_dataset_without_rows_has_a_card() -> None:
    card = dataset_card(CardFacts("Empty", "", statistics([])))
    assert "configs" not in head(card)
    assert "0 rows" in card


def test_sources_are_counted_with_their_hashes() -> None:
    source = {"path": "docs/a.md", "sha256": "ab", "revision": "r1"}
    samples = [sample(n, metadata={"source": source}) for n in range(3)]
    assert sources_of(samples, licenses={"docs/a.md": "mit"}) == (
        SourceFact("docs/a.md", "ab", 3, "mit", "r1"),
    )


def test_models_are_listed_once_a_step() -> None:
    assert models_of([sample(0), sample(3)]) == (
        ModelFact("answer", "offline"),
        ModelFact("question", "offline"),
    )
