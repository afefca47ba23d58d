"""Loading: files, overrides, variables, `.env`, defaults, paths."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_dspy.config import Config, default_config_path, environment, load_config
from synth_dspy.config.overrides import apply_overrides, parse_override
from synth_dspy.config.variables import expand
from synth_dspy.errors import ConfigError

MINIMAL = "sources: [{path: docs}]\ndataset: {name: small}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str, name: str = "c.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def load(folder: Path, text: str = "", *overrides: str) -> Config:
    return load_config(write(folder, MINIMAL + text), overrides).config


def test_a_minimal_file_has_the_documented_defaults(folder: Path) -> None:
    config = load(folder)
    generation, endpoint = config.generation, config.models.endpoints[0]
    assert (generation.over_allocation_factor, generation.diversity_weight) == (1.8, 0.4)
    assert (generation.llm_concurrency, generation.vlm_concurrency) == (16, 16)
    assert generation.code_verification_max_iterations == 7
    assert generation.test_corrections == 3
    assert generation.code_verification_timeout == 60
    assert generation.similarity_threshold == 0.85
    assert generation.keep_extra_samples is False
    assert (endpoint.max_retries, endpoint.retry_delay, endpoint.timeout) == (5, 1.0, 300)
    dataset = config.dataset
    assert (dataset.train_split, dataset.val_split, dataset.test_split) == (0.70, 0.15, 0.15)
    assert config.seed == 42
    assert config.recipe == "assistant"


def test_without_models_every_role_asks_the_offline_model(folder: Path) -> None:
    config = load(folder)
    assert config.models.endpoints[0].is_offline
    for role in ("question", "vision", "answer", "curate", "filter"):
        assert config.endpoint_for(role).is_offline  # type: ignore[arg-type]


def test_a_source_is_resolved_against_the_configuration_file(folder: Path) -> None:
    path = write(folder, MINIMAL, "deep/er/c.yaml")
    source = load_config(path).config.sources[0]
    assert source.resolved == folder / "deep" / "er" / "docs"
    assert source.name == "docs"


def test_public_roots_are_resolved_against_the_configuration_file(folder: Path) -> None:
    path = write(
        folder, "sources: [{path: a, public_roots: [../p]}]\ndataset: {name: x}\n", "in/c.yaml"
    )
    assert load_config(path).config.sources[0].resolved_public_roots == (folder / "p",)


def test_the_run_directory_is_outputs_and_the_name_in_the_working_directory(folder: Path) -> None:
    path = write(folder, MINIMAL, "elsewhere/c.yaml")
    assert load_config(path).config.output_dir == folder / "outputs" / "small"


def test_a_given_run_directory_is_resolved_against_the_working_directory(folder: Path) -> None:
    path = write(folder, MINIMAL + "output_dir: runs/one\n", "elsewhere/c.yaml")
    assert load_config(path).config.output_dir == folder / "runs" / "one"


def test_a_configuration_remembers_its_file(folder: Path) -> None:
    assert load(folder).file == folder / "c.yaml"


def test_a_configuration_is_frozen(folder: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(folder).seed = 7


def test_a_section_that_is_all_comments_has_its_defaults(folder: Path) -> None:
    assert load(folder, "generation:\n  # target_samples: 3\n").generation.target_samples == 100


def test_a_byte_order_mark_is_no_part_of_the_first_key(folder: Path) -> None:
    path = folder / "c.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + MINIMAL.encode())
    assert load_config(path).config.dataset.name == "small"


# --- overrides ---------------------------------------------------------------------------------


def test_an_override_wins_over_the_file(folder: Path) -> None:
    config = load(folder, "seed: 1\n", "seed=2")
    assert config.seed == 2


def test_a_later_override_wins(folder: Path) -> None:
    assert load(folder, "", "seed=2", "seed=3").seed == 3


def test_an_override_makes_the_sections_it_needs(folder: Path) -> None:
    assert load(folder, "", "sandbox.backend=process").sandbox.backend == "process"


def test_an_override_reaches_into_a_list(folder: Path) -> None:
    config = load(folder, "", "sources.0.path=other")
    assert config.sources[0].resolved == folder / "other"


def test_an_override_appends_to_a_list(folder: Path) -> None:
    config = load(folder, "", "sources.1.path=more")
    assert [source.path for source in config.sources] == ["docs", "more"]


def test_an_override_is_read_as_yaml(folder: Path) -> None:
    config = load(folder, "", "sandbox.packages=[a, b]", "tracking.enabled=false")
    assert config.sandbox.packages == ("a", "b")
    assert config.tracking.enabled is False


def test_the_value_of_an_override_may_hold_an_equals_sign(folder: Path) -> None:
    assert load(folder, "", "dataset.description=a=b").dataset.description == "a=b"


steps = st.lists(st.text("abcxyz_", min_size=1, max_size=6), min_size=1, max_size=4)


@given(steps, st.integers())
def test_what_an_override_sets_is_found_at_its_key(keys: list[str], value: int) -> None:
    tree = apply_overrides({}, [parse_override(f"{'.'.join(keys)}={value}")])
    for key in keys:
        tree = tree[key]
    assert tree == value


def test_applying_overrides_leaves_the_tree_as_it_was() -> None:
    tree = {"sources": [{"path": "a"}]}
    apply_overrides(tree, [parse_override("sources.0.path=b")])
    assert tree == {"sources": [{"path": "a"}]}


# --- variables ---------------------------------------------------------------------------------


def test_a_variable_is_replaced_by_its_value(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_HOME", "there")
    assert load(folder, "", "sources.0.path=${DATA_HOME}/docs").sources[0].path == "there/docs"


def test_a_number_may_come_from_a_variable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARGET", "12")
    assert load(folder, "generation: {target_samples: '${TARGET}'}").generation.target_samples == 12


@pytest.mark.parametrize("value", [None, ""])
def test_a_default_stands_for_a_variable_that_is_unset_or_empty(
    folder: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("SEED", raising=False)
    if value is not None:
        monkeypatch.setenv("SEED", value)
    assert load(folder, "seed: ${SEED:-5}\n").seed == 5


def test_an_empty_default_leaves_out_an_optional_setting(folder: Path) -> None:
    config = load(folder, "generation: {max_cost_usd: '${NO_SUCH_LIMIT:-}'}")
    assert config.generation.max_cost_usd is None


def test_a_doubled_dollar_is_a_literal_reference(folder: Path) -> None:
    assert load(folder, "prompts: {question: 'cost $${PRICE}'}").prompts["question"] == (
        "cost ${PRICE}"
    )


def test_latex_in_a_prompt_is_no_reference(folder: Path) -> None:
    text = r"$|\psi\rangle$ and ${\theta}$"
    assert load(folder, f"prompts: {{question: '{text}'}}").prompts["question"] == text


def test_dotenv_adds_to_the_environment(folder: Path) -> None:
    write(folder, "SYNTH_TEST_SEED=9\n", ".env")
    assert load(folder, "seed: ${SYNTH_TEST_SEED}\n").seed == 9


def test_the_environment_wins_over_dotenv(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, "SYNTH_TEST_SEED=9\n", ".env")
    monkeypatch.setenv("SYNTH_TEST_SEED", "3")
    assert load(folder, "seed: ${SYNTH_TEST_SEED}\n").seed == 3


def test_reading_dotenv_leaves_the_process_environment_alone(folder: Path) -> None:
    write(folder, "SYNTH_TEST_SEED=9\n", ".env")
    assert environment()["SYNTH_TEST_SEED"] == "9"
    assert "SYNTH_TEST_SEED" not in os.environ


plain = st.text(st.characters(blacklist_characters="$", blacklist_categories=("Cs",)))
trees = st.recursive(
    plain | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain, inner, max_size=3),
    max_leaves=8,
)


@given(trees)
def test_a_tree_without_references_is_left_as_it_is(tree: object) -> None:
    assert expand(tree, {"A": "1"}) == (tree, ())


# --- files that cannot be read -----------------------------------------------------------------


def message(path: Path, *overrides: str) -> str:
    with pytest.raises(ConfigError) as error:
        load_config(path, overrides)
    return str(error.value)


def test_a_missing_file_is_named(folder: Path) -> None:
    assert (
        message(Path("no.yaml"))
        == "no.yaml does not exist; name a configuration with --config FILE"
    )


def test_a_folder_is_no_configuration(folder: Path) -> None:
    assert "is a folder; name the YAML file in it" in message(folder)


def test_an_empty_file_is_said_to_be_empty(folder: Path) -> None:
    assert "c.yaml is empty; copy one of the files in configs/" in message(write(folder, "# no\n"))


def test_a_list_is_no_configuration(folder: Path) -> None:
    assert "holds 'list' data, not `key: value` settings" in message(write(folder, "- a\n"))


def test_bytes_that_are_not_utf8_are_said_to_be_so(folder: Path) -> None:
    path = folder / "c.yaml"
    path.write_bytes(b"seed: \xff\n")
    assert "is not UTF-8 text (byte 6); save it as UTF-8" in message(path)


def test_invalid_yaml_is_shown_by_line_and_column(folder: Path) -> None:
    text = message(write(folder, "seed: 1\nsources: [a\ndataset: {name: x}\n"))
    assert "c.yaml, line 3, column 8: not valid YAML: " in text


def test_a_tab_for_indentation_is_shown_by_line(folder: Path) -> None:
    assert "c.yaml, line 2, column 1: not valid YAML: " in message(write(folder, "a:\n\tb: 1\n"))


def test_a_key_that_is_given_twice_is_refused(folder: Path) -> None:
    text = message(write(folder, MINIMAL + "seed: 1\nseed: 2\n"))
    assert "line 4, column 1: not valid YAML: the key 'seed' is given twice" in text


def test_a_merged_mapping_may_be_overridden(folder: Path) -> None:
    text = (
        "models:\n  endpoints:\n"
        "  - &first {name: a, model_name: offline, seed: 1}\n"
        "  - {<<: *first, name: b}\n"
    )
    config = load(folder, text)
    assert [(e.name, e.seed) for e in config.models.endpoints] == [("a", 1), ("b", 1)]


def test_a_python_object_in_yaml_is_refused(folder: Path) -> None:
    assert "not valid YAML" in message(write(folder, "seed: !!python/object/apply:os.getcwd []\n"))


def test_a_character_that_yaml_forbids_is_refused(folder: Path) -> None:
    text = message(write(folder, MINIMAL + "seed: \x07\n"))
    assert "c.yaml: not valid YAML: unacceptable character #x0007" in text


def test_a_date_that_does_not_exist_is_refused(folder: Path) -> None:
    text = message(write(folder, MINIMAL + "seed: 2020-02-30\n"))
    assert "holds a value that cannot be read (day is out of range" in text
    assert "put it in quotes, or correct it" in text


def test_a_path_through_a_file_cannot_be_read(folder: Path) -> None:
    assert "c.yaml/x.yaml cannot be read: Not a directory" in message(
        write(folder, MINIMAL) / "x.yaml"
    )


def test_an_installation_without_its_quickstart_asks_for_a_configuration(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Path("configs/gone/config.yaml")
    monkeypatch.setattr("synth_dspy.config.load.DEFAULT_FILE", gone)
    with pytest.raises(ConfigError, match=f"{gone} is not there; name a configuration with --co"):
        default_config_path()


def test_an_alias_that_contains_itself_is_refused(folder: Path) -> None:
    text = message(write(folder, MINIMAL + "prompts: &p\n  a: *p\n"))
    assert "nested deeper than 40 levels; does an alias loop?" in text


def test_an_unreadable_dotenv_is_named(folder: Path) -> None:
    (folder / ".env").write_bytes(b"A=\xff\n")
    assert ".env cannot be read" in message(write(folder, MINIMAL))


# --- overrides that cannot be placed -----------------------------------------------------------


@pytest.mark.parametrize("text", ["seed", "=3", "a..b=1", ".=1"])
def test_an_override_without_key_and_value_is_refused(folder: Path, text: str) -> None:
    assert f"--set {text!r} has no dotted.key=value" in message(write(folder, MINIMAL), text)


def test_an_override_that_is_not_yaml_is_refused(folder: Path) -> None:
    assert "--set seed: the value is not YAML" in message(write(folder, MINIMAL), "seed=[1")


def test_an_override_past_the_end_of_a_list_is_refused(folder: Path) -> None:
    text = message(write(folder, MINIMAL), "sources.3.path=x")
    assert text == (
        "--set sources.3.path: 3 is not an index of that list; use 0 to 0, or 1 to append"
    )


def test_an_override_by_name_into_a_list_is_refused(folder: Path) -> None:
    text = message(write(folder, MINIMAL), "sources.docs.path=x")
    assert "'docs' is not an index of that list" in text


@pytest.mark.parametrize("key", ["seed.x", "seed.x.y"])
def test_an_override_into_a_plain_value_is_refused(folder: Path, key: str) -> None:
    text = message(write(folder, MINIMAL + "seed: 3\n"), f"{key}=1")
    assert text == f"--set {key}: 'x' leads into a value that has no keys"


# --- the default file --------------------------------------------------------------------------


def test_the_default_is_the_quickstart_of_the_working_directory(folder: Path) -> None:
    write(folder, MINIMAL, "configs/quickstart/config.yaml")
    assert default_config_path() == Path("configs/quickstart/config.yaml")


def test_elsewhere_the_default_is_the_quickstart_that_came_with_the_package(folder: Path) -> None:
    path = default_config_path()
    assert path.is_absolute()
    assert load_config(path).config.dataset.name == "quickstart"


def test_what_the_command_line_said_is_remembered_without_secrets(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("dataset: {name: a}\nsources: [{path: docs}]\n")
    said = (
        "seed=7",
        "dataset.description=two words",
        "output_dir=/somewhere",
        "models.endpoints=[{name: a, model_name: m, base_url: 'http://x', api_key: very-secret}]",
    )
    arguments = load_config(file, said).config.with_argument("--trial").arguments
    assert arguments[:2] == ("--set seed=7", "--set 'dataset.description=two words'")
    assert arguments[-1] == "--trial"
    assert len(arguments) == 4
    assert '"api_key": "***"' in arguments[2]


def test_aliases_that_multiply_are_refused(folder: Path) -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]")
    text = message(write(folder, "\n".join(lines) + "\n"))
    assert "holds more than 100,000 values when its aliases are followed" in text


def test_a_number_of_more_than_64_bits_is_named(folder: Path) -> None:
    text = message(write(folder, MINIMAL + "seed: 99999999999999999999\n"))
    assert "seed: the number is too large (20 digits); put it in quotes, or correct it" in text
