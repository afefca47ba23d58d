"""Descriptions of pictures that are not seen."""

from __future__ import annotations

import dspy
import pytest

from signatures.images import DescribeImage, JudgeImage
from synth_dspy.lm.offline.figures import NOT_SEEN
from tests.lm.offline.asking import ask
from tests.lm.offline.documents import CURVE_CODE, CURVE_TEXT

KINDS = [
    "circuit",
    "chart",
    "bloch_sphere",
    "formula",
    "diagram",
    "table",
    "code_output",
    "decorative",
]


def test_a_chart_is_described_from_what_its_code_writes_into_it_and_the_text_around() -> None:
    answer = ask(
        DescribeImage, image=None, image_code=CURVE_CODE, surrounding_text=CURVE_TEXT, kinds=KINDS
    )
    assert answer.kind == "chart"
    assert answer.description.startswith(
        'A chart titled "Rain by tips", with "tips" on the horizontal axis and "rain (mm)" on the '
        'vertical axis. Its legend names "rain" and "twice the rain". The figure shows how rain '
    )
    assert answer.description.endswith(NOT_SEEN)


def test_caption_and_alternative_text_are_quoted() -> None:
    answer = ask(
        DescribeImage, image=dspy.Image("data:image/png;base64,iVBORw0KGgo="), kinds=KINDS,
        alt_text="Diagram of a stilling well with a sensor", caption="The well at Alder Bridge.",
    )  # fmt: skip
    assert answer.kind == "diagram"
    assert 'Its caption reads "The well at Alder Bridge".' in answer.description
    assert (
        'Its alternative text reads "Diagram of a stilling well with a sensor".'
        in answer.description
    )
    assert answer.description.endswith(NOT_SEEN)


def test_a_drawn_circuit_names_its_gates_in_order() -> None:
    code = "qc = QuantumCircuit(2)\nqc.h(0)\nqc.cx(0, 1)\nqc.draw('mpl')"
    answer = ask(DescribeImage, image=None, image_code=code, kinds=KINDS)
    assert answer.kind == "circuit"
    assert "A circuit drawn from `qc`." in answer.description
    assert "The code applies `h(0)` and `cx(0, 1)`." in answer.description


def test_the_paragraph_on_this_figure_is_taken_and_not_one_on_another() -> None:
    text = (
        "The figure shows the wind over the hills.\n\nThe plot shows rain against tips of the "
        "bucket.\n\nThe chart shows prices."
    )
    described = ask(
        DescribeImage, image=None, image_code=CURVE_CODE, surrounding_text=text, kinds=KINDS
    ).description
    assert "rain against tips" in described
    assert "wind" not in described


def test_a_picture_with_nothing_to_go_by_is_decorative() -> None:
    answer = ask(DescribeImage, image=None, alt_text="image.png", kinds=KINDS)
    assert answer.kind == "decorative"
    judged = ask(JudgeImage, kind=answer.kind, description=answer.description)
    assert judged.informative is False


WELL_KNOWN = (
    'A chart titled "Rain by tips". Its legend names "rain", "twice the rain", "level" and '
    '"discharge of the river". The rain grows with every tip of the bucket.'
)
NOTHING_DRAWN = (
    "An empty plot with an axis from zero to one, a title, a legend, a grid and a frame around the "
    "whole of the area."
)


@pytest.mark.parametrize(
    ("kind", "description", "informative"),
    [
        ("chart", WELL_KNOWN, True),
        ("diagram", f"A diagram. {NOT_SEEN}", False),
        ("chart", NOTHING_DRAWN, False),
    ],
)
def test_only_pictures_that_much_is_known_of_are_informative(
    kind: str, description: str, informative: bool
) -> None:
    assert ask(JudgeImage, kind=kind, description=description).informative is informative


def test_text_that_was_cut_inside_code_or_a_sentence_is_read_from_its_first_whole_part() -> None:
    text = "plot(x)\n```\n\nThe figure shows rain against tips of the bucket.\n\n```python\nx = 1"
    described = ask(
        DescribeImage, image=None, image_code=CURVE_CODE, surrounding_text=text, kinds=KINDS
    ).description
    assert "The figure shows rain against tips of the bucket." in described
    assert "plot(x)" not in described


def test_a_numbered_caption_gives_its_title_and_its_further_sentences() -> None:
    caption = (
        "Figure 2: The station in cross-section. The intake pipe joins the river and the well."
    )
    described = ask(DescribeImage, image=None, caption=caption, kinds=KINDS).description
    assert 'Its caption reads "The station in cross-section".' in described
    assert "The intake pipe joins the river and the well." in described
