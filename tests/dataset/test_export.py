"""The dataset on disk."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_dspy.dataset import tables
from synth_dspy.dataset.export import COLUMNS, export_dataset
from synth_dspy.dataset.split import split_samples
from synth_dspy.errors import StoreError
from synth_dspy.records import Sample
from tests.dataset.made import picture, sample


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    images = [picture(tmp_path, f"{n}.png", size=(120, 80), mode="RGBA") for n in range(3)]
    made = [sample(n, image=images[n % 3] if n % 4 == 0 else "") for n in range(40)]
    return split_samples(made, ratios=(0.7, 0.15, 0.15), seed=42)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_what_was_exported_is_what_is_loaded(tmp_path: Path, samples: list[Sample]) -> None:
    export_dataset(samples, run_dir=tmp_path, final=tmp_path / "final", card="# card\n")
    loaded = datasets.load_from_disk(str(tmp_path / "final"))
    assert list(loaded) == ["train", "validation", "test"]
    for split, rows in loaded.items():
        expected = sorted((s for s in samples if s.split == split), key=lambda s: s.rank)
        assert rows["question"][:] == [s.question for s in expected]
        for row, s in zip(rows, expected, strict=True):
            for column in set(COLUMNS) - {"image", "metadata"}:
                assert row[column] == getattr(s, column)
            assert json.loads(row["metadata"]) == s.metadata
            assert (row["image"] is not None) == s.has_image


ROW = st.fixed_dictionaries({
    **dict.fromkeys(("question", "answer", "category", "test_code", "code_context"), st.text()),
    "rank": st.integers(0, 5),
    "split": st.sampled_from(("train", "validation", "test")),
    "metadata": st.dictionaries(st.text(), st.text() | st.none() | st.integers(0, 9), max_size=3),
    "image": st.sampled_from(("", "images/a.png")),
})  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(ROW, max_size=8))
def test_whatever_rows_hold_is_loaded_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("export")
    picture(folder, "a.png", size=(20, 10))
    made = [sample(n, **{**row, "id": f"{n}"}) for n, row in enumerate(rows)]
    export_dataset(made, run_dir=folder, final=folder / "final", card="")
    columns = [name for name in COLUMNS if name not in ("image", "metadata")]
    loaded = {
        (split, *(row[name] for name in columns), row["metadata"], row["image"] is not None)
        for split, table in datasets.load_from_disk(str(folder / "final")).items()
        for row in table
    }
    assert loaded == {
        (
            s.split,
            *(getattr(s, name) for name in columns),
            orjson.dumps(s.metadata, option=orjson.OPT_SORT_KEYS).decode(),
            bool(s.image),
        )
        for s in made
    }
    lines = sum(len(p.read_bytes().split(b"\n")[:-1]) for p in (folder / "final").glob("jsonl/*"))
    assert lines == len(made)


def test_columns_are_those_of_the_contract_in_order(tmp_path: Path, samples: list[Sample]) -> None:
    export_dataset(samples, run_dir=tmp_path, final=tmp_path / "final", card="")
    loaded = datasets.load_from_disk(str(tmp_path / "final"))["train"]
    assert tuple(loaded.column_names) == COLUMNS
    assert isinstance(loaded.features["image"], datasets.Image)
    assert loaded.features["has_image"] == datasets.Value("bool")


def test_images_are_embedded_as_rgb_and_bounded(tmp_path: Path, samples: list[Sample]) -> None:
    export_dataset(samples, run_dir=tmp_path, final=tmp_path / "final", card="", max_image_side=60)
    for path in (tmp_path / "images").iterdir():
        path.unlink()
    loaded = datasets.load_from_disk(str(tmp_path / "final"))
    images = [row["image"] for rows in loaded.values() for row in rows if row["has_image"]]
    assert len(images) == 10
    assert {(image.format, image.mode, image.size) for image in images} == {
        ("PNG", "RGB", (60, 40))
    }


def test_the_parquet_files_hold_the_same_rows(tmp_path: Path, samples: list[Sample]) -> None:
    export_dataset(samples, run_dir=tmp_path, final=tmp_path / "final", card="")
    saved = datasets.load_from_disk(str(tmp_path / "final"))
    for split, rows in saved.items():
        file = tmp_path / "final" / "data" / f"{split}-00000-of-00001.parquet"
        parquet = datasets.Dataset.from_parquet(str(file), cache_dir=str(tmp_path / "cache"))
        assert isinstance(parquet, datasets.Dataset)
        assert parquet.features == rows.features
        assert parquet.with_format("arrow")[:] == rows.with_format("arrow")[:]


def test_equal_samples_give_equal_bytes_whatever_their_order(
    tmp_path: Path, samples: list[Sample]
) -> None:
    for name, order in (("one", samples), ("two", samples[::-1])):
        export_dataset(order, run_dir=tmp_path, final=tmp_path / name, card="# card\n")
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_the_summary_counts_rows_images_and_bytes(tmp_path: Path, samples: list[Sample]) -> None:
    summary = export_dataset(samples, run_dir=tmp_path, final=tmp_path / "final", card="")
    assert sum(summary.rows.values()) == 40
    assert summary.images == 10
    assert summary.bytes == sum(p.stat().st_size for p in (tmp_path / "final/data").iterdir())


def test_the_card_is_the_readme(tmp_path: Path, samples: list[Sample]) -> None:
    export_dataset(samples, run_dir=tmp_path, final=tmp_path / "final", card="# Ünïcode\n")
    assert (tmp_path / "final" / "README.md").read_text(encoding="utf-8") == "# Ünïcode\n"


def test_a_second_export_replaces_the_first(tmp_path: Path, samples: list[Sample]) -> None:
    final = tmp_path / "final"
    export_dataset(samples, run_dir=tmp_path, final=final, card="")
    fewer = [replace(s, split="train") for s in samples[:5]]
    export_dataset(fewer, run_dir=tmp_path, final=final, card="")
    assert {split: len(rows) for split, rows in datasets.load_from_disk(str(final)).items()} == {
        "train": 5
    }
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".final")]


def test_an_interrupted_export_leaves_the_earlier_dataset(
    tmp_path: Path, samples: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    final = tmp_path / "final"
    export_dataset(samples, run_dir=tmp_path, final=final, card="before")
    before = tree(final)

    def stop(*_given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tables, "_save_dataset", stop)
    with pytest.raises(KeyboardInterrupt):
        export_dataset(samples[:9], run_dir=tmp_path, final=final, card="after")
    assert tree(final) == before
    assert not (tmp_path / ".final.part").exists()


def test_what_an_earlier_kill_left_is_cleared_away(tmp_path: Path, samples: list[Sample]) -> None:
    (tmp_path / ".final.part" / "data").mkdir(parents=True)
    (tmp_path / ".final.part" / "data" / "test-00000-of-00001.parquet").write_text("torn")
    export_dataset(samples, run_dir=tmp_path, final=tmp_path / "final", card="")
    assert not (tmp_path / ".final.part").exists()
    assert len(datasets.load_from_disk(str(tmp_path / "final"))["test"]) > 0


def test_a_dataset_without_rows_can_be_opened(tmp_path: Path) -> None:
    export_dataset([], run_dir=tmp_path, final=tmp_path / "final", card="")
    assert len(datasets.load_from_disk(str(tmp_path / "final"))) == 0


def test_a_sample_without_a_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"has the split ''.*Run build again"):
        export_dataset([sample(1)], run_dir=tmp_path, final=tmp_path / "final", card="")
    assert not (tmp_path / "final").exists()


def test_a_missing_image_stops_the_export_with_nothing_written(tmp_path: Path) -> None:
    lost = sample(1, split="train", image="images/lost.png")
    with pytest.raises(StoreError, match=r"images/lost\.png"):
        export_dataset([lost], run_dir=tmp_path, final=tmp_path / "final", card="")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written to"):
        export_dataset([], run_dir=tmp_path, final=tmp_path / "file" / "final", card="")
