"""Configurations of earlier systems load, and say what took the place of their keys."""

# ruff: noqa: E501 (tables: what was written, and the sentence it is answered with, on one line)

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from synth_dspy.config import Loaded, load_config
from synth_dspy.config.legacy import translate
from synth_dspy.errors import ConfigError

EARLIER: dict[str, Any] = {
    "sources": [{"path": "data", "type": "directory", "include_patterns": ["*.ipynb"], "max_files": 9}],
    "categories": [{"name": "gates", "description": "Gates.", "weight": 3200}],
    "models": {
        "endpoints": [
            {
                "name": "question-model", "base_url": "http://h/v1", "api_key": "k",
                "model_name": "openai/gpt-oss-120b", "max_tokens": 8192, "temperature": 0.4,
                "service_tier": "auto", "min_p": 0.1,
            },
            {"name": "curate-model", "base_url": "http://h/v1", "api_key": "k", "model_name": "c"},
        ]
    },
    "prompts": {
        "input_generation_system": "Write questions about {context}.",
        "test_generation_prompt": "Write a test.",
        "category_classification": "Choose one.",
    },
    "generation": {
        "target_samples": 25,
        "question_model": "question-model", "answer_model": "question-model",
        "curate_model": "curate-model", "filter_model": "curate-model",
        "batch_size": 5, "llm_batch_size": 5, "vlm_batch_size": 8, "vlm_concurrency": 8,
        "question_types": ["function_completion", "code", "qa"],
        "question_type_weights": {"function_completion": 0.45, "code": 0.45, "qa": 0.1},
        "multimodal_ratio": 0.5,
        "difficulty_levels": ["easy", "hard"],
        "candidates_per_chunk": 4, "max_generation_attempts": 3,
        "enable_image_transcription": True, "enable_content_filtering": False,
        "enable_candidate_filtering": True, "enable_curate_filtering": True,
        "enable_deduplication": True, "enable_code_verification": True,
        "code_verification_concurrency": 10, "test_validation_timeout": 60,
        "answer_checkpoint_interval": 50, "planning_checkpoint_interval": 50,
    },
    "dataset": {
        "name": "earlier", "parsed_dir": "outputs/parsed", "generated_dir": "g", "final_dir": "f",
        "images_dir": "i", "hub_id": "me/it",
        "train_split": 0.8, "val_split": 0.1, "test_split": 0.1,
    },
    "seed": 42,
}  # fmt: skip


def load(tmp_path: Path, **generation: Any) -> Loaded:
    tree = copy.deepcopy(EARLIER)
    if generation:
        tree["generation"] = generation
    path = tmp_path / "earlier.yaml"
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    return load_config(path)


def refused(tmp_path: Path, **generation: Any) -> str:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, **generation)
    return str(error.value)


def test_a_whole_file_of_an_earlier_system_loads(tmp_path: Path) -> None:
    config = load(tmp_path).config
    assert config.generation.target_samples == 25
    assert config.endpoint_for("filter").name == "curate-model"
    assert config.sources[0].max_files == 9


@pytest.mark.parametrize(
    ("key", "successor"),
    [
        ("dataset.parsed_dir", "every stage has its folder in output_dir"),
        ("dataset.generated_dir", "every stage has its folder in output_dir"),
        ("dataset.final_dir", "every stage has its folder in output_dir"),
        ("dataset.images_dir", "every stage has its folder in output_dir"),
        ("dataset.hub_id", "`export --hub-id`"),
        ("generation.answer_checkpoint_interval", "journal"),
        ("generation.planning_checkpoint_interval", "journal"),
        ("generation.max_generation_attempts", "until its quotas are met"),
        ("generation.candidates_per_chunk", "target_samples and diversity_weight"),
        ("generation.llm_batch_size", "generation.llm_concurrency"),
        ("generation.vlm_batch_size", "generation.vlm_concurrency"),
        ("generation.batch_size", "generation.llm_concurrency"),
        ("generation.enable_code_verification", "code is always run"),
        ("generation.code_verification_concurrency", "sandbox.workers"),
        ("generation.test_validation_timeout", "generation.code_verification_timeout"),
        ("generation.question_types", "generation.type_allocations.<type>.ratio"),
        ("generation.question_type_weights", "generation.type_allocations.<type>.ratio"),
        ("generation.multimodal_ratio", "generation.type_allocations.<type>.multimodal_ratio"),
        ("generation.difficulty_levels", "generation.difficulty_weights"),
        ("prompts.input_generation_system", "`prompts.<step>`"),
        ("prompts.test_generation_prompt", "`prompts.<step>`"),
        ("prompts.category_classification", "`prompts.<step>`"),
    ],
)
def test_an_old_key_is_accepted_with_one_line_that_names_its_successor(
    tmp_path: Path, key: str, successor: str
) -> None:
    lines = [note for note in load(tmp_path).notes if key in note]
    assert len(lines) == 1
    assert successor in lines[0]


def test_a_single_old_key_reads_as_a_sentence(tmp_path: Path) -> None:
    tree = {"dataset": {"name": "x", "parsed_dir": "p"}}
    assert translate(tree).notes == [
        "dataset.parsed_dir is no longer needed: every stage has its folder in output_dir"
    ]


def test_old_templates_are_not_sent_as_instructions(tmp_path: Path) -> None:
    assert load(tmp_path).config.prompts == {}


def test_weights_of_question_types_become_ratios(tmp_path: Path) -> None:
    allocations = load(tmp_path).config.generation.type_allocations
    assert {name: round(a.ratio, 6) for name, a in allocations.items()} == {
        "function_completion": 0.45,
        "code_generation": 0.45,
        "qa": 0.1,
    }


