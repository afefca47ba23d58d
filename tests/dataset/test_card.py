"""The dataset card."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from synth_dspy.dataset.card import CardFacts, ModelFact, SourceFact, dataset_card
from synth_dspy.dataset.card_facts import models_of, sources_of
from synth_dspy.dataset.scan_policy import ScanPolicy, scan_facts
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
        "question-answering", "text-generation", "image-text-to-text",
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
    found = {
        "step": "judge_sample", "model": "big-one", "prompt_sha": "ab", "agreement": 0.914,
        "kappa": 0.8, "n": 1200, "confusion": {"true_accepted": 7, "false_accepted": 1},
    }  # fmt: skip
    card = dataset_card(replace(facts, calibration=found))
    assert (
        "The judge (step `judge_sample`, model `big-one`) was calibrated against 1,200 labelled "
        "examples: agreement 0.914, Cohen's kappa 0.8 (true accepted 7, false "
        "accepted 1)."
    ) in card
    assert "never calibrated" not in card


def test_what_a_row_of_each_type_is_comes_from_the_types(facts: CardFacts) -> None:
    card = dataset_card(replace(facts, types={"qa": "a question about a | gauge"}))
    assert "| `qa` | 20 | a question about a \\| gauge |" in card
    assert "| `code_generation` | 20 |  |" in card


def test_a_new_type_is_no_code(tmp_path: Path) -> None:
    stats = statistics([sample(2, type="riddle", split="train")])
    card = dataset_card(CardFacts(name="n", description="", statistics=stats))
    assert head(card)["tags"] == ["synthetic", "synth-dspy"]
    assert head(card)["task_categories"] == ["text-generation"]


def test_code_context_is_said_to_hold_no_answer(facts: CardFacts) -> None:
    assert "never code that defines `entry_point`" in dataset_card(facts)


def test_a_split_without_rows_is_said(facts: CardFacts) -> None:
    stats = statistics([sample(n, split="train") for n in range(3)])
    card = dataset_card(replace(facts, statistics=stats))
    assert "too few rows for `validation` and `test`" in card
    assert "too few rows" not in dataset_card(facts)


def test_how_to_reproduce_it_is_what_was_typed(facts: CardFacts) -> None:
    command = "python -m synth_dspy.run pipeline --config a.yaml --set seed=7 --trial"
    assert f"```\n{command}\n```" in dataset_card(replace(facts, command=command))


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
    report = {
        "benchmarks": [
            {"name": "HumanEval", "items": 164, "found": 2},
            {"name": "MBPP", "items": 974, "found": 0},
        ],
        "dropped_passages": 3,
        "dropped_samples": 1,
    }
    card = dataset_card(replace(facts, decontamination=report))
    assert "HumanEval (2 of its 164 items found), MBPP (0 of its 974 items found)" in card
    assert "3 passages and 1 rows that held an item were dropped" in card


def test_the_card_tells_what_the_scan_of_the_sources_found(facts: CardFacts) -> None:
    policy = ScanPolicy(
        secrets="mask", personal_data="drop", allowed_licenses=("mit",), licenses=(("docs", "mit"),)
    )
    scan = scan_facts(policy, [{"secrets": 2}, {}], {"personal_data": 1, "license_not_allowed": 4})
    card = dataset_card(replace(facts, scan=scan))
    assert "tokens and passwords: 2 places in 1 of 7 documents; they were masked" in card
    assert "personal data: 0 places in 0 of 7 documents" in card
    assert "1 documents dropped" in card
    assert "Only sources under these licences were used: mit; 4 documents of others" in card


def test_the_card_names_the_cost(facts: CardFacts) -> None:
    usage = {"llm_calls": 1200.0, "tokens": 3_000_000.0, "cost_usd": 1.5}
    card = dataset_card(replace(facts, usage=usage))
    assert "1,200 calls with 3,000,000 tokens, at a cost of $1.50" in card


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


def test_how_near_the_splits_came_to_what_was_asked_is_told(facts: CardFacts) -> None:
    cells = [
        {"split": "train", "type": "qa", "modality": "text", "category": "a", "asked": 7.0,
         "actual": 8},
        {"split": "test", "type": "qa", "modality": "text", "category": "a", "asked": 0.5,
         "actual": 0},
    ]  # fmt: skip
    splits = {"ratios": {"train": 0.7, "validation": 0.15, "test": 0.15}, "cells": cells}
    card = dataset_card(replace(facts, statistics={**facts.statistics, "splits": splits}))
    assert "has 8 rows in place of 7 (train, qa, text, a); 1 are due less than one row" in card
