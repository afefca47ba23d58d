"""Markdown and MDX: text kept, markup gone, every image found and nothing taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_dspy.errors import DocumentError
from synth_dspy.parsing.markdown import _leaves, _tokens, plain_blocks
from synth_dspy.parsing.markers import marker
from synth_dspy.records import Document
from tests.parsing.samples import SVG, b64, check, parsed, picture, write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A source with a picture at `images/a.png`."""
    write(tmp_path / "docs", "images/a.png", picture())
    return tmp_path / "docs"


def refs(document: Document) -> list[tuple[str, str]]:
    check(document)
    return [(image.origin, image.ref) for image in document.images]


@pytest.mark.parametrize(
    ("source", "origin"),
    [
        ("![a](images/a.png)", "markdown"),
        ('![a](<images/a.png> "title")', "markdown"),
        ("[![a](images/a.png)](https://example.org)", "markdown"),
        ("| x | y |\n| - | - |\n| ![a](images/a.png) | 1 |", "markdown"),
        ("> - deep ![a](images/a.png)", "markdown"),
        ("![a][pic]\n\n[pic]: images/a.png", "markdown"),
        ("![pic][]\n\n[PIC]: images/a.png 'title'", "markdown"),
        ("![pic]\n\n  [pic]: images/a.png#only-light", "markdown"),
        ("![a](images/a.*)", "markdown"),
        ("![a](images/a.png){ width=300 }", "markdown"),
        ("!!! note\n\n    ![a](images/a.png)", "markdown"),
        ("=== \"Tab\"\n\n    <div>\n\n    ![a](images/a.png)\n\n    </div>", "markdown"),
        ('<img src="images/a.png" alt="x">', "html"),
        ("<div>\n\n    <p><img src='images/a.png'/></p>\n\n</div>", "html"),
        ("<table><tr><td><img src=images/a.png></td></tr></table>", "html"),
        ('<Image src="images/a.png" alt="x" />', "jsx"),
        ("<Figure src={'images/a.png'} />", "jsx"),
        ("<ThemedImage sources={{a: x('y')}} src={require('./images/a.png').default}/>", "jsx"),
        ('import A from "./images/a.png"\n\n<img src={A} style={{padding: "2px"}}/>', "html"),
        ('import A from "./images/a.png";\n\n<Card title="T" icon={<A/>} />', "jsx"),
        (':::image type="content" source="images\\a.png" alt-text="x":::', "directive"),
        ("```{figure} images/a.png\n:alt: x\nA caption.\n```", "directive"),
        (":::{figure} images/a.png\nA caption.\n:::", "directive"),
        ("````{tab-set}\n```{image} images/a.png\n```\n````", "directive"),
        (f"![a](data:image/png;base64,{b64(picture())})", "data_uri"),
    ],
)  # fmt: skip
def test_every_way_to_show_an_image_is_found_once(root: Path, source: str, origin: str) -> None:
    document = parsed(root, "page.mdx" if "import" in source else "page.md", source)
    assert [found for found, _ in refs(document)] == [origin]
    assert not document.dropped_images


@pytest.mark.parametrize(
    "source",
    [
        "```md\n![a](images/a.png)\n```",
        "~~~~\n![a](images/a.png)\n~~~\n~~~~",
        "```\nnot closed ![a](images/a.png)",
        "Write `![a](images/a.png)` or ``<img src='images/a.png'>``.",
        "<!-- ![a](images/a.png) -->",
        "{/* <Image src='images/a.png'/> */}",
        "Indented:\n\n    ![a](images/a.png)\n",
        r"\![a](images/a.png)",
        '<Figure title="Theorem">Every marker has an image.</Figure>',
        '<video src="images/a.mp4"></video>',
    ],
)
def test_what_shows_no_image_is_not_taken_for_one(root: Path, source: str) -> None:
    document = parsed(root, "page.md", source)
    assert refs(document) == []
    assert not document.dropped_images


def test_caption_and_alternative_text_stay_with_the_image(root: Path) -> None:
    source = "<figure><img src='images/a.png' alt='Alt'><figcaption>A <b>plot</b>.</figcaption>"
    image = parsed(root, "page.md", source + "</figure>").images[0]
    assert (image.alt, image.caption) == ("Alt", "A plot.")


def test_a_figure_directive_has_its_text_as_caption_and_in_the_page(root: Path) -> None:
    document = parsed(root, "page.md", "```{figure} images/a.png\n:alt: Alt\nWhat it shows.\n```")
    assert (document.images[0].alt, document.images[0].caption) == ("Alt", "What it shows.")
    assert "What it shows." in document.text


