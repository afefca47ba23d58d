"""Real endpoints, over a real socket: which model is asked what, and what happens when one is not
there. The replies are the offline model's, served over HTTP; nothing else is pretended."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from dspy import lm15
from PIL import Image, ImageDraw

from synth_dspy.lm.offline import OfflineModel
from tests.commandline import ROOT, Result, overrides, run
from tests.commands.conftest import CONFIG, PAGE
from tests.loopback import Loopback, Prompt, Reply, read_prompt

QUANTUM = ROOT / "configs" / "quantum.yaml"
KEYS = {role: f"sk-{role.lower()}-secret" for role in ("VISION", "QUESTION", "ANSWER", "CURATE")}


def picture() -> bytes:
    """A chart-like PNG that no filter takes for an ornament."""
    image = Image.new("RGB", (320, 200), "white")
    ImageDraw.Draw(image).line([(10, 190), (100, 60), (200, 120), (310, 20)], "blue", 4)
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


class Served:
    """The offline model behind the loopback server."""

    def __init__(self) -> None:
        self._model = OfflineModel()
        self._threads = ThreadPoolExecutor(1)
        self._lock = threading.Lock()

    def __call__(self, prompt: Prompt) -> str:
        """The whole content of a reply."""
        body = {**prompt.body, "messages": prompt.body["messages"]}
        request = lm15.request_from_openai_chat(body)
        with self._lock:
            response = self._threads.submit(
                lambda: asyncio.run(self._model.complete(request))
            ).result()
        return str(response.message.text)


@pytest.fixture
def server() -> Iterator[Loopback]:
    """The loopback server with the offline model behind it."""
    with Loopback(Served()) as running:
        yield running


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A page with a picture, in a working directory of its own."""
    (tmp_path / "docs").mkdir()
    figure = (
        "\n## Reading the gauge\n\nThe chart below shows how the depth of rain rises during a "
        "storm. It rises fastest in the first hour.\n\n![Depth of rain during a storm](rain.png)\n"
    )
    (tmp_path / "docs" / "rain.md").write_text(PAGE + figure)
    (tmp_path / "docs" / "rain.png").write_bytes(picture())
    return tmp_path


def quantum(docs: Path, server: Loopback, backend: str, *extra: str) -> Result:
    """Run the shipped quantum configuration on the page, every role at the server."""
    env = {f"{role}_MODEL_BASE_URL": server.url for role in KEYS}
    env |= {f"{role}_MODEL_NAME": f"{role.lower()}-7b" for role in KEYS}
    env |= {f"{role}_MODEL_API_KEY": key for role, key in KEYS.items()}
    source = f"[{{path: {docs / 'docs'}}}]"
    settings = overrides(
        sources=source,
        generation__target_samples=3,
        generation__type_allocations="{function_completion: {ratio: 0.34, multimodal_ratio: 0}, "
        "qa: {ratio: 0.66, multimodal_ratio: 0}}",
        sandbox__backend=backend,
        sandbox__packages="[]",
        sandbox__preload="[]",
        tracking__enabled="false",
    )
    arguments = ("pipeline", "--skip-analysis", "--config", str(QUANTUM), *settings, *extra)
    return run(*arguments, cwd=docs, env=env)


def test_the_quantum_configuration_asks_each_role_its_own_model(
    docs: Path, server: Loopback, sandbox_backend: str
) -> None:
    result = quantum(docs, server, sandbox_backend)
    assert result.code == 0, result.err
    by_model = {body["model"] for body in server.bodies}
    assert by_model == {"vision-7b", "question-7b", "answer-7b", "curate-7b"}
    assert set(server.authorizations) == {f"Bearer {key}" for key in KEYS.values()}
    seen = [body for body in server.bodies if "image_url" in json.dumps(body["messages"])]
    assert {body["model"] for body in seen} == {"vision-7b"}
    run_dir = docs / "outputs" / "quantum-multimodal"
    samples = [
        sample
        for line in (run_dir / "splits" / "journal.jsonl").read_text().splitlines()
        for sample in json.loads(line).get("outputs", ())
    ]
    models = {n: s["model"] for sample in samples for n, s in sample["metadata"]["steps"].items()}
    assert models["answer_question"] == "answer-7b"
    assert models["write_question"] == "question-7b"
    assert models["judge_sample"] == "curate-7b"
    written = [path for path in docs.rglob("*") if path.is_file()]
    for key in KEYS.values():
        assert not [path for path in written if key.encode() in path.read_bytes()]
        assert key not in result.err + result.out


def test_a_second_run_sends_nothing(docs: Path, server: Loopback, sandbox_backend: str) -> None:
    assert quantum(docs, server, sandbox_backend).code == 0
    before = server.count
    assert quantum(docs, server, sandbox_backend).code == 0
    assert server.count == before


def test_a_wrong_key_ends_the_run_before_anything_is_spent_and_is_never_shown(
    docs: Path, sandbox_backend: str
) -> None:
    from tests.loopback import Reply

    with Loopback(lambda _: Reply('{"error": {"message": "bad key"}}', status=401)) as refusing:
        result = quantum(docs, refusing, sandbox_backend)
    assert result.code == 2, result.err
    assert "401" in result.err or "key" in result.err
    assert "Traceback" not in result.err
    assert not any(key in result.err for key in KEYS.values())


