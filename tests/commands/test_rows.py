"""`rows`: the commands of the README, every flag, every refusal, and what comes of them."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import datasets
import orjson
import pytest
from pyarrow import parquet

from synth_dspy.commands.rows import GEMINI, Asked, configuration
from synth_dspy.config import load_config
from synth_dspy.dataset.row_columns import arrow_schema, read_csv
from synth_dspy.errors import UserError
from synth_dspy.programs.row_formats import BINS, FORMATS, LABELS
from synth_dspy.run import main
from synth_dspy.store.run_directory import read_json, read_jsonl
from tests.commandline import QUICKSTART, ROOT, Result, command, environment, overrides, run
from tests.commands.rows_model import triplets
from tests.loopback import Loopback, Prompt

DOCS = QUICKSTART.parent / "docs"


def here(cwd: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Result:
    """A command in this process: the same as `run`, in a tenth of its time."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(cwd)
        patch.setattr(sys, "argv", ["synth-dspy", *arguments])
        for name, value in (env or {}).items():
            patch.setenv(name, value)
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Result(code, out.getvalue(), err.getvalue())


def rows(cwd: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Result:
    return here(cwd, "rows", *arguments, "--skip-analysis", env=env)


def of_docs(cwd: Path, name: str, *arguments: str) -> Result:
    return rows(cwd, "--documents", str(DOCS), "--format", name, *arguments)


def made(cwd: Path, name: str, origin: str = "docs") -> list[dict[str, object]]:
    return list(read_jsonl(cwd / f"synthetic_data_{name}_from_{origin}.jsonl"))


# -- what is made --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(FORMATS))
def test_the_offline_model_makes_every_format_from_documents(tmp_path: Path, name: str) -> None:
    result = of_docs(tmp_path, name, "--samples", "30")
    assert result.code == 0, result.err
    found = made(tmp_path, name)
    assert len(found) == 30
    fields = {*FORMATS[name].fields, "source", "metadata"}
    assert all(set(row) == fields for row in found)


def test_labels_are_balanced(tmp_path: Path) -> None:
    assert of_docs(tmp_path, "pair-class", "--samples", "30").code == 0
    labels = [row["label"] for row in made(tmp_path, "pair-class")]
    assert {label: labels.count(label) for label in range(len(LABELS))} == {0: 10, 1: 10, 2: 10}


def test_scores_are_spread_over_the_range(tmp_path: Path) -> None:
    assert of_docs(tmp_path, "pair-score", "--samples", "30").code == 0
    found = made(tmp_path, "pair-score")
    assert {FORMATS["pair-score"].cell_of(row) for row in found} == set(BINS)


def test_each_row_has_the_span_that_its_text_stands_in(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    text = (DOCS / "pages" / "weather_corner.md").read_text()
    (tmp_path / "docs" / "page.md").write_text(text)
    arguments = ("--documents", "docs", "--format", "triplet", "--samples", "3")
    assert rows(tmp_path, *arguments).code == 0
    config = str(next(tmp_path.glob("outputs/*/rows.yaml")))
    shown = run("inspect", "--stage", "parse", "--json", "--config", config, cwd=tmp_path)
    parsed = json.loads(shown.out)
    spans = 0
    for row in made(tmp_path, "triplet"):
        metadata = json.loads(str(row["metadata"]))
        assert metadata["source"]["path"] == row["source"] == "page.md"
        for field, (start, end) in (metadata["spans"] or {}).items():
            assert parsed["text"][start:end] == row[field]
            spans += 1
    assert spans > 0


def test_the_three_files_hold_the_same_rows(tmp_path: Path) -> None:
    assert of_docs(tmp_path, "qa", "--samples", "12").code == 0
    stem, found = tmp_path / "synthetic_data_qa_from_docs", made(tmp_path, "qa")
    assert list(read_csv(stem.with_suffix(".csv"), arrow_schema(FORMATS["qa"].model))) == found
    assert parquet.read_table(stem.with_suffix(".parquet")).to_pylist() == found


def test_the_dataset_and_its_card_and_the_report_are_there(tmp_path: Path) -> None:
    given = ("--documents", str(DOCS), "--format", "pair-class", "--samples", "30")
    result = here(tmp_path, "rows", *given)
    assert result.code == 0, result.err
    (run_dir,) = tmp_path.glob("outputs/rows-pair-class-*")
    loaded = datasets.load_from_disk(str(run_dir / "final"))
    assert sum(loaded.num_rows.values()) == 30
    assert "recipe `rows`" in (run_dir / "final" / "README.md").read_text()
    statistics = read_json(run_dir / "analysis" / "statistics.json")
    assert statistics["counts"]["category"] == dict.fromkeys(LABELS, 10)
    assert (run_dir / "analysis" / "report.html").stat().st_size > 10_000


def test_no_section_is_in_two_splits(tmp_path: Path) -> None:
    assert of_docs(tmp_path, "pair", "--samples", "40").code == 0
    (final,) = tmp_path.glob("outputs/rows-pair-*/final")
    sections: dict[str, set[str]] = {}
    for split, part in datasets.load_from_disk(str(final)).items():
        for row in part:
            source = json.loads(row["metadata"])["source"]
            sections.setdefault(f"{source['path']} {source['heading']}", set()).add(split)
    assert all(len(splits) == 1 for splits in sections.values())
    assert len({split for splits in sections.values() for split in splits}) == 3


def test_a_second_run_asks_nothing_and_changes_no_byte(tmp_path: Path) -> None:
    of_docs(tmp_path, "triplet", "--samples", "10")
    before = {path.name: path.read_bytes() for path in tmp_path.glob("synthetic_data*")}
    again = of_docs(tmp_path, "triplet", "--samples", "10")
    assert {path.name: path.read_bytes() for path in tmp_path.glob("synthetic_data*")} == before
    assert "| 0 calls" in next(line for line in again.err.splitlines() if "write-rows" in line)


def test_more_samples_go_on_with_the_same_run(tmp_path: Path) -> None:
    assert of_docs(tmp_path, "triplet", "--samples", "10").code == 0
    first = made(tmp_path, "triplet")
    assert of_docs(tmp_path, "triplet", "--samples", "25").code == 0
    assert len(list(tmp_path.glob("outputs/rows-triplet-*"))) == 1
    assert len(made(tmp_path, "triplet")) == 25
    assert len(first) == 10


def test_a_query_chooses_passages_of_the_quickstart_offline(tmp_path: Path) -> None:
    arguments = ("--query", "dew point and humidity", "--format", "triplet", "--samples", "4")
    result = rows(tmp_path, *arguments)
    assert result.code == 0, result.err
    assert "model: offline (no --model, no GOOGLE_API_KEY); the query chooses" in result.err
    texts = " ".join(str(row["positive"]) for row in made(tmp_path, "triplet", "query"))
    assert "dew point" in texts


def test_what_cannot_be_filled_ends_with_one_and_a_table(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# Rain\n\nRain is water that falls from a cloud.\n")
    result = rows(tmp_path, "--documents", "docs", "--format", "pair", "--samples", "50")
    assert result.code == 1
    assert "saturated: every passage was used until it gave no new row" in result.err
    assert re.search(r"pair +rows +50 +\d", result.err)
    assert made(tmp_path, "pair")


# -- with a model --------------------------------------------------------------------------------


def asked(server: Loopback, *arguments: str) -> tuple[str, ...]:
    return ("--query", "rivers", "--model", "m", "--base-url", server.url, *arguments)


def test_the_refined_request_is_shown_and_kept(tmp_path: Path) -> None:
    with Loopback(triplets) as server:
        result = rows(tmp_path, *asked(server, "--format", "triplet", "--samples", "20"))
    assert result.code == 0, result.err
    assert "request   Rows on rivers, in plain words." in result.err
    assert "subjects  subject 0; subject 1;" in result.err
    (journal,) = tmp_path.glob("outputs/*/refined/journal.jsonl")
    assert "Rows on rivers" in journal.read_text()


def test_no_refine_asks_with_the_query_as_it_is(tmp_path: Path) -> None:
    with Loopback(triplets) as server:
        result = rows(
            tmp_path, *asked(server, "--format", "triplet", "--samples", "20", "--no_refine")
        )
        text = orjson.dumps(server.bodies).decode()
    assert result.code == 0, result.err
    assert "refined_request" not in text
    assert "[[ ## request ## ]]\\nrivers" in text


def test_sampling_reaches_the_endpoint(tmp_path: Path) -> None:
    given = ("--temperature", "1.5", "--top_p", "0.5", "--top-k", "7")
    with Loopback(triplets) as server:
        rows(tmp_path, *asked(server, "--format", "triplet", "--samples", "5", *given))
        body = server.bodies[-1]
    assert (body["temperature"], body["top_p"], body["top_k"]) == (1.5, 0.5, 7)


def test_bad_rows_cost_only_themselves_and_extra_fields_are_counted(tmp_path: Path) -> None:
    def half(prompt: Prompt) -> object:
        reply = triplets(prompt)
        if reply and "rows" in reply:
            found = json.loads(reply["rows"])
            for row in found[::2]:
                row["why"] = "so"
            for row in found[1::4]:
                row["negative"] = ["not a text"]
            return {"rows": json.dumps(found)}
        return reply

    with Loopback(half) as server:
        result = rows(tmp_path, *asked(server, "--format", "triplet", "--samples", "30"))
    assert result.code == 0, result.err
    assert re.search(r"dropped \(invalid_row \d+\)", result.err)
    assert re.search(r"fields that the format does not have were left out: why \(\d+\)", result.err)
    assert all("why" not in row for row in made(tmp_path, "triplet", "query"))


def test_a_batch_of_which_nothing_can_be_read_is_asked_for_again(tmp_path: Path) -> None:
    def late(prompt: Prompt) -> object:
        if "rows" in prompt.asked and not prompt.body.get("seed"):
            return {"rows": '[{"anchor": 1}]'}
        return triplets(prompt)

    with Loopback(late) as server:
        result = rows(tmp_path, *asked(server, "--format", "triplet", "--samples", "20"))
    assert result.code == 0, result.err


def test_what_the_judge_refuses_is_not_in_the_files(tmp_path: Path) -> None:
    def strict(prompt: Prompt) -> object:
        if "acceptable" in prompt.asked:
            return {"acceptable": "ba" in prompt.given["row"], "reason": "so"}
        return triplets(prompt)

    with Loopback(strict) as server:
        result = rows(tmp_path, *asked(server, "--format", "triplet", "--samples", "30"))
    assert result.code == 0, result.err
    assert re.search(r"not_acceptable [1-9]", result.err)
    assert all("ba" in json.dumps(row) for row in made(tmp_path, "triplet", "query"))


def test_the_same_replies_give_the_same_rows_at_any_concurrency(tmp_path: Path) -> None:
    found = []
    for concurrency in (1, 16):
        cwd = tmp_path / str(concurrency)
        cwd.mkdir()
        with Loopback(triplets) as server:
            rows(
                cwd, *asked(server, "--format", "triplet", "--samples", "120"),
                *overrides(generation__llm_concurrency=concurrency),
            )  # fmt: skip
        found.append([row["anchor"] for row in made(cwd, "triplet", "query")])
    assert found[0] == found[1]
    assert len(found[0]) == 120


def test_a_budget_stop_ends_with_one_and_more_budget_goes_on_to_the_same_rows(
    tmp_path: Path,
) -> None:
    found = []
    with Loopback(triplets) as server:
        for cwd, budgets in ((tmp_path / "a", (3000, 10**7)), (tmp_path / "b", (10**7,))):
            cwd.mkdir()
            for tokens in budgets:
                result = rows(
                    cwd, *asked(server, "--format", "triplet", "--samples", "60"),
                    *overrides(generation__max_tokens_total=tokens),
                )  # fmt: skip
                assert result.code == (1 if tokens == 3000 else 0), result.err
            found.append([row["anchor"] for row in made(cwd, "triplet", "query")])
    assert found[0] == found[1]


def test_a_custom_format_is_asked_for_and_written(tmp_path: Path) -> None:
    fields = {"city": {"type": "string"}, "size": {"type": "integer", "required": False}}
    (tmp_path / "city.json").write_text(json.dumps({"fields": fields}))

    def cities(prompt: Prompt) -> object:
        if "rows" in prompt.asked:
            count, seed = int(prompt.given["count"]), prompt.given["variant"]
            found = [{"city": f"={hash(prompt.given['persona']) % 97}{seed}x{n}", "size": None}
                     for n in range(count)]  # fmt: skip
            return {"rows": json.dumps(found)}
        return triplets(prompt)

    with Loopback(cities) as server:
        given = asked(server, "--custom_format_file", "city.json", "--samples", "10")
        result = rows(tmp_path, *given, "--set", "generation.similarity_threshold=1")
        assert '\\"city\\": {\\"' in orjson.dumps(server.bodies).decode()
    assert result.code == 0, result.err
    table = parquet.read_table(tmp_path / "synthetic_data_city_from_query.parquet")
    assert [str(field.type) for field in table.schema] == ["string", "int64", "string", "string"]
    assert len(table) == 10


# -- what is said and refused --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--query", "a", "--documents", "b", "--format", "qa"],
         "--query and --documents exclude each other; give one."),
        (["--query", "a", "--format", "qa", "--custom_format_file", "b.json"],
         "--format and --custom-format-file exclude each other; give one."),
        (["--format", "qa"], "rows needs --query TEXT or --documents PATH."),
        (["--query", "a"], "rows needs --format {pair-class,"),
        (["--query", " ", "--format", "qa"], "--query is empty"),
        (["--query", "a", "--format", "quad"], "--format 'quad' is not one of pair-class,"),
        (["--query", "a", "--format", "qa", "--model", "gpt"], "--model 'gpt': a model is named"),
        (["--query", "a", "--format", "qa", "--base_url", "http://h/v1"], "needs --model"),
        (["--query", "a", "--format", "qa", "--output_format", "xlsx"], "'xlsx' is no output"),
        (["--query", "a", "--format", "qa", "--output_format", "csv", "tsv"], "'tsv' is no output"),
        (["--query", "a", "--format", "qa", "--log_level", "loud"], "--log-level 'loud' is not"),
        (["--documents", "gone", "--format", "qa"], "gone"),
        (["--query", "zzzz", "--format", "qa"], "No passage of the documents has to do with"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_a_sentence(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = rows(tmp_path, *arguments)
    assert result.code == 2
    assert message in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("option", "value"),
    [("--temperature", "2.1"), ("--top_p", "1.1"), ("--samples", "0"), ("--batch_size", "0")],
)
def test_numbers_out_of_range_are_refused_by_their_option(
    tmp_path: Path, option: str, value: str
) -> None:
    result = rows(tmp_path, "--query", "a", "--format", "qa", option, value)
    assert result.code == 2
    assert option.replace("_", "-") in result.err


def test_a_custom_format_needs_a_model(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"fields": {"a": {"type": "string"}}}))
    result = rows(tmp_path, "--documents", str(DOCS), "--custom-format-file", "a.json")
    assert result.code == 2
    assert "The format 'a' needs a model" in result.err


def test_a_query_alone_needs_a_model_in_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "q.yaml").write_text(
        "recipe: rows\ndataset: {name: q}\nrows: {query: rivers, format: qa}\n"
    )
    result = here(tmp_path, "pipeline", "--config", "q.yaml")
    assert result.code == 2
    assert "A query alone needs a model" in result.err


