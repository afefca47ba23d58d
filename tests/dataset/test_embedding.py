"""Vectors, and that what embeds is asked once for each text."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from synth_dspy.dataset.embedding import embedder, hashed_ngrams
from synth_dspy.dataset.embedding_cache import CachedEmbed
from synth_dspy.dataset.semantic import SemanticBlocks, SemanticIndex
from synth_dspy.errors import SetupError, StoreError

Vectors = NDArray[np.float32]
TEXTS = ["the river rises", "the river is rising", "a table of coefficients", ""]


def test_vectors_have_length_one_and_say_which_texts_are_alike() -> None:
    rows = hashed_ngrams(TEXTS)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1)
    assert rows[0] @ rows[1] > 0.5 > rows[0] @ rows[2]


def test_case_and_spaces_do_not_count() -> None:
    rows = hashed_ngrams(["The  River\nrises", "the river rises"])
    assert (rows[0] == rows[1]).all()


def test_a_text_is_embedded_the_same_alone_and_among_others() -> None:
    assert (hashed_ngrams(TEXTS)[1] == hashed_ngrams([TEXTS[1]])[0]).all()


class Counting:
    """An embedding that counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Vectors:
        self.asked.extend(texts)
        return hashed_ngrams(texts)


def test_a_text_is_asked_once_even_across_runs(tmp_path: Path) -> None:
    embed = Counting()
    first = CachedEmbed(embed, "m", tmp_path / "e.sqlite")([*TEXTS, TEXTS[0]])
    again = CachedEmbed(embed, "m", tmp_path / "e.sqlite")([*TEXTS, TEXTS[0]])
    assert sorted(embed.asked) == sorted(TEXTS)
    assert (first == again).all()
    assert (first == hashed_ngrams([*TEXTS, TEXTS[0]])).all()


def test_another_model_is_asked_again(tmp_path: Path) -> None:
    embed = Counting()
    for model in ("one", "two"):
        CachedEmbed(embed, model, tmp_path / "e.sqlite")(TEXTS[:1])
    assert len(embed.asked) == 2


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "e.sqlite").write_bytes(b"no database, for sure" * 99)
    with pytest.raises(StoreError, match=r"e\.sqlite cannot be used"):
        CachedEmbed(Counting(), "m", tmp_path / "e.sqlite")(TEXTS)


def test_a_hosted_model_is_asked_through_dspy(monkeypatch: pytest.MonkeyPatch) -> None:
    import dspy

    made: list[str] = []

    def fake(model: str, **_: object) -> Counting:
        made.append(model)
        return Counting()

    monkeypatch.setattr(dspy, "Embedder", fake)
    rows = embedder("openai/text-embedding-3-small")(TEXTS[:2])
    assert made == ["openai/text-embedding-3-small"]
    assert np.allclose(np.linalg.norm(rows, axis=1), 1)


def test_a_hosted_model_that_fails_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    import dspy

    def broken(_texts: Sequence[str]) -> Vectors:
        raise ConnectionError("refused")

    monkeypatch.setattr(dspy, "Embedder", lambda *_args, **_kwargs: broken)
    with pytest.raises(SetupError, match="'openai/none' did not answer: refused"):
        embedder("openai/none")(TEXTS)


def test_the_nearest_is_the_most_similar_and_then_the_earliest() -> None:
    index = SemanticIndex(0.5)
    assert index.nearest(hashed_ngrams(TEXTS)[0]) is None
    for row in hashed_ngrams([TEXTS[1], TEXTS[0], TEXTS[0]]):
        index.add(row)
    assert index.nearest(hashed_ngrams(TEXTS)[0]) == (1, 1.0)
    assert index.nearest(hashed_ngrams(TEXTS)[2]) is None


def test_blocks_agree_with_the_index_whatever_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = hashed_ngrams([f"the river {n % 7} rises over weir {n % 5}" for n in range(60)])
    monkeypatch.setattr("synth_dspy.dataset.semantic._PRODUCT_BYTES", 4 * 60 * 7)
    index, blocks = SemanticIndex(0.9), SemanticBlocks(rows, 0.9)
    kept = np.ones(60, dtype=bool)
    order: list[int] = []
    for at, row in enumerate(rows):
        one = index.nearest(row)
        expected = None if one is None else (order[one[0]], one[1])
        assert blocks.nearest(at, kept) == expected
        kept[at] = one is None
        if one is None:
            index.add(row)
            order.append(at)
    assert 1 < kept.sum() < 60


def test_a_local_model_needs_its_extra_and_names_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(SetupError, match=r"the extra .*pip install 'synth-dspy\[embeddings\]'"):
        embedder("sentence-transformers/all-MiniLM-L6-v2")
