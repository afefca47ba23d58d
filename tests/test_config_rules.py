"""Each thing that a user can get wrong, and the sentence it is answered with."""

# ruff: noqa: E501 (tables: what was written, and the sentence it is answered with, on one line)

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_dspy.config import Allocation, Generation, load_config
from synth_dspy.config.explain import MAX_LINES
from synth_dspy.errors import ConfigError

BASE = """\
sources: [{path: docs}]
dataset: {name: small}
models:
  endpoints:
  - {name: big, model_name: offline}
  - {name: small, model_name: offline}
"""
SECRET = "sk-never-shown-0123456789"


def message(tmp_path: Path, text: str = "", *overrides: str, base: str = BASE) -> str:
    path = tmp_path / "c.yaml"
    path.write_text(base + text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_config(path, overrides)
    return str(error.value).replace(str(path), "c.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("generation: {target_samples: many}", "generation.target_samples: 'many' is not a whole number"),
        ("generation: {target_samples: 1.5}", "generation.target_samples: 1.5 is not a whole number"),
        ("generation: {target_samples: true}", "generation.target_samples: true is not a number"),
        ("generation: {target_samples: [1]}", "generation.target_samples: a list is not a whole number"),
        ("generation: {target_samples: 0}", "generation.target_samples: 0 is too small; give at least 1"),
        ("generation: {target_samples:}", "generation.target_samples: is empty; give a value (accepted samples to end with, over all types), or remove the line"),
        ("generation: {diversity_weight: x}", "generation.diversity_weight: 'x' is not a number"),
        ("generation: {diversity_weight: 2}", "generation.diversity_weight: 2 is too large; give at most 1"),
        ("generation: {max_cost_usd: 0}", "generation.max_cost_usd: 0 is too small; give above 0"),
        ("tracking: {sample_rate: .nan}", "tracking.sample_rate: nan is not a number"),
        ("tracking: {enabled: perhaps}", "tracking.enabled: 'perhaps' is not true or false"),
        ("generation: 3", "generation: 3 is not a mapping of keys to values"),
        ("generation: {forbidden_patterns: [{pattern: '(', message: x}]}", "generation.forbidden_patterns.0.pattern: '(' is no regular expression: missing ), unterminated subpattern at position 0"),
        ("categories: {a: b}", "categories: a mapping is not a list"),
        ("sandbox: {packages: numpy}", "sandbox.packages: 'numpy' is not a list; write [\"...\"]"),
        ("prompts: {question: 3}", "prompts.question: 3 is not text; put it in quotes"),
        ("sandbox: {backend: doker}", "sandbox.backend: 'doker' is not one of auto, docker, bwrap, process; did you mean `docker`?"),
        ("routing: {serving: {trusted_proxies: [10.0.0.300]}}", "routing.serving.trusted_proxies: '10.0.0.300' is no address and no network; it looks like 10.0.0.2 or 10.0.0.0/24"),
        ("recipe: asistant", "recipe: 'asistant' is not one of assistant, rows, conversations, routing; did you mean `assistant`?"),
        ("genration: {}", "genration: unknown key; did you mean `generation`?"),
        ("generation: {target_sample: 3}", "generation.target_sample: unknown key; did you mean `target_samples`?"),
        ("target_samples: 3", "target_samples: unknown key here; did you mean `generation.target_samples`?"),
        ("tracking: {xyzzy: 1}", "tracking.xyzzy: unknown key; known here: enabled, uri, experiment, sample_rate"),
        ("generation: {type_allocations: {qa: {multimodal_ratio: 1}}}", "generation.type_allocations.qa.ratio: is missing; give a value (share of `target_samples`)"),
        ("generation: {type_allocations: {qa: {ratio: 0.7}}}", "generation.type_allocations: the ratios sum to 0.7, not to 1 (qa 0.7)"),
        ("generation: {difficulty_weights: {easy: -1}}", "generation.difficulty_weights.easy: -1 is too small; give at least 0"),
        ("generation: {difficulty_weights: {easy: 0}}", "generation.difficulty_weights: every weight is 0; give at least one of easy, medium, hard more"),
        ("generation: {chunk_overlap: 2000}", "generation.chunk_overlap: 2000 is not below half of max_context_length (4000); lower it"),
        ("generation: {min_chunk_length: 4000}", "generation.min_chunk_length: 4000 is not below max_context_length (4000); lower it"),
        ("generation: {question_model: huge}", "generation.question_model: 'huge' is not an endpoint of models.endpoints; known: big, small"),
        ("categories: [{name: a}, {name: b}, {name: a}]", "categories: 'a' is the name of more than one entry; make them differ"),
        ("categories: [{name: a, weight: 0}]", "categories: every weight is 0; give at least one category a weight above 0"),
        ("categories: [{name: ''}]", "categories.0.name: is empty; give a value (what the dataset's `category` column says)"),
        ("categories: [{name: 2024-01-01}]", "categories.0.name: datetime.date(2024, 1, 1) is not text; put it in quotes"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_answered_with_its_key_the_value_and_a_remedy(
    tmp_path: Path, text: str, said: str
) -> None:
    assert message(tmp_path, text) == f"{said} (c.yaml)"


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("dataset: {name: x}\n", "sources: the recipe `assistant` reads documents; give at least one source"),
        ("dataset: {name: x}\nsources: []\n", "sources: the recipe `assistant` reads documents; give at least one source"),
        ("sources: [{path: a}]\n", "dataset: is missing; give a value (what the dataset is called and how it is divided)"),
        ("sources: [{path: a}, {path: a}]\ndataset: {name: x}\n", "sources: 'a' is the path of more than one source; merge their settings in one"),
        ("sources: [{path: a, type: ftp}]\ndataset: {name: x}\n", "sources.0.type: 'ftp' is not one of directory, github"),
        ("sources: [{path: a, max_files: 0}]\ndataset: {name: x}\n", "sources.0.max_files: 0 is too small; give at least 1"),
        ("sources: [a]\ndataset: {name: x}\n", "sources.0: 'a' is not a mapping of keys to values"),
        ('sources: [{path: "a\\0b"}]\ndataset: {name: x}\n', "sources.0.path: 'a\\x00b' holds a NUL character, which no path may; remove it"),
        (f"sources: [{{path: {'y' * 300}}}]\ndataset: {{name: x}}\n", f"sources.0.path: '{'y' * 40}'... is too long for a path: a name may have 255 bytes and a path 4096, here it is 300 and 300; shorten it"),
        ("sources: [{path: ~nosuch/docs}]\ndataset: {name: x}\n", "sources.0.path: there is no home folder '~nosuch' on this machine; write the folder out, or ./~nosuch for one that has this name"),
        ("sources: [{path: a, public_roots: [~nosuch]}]\ndataset: {name: x}\n", "sources.0.public_roots.0: there is no home folder '~nosuch' on this machine; write the folder out, or ./~nosuch for one that has this name"),
        ('sources: [{path: a, folders: ["b\\0"]}]\ndataset: {name: x}\n', "sources.0.folders.0: 'b\\x00' holds a NUL character, which no path may; remove it"),
        ("sources: [{path: a, include_patterns: ['[']}]\ndataset: {name: x}\n", "sources.0.include_patterns.0: '[' is no pattern of a .gitignore: a '[' is never closed; write \\[ for the character itself"),
        ("sources: [{path: a, exclude_patterns: ['!']}]\ndataset: {name: x}\n", "sources.0.exclude_patterns.0: '!' is no pattern of a .gitignore; write one such as *.md, docs/ or !a.md"),
        ("sources: [{path: a}]\ndataset: {name: a/b}\n", "dataset.name: 'a/b' cannot name a folder; begin with a letter or digit, and use letters, digits, `.`, `_` and `-` only"),
        ("sources: [{path: a}]\ndataset: {name: x, train_split: 0.8}\n", "dataset: the splits sum to 1.1, not to 1 (train_split 0.8 + val_split 0.15 + test_split 0.15)"),
    ],
)  # fmt: skip
def test_what_every_run_needs_is_asked_for(tmp_path: Path, base: str, said: str) -> None:
    assert message(tmp_path, base=base) == f"{said} (c.yaml)"


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("{name: a, model_name: gpt}", "models.endpoints.0.base_url: is missing; give the server's address, or a `model_name` with its provider's prefix such as openai/, or `model_name: offline`"),
        ("{name: a, model_name: x, base_url: 'http://h', protocol: provider}", "models.endpoints.0.protocol: is `provider`, but `model_name` has no provider's prefix such as anthropic/"),
        ("{name: a, model_name: x, base_url: localhost}", "models.endpoints.0.base_url: is not an address; it has to start with http:// or https://"),
        ("{name: a, model_name: x, base_url: 'http://'}", "models.endpoints.0.base_url: is not an address; it looks like http://localhost:8000/v1"),
        ("{name: a, model_name: x, base_url: 'http://h:80 80/v1'}", "models.endpoints.0.base_url: is not an address (Port could not be cast to integer value as '80 80'); it looks like http://localhost:8000/v1"),
        ("{name: a, model_name: x, base_url: 'http://a b/v1'}", "models.endpoints.0.base_url: is not an address; it looks like http://localhost:8000/v1"),
        ("{name: a, model_name: x, base_url: 'http://[::1/v1'}", "models.endpoints.0.base_url: is not an address (Invalid IPv6 URL); it looks like http://localhost:8000/v1"),
        ("{name: a, model_name: x, base_url: 'http://a..b/v1'}", "models.endpoints.0.base_url: is not an address (encoding with 'idna' codec failed (UnicodeError: label empty or too long)); it looks like http://localhost:8000/v1"),
        ("{name: a, base_url: 'http://h'}", "models.endpoints.0.model_name: is missing; give a value (the model's name at that address)"),
        ("{model_name: offline}", "models.endpoints.0.name: is missing; give a value (what `generation.<role>_model` calls this endpoint)"),
        ("{name: a, model_name: offline, temperature: 3}", "models.endpoints.0.temperature: 3 is too large; give at most 2"),
        ("{name: a, model_name: offline}, {name: a, model_name: offline}", "models.endpoints: 'a' is the name of more than one entry; make them differ"),
        ("{name: a, model_name: offline, apikey: x}", "models.endpoints.0.apikey: unknown key; did you mean `api_key`?"),
        ("", "models.endpoints: is empty; give a value (the models that can be asked)"),
    ],
)  # fmt: skip
def test_an_endpoint_that_cannot_be_asked_is_refused(
    tmp_path: Path, endpoint: str, said: str
) -> None:
    base = "sources: [{path: docs}]\ndataset: {name: small}\n"
    assert (
        message(tmp_path, f"models: {{endpoints: [{endpoint}]}}", base=base) == f"{said} (c.yaml)"
    )