def test_a_configuration_without_a_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "q.yaml").write_text("recipe: rows\ndataset: {name: q}\nrows: {query: rivers}\n")
    result = here(tmp_path, "pipeline", "--config", "q.yaml")
    assert result.code == 2
    assert "rows.format: name one of pair-class" in result.err


def test_a_configuration_without_material_is_refused(tmp_path: Path) -> None:
    (tmp_path / "q.yaml").write_text("recipe: rows\ndataset: {name: q}\nrows: {format: qa}\n")
    result = here(tmp_path, "pipeline", "--config", "q.yaml")
    assert result.code == 2
    assert "rows need material" in result.err


def test_the_model_is_the_flags_then_geminis_then_the_offline_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask = Asked(query="a", format="qa")
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    assert configuration(ask)[0]["models"]["endpoints"][0]["model_name"] == "offline"
    monkeypatch.setenv("GOOGLE_API_KEY", "k-123")
    told, why = configuration(ask)
    assert told["models"]["endpoints"][0]["model_name"] == GEMINI
    assert "k-123" not in json.dumps(told)
    assert why == f"{GEMINI} (GOOGLE_API_KEY is set)"
    chosen = configuration(Asked(query="a", format="qa", model="openai/x"))[0]
    assert chosen["models"]["endpoints"][0]["model_name"] == "openai/x"


