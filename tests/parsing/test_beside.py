"""Which images a document may show: never one too few, and none for a page that names no image."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_dspy.parsing import ImageStore, ParseOptions, parse_file
from synth_dspy.parsing.beside import Beside
from tests.parsing.samples import code_cell, listed, markdown_cell, notebook, picture, shows, write

STEMS = st.text(alphabet=st.sampled_from("ab1Zé漢 _-.,+'()&%@~"), min_size=1, max_size=12).filter(
    lambda s: s == s.strip() and not s.startswith(".") and not s.endswith(".")
)


def shown(root: Path, path: str, *, public_roots: tuple[str, ...] = ()) -> list[str]:
    """The images that `path` may show, by `Beside`."""
    beside = Beside(root, [Path(p) for p in public_roots])
    return [image for _, image, _ in beside.of(listed(root, path, public_roots=public_roots))]


@given(STEMS, st.sampled_from(["as it is", "quoted", "html", "notebook", "output"]))
@settings(max_examples=150, deadline=None)
def test_an_image_that_a_document_shows_is_always_among_them(stem: str, spelling: str) -> None:
    ref = f"img/{quote(stem) if spelling != 'html' else stem}.png"
    source = f'<img src="{ref}">' if spelling == "html" else f"Text\n![x](<{ref}>)"
    data: bytes | str = source
    if spelling == "notebook":
        data = notebook(markdown_cell(f"a\n\n{source}"))
    elif spelling == "output":
        data = notebook(code_cell("x", shows(text_plain=f'<Image src="{ref}" />')))
    page = "page.ipynb" if isinstance(data, bytes) else "page.md"
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write(root, f"img/{stem}.png", picture())
        write(root, page, data)
        file = listed(root, page)
        document = parse_file(file, images=ImageStore(root / "run"), options=ParseOptions())
        found = {image.sha256 for image in document.images}
        told = {sha256 for _, _, sha256 in Beside(root, []).of(file)}
        assert found <= told


@pytest.mark.parametrize(
    "source",
    ["![x](fig_1.png)", "![x](img\\fig_1.png)", ":::image source=\"img\\fig_1.png\":::",
     "```{figure} fig_1.*\n```", "import F from './fig_1.png'\n", "![x](fig%5F1.png)",
     "![x](fig\\_1.png)"],
)  # fmt: skip
def test_every_way_of_naming_an_image_counts(tmp_path: Path, source: str) -> None:
    write(tmp_path, "img/fig_1.png", picture())
    write(tmp_path, "other.png", picture())
    write(tmp_path, "page.mdx", source)
    assert shown(tmp_path, "page.mdx") == ["img/fig_1.png"]


def test_images_of_public_roots_count(tmp_path: Path) -> None:
    write(tmp_path, "site/a/fig.png", picture())
    write(tmp_path, "docs/page.md", "![x](/a/fig.png)")
    public = (str(tmp_path / "site"),)
    assert shown(tmp_path / "docs", "page.md", public_roots=public) == ["a/fig.png"]


def test_hashes_are_of_the_content(tmp_path: Path) -> None:
    write(tmp_path, "fig.png", picture())
    write(tmp_path, "page.md", "![x](fig.png)")
    expected = hashlib.sha256(picture()).hexdigest()
    assert Beside(tmp_path, []).of(listed(tmp_path, "page.md")) == [("source", "fig.png", expected)]


def test_a_document_that_holds_its_own_images_asks_for_none(tmp_path: Path) -> None:
    write(tmp_path, "fig.png", picture())
    write(tmp_path, "page.pdf", "%PDF-1.4 fig")
    assert shown(tmp_path, "page.pdf") == []


def test_a_page_that_only_speaks_of_an_image_does_not_show_it(tmp_path: Path) -> None:
    write(tmp_path, "gauge.png", picture())
    write(tmp_path, "page.md", "A rain gauge is an instrument.")
    assert shown(tmp_path, "page.md") == []


def test_a_component_that_names_a_picture_may_show_it(tmp_path: Path) -> None:
    write(tmp_path, "public/water_cycle.png", picture())
    write(tmp_path, "page.mdx", '<Diagram name="water_cycle" alt="Water" />')
    assert shown(tmp_path, "page.mdx") == ["public/water_cycle.png"]