def test_an_unset_variable_is_named_with_its_key_and_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_SEED", raising=False)
    assert message(tmp_path, "seed: ${NO_SUCH_SEED}") == (
        "seed: the variable NO_SUCH_SEED is not set; export it, or put it in .env (c.yaml)"
    )


def test_every_unset_variable_is_listed_once(tmp_path: Path) -> None:
    text = message(tmp_path, "seed: ${NO_SUCH_A}\ndataset2: {}\nsandbox: {image: '${NO_SUCH_B}'}")
    assert text.count("NO_SUCH_A") == text.count("NO_SUCH_B") == 1
    assert text.splitlines()[0] == "c.yaml: 3 problems"


def test_a_wrong_override_is_blamed_on_set(tmp_path: Path) -> None:
    assert message(tmp_path, "", "seed=x") == "seed: 'x' is not a whole number (--set)"


def test_all_problems_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    text = message(tmp_path, "seed: x\nsandbox: {memory_mb: 1}\nfoo: 1\n")
    assert text.splitlines() == [
        "c.yaml: 3 problems",
        "  sandbox.memory_mb: 1 is too small; give at least 64",
        "  seed: 'x' is not a whole number",
        "  foo: unknown key; known here: recipe, sources, categories, models, prompts, generation, rows, conversations, routing, dataset, parsing, sandbox, tracking, replies, seed, output_dir",
    ]