def test_the_model_of_a_configuration_goes_before_the_environment(tmp_path: Path) -> None:
    env = {"GOOGLE_API_KEY": "k"}
    result = rows(tmp_path, "--config", str(ROOT / "configs" / "rows.yaml"), "--samples", "3",
                  env=env)  # fmt: skip
    assert result.code == 0, result.err
    assert result.err.startswith("model: offline (endpoint 'offline' of")


def test_flags_go_before_the_configuration(tmp_path: Path) -> None:
    config = str(ROOT / "configs" / "rows.yaml")
    given = ("--config", config, "--format", "pair", "--samples", "3", "--output_prefix", "mine")
    result = rows(tmp_path, *given, "--output_format", "csv", "jsonl")
    assert result.code == 0, result.err
    names = sorted(path.name for path in tmp_path.glob("*pair*"))
    assert names == ["mine_pair_from_docs.csv", "mine_pair_from_docs.jsonl"]


def test_a_query_with_the_mark_of_a_variable_is_text(tmp_path: Path) -> None:
    result = rows(tmp_path, "--query", "the ${LEVEL} of a river", "--format", "pair",
                  "--samples", "1")  # fmt: skip
    assert result.code == 0, result.err


def test_defaults_are_those_of_the_design() -> None:
    told, _ = configuration(Asked(documents=DOCS, format="qa", model="offline"))
    endpoint = told["models"]["endpoints"][0]
    assert (endpoint["temperature"], endpoint["top_p"]) == (0.4, 0.95)
    section = load_config(ROOT / "configs" / "rows.yaml").config.rows.model_copy()
    fresh = type(section)()
    assert (fresh.samples, fresh.batch_size, fresh.max_retries) == (50, 25, 5)
    assert (fresh.refine, fresh.output_prefix) == (True, "synthetic_data")
    assert fresh.output_formats == ("jsonl", "csv", "parquet")