def test_a_token_budget_ends_the_run_with_1_and_more_of_it_goes_on_to_the_same_dataset(
    docs: Path, server: Loopback, sandbox_backend: str
) -> None:
    whole = docs / "whole"
    assert quantum(docs, server, sandbox_backend, *overrides(output_dir=whole)).code == 0
    bounded = overrides(output_dir=docs / "bounded")
    result = quantum(
        docs, server, sandbox_backend, *bounded, *overrides(generation__max_tokens_total=9000)
    )
    assert result.code == 1, result.err
    assert "max_tokens_total" in result.err
    assert quantum(docs, server, sandbox_backend, *bounded).code == 0
    for path in (whole / "final" / "data").iterdir():
        assert (docs / "bounded" / "final" / "data" / path.name).read_bytes() == path.read_bytes()


def test_an_endpoint_that_is_down_ends_the_run_soon_and_a_later_one_goes_on(
    docs: Path, server: Loopback, sandbox_backend: str
) -> None:
    quick = [
        setting
        for at in range(4)
        for setting in (
            *overrides(**{f"models__endpoints__{at}__max_retries": 1}),
            *overrides(**{f"models__endpoints__{at}__retry_delay": 0.1}),
        )
    ]
    server.dead = True
    result = quantum(docs, server, sandbox_backend, *quick)
    assert result.code in (1, 2), result.err
    assert "Traceback" not in result.err
    server.dead = False
    assert quantum(docs, server, sandbox_backend, *quick).code == 0


def test_one_endpoint_that_sees_is_sent_the_picture_to_describe_to_answer_and_to_judge(
    docs: Path, server: Loopback, sandbox_backend: str
) -> None:
    one = f"[{{name: all, base_url: '{server.url}', model_name: sees}}]"
    result = quantum(
        docs, server, sandbox_backend,
        *overrides(
            models__endpoints=one,
            generation__target_samples=1,
            generation__type_allocations="{caption: {ratio: 1}}",
            **{f"generation__{role}_model": "all" for role in
               ("question", "vision", "answer", "curate", "filter")},
        ),
    )  # fmt: skip
    assert result.code == 0, result.err
    seen: dict[str, set[tuple[int, int]]] = {}
    for body in server.bodies:
        prompt = read_prompt(body)
        for data in prompt.images:
            with Image.open(io.BytesIO(data)) as sent:
                seen.setdefault(" ".join(prompt.asked), set()).add(sent.size)
    assert seen["kind description"] == {(320, 200)}
    assert seen["caption"] == {(320, 200)}
    assert seen["correct grounded complete well_formed image_essential reason"] == {(320, 200)}
    run_dir = docs / "outputs" / "quantum-multimodal"
    lines = (run_dir / "splits" / "journal.jsonl").read_text().splitlines()
    (sample,) = [s for line in lines for s in json.loads(line).get("outputs", ())]
    assert sample["type"] == "caption"
    assert "image" not in sample["metadata"]["judgement"]  # nothing is "unverified" about it


def test_a_judge_that_does_not_see_leaves_the_picture_unverified(
    docs: Path, server: Loopback, sandbox_backend: str
) -> None:
    only = overrides(
        generation__target_samples=1, generation__type_allocations="{caption: {ratio: 1}}"
    )
    assert quantum(docs, server, sandbox_backend, *only).code == 0
    run_dir = docs / "outputs" / "quantum-multimodal"
    lines = (run_dir / "splits" / "journal.jsonl").read_text().splitlines()
    (sample,) = [s for line in lines for s in json.loads(line).get("outputs", ())]
    assert sample["metadata"]["judgement"]["image"] == "unverified (caption only)"


def test_a_run_whose_every_call_fails_says_so_and_blames_no_document(
    docs: Path, sandbox_backend: str
) -> None:
    with Loopback(lambda prompt: Reply("oops", status=400)) as server:
        endpoint = f"[{{name: all, base_url: '{server.url}', model_name: m}}]"
        (docs / "config.yaml").write_text(CONFIG.replace("BACKEND", sandbox_backend))
        result = run(
            "pipeline", "--config", "config.yaml", *overrides(models__endpoints=endpoint), cwd=docs
        )
    assert result.code == 1, result.err
    assert "transcribe failed (bad_request 1)" in " ".join(result.err.split())


@pytest.mark.parametrize(("tokens", "said"), [(8_000, "the run was stopped"), (5_000, "")])
def test_a_run_that_its_budget_stops_says_once_that_all_is_kept_and_blames_no_source(
    docs: Path, server: Loopback, sandbox_backend: str, tokens: int, said: str
) -> None:
    (docs / "config.yaml").write_text(CONFIG.replace("BACKEND", sandbox_backend))
    settings = overrides(
        models__endpoints=f"[{{name: all, base_url: '{server.url}', model_name: m}}]",
        generation__max_tokens_total=tokens,
    )
    result = run("pipeline", "--skip-analysis", "--config", "config.yaml", *settings, cwd=docs)
    told = " ".join(result.err.split())
    assert result.code == 1, result.err
    assert "The budget is reached" in told
    assert said in told
    assert "bear no further task" not in told
    assert told.count("Everything made so far is kept") == 1
