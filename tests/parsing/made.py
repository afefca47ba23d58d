"""Documents that hypothesis makes, well formed as the parsers' own are."""

from __future__ import annotations

from hypothesis import strategies as st

from synth_dspy.parsing.markers import marker
from synth_dspy.records import Block, CodeBlock, Document, Image, digest

WORDS = st.text(alphabet="abc défg.\n", min_size=1, max_size=300)
PARTS = st.one_of(
    st.tuples(st.just("text"), WORDS, st.just(0)),
    st.tuples(st.just("heading"), st.text("abc ", min_size=1, max_size=20), st.integers(1, 6)),
    st.tuples(st.just("code"), st.text("xyz =\n", min_size=1, max_size=400), st.just(0)),
    st.tuples(st.just("output"), st.text("123\n", min_size=1, max_size=100), st.just(0)),
    st.tuples(st.just("image"), st.just(""), st.integers(1, 3)),
    st.tuples(st.just("inline"), WORDS, st.integers(1, 3)),
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """A document of up to 25 blocks, with images alone, in rows, and inside prose."""
    parts: list[str] = []
    blocks: list[Block] = []
    code: list[CodeBlock] = []
    images: list[Image] = []
    length = 0
    for cell, (kind, body, number) in enumerate(draw(st.lists(PARTS, max_size=25))):
        text = body.strip()
        if kind == "heading":
            text = f"{'#' * number} {text}"
        elif kind == "code":
            text = f"```python\n{body.strip(chr(10))}\n```"
        elif kind in ("image", "inline"):
            made = [
                Image(digest(cell, n)[:16], "s", "image/png", "markdown") for n in range(number)
            ]
            images += made
            text = f"{text} " + " ".join(marker(image.id) for image in made)
            text = text.strip()
        if not text:
            continue
        if parts:
            parts.append("\n\n")
            length += 2
        level = number if kind == "heading" else 0
        shown = "text" if kind == "inline" else kind
        blocks.append(Block(shown, length, length + len(text), level, cell // 3))  # type: ignore[arg-type]
        if kind == "code":
            code.append(
                CodeBlock(body.strip("\n"), "python", length, length + len(text), cell // 3)
            )
        parts.append(text)
        length += len(text)
    return Document(
        "d", "page.md", "docs", "md", "h", "".join(parts),
        blocks=tuple(blocks), code_blocks=tuple(code), images=tuple(images),
    )  # fmt: skip
