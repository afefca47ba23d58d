"""The files that are shipped, the contract's keys, roles, redaction, the table of settings."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from synth_dspy.config import Config, Endpoint, Generation, Parsing, describe_settings, load_config
from synth_dspy.config.redact import redacted
from synth_dspy.config.settings import section_at
from synth_dspy.parsing.chunking import ChunkOptions
from synth_dspy.parsing.options import ParseOptions

ROOT = Path(__file__).parents[1]
QUANTUM = ROOT / "configs" / "quantum.yaml"
QUICKSTART = ROOT / "configs" / "quickstart" / "config.yaml"
ROLES = ("VISION", "QUESTION", "ANSWER", "CURATE")

CONTRACT = {
    "": (
        "recipe", "sources", "categories", "models", "prompts", "generation", "dataset", "sandbox",
        "tracking", "seed", "output_dir",
    ),
    "sources[].": (
        "path", "type", "folders", "include_patterns", "exclude_patterns", "public_roots",
        "max_files",
    ),
    "categories[].": ("name", "description", "weight"),
    "models.endpoints[].": (
        "name", "base_url", "api_key", "model_name", "max_tokens", "temperature", "timeout",
        "max_retries", "retry_delay", "requests_per_minute", "tokens_per_minute",
    ),
    "generation.": (
        "target_samples", "question_model", "vision_model", "answer_model", "curate_model",
        "filter_model", "llm_concurrency", "vlm_concurrency", "over_allocation_factor",
        "diversity_weight", "difficulty_weights", "max_context_length", "chunk_overlap",
        "min_chunk_length", "max_code_blocks_per_chunk", "max_images_per_chunk",
        "similarity_threshold", "code_verification_max_iterations", "code_verification_timeout",
        "max_cost_usd", "max_tokens_total",
    ),
    "generation.type_allocations.<name>.": ("ratio", "multimodal_ratio"),
    "dataset.": (
        "name", "description", "train_split", "val_split", "test_split", "license",
    ),
}  # fmt: skip


@pytest.fixture
def endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    for role in ROLES:
        monkeypatch.setenv(f"{role}_MODEL_BASE_URL", f"http://127.0.0.1:9/{role}/v1/")
        monkeypatch.setenv(f"{role}_MODEL_API_KEY", f"key-of-{role}")
        monkeypatch.setenv(f"{role}_MODEL_NAME", f"vendor/{role}")


def test_the_quickstart_needs_no_variable_and_no_network() -> None:
    config = load_config(QUICKSTART).config
    assert [endpoint.is_offline for endpoint in config.models.endpoints] == [True]
    assert config.sources[0].resolved == ROOT / "configs" / "quickstart" / "docs"


def test_the_quickstart_asks_for_all_types_and_a_fifth_multimodal() -> None:
    generation = load_config(QUICKSTART).config.generation
    allocations = generation.type_allocations
    assert set(allocations) == {"function_completion", "code_generation", "qa"}
    assert sum(a.ratio * a.multimodal_ratio for a in allocations.values()) >= 0.2
    assert generation.target_samples >= 60


@pytest.mark.usefixtures("endpoints")
def test_the_quantum_configuration_loads_without_a_note() -> None:
    assert load_config(QUANTUM).notes == ()


@pytest.mark.usefixtures("endpoints")
def test_the_quantum_configuration_has_its_seven_categories_described() -> None:
    categories = load_config(QUANTUM).config.categories
    assert [category.name for category in categories] == [
        "circuits_and_gates",
        "quantum_info_and_operators",
        "algorithms_and_applications",
        "hardware_and_providers",
        "transpilation_and_compilation",
        "primitives_and_execution",
        "noise_and_error_mitigation",
    ]
    assert all(len(category.description) > 100 for category in categories)


@pytest.mark.usefixtures("endpoints")
def test_the_quantum_configuration_has_its_ratios() -> None:
    allocations = load_config(QUANTUM).config.generation.type_allocations
    shares = {name: (a.ratio, a.multimodal_ratio) for name, a in allocations.items()}
    assert shares == {
        "qa": (0.30, 0.70),
        "code_generation": (0.35, 0.30),
        "function_completion": (0.35, 0.30),
    }


@pytest.mark.usefixtures("endpoints")
@pytest.mark.parametrize("role", ["vision", "question", "answer", "curate"])
def test_each_role_of_the_quantum_configuration_has_its_own_endpoint(role: str) -> None:
    endpoint = load_config(QUANTUM).config.endpoint_for(role)  # type: ignore[arg-type]
    name = role.upper()
    assert endpoint.base_url == f"http://127.0.0.1:9/{name}/v1"
    assert endpoint.api_key.get_secret_value() == f"key-of-{name}"
    assert endpoint.model_name == f"vendor/{name}"


def test_shipped_files_are_plain_yaml_in_keys_that_exist() -> None:
    known = set(Config.model_fields)
    for path in (QUANTUM, QUICKSTART):
        assert set(yaml.safe_load(path.read_text(encoding="utf-8"))) <= known


def test_the_example_environment_names_every_variable_of_the_quantum_configuration() -> None:
    named = set(dotenv_values(ROOT / ".env.example"))
    text = QUANTUM.read_text(encoding="utf-8")
    wanted = {f"{r}_MODEL_{part}" for r in ROLES for part in ("BASE_URL", "API_KEY", "NAME")}
    assert wanted <= named
    assert all(f"${{{name}}}" in text for name in wanted)


@pytest.mark.parametrize("key", [f"{at}{name}" for at, names in CONTRACT.items() for name in names])
def test_a_key_that_users_know_exists(key: str) -> None:
    assert key in {setting.key for setting in describe_settings()}


# --- roles -------------------------------------------------------------------------------------


def config(names: list[str], **generation: object) -> Config:
    return Config.model_validate(
        {
            "sources": [{"path": "docs"}],
            "dataset": {"name": "x"},
            "models": {"endpoints": [{"name": n, "model_name": "offline"} for n in names]},
            "generation": generation,
        }
    )


def test_a_role_uses_the_endpoint_that_generation_names() -> None:
    assert config(["a", "answer", "b"], answer_model="b").endpoint_for("answer").name == "b"


@pytest.mark.parametrize("name", ["answer", "answer-model", "answer_model"])
def test_a_role_uses_the_endpoint_that_is_named_after_it(name: str) -> None:
    assert config(["a", name]).endpoint_for("answer").name == name


def test_a_role_that_nothing_names_uses_the_first_endpoint() -> None:
    assert config(["a", "b"]).endpoint_for("vision").name == "a"


def test_filters_use_the_curate_model_when_they_have_none() -> None:
    assert config(["a", "b"], curate_model="b").endpoint_for("filter").name == "b"
    assert config(["a", "filter"], curate_model="a").endpoint_for("filter").name == "filter"


def test_a_providers_prefix_needs_no_address() -> None:
    assert Endpoint(name="a", model_name="anthropic/some-model").base_url is None


# --- redaction ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("endpoints")
def test_a_redacted_configuration_is_json_without_a_key() -> None:
    text = json.dumps(load_config(QUANTUM).config.redacted())
    assert "key-of-" not in text
    assert "vendor/ANSWER" in text


def test_a_redacted_configuration_says_whether_a_key_was_given() -> None:
    given_ = Endpoint.model_validate({"name": "a", "model_name": "offline", "api_key": "k"})
    absent = Endpoint(name="a", model_name="offline")
    assert redacted(given_.model_dump())["api_key"] == "***"
    assert redacted(absent.model_dump())["api_key"] == ""


secrets = st.text("ABCDEFGH", min_size=12, max_size=20)


@given(secrets)
def test_no_secret_survives_redaction_wherever_it_is_put(secret: str) -> None:
    made = Config.model_validate(
        {
            "sources": [{"path": "docs"}],
            "dataset": {"name": "x"},
            "tracking": {"uri": f"https://me:{secret}@host/mlflow"},
            "models": {
                "endpoints": [
                    {
                        "name": "a",
                        "model_name": "m",
                        "api_key": secret,
                        "base_url": f"https://host/v1?api_key={secret}&x=1",
                        "extra_body": {"auth": [{"Authorization": secret}], "api-key": secret},
                    }
                ]
            },
        }
    )
    assert secret not in json.dumps(made.redacted())
    assert secret not in repr(made.models.endpoints[0].api_key)


def test_redaction_keeps_what_is_no_secret() -> None:
    settings = {"max_tokens": 9, "stop": ["a"], "base_url": "http://host:8000/v1", "none": None}
    assert redacted(settings) == settings


# --- the table of settings ---------------------------------------------------------------------


def test_every_setting_says_what_it_is_for() -> None:
    assert [s.key for s in describe_settings() if not s.description] == []


def test_settings_are_listed_once() -> None:
    keys = [setting.key for setting in describe_settings()]
    assert len(keys) == len(set(keys))


def test_a_setting_has_its_type_and_default() -> None:
    settings = {setting.key: setting for setting in describe_settings()}
    target = settings["generation.target_samples"]
    assert (target.type, target.default) == ("whole number", "100")
    assert settings["sandbox.backend"].type == "auto | docker | bwrap | process"
    assert settings["dataset.name"].default == "required"
    assert settings["sources[].max_files"].default == "none"


def test_a_location_leads_to_its_section() -> None:
    assert section_at(("models", "endpoints", 0)) is Endpoint
    assert section_at(("models", "endpoints")) is None
    assert section_at(()) is Config
    assert section_at(("nowhere", "at", "all")) is None


def test_the_parsing_section_is_what_parsers_take() -> None:
    assert ParseOptions(**Parsing().model_dump()) == ParseOptions()


def test_the_lengths_of_chunks_are_what_the_chunker_takes() -> None:
    generation, options = Generation(), ChunkOptions()
    names = (
        "max_context_length", "chunk_overlap", "min_chunk_length", "max_code_blocks_per_chunk",
        "max_images_per_chunk",
    )  # fmt: skip
    assert [getattr(generation, n) for n in names] == [getattr(options, n) for n in names]


def test_importing_the_configuration_imports_nothing_heavy() -> None:
    code = (
        "import sys, synth_dspy.config;"
        "heavy = {'dspy', 'litellm', 'mlflow', 'datasets', 'sklearn', 'docker', 'numpy', 'fitz'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
