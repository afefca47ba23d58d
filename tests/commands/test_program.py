"""The Program from the command line: what it will ask, what it asked, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commandline import Result, overrides
from tests.loopback import Loopback, Prompt, Reply

WORDS = "{qa: {ratio: 0.5, multimodal_ratio: 0}, summary: {ratio: 0.5}}"


def endpoint(server: Loopback, **settings: object) -> list[str]:
    """Overrides for one endpoint that serves every role."""
    given = {"name": "all", "base_url": server.url, "model_name": "m", "max_retries": 1, **settings}
    listed = ", ".join(f"{k}: {json.dumps(v)}" for k, v in given.items())
    return overrides(models__endpoints=f"[{{{listed}}}]")


def test_an_estimate_names_calls_tokens_and_cost_by_step_and_asks_nothing(
    project: Path, small: Callable[..., Result]
) -> None:
    with Loopback() as server:
        priced = endpoint(server, price_per_million_input=1.0, price_per_million_output=4.0)
        result = small("plan", "--estimate", "--json", *priced)
        assert server.count == 0
    assert result.code == 0, result.err
    told = json.loads(result.out)
    steps = {line["step"]: line for line in told["steps"]}
    assert told["target_samples"] == 3
    assert told["basis"] == "assumed"
    # Two of the three are qa: they take more tries than are wanted, and every try is judged once.
    assert 2 < steps["write_question"]["calls"] <= 8
    assert steps["judge_chunk"]["calls"] == told["chunks"] > 0
    assert steps["write_stub"]["calls"] == steps["write_test"]["calls"]
    assert steps["refine_question"]["calls"] > 0
    assert all(line["model"] == "m" for line in told["steps"])
    assert told["calls"] == sum(line["calls"] for line in told["steps"])
    for line in told["steps"]:
        cost = line["input_tokens"] / 1e6 + 4 * line["output_tokens"] / 1e6
        assert line["cost_usd"] == pytest.approx(cost, abs=1e-4)
    assert told["cost_usd"] == pytest.approx(sum(s["cost_usd"] for s in told["steps"]), abs=1e-3)
    assert not (project / "outputs" / "small" / "planned" / "journal.jsonl").exists()


def test_an_estimate_without_a_price_says_so_instead_of_zero(small: Callable[..., Result]) -> None:
    with Loopback() as server:
        result = small("plan", "--estimate", "--json", *endpoint(server))
    told = json.loads(result.out)
    assert told["cost_usd"] is None
    assert told["models_without_price"] == ["m"]


def test_an_estimate_after_a_run_goes_by_what_was_measured(small: Callable[..., Result]) -> None:
    assert small("pipeline", "--skip-analysis").code == 0
    told = json.loads(small("plan", "--estimate", "--json").out)
    assert told["basis"] == "measured"
    assert "judge_chunk" not in {line["step"] for line in told["steps"]}
    assert told["cost_usd"] == 0
    shown = small("plan", "--estimate").out
    assert "write_question" in shown
    assert "rates that are measured" in shown


def test_prompts_are_shown_as_they_are_sent(project: Path, small: Callable[..., Result]) -> None:
    own = overrides(prompts__judge_sample="Judge like a librarian.")
    shown = json.loads(small("info", "--json", "--prompts", *own).out)["prompts"]["judge_sample"]
    assert shown["instructions"] == "Judge like a librarian."
    assert shown["role"] == "curate"
    assert shown["replaced"] == "true"
    result = small("pipeline", "--skip-analysis", *own)
    assert result.code == 0, result.err
    assert "yours replace the instructions" in result.err
    assert "judge_sample" in result.err
    lines = (project / "outputs/small/traces/conversations.jsonl").read_text().splitlines()
    sent = [c for c in map(json.loads, lines) if c["step"] == "JudgeSample"][-1]["messages"]
    assert sent[0]["content"] == shown["system"]
    user = shown["user"]
    for name in ("type", "form", "question", "answer", "passage"):
        assert f"[[ ## {name} ## ]]\n{{{name}}}" in user
        assert f"[[ ## {name} ## ]]\n" in sent[1]["content"]
    assert user.rpartition("Respond with")[2] == sent[1]["content"].rpartition("Respond with")[2]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"prompts__judge_sample": "Judge {context}."},
         "prompts.judge_sample: '{context}' is a placeholder"),
        ({"prompts__judge_sample": "Judge {{ context }}."},
         "prompts.judge_sample: '{{ context }}' is a placeholder"),
        ({"prompts__judge_smple": "Judge."}, "Did you mean 'judge_sample'?"),
        ({"generation__type_allocations": "{captoin: {ratio: 1}}"},
         "generation.type_allocations: 'captoin' is not one of"),
        ({"generation__type_allocations": "{captoin: {ratio: 1}}"}, "Did you mean 'caption'?"),
        ({"generation__forbidden_patterns": "[{pattern: '(', message: x}]"},
         "generation.forbidden_patterns.0.pattern: '(' is no regular expression"),
    ],
)  # fmt: skip
def test_a_wrong_name_or_prompt_ends_the_run_before_it_begins(
    project: Path, small: Callable[..., Result], setting: dict[str, str], said: str
) -> None:
    for command in ("pipeline", "validate-config"):
        result = small(command, *overrides(**setting))
        assert result.code == 2
        assert said in result.err
        assert not (project / "outputs").exists()


def test_a_prompt_may_hold_latex_and_json(small: Callable[..., Result]) -> None:
    text = r'Write $\frac{a}{b}$ and {"a": 1}, never {}.'
    result = small("validate-config", *overrides(prompts__judge_sample=json.dumps(text)))
    assert result.code == 0, result.err


def test_a_placeholder_is_answered_with_the_fields_that_the_step_has(
    small: Callable[..., Result],
) -> None:
    result = small("validate-config", *overrides(prompts__answer_question="Answer {question}."))
    assert "question, image, image_code, image_description, passage, prior_code" in result.err
    assert "config.yaml" in result.err


def test_captions_and_summaries_are_made_with_the_offline_model(
    project: Path, small: Callable[..., Result]
) -> None:
    text = (project / "docs" / "rain.md").read_text()
    more = (
        "\n## Why rain is counted\n\nRain is counted because it is the only part of the water "
        "balance that can be caught in a bucket. A gauge stands for a circle of many kilometres, "
        "so its place decides what the record is worth. Wind carries the small drops past the rim "
        "of a gauge, and a gauge in the wind therefore loses a tenth of the rain or more. A shield "
        "around the rim slows the wind and halves the loss. Snow is lost more than rain, since "
        "flakes are light and the wind takes them along. The record of a gauge is corrected for "
        "the wind before the rain of a year is summed up.\n"
    )
    (project / "docs" / "rain.md").write_text(text + more)
    result = small(
        "pipeline", "--skip-analysis",
        *overrides(generation__target_samples=2, generation__type_allocations=WORDS),
    )  # fmt: skip
    assert result.code == 0, result.err
    lines = (project / "outputs/small/splits/journal.jsonl").read_text().splitlines()
    rows = [row for line in lines for row in json.loads(line).get("outputs", ())]
    (summary,) = [row for row in rows if row["type"] == "summary"]
    assert summary["question"].startswith("Summarize the following text")
    assert summary["answer"] in " ".join(summary["question"].split()) or "." in summary["answer"]
    assert all(
        sentence.strip(".") in more.replace("\n", " ") + text.replace("\n", " ")
        for sentence in summary["answer"].split(". ")
    )


def test_blocked_replies_are_dropped_and_the_run_goes_on(
    project: Path, small: Callable[..., Result]
) -> None:
    def answer(prompt: Prompt) -> Reply | None:
        asked = prompt.asked
        return Reply("no", finish_reason="content_filter") if "teaches" in asked else None

    with Loopback(answer) as server:
        result = small("pipeline", "--skip-analysis", *endpoint(server))
        asked = server.count
    assert result.code == 2, result.err  # nothing is left to ask about
    summary = json.loads((project / "outputs/small/filtered/summary.json").read_text())
    assert summary["dropped"] == {"blocked": summary["in"]}
    assert summary["failed"] == 0
    assert asked == summary["in"]


def test_what_is_forbidden_is_dropped_with_its_reason(
    project: Path, small: Callable[..., Result]
) -> None:
    result = small(
        "pipeline", "--skip-analysis",
        *overrides(generation__forbidden_patterns="[{pattern: 'tips', message: count drops}]"),
    )  # fmt: skip
    assert result.code == 1, result.err
    summary = json.loads((project / "outputs/small/planned/summary.json").read_text())
    assert summary["dropped"]["forbidden_pattern"] > 0
    dropped = small("inspect", "--stage", "plan", "--dropped", "--json").out.splitlines()
    assert any("count drops" in line for line in dropped)


def test_a_conversation_is_shown_by_its_number_and_whole(small: Callable[..., Result]) -> None:
    assert small("pipeline", "--skip-analysis").code == 0
    every = [
        json.loads(line)
        for line in small("inspect-traces", "--json", "--count", "0").out.splitlines()
    ]
    assert [call["index"] for call in every] == list(range(len(every)))
    (one,) = small("inspect-traces", "--json", "--index", "3").out.splitlines()
    assert json.loads(one) == every[3]
    (last,) = small("inspect-traces", "--json", "--index", "-1").out.splitlines()
    assert json.loads(last) == every[-1]
    (curated,) = small(
        "inspect-traces", "--json", "--stage", "curate", "--index", "-1"
    ).out.splitlines()
    assert json.loads(curated)["stage"] == "curate"
    short = small("inspect-traces", "--count", "1").out
    full = small("inspect-traces", "--count", "1", "--full").out
    assert "--full shows all" in short
    assert "--full shows all" not in full
    assert every[-1]["messages"][0]["content"] in full
    missing = small("inspect-traces", "--index", "99999")
    assert missing.code == 2
    assert f"0 to {len(every) - 1}" in missing.err


def test_a_reply_that_could_not_be_read_is_kept_in_the_trace(
    project: Path, small: Callable[..., Result]
) -> None:
    def answer(prompt: Prompt) -> str | None:
        return "I would rather not." if "teaches" in prompt.asked else None

    with Loopback(answer) as server:
        small("pipeline", "--skip-analysis", *endpoint(server))
    failed = [
        json.loads(line)
        for line in small("inspect-traces", "--failed", "--json", "-n", "0").out.splitlines()
    ]
    assert failed
    assert {call["reply"] for call in failed} == {"I would rather not."}
    assert all("unparseable_reply" in call["error"] for call in failed)
    summary = json.loads((project / "outputs/small/filtered/summary.json").read_text())
    assert summary["failures"] == {"unparseable_reply": summary["in"]}


def test_no_trace_writes_no_conversation(project: Path, small: Callable[..., Result]) -> None:
    assert small("pipeline", "--skip-analysis", "--no-trace").code == 0
    assert not (project / "outputs/small/traces").exists()