def test_an_image_in_the_alternative_text_of_another_is_found_too(root: Path) -> None:
    write(root, "images/b.png", picture("blue"))
    document = parsed(root, "page.md", "![outer ![inner](images/b.png)](images/a.png)")
    assert [ref for _, ref in refs(document)] == ["images/b.png", "images/a.png"]


def test_components_leave_their_text_and_titles(root: Path) -> None:
    source = (
        'import X from "x"\nexport const y = {\n  a: 1,\n}\n\n<Tabs>\n<TabItem label="Python">\n\n'
        'Body <b>bold</b>.\n\n</TabItem>\n</Tabs>\n\n<Admonition title="Mind">Care.</Admonition>'
    )
    text = parsed(root, "page.mdx", source).text
    assert all(word in text for word in ("Python", "Body bold.", "Mind", "Care."))
    assert not any(mark in text for mark in ("<", "import", "export"))


def test_a_placeholder_in_angle_brackets_is_text(root: Path) -> None:
    source = "Set <YOUR_TOKEN> and <name>, a < b, x<y.\n\nNext."
    assert parsed(root, "page.mdx", source).text == source


def test_code_is_left_as_it_was(root: Path) -> None:
    source = "Before.\n\n```html\n<div><img src='x.png'></div> <!-- kept -->\n```\n\nAfter."
    document = parsed(root, "page.md", source)
    assert document.text == source
    assert document.code_blocks[0].code == "<div><img src='x.png'></div> <!-- kept -->"
    assert document.code_blocks[0].language == "html"


def test_a_fence_in_a_list_is_a_code_block_with_a_true_span(root: Path) -> None:
    document = parsed(root, "page.md", "1. Step\n\n   ```python\n   x = 1\n   ```\n\n2. Next")
    check(document)
    assert [block.code for block in document.code_blocks] == ["x = 1"]
    assert [block.kind for block in document.blocks] == ["text", "code", "text"]


def test_indented_code_keeps_its_tags_in_markdown(root: Path) -> None:
    document = parsed(root, "page.md", "Sample:\n\n    <div>x</div>\n\nEnd.")
    assert [block.code for block in document.code_blocks] == ["<div>x</div>"]


def test_headings_have_their_levels(root: Path) -> None:
    document = parsed(root, "page.md", "# One\n\ntext\n\nTwo\n---\n\n### Three")
    found = [(b.level, document.text[b.start : b.end]) for b in document.blocks if b.level]
    assert found == [(1, "# One"), (2, "Two\n---"), (3, "### Three")]
    assert document.title == "One"


def test_front_matter_gives_the_title_and_leaves_the_text(root: Path) -> None:
    document = parsed(root, "page.mdx", '---\ntitle: "A page"\nx: 1\n---\n\nBody.')
    assert (document.title, document.text) == ("A page", "Body.")


def test_front_matter_is_never_run_as_yaml(root: Path) -> None:
    document = parsed(root, "p.mdx", "---\ntitle: !!python/object/apply:os.getcwd []\n---\n# Real")
    assert document.title == "Real"


def test_pages_joined_into_one_file_become_sections(root: Path) -> None:
    document = parsed(root, "page.md", "# A\n\nx\n\n---\ntitle: Next page\nid: n\n---\n\ny")
    assert "# Next page" in document.text
    assert "id: n" not in document.text


def test_math_is_left_alone(root: Path) -> None:
    source = r"The state $\vert\psi\rangle$ is" + "\n\n$$\na_{1} < b_{2} \\\\\n[x]\n$$"
    assert parsed(root, "page.mdx", source).text == source


def test_a_marker_that_an_author_wrote_is_no_marker(root: Path) -> None:
    document = parsed(root, "page.md", f"See {marker('0' * 16)} and `{marker('1' * 16)}`.")
    check(document)
    assert document.images == ()


def test_a_picture_named_by_a_component_is_looked_up_in_the_public_roots(tmp_path: Path) -> None:
    write(tmp_path / "docs", "public/images/deep/tree.png", picture())
    source = '<Diagram name="tree" alt="A tree" width={3}>\n\nText.\n\n</Diagram>'
    document = parsed(tmp_path / "docs", "src/page.md", source)
    assert refs(document) == [("jsx", "tree")]


def test_a_name_that_no_picture_of_the_public_roots_has_is_missing(tmp_path: Path) -> None:
    write(tmp_path / "docs", "public/images/tree.png", picture())
    document = parsed(tmp_path / "docs", "src/page.md", '<Diagram name="bush" alt="A bush" />')
    assert [(d.ref, d.reason) for d in document.dropped_images] == [("bush", "missing")]


