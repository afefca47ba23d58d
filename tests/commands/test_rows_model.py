"""`rows` with a model: what it is asked, and what becomes of its replies."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import orjson
from pyarrow import parquet

from tests.commandline import command, environment, overrides, run
from tests.commands.rows_model import triplets
from tests.commands.rows_runs import asked, made, rows
from tests.loopback import Loopback, Prompt


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
