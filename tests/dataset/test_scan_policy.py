"""What becomes of documents and samples that hold secrets or personal data, or may not be used."""

from dataclasses import replace

import pytest

from synth_dspy.dataset.scan_policy import Refusal, ScanPolicy, scan_facts
from synth_dspy.records import CodeBlock, Document, DroppedImage
from tests.dataset.made import image_record, sample

KEY = "AKIA" + "Q3EGRIZ7WS2LKPOB"
CODE = f'client("{KEY}")'
TEXT = f"# Access\n\nAsk mira@station.org.\n\n```python\n{CODE}\n```\n"


@pytest.fixture
def document() -> Document:
    start = TEXT.index("```python")
    block = CodeBlock(CODE, "python", start, len(TEXT) - 1, output=f"connected as {KEY}")
    return Document(
        id="d", path="a.md", source="docs", kind="md", sha256="0", text=TEXT, code_blocks=(block,),
        stats={"cells": 3},
    )  # fmt: skip


def test_counting_changes_nothing_but_the_counts(document: Document) -> None:
    counted = ScanPolicy("count", "count").document(document)
    assert counted == replace(document, stats={"cells": 3, "secrets": 2, "personal_data": 1})


def test_masking_reaches_text_code_and_output_and_keeps_spans(document: Document) -> None:
    hidden = ScanPolicy("mask", "count").document(document)
    assert isinstance(hidden, Document)
    (block,) = hidden.code_blocks
    assert KEY not in hidden.text + block.code + block.output
    assert block.code in hidden.text[block.start : block.end]
    assert "mira@station.org" in hidden.text


@pytest.mark.parametrize("place", ["alt", "caption", "code", "ref"])
def test_a_secret_beside_an_image_is_found_and_masked(place: str, document: Document) -> None:
    image = image_record("a.png", **{place: f"https://host/{KEY}"})
    shown = replace(document, text="A page.", code_blocks=(), images=(image,))
    hidden = ScanPolicy("mask", "count").document(shown)
    assert isinstance(hidden, Document)
    assert hidden.stats["secrets"] == 1
    assert KEY not in str(hidden)


def test_a_secret_in_the_place_of_a_lost_image_is_masked(document: Document) -> None:
    lost = DroppedImage(f"https://host/a.png?key={KEY}", "markdown", "remote")
    shown = replace(document, text="A page.", code_blocks=(), dropped_images=(lost,))
    assert KEY not in str(ScanPolicy("mask", "count").document(shown))


@pytest.mark.parametrize(
    ("policy", "reason"),
    [(ScanPolicy("drop", "count"), "secret"), (ScanPolicy("count", "drop"), "personal_data")],
)
def test_dropping_names_what_was_found(policy: ScanPolicy, reason: str, document: Document) -> None:
    refusal = policy.document(document)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == reason
    assert KEY not in refusal.detail
    assert "mira" not in refusal.detail


def test_a_document_without_findings_is_left_as_it_is(document: Document) -> None:
    clean = replace(document, text="Nothing.", code_blocks=())
    assert ScanPolicy("drop", "drop").document(clean) is clean


@pytest.mark.parametrize(
    ("license_", "allowed", "used"),
    [("mit", ("MIT", "apache-2.0"), True), ("gpl-3.0", ("mit",), False), ("", ("mit",), False),
     ("", (), True)],
)  # fmt: skip
def test_only_allowed_licences_are_used(
    license_: str, allowed: tuple[str, ...], used: bool, document: Document
) -> None:
    policy = ScanPolicy("count", "count", (("docs", license_),), allowed)
    result = policy.document(document)
    assert isinstance(result, Document) is used
    if isinstance(result, Refusal):
        assert result.reason == "license_not_allowed"
        assert "'docs'" in result.detail


def test_a_secret_in_a_sample_in_words_is_masked() -> None:
    said = sample(2, answer=f"Use {KEY}.")
    hidden = ScanPolicy().sample(said)
    assert hidden == replace(said, answer=f"Use {'*' * 20}.")


def test_verified_code_with_a_secret_is_dropped_not_changed() -> None:
    refusal = ScanPolicy().sample(sample(1, answer=f"def f():\n    return {KEY!r}\n"))
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "secret"


def test_code_beside_a_verified_sample_is_masked() -> None:
    hidden = ScanPolicy().sample(sample(1, code_context=CODE))
    assert not isinstance(hidden, Refusal)
    assert KEY not in hidden.code_context


def test_everything_scanned_is_counted() -> None:
    policy = ScanPolicy("mask", "drop", (("docs", ""),), ())
    facts = scan_facts(policy, [{"secrets": 3}, {"cells": 2}], {"personal_data": 2, "other": 9})
    assert facts["documents"] == 4
    assert facts["secrets"] == {"policy": "mask", "found": 3, "documents": 1, "dropped": 0}
    assert facts["personal_data"]["dropped"] == 2
    assert facts["licenses"] == {"docs": "not stated"}


def test_what_a_model_read_off_an_image_is_masked() -> None:
    seen = sample(2, metadata={"image": {"ref": "a.png", "description": f"A badge says {KEY}."}})
    hidden = ScanPolicy("mask", "count").sample(seen)
    assert not isinstance(hidden, Refusal)
    assert KEY not in str(hidden)
    assert hidden.metadata["image"]["ref"] == "a.png"