def test_a_long_list_of_problems_is_cut(tmp_path: Path) -> None:
    lines = message(tmp_path, "\n".join(f"zz{i}: 1" for i in range(40))).splitlines()
    assert len(lines) == MAX_LINES + 2
    assert lines[-1] == f"  … and {40 - MAX_LINES} more"


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    assert len(message(tmp_path, f"seed: {'x' * 5000}")) < 200


@pytest.mark.parametrize(
    "text",
    [
        "seed: ${HIDDEN}",
        "sandbox: {backend: '${HIDDEN}'}",
        "models: {endpoints: [{name: a, model_name: m, base_url: '${HIDDEN}'}]}",
        "models: {endpoints: [{name: a, model_name: m, api_key: '${HIDDEN}'}]}",
        "models: {endpoints: [{name: a, model_name: m, api_key: ['sk-never-shown-0123456789']}]}",
        "models: {endpoints: [{name: a, model_name: m, api_keey: 'sk-never-shown-0123456789'}]}",
    ],
)
def test_no_error_shows_what_a_variable_or_a_key_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("HIDDEN", SECRET)
    said = message(tmp_path, text, base="sources: [{path: docs}]\ndataset: {name: small}\n")
    assert SECRET not in said


def test_no_error_carries_the_values_in_its_chain(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(f"{BASE}seed: x\n".replace("offline}", f"offline, api_key: {SECRET}}}"))
    with pytest.raises(ConfigError) as error:
        load_config(path)
    assert error.value.__cause__ is None
    assert error.value.__context__ is None


def test_a_value_from_a_variable_is_shown_as_its_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET", "lots")
    assert message(tmp_path, "seed: ${TARGET}") == (
        "seed: the value of ${TARGET} is not a whole number (c.yaml)"
    )


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    message(tmp_path, "seed: x")
    assert capfd.readouterr() == ("", "")


def test_three_thirds_to_three_digits_sum_to_one() -> None:
    third = Allocation(ratio=0.333)
    Generation(
        type_allocations={"qa": third, "code_generation": third, "function_completion": third}
    )


@given(st.lists(st.floats(0.01, 1), min_size=3, max_size=3))
def test_ratios_that_were_divided_by_their_sum_are_accepted(weights: list[float]) -> None:
    qa, code, function = (Allocation(ratio=weight / sum(weights)) for weight in weights)
    Generation(
        type_allocations={"qa": qa, "code_generation": code, "function_completion": function}
    )


@pytest.mark.parametrize(
    ("settings", "seeing"),
    [
        ("", set()),
        ("- {name: a, base_url: 'http://localhost/v1', model_name: m}", {"a"}),
        (
            (
                "- {name: vision, base_url: 'http://localhost/v1', model_name: m}\n"
                "  - {name: b, base_url: 'http://localhost/v1', model_name: m}"
            ),
            {"vision"},
        ),
        (
            (
                "- {name: vision, base_url: 'http://localhost/v1', model_name: m, vision: false}\n"
                "  - {name: b, base_url: 'http://localhost/v1', model_name: m, vision: true}"
            ),
            {"b"},
        ),
    ],
)
def test_an_endpoint_sees_when_it_describes_images_or_says_so(
    tmp_path: Path, settings: str, seeing: set[str]
) -> None:
    path = tmp_path / "c.yaml"
    models = f"models:\n  endpoints:\n  {settings}\n" if settings else ""
    path.write_text(f"sources: [{{path: docs}}]\ndataset: {{name: small}}\n{models}")
    config = load_config(path).config
    assert {e.name for e in config.models.endpoints if config.sees(e)} == seeing
