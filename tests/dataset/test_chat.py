"""Conversations for fine-tuning tools."""

import json
from pathlib import Path

import datasets
import pytest

from synth_dspy.dataset.chat import CHAT_FORMATS, chat_row, turns
from synth_dspy.dataset.export import export_dataset
from synth_dspy.dataset.split import split_samples
from synth_dspy.records import Sample
from tests.dataset.made import picture, sample


def test_a_completion_is_answered_by_the_whole_function() -> None:
    stub = 'def f(a):\n    """Add one."""\n    pass\n'
    ask, answer = turns(
        sample(0, type="function_completion", question=stub, answer="    return a + 1\n")
    )
    assert ask == f"Complete this function.\n\n```python\n{stub}```"
    assert answer == '```python\ndef f(a):\n    """Add one."""\n    return a + 1\n```'


def test_a_program_is_fenced_and_words_are_not() -> None:
    assert turns(sample(1))[1].startswith("```python\nimport math")
    assert turns(sample(2))[1] == sample(2).answer


def test_each_form_has_its_names() -> None:
    one = sample(2, question="Q?", answer="A.")
    assert chat_row(one, "messages", image="", with_images=False) == {
        "messages": [{"role": "user", "content": "Q?"}, {"role": "assistant", "content": "A."}]
    }
    assert chat_row(one, "sharegpt", image="images/a.png", with_images=True) == {
        "conversations": [{"from": "human", "value": "<image>Q?"}, {"from": "gpt", "value": "A."}],
        "images": ["images/a.png"],
    }
    assert chat_row(one, "ms-swift", image="images/a.png", with_images=True) == {
        "messages": [
            {"role": "user", "content": "<image>Q?"},
            {"role": "assistant", "content": "A."},
        ],
        "images": ["images/a.png"],
    }


def test_there_are_as_many_markers_as_images() -> None:
    one = sample(2, question="What does <image> do in SVG?", answer="<image> embeds.")
    row = chat_row(one, "ms-swift", image="images/a.png", with_images=True)
    assert "".join(m["content"] for m in row["messages"]).count("<image>") == 1


@pytest.fixture
def exported(tmp_path: Path) -> tuple[Path, list[Sample]]:
    images = [picture(tmp_path, f"{n}.png", size=(80, 60)) for n in range(2)]
    made = [sample(n, image=images[n % 2] if n % 4 == 0 else "") for n in range(24)]
    samples = split_samples(made, ratios=(0.7, 0.15, 0.15), seed=42)
    final = tmp_path / "final"
    export_dataset(samples, run_dir=tmp_path, final=final, card="", chat_formats=CHAT_FORMATS)
    return final, samples


@pytest.mark.parametrize("form", CHAT_FORMATS)
def test_conversations_are_read_by_datasets_and_their_images_are_there(
    form: str, exported: tuple[Path, list[Sample]], tmp_path: Path
) -> None:
    final, samples = exported
    file = final / "chat" / form / "train.jsonl"
    loaded = datasets.load_dataset(
        "json", data_files=str(file), split="train", cache_dir=str(tmp_path / "cache")
    )
    train = [s for s in samples if s.split == "train"]
    assert len(loaded) == len(train)
    for row, s in zip(loaded, sorted(train, key=lambda s: s.rank), strict=True):
        assert len(row["images"]) == s.has_image
        assert all((final / name).read_bytes()[:4] == b"\x89PNG" for name in row["images"])


def test_the_lines_hold_the_rows_of_the_dataset(exported: tuple[Path, list[Sample]]) -> None:
    final, _ = exported
    for split, rows in datasets.load_from_disk(str(final)).items():
        lines = (final / "jsonl" / f"{split}.jsonl").read_text().splitlines()
        for line, row in zip(map(json.loads, lines), rows, strict=True):
            image, metadata = line.pop("image"), line.pop("metadata")
            assert (image is not None) == row["has_image"]
            assert metadata == json.loads(row["metadata"])
            assert line == {name: row[name] for name in line}