def test_two_formats_in_a_configuration_are_refused(tmp_path: Path) -> None:
    (tmp_path / "q.yaml").write_text(
        "recipe: rows\ndataset: {name: q}\nrows: {format: qa, custom_format: a.json}\n"
    )
    with pytest.raises(UserError, match=r"rows\.format: `custom_format` is given, too"):
        load_config(tmp_path / "q.yaml")


def test_help_groups_every_flag(tmp_path: Path) -> None:
    text = here(tmp_path, "rows", "--help").out
    for heading in ("What the rows are made from", "Format and number", "Model", "Files", "Run"):
        assert f"{heading}:" in text
    for flag in ("query", "documents", "format", "custom-format-file", "samples", "no-refine",
                 "model", "temperature", "top-p", "top-k", "output-prefix", "output-format",
                 "incremental-save", "batch-size", "max-retries", "log-level"):  # fmt: skip
        assert f"--{flag}" in text


def test_both_spellings_of_a_flag_are_one() -> None:
    import typer

    from synth_dspy.run import app

    command_ = typer.main.get_command(app).commands["rows"]  # type: ignore[attr-defined]
    for spelled in ("--top_p", "--top-p"):
        with command_.make_context("rows", [spelled, "0.5"]) as context:
            assert context.params["top_p"] == 0.5