def test_weights_need_not_sum_to_one(tmp_path: Path) -> None:
    weights = {"qa": 3, "code_generation": 1}
    generation = load(tmp_path, question_type_weights=weights).config.generation
    assert {n: a.ratio for n, a in generation.type_allocations.items()} == {
        "qa": 0.75,
        "code_generation": 0.25,
    }


def test_question_types_without_weights_share_equally(tmp_path: Path) -> None:
    generation = load(tmp_path, question_types=["qa", "code_generation"]).config.generation
    assert [a.ratio for a in generation.type_allocations.values()] == [0.5, 0.5]


def test_a_weight_of_a_type_that_is_not_asked_for_does_not_count(tmp_path: Path) -> None:
    generation = load(
        tmp_path, question_types=["qa"], question_type_weights={"qa": 1, "code_generation": 3}
    ).config.generation
    assert {n: a.ratio for n, a in generation.type_allocations.items()} == {"qa": 1.0}


def test_type_allocations_win_over_question_types(tmp_path: Path) -> None:
    loaded = load(
        tmp_path, question_types=["qa"], type_allocations={"code_generation": {"ratio": 1}}
    )
    assert list(loaded.config.generation.type_allocations) == ["code_generation"]
    assert "generation.question_types is no longer needed" in loaded.notes[-1]


def test_the_multimodal_ratio_serves_each_type_without_its_own(tmp_path: Path) -> None:
    generation = load(
        tmp_path,
        multimodal_ratio=0.5,
        type_allocations={
            "qa": {"ratio": 0.5, "multimodal_ratio": 0.9},
            "code_generation": {"ratio": 0.5},
        },
    ).config.generation
    shares = {n: a.multimodal_ratio for n, a in generation.type_allocations.items()}
    assert shares == {"qa": 0.9, "code_generation": 0.5}


def test_the_multimodal_ratio_alone_keeps_the_default_ratios(tmp_path: Path) -> None:
    generation = load(tmp_path, multimodal_ratio=0.25).config.generation
    assert {a.multimodal_ratio for a in generation.type_allocations.values()} == {0.25}
    assert generation.type_allocations["qa"].ratio == 0.30


def test_difficulty_levels_choose_among_the_weights(tmp_path: Path) -> None:
    generation = load(
        tmp_path, difficulty_levels=["easy", "hard"], difficulty_weights={"easy": 3, "medium": 2}
    ).config.generation
    assert generation.difficulty_weights == {"easy": 3, "hard": 1}


def test_empty_difficulty_weights_are_the_default_ones(tmp_path: Path) -> None:
    generation = load(tmp_path, difficulty_weights={}).config.generation
    assert generation.difficulty_weights == {"easy": 1, "medium": 1, "hard": 1}


def test_the_batch_size_is_the_number_of_calls_in_flight_where_none_is_given(
    tmp_path: Path,
) -> None:
    generation = load(tmp_path, batch_size=5, vlm_concurrency=8).config.generation
    assert (generation.llm_concurrency, generation.vlm_concurrency) == (5, 8)


def test_content_filtering_switches_image_filtering_too_unless_that_has_its_own(
    tmp_path: Path,
) -> None:
    assert (
        load(tmp_path, enable_content_filtering=False).config.generation.enable_image_filtering
        is False
    )
    both = load(tmp_path, enable_content_filtering=False, enable_image_filtering=True)
    assert both.config.generation.enable_image_filtering is True


def test_rarer_options_of_an_endpoint_are_sent_in_its_extra_body(tmp_path: Path) -> None:
    body = load(tmp_path).config.models.endpoints[0].extra_body
    assert body == {"min_p": 0.1, "service_tier": "auto"}


def test_a_file_in_todays_keys_has_no_notes() -> None:
    assert translate({"generation": {"target_samples": 3}, "seed": 1}).notes == []


def test_translating_leaves_the_tree_as_it_was() -> None:
    tree = copy.deepcopy(EARLIER)
    translate(tree)
    assert tree == EARLIER


def test_translating_twice_changes_nothing_more() -> None:
    once = translate(EARLIER).tree
    again = translate(once)
    assert again.tree == once
    assert again.notes == []


@pytest.mark.parametrize(
    ("generation", "said"),
    [
        ({"question_types": ["qa", "riddle"]}, "generation.question_types: 'riddle' is not part of this version; known: function_completion, code_generation, qa, caption, summary"),
        ({"question_types": "qa"}, "generation.question_types: is not a list; known: function_completion"),
        ({"question_type_weights": {"qa": "much"}}, "generation.question_type_weights.qa: 'much' is not a weight; give a number from 0 up"),
        ({"question_type_weights": {"qa": -1}}, "generation.question_type_weights.qa: -1 is not a weight"),
        ({"question_type_weights": {"qa": True}}, "generation.question_type_weights.qa: True is not a weight"),
        ({"question_type_weights": {"qa": 0}}, "generation.question_type_weights: every weight is 0"),
        ({"question_type_weights": [1]}, "generation.question_type_weights: is not a mapping of question types to weights"),
        ({"difficulty_levels": ["brutal"]}, "generation.difficulty_levels: 'brutal' is not part of this version; known: easy, medium, hard"),
        ({"multimodal_ratio": 7}, "generation.type_allocations.qa.multimodal_ratio: 7 is too large"),
        ({"batch_size": "x"}, "generation.llm_concurrency: 'x' is not a whole number"),
    ],
)  # fmt: skip
def test_an_old_key_with_a_wrong_value_is_refused(
    tmp_path: Path, generation: dict[str, Any], said: str
) -> None:
    assert said in refused(tmp_path, **generation)