def test_an_expression_that_cannot_be_resolved_is_dropped_with_that_reason(root: Path) -> None:
    document = parsed(root, "page.mdx", "<img src={props.src}/>")
    assert [(d.ref, d.reason) for d in document.dropped_images] == [("{props.src}", "expression")]


def test_equal_images_are_two_occurrences_with_two_ids_and_one_file(root: Path) -> None:
    document = parsed(root, "page.md", "![a](images/a.png)\n\n![b](images/a.png)")
    assert len({image.id for image in document.images}) == 2
    assert len({image.path for image in document.images}) == 1


def test_ids_of_images_do_not_depend_on_the_text_around_them(root: Path) -> None:
    one = parsed(root, "page.md", "![a](images/a.png)")
    two = parsed(root, "page.md", "More before.\n\n![a](images/a.png)")
    assert one.id != two.id
    assert one.images[0].id == two.images[0].id


def test_an_image_that_is_imported_and_never_shown_is_dropped_as_unused(root: Path) -> None:
    source = "import A from './images/a.png'\nimport B from './images/b.png'\n\n<img src={A} />\n"
    document = parsed(root, "page.mdx", source)
    assert [image.ref for image in document.images] == ["./images/a.png"]
    dropped = [(image.ref, image.reason) for image in document.dropped_images]
    assert dropped == [("./images/b.png", "unused")]


def test_an_svg_is_kept_as_it_is_under_the_hash_of_its_bytes(root: Path) -> None:
    write(root, "images/s.svg", SVG)
    image = parsed(root, "page.md", "![s](images/s.svg)").images[0]
    assert image.mime == "image/svg+xml"
    assert image.path == f"images/{image.sha256}.svg"
    assert (root.parent / "run" / image.path).read_text() == SVG


@pytest.mark.parametrize("data", [b"caf\xe9", b"\x93\xfa\x96{", bytes(range(128, 256))])
def test_a_page_in_another_encoding_is_refused_and_not_guessed(root: Path, data: bytes) -> None:
    with pytest.raises(DocumentError, match="save the file as UTF-8") as caught:
        parsed(root, "page.md", data)
    assert caught.value.reason == "encoding"
    assert not caught.value.retryable


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_says_the_encoding(root: Path, encoding: str) -> None:
    assert parsed(root, "page.md", "# Café\r\n\r\nx".encode(encoding)).text == "# Café\n\nx"


@pytest.mark.parametrize(
    "source",
    [
        "[" * 50_000,
        "![" * 20_000,
        "*a **b " * 10_000,
        ">" * 5_000 + " x",
        "<a " * 20_000,
        "`" * 3 + "a`" * 20_000,
        "![a](" * 10_000,
        "<!--" * 20_000,
        "x" * 300_000,
        '<img src="' * 5_000,
        "{" * 20_000,
        "<A b={" * 5_000,
    ],
)  # fmt: skip
@pytest.mark.timeout(20)
def test_hostile_pages_take_linear_time(root: Path, source: str) -> None:
    check(parsed(root, "page.md", source))


LINES = st.lists(
    st.sampled_from(["", " ", "\t", "word", "two words", "# One", "## Two ##", "   ### Three", "#",
                     "#no", "####### seven", "    code", "\tcode", "- item", "1. item", "> quote",
                     "---", "- a b", "- # c", "* * *", "-", "|-|", ":-:", "x | y", "|", "2) x",
                     "  - in", "===", "a | b", "--- | ---", "```",
                     "~~~", "*em*", "_em_", "+ x", "\\# no",
                     "1986. A year", "word  ", "  word", "$$", "[a]: b", "\x0c", "\xa0word"]),
    max_size=8,
)  # fmt: skip


@given(LINES, st.booleans())
@settings(max_examples=600)
def test_plain_source_is_divided_as_by_the_whole_parser(
    lines: list[str], indented_code: bool
) -> None:
    short = plain_blocks(lines)
    if short is None:
        return
    tokens = _leaves(_tokens("\n".join(lines), indented_code))
    assert not {"fence", "code_block", "table_open"} & {token.type for token, _, _ in tokens}
    whole = [(int(t.tag[1]) if t.type == "heading_open" else 0, a, b) for t, a, b in tokens]
    assert said(whole, lines) == said(short, lines)


def said(blocks: list[tuple[int, int, int]], lines: list[str]) -> list[tuple[int, str]]:
    """Headings, and the words of what stands between them."""
    made: list[tuple[int, str]] = []
    for level, first, last in blocks:
        words = " ".join(" ".join(lines[first:last]).split())
        if not level and made and not made[-1][0]:
            made[-1] = (0, f"{made[-1][1]} {words}".strip())
        elif level or words:
            made.append((level, words))
    return made