def test_the_shipped_configuration_makes_its_rows(tmp_path: Path) -> None:
    config = str(ROOT / "configs" / "rows.yaml")
    result = run("pipeline", "--config", config, "--skip-analysis", cwd=tmp_path)
    assert result.code == 0, result.err
    assert len(made(tmp_path, "triplet")) == 60


def test_stages_run_alone_give_what_the_pipeline_gives(tmp_path: Path) -> None:
    config = ("--config", str(ROOT / "configs" / "rows.yaml"), *overrides(rows__samples=8))
    for stage in ("parse", "chunk", "write-rows", "export"):
        assert (done := here(tmp_path, stage, *config)).code == 0, done.err
    alone = made(tmp_path, "triplet")
    other = tmp_path / "other"
    other.mkdir()
    assert here(other, "pipeline", *config, "--skip-analysis").code == 0
    assert alone == made(other, "triplet")


def test_interrupting_keeps_the_rows_and_the_same_command_goes_on(tmp_path: Path) -> None:
    import signal
    import time

    with Loopback(triplets, latency_s=0.05) as server:
        what = ["rows", *asked(server, "--format", "triplet", "--samples", "400"),
                "--incremental-save", "--skip-analysis"]  # fmt: skip
        process = subprocess.Popen(
            command(*what), cwd=tmp_path, env=environment(), stderr=subprocess.DEVNULL
        )
        live = tmp_path / "synthetic_data_triplet_from_query.jsonl"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (live.exists() and live.stat().st_size):
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        kept = live.read_bytes()
        assert kept
        assert run(*what, cwd=tmp_path).code == 0
    assert live.read_bytes().startswith(kept)
    assert len(made(tmp_path, "triplet", "query")) == 400
