"""Notebooks: every cell, output and picture, in order; damaged files read or refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synth_dspy.errors import DocumentError
from synth_dspy.parsing import ParseOptions
from tests.parsing.samples import (
    SVG,
    b64,
    check,
    code_cell,
    markdown_cell,
    notebook,
    parsed,
    picture,
    prints,
    shows,
    write,
)

RED, BLUE = b64(picture("red")), b64(picture("blue"))


def test_a_notebook_reads_as_prose_code_output_and_pictures(tmp_path: Path) -> None:
    data = notebook(
        markdown_cell("# Title\n\nHello."),
        code_cell("print(1)\nplot()", prints("1\n"), shows(image_png=RED, text_plain="<Figure>")),
    )
    document = parsed(tmp_path / "docs", "a.ipynb", data)
    check(document)
    marker = f"[IMAGE:{document.images[0].id}]"
    assert document.text == (
        "# Title\n\nHello.\n\n```python\nprint(1)\nplot()\n```\n\n```text\n1\n```\n\n" + marker
    )
    assert [b.kind for b in document.blocks] == ["heading", "text", "code", "output", "image"]
    assert [b.cell for b in document.blocks] == [0, 0, 1, 1, 1]


def test_a_picture_knows_the_cell_the_output_and_the_code_that_made_it(tmp_path: Path) -> None:
    data = notebook(markdown_cell("x"), code_cell("plot()", prints("1"), shows(image_png=RED)))
    image = parsed(tmp_path / "docs", "a.ipynb", data).images[0]
    assert (image.origin, image.cell, image.output, image.code) == ("output", 1, 1, "plot()")
    assert (image.width, image.height, image.mime) == (80, 60, "image/png")


def test_code_keeps_what_it_printed_and_returned(tmp_path: Path) -> None:
    result = {"output_type": "execute_result", "metadata": {}, "data": {"text/plain": ["4", "2"]}}
    data = notebook(code_cell("f()", prints("a\n"), result))
    block = parsed(tmp_path / "docs", "a.ipynb", data).code_blocks[0]
    assert (block.code, block.output, block.language) == ("f()", "a\n42", "python")


def test_statistics_count_what_the_file_has(tmp_path: Path) -> None:
    attachments = {"a.png": {"image/png": RED}}
    data = notebook(
        markdown_cell("x", attachments=attachments),
        code_cell("", prints("1")),
        code_cell("2"),
        {"cell_type": "raw", "source": "r", "metadata": {}},
    )
    stats = parsed(tmp_path / "docs", "a.ipynb", data).stats
    assert (stats["cells"], stats["code_cells"], stats["outputs"], stats["attachments"]) == (
        4, 2, 1, 1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("mime", "form"),
    [("image/png", "PNG"), ("image/jpeg", "JPEG"), ("image/gif", "GIF"), ("image/webp", "WEBP"),
     ("image/png", "JPEG"), ("image/jpeg", "AVIF")],
)  # fmt: skip
def test_the_type_of_a_picture_is_told_by_its_content(tmp_path: Path, mime: str, form: str) -> None:
    data = notebook(code_cell("x", shows(**{mime: b64(picture(form=form))})))
    image = parsed(tmp_path / "docs", "a.ipynb", data).images[0]
    assert image.mime == f"image/{form.lower()}"


@pytest.mark.parametrize("value", [f"{RED}\n", [RED[:8] + "\n", RED[8:]], RED.rstrip("="),
                                   f"data:image/png;base64,{RED}"])  # fmt: skip
def test_base64_is_read_however_it_is_spelled(tmp_path: Path, value: object) -> None:
    document = parsed(
        tmp_path / "docs", "a.ipynb", notebook(code_cell("x", shows(image_png=value)))
    )
    assert len(document.images) == 1


def test_an_svg_output_is_a_picture_however_its_text_is_divided(tmp_path: Path) -> None:
    data = notebook(code_cell("x", shows(**{"image/svg+xml": [SVG[:9], SVG[9:]]})))
    assert parsed(tmp_path / "docs", "a.ipynb", data).images[0].mime == "image/svg+xml"


def test_an_image_tag_in_plain_text_is_a_picture_of_the_cell(tmp_path: Path) -> None:
    write(tmp_path / "docs", "public/images/o.png", picture())
    tag = '<Image src="/images/o.png" alt="Output of the previous code cell" />'
    data = notebook(code_cell("draw()", shows(text_plain=[tag])))
    document = parsed(tmp_path / "docs", "deep/a.ipynb", data)
    image = document.images[0]
    assert (image.origin, image.ref, image.code) == ("output_tag", "/images/o.png", "draw()")
    assert "<Image" not in document.text
    assert document.code_blocks[0].output == ""


def test_pictures_in_html_outputs_are_found(tmp_path: Path) -> None:
    html = (
        f"<div><img src='data:image/png;base64,{RED}'><img src='https://example.org/x.png'></div>"
    )
    document = parsed(tmp_path / "docs", "a.ipynb", notebook(code_cell("x", shows(text_html=html))))
    assert [image.origin for image in document.images] == ["data_uri"]
    assert [drop.reason for drop in document.dropped_images] == ["remote"]


def test_attachments_belong_to_their_cell_and_unused_ones_are_kept(tmp_path: Path) -> None:
    bundle = {"image/png": RED}
    data = notebook(
        markdown_cell(
            "![a](attachment:img%20one.png) ![b](attachment:missing.png)",
            attachments={"img one.png": bundle, "unused.png": bundle},
        ),
        markdown_cell(
            '<img src="attachment:two.png">', attachments={"two.png": {"image/png": BLUE}}
        ),
        markdown_cell("![same](attachment:two.png)", attachments={"two.png": bundle}),
    )
    document = parsed(tmp_path / "docs", "a.ipynb", data)
    check(document)
    assert [(i.ref, i.cell) for i in document.images] == [
        ("attachment:img%20one.png", 0),
        ("attachment:unused.png", 0),
        ("attachment:two.png", 1),
        ("attachment:two.png", 2),
    ]
    assert document.images[2].sha256 != document.images[3].sha256
    assert [(d.ref, d.reason) for d in document.dropped_images] == [
        ("attachment:missing.png", "missing")
    ]


def test_an_attachment_that_holds_no_image_is_unreadable(tmp_path: Path) -> None:
    cell = markdown_cell("![a](attachment:a.txt)", attachments={"a.txt": {"text/plain": "x"}})
    document = parsed(tmp_path / "docs", "a.ipynb", notebook(cell))
    assert [(d.ref, d.reason) for d in document.dropped_images] == [
        ("attachment:a.txt", "unreadable")
    ]


def test_long_output_loses_its_middle(tmp_path: Path) -> None:
    data = notebook(code_cell("x", prints("start " + "y" * 50_000 + " end")))
    options = ParseOptions(max_output_chars=300)
    output = parsed(tmp_path / "docs", "a.ipynb", data, options=options).code_blocks[0].output
    assert output.startswith("start")
    assert output.endswith("end")
    assert "characters left out" in output
    assert len(output) < 400


def test_colours_of_the_terminal_and_overwritten_lines_are_gone(tmp_path: Path) -> None:
    error = {"output_type": "error", "ename": "E", "evalue": "v",
             "traceback": ["\x1b[0;31mE\x1b[0m: v"]}  # fmt: skip
    data = notebook(code_cell("x", prints("10%\r20%\rdone\r\n\x1b[1mbold\x1b[0m\n"), error))
    output = parsed(tmp_path / "docs", "a.ipynb", data).code_blocks[0].output
    assert output == "done\nbold\nE: v"


def test_a_table_without_plain_text_is_kept_as_its_words(tmp_path: Path) -> None:
    html = "<style>td{}</style><table><tr><td>a</td><td>1</td></tr></table>"
    data = notebook(code_cell("x", shows(text_html=html)))
    assert parsed(tmp_path / "docs", "a.ipynb", data).code_blocks[0].output == "a 1"


def test_code_that_holds_fences_stands_in_longer_ones(tmp_path: Path) -> None:
    source = 'text = """\n```python\nx\n```\n"""'
    document = parsed(tmp_path / "docs", "a.ipynb", notebook(code_cell(source)))
    check(document)
    assert document.text == f"````python\n{source}\n````"
    assert document.code_blocks[0].code == source


def test_a_cell_magic_names_the_language(tmp_path: Path) -> None:
    document = parsed(tmp_path / "docs", "a.ipynb", notebook(code_cell("%%bash\nls")))
    assert document.code_blocks[0].language == "bash"


def test_an_old_notebook_is_upgraded_in_memory(tmp_path: Path) -> None:
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [{"metadata": {}, "cells": [
            {"cell_type": "heading", "level": 2, "source": ["Old"], "metadata": {}},
            {"cell_type": "code", "language": "python", "input": ["a = 1\n", "a"],
             "collapsed": False, "prompt_number": 1, "metadata": {}, "outputs": [
                 {"output_type": "pyout", "prompt_number": 1, "text": ["1"], "metadata": {}},
                 {"output_type": "display_data", "png": RED, "metadata": {}}]},
        ]}],
    }  # fmt: skip
    data = json.dumps(old).encode()
    document = parsed(tmp_path / "docs", "a.ipynb", data)
    assert document.text.startswith("## Old")
    assert (document.code_blocks[0].code, document.code_blocks[0].output) == ("a = 1\na", "1")
    assert len(document.images) == 1
    assert (tmp_path / "docs" / "a.ipynb").read_bytes() == data


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "invalid_json"),
        (b'{"cells": [', "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b"[]", "invalid_notebook"),
        (b"{}", "invalid_notebook"),
        (b'{"cells": {}, "nbformat": 4}', "invalid_notebook"),
        (b'{"nbformat": 3, "worksheets": 7}', "invalid_notebook"),
        (b'{"nbformat": 2}', "invalid_notebook"),
        (b'{"cells": [], "x": "\xe9"}', "encoding"),
    ],
)
def test_a_damaged_notebook_is_refused_with_its_reason(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    with pytest.raises(DocumentError) as caught:
        parsed(tmp_path / "docs", "a.ipynb", data)
    assert caught.value.reason == reason


def test_the_position_of_a_json_error_is_told(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"line 2, column \d+ \(character \d+\)"):
        parsed(tmp_path / "docs", "a.ipynb", b'{"cells":\n ["')


HEADING = '{"cell_type": "markdown", "source": "# N"'
EMPTY = '{"cell_type": "code", "source": null, "outputs": null, "metadata": null}'
SHOWN = '{"output_type": "display_data", "data": {"image/png": 5}}'
ODD = f'{{"cell_type": "code", "outputs": [7, {SHOWN}]}}'


@pytest.mark.parametrize(
    "text",
    [
        f'{{"cells": [{HEADING}, "metadata": {{"x": NaN, "x": Infinity}}}}], "nbformat": 4}}',
        f'\ufeff{{"cells": [{HEADING}}}], "nbformat": 5}}',
        f'{{"cells": [null, 3, {HEADING}}}, {EMPTY}], "nbformat": 4}}',
        f'{{"cells": [{{"cell_type": "heading", "source": ["N"]}}, {ODD}], "nbformat": 4}}',
        '{"cells": [{"cell_type": "markdown", "source": "# \\u0000N"}], "nbformat": 4}',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_odd_notebook_is_read_as_far_as_it_goes(
    tmp_path: Path, text: str, encoding: str
) -> None:
    data = text.removeprefix("\ufeff").encode("utf-8-sig" if text[0] == "\ufeff" else encoding)
    assert parsed(tmp_path / "docs", "a.ipynb", data).text == "# N"


def test_a_lone_surrogate_becomes_text_that_can_be_written(tmp_path: Path) -> None:
    data = b'{"cells": [{"cell_type": "markdown", "source": "bad \\ud83d char"}], "nbformat": 4}'
    assert parsed(tmp_path / "docs", "a.ipynb", data).text == "bad ? char"


def test_an_unusable_picture_is_dropped_and_the_rest_stays(tmp_path: Path) -> None:
    data = notebook(code_cell("x", shows(image_png="no base64 !"), shows(image_png=RED)))
    document = parsed(tmp_path / "docs", "a.ipynb", data)
    check(document)
    assert [drop.reason for drop in document.dropped_images] == ["unreadable"]
    assert len(document.images) == 1


def test_front_matter_of_the_first_cell_is_the_title(tmp_path: Path) -> None:
    data = notebook(markdown_cell("---\ntitle: T\n---\n{/* hidden */}"), markdown_cell("Body"))
    document = parsed(tmp_path / "docs", "a.ipynb", data)
    assert (document.title, document.text) == ("T", "Body")
