"""Files made to be broken: what becomes of each, in one table, within time and memory.

`refused(reason)`: a DocumentError. `read(...)`: a document with so many images, and drops by
reason. EXPECTED.json of the folder says in words what is wanted; every file of it is here.
"""

from __future__ import annotations

import json
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from synth_dspy.errors import DocumentError
from synth_dspy.parsing import (
    ChunkOptions,
    ImageError,
    ImageStore,
    ParseOptions,
    chunk_document,
    parse_file,
)
from synth_dspy.records import Document
from tests.parsing.corpus import corpus, source_file
from tests.parsing.samples import check

pytestmark = [pytest.mark.corpus, pytest.mark.slow]

MAX_SECONDS = 20.0
MAX_MEMORY_KB = 600_000  # above what the process held before


@dataclass(frozen=True, slots=True)
class Read:
    """A document: its images, its drops by reason, what its text says and does not say."""

    images: int = 0
    drops: dict[str, int] = field(default_factory=dict)
    chunks: tuple[int, int] = (1, 1)
    says: str = ""
    never: str = "\x00"
    stats: dict[str, int] = field(default_factory=dict)


Outcome = Read | str  # a str is the reason of a refusal

DOCUMENTS: dict[str, Outcome] = {
    "pdf_truncated_60pct.pdf": "unreadable",
    "pdf_header_only.pdf": "unreadable",
    "pdf_zero_byte.pdf": "not_a_pdf",
    "pdf_is_html.pdf": "not_a_pdf",
    "pdf_is_png.pdf": "not_a_pdf",
    "pdf_garbage_prefix.pdf": Read(chunks=(2, 4), stats={"pages": 3}),
    "pdf_zeroed_middle.pdf": Read(chunks=(1, 4), stats={"pages": 3}),
    "pdf_10000_pages.pdf": "too_many_pages",
    "pdf_page_tree_loop.pdf": "unreadable",
    "pdf_image_bomb_30000x30000.pdf": Read(0, {"too_large": 1}, (0, 0)),
    "pdf_js_launch_uri.pdf": Read(stats={"pages": 1}),
    "pdf_encrypted_userpw_aes256.pdf": "encrypted",
    "pdf_encrypted_owner_only.pdf": Read(chunks=(1, 5), stats={"pages": 1}),
    "nb_truncated_70pct.ipynb": "invalid_json",
    "nb_zero_byte.ipynb": "invalid_json",
    "nb_empty_object.ipynb": "invalid_notebook",
    "nb_top_level_array.ipynb": "invalid_notebook",
    "nb_cells_is_object.ipynb": "invalid_notebook",
    "nb_no_cells.ipynb": Read(chunks=(0, 0), stats={"cells": 0}),
    "nb_nbformat5_future.ipynb": Read(says="Future"),
    "nb_utf8_bom.ipynb": Read(says="BOM é"),
    "nb_utf16.ipynb": Read(says="UTF-16 é"),
    "nb_latin1.ipynb": "encoding",
    "nb_bad_base64_image.ipynb": Read(1, {"unreadable": 1}),
    "nb_base64_variants.ipynb": Read(4),
    "nb_mime_lies.ipynb": Read(2, {"unreadable": 1}),
    "nb_attachments_odd.ipynb": Read(5, {"missing": 1}, stats={"attachments": 5}),
    "nb_missing_fields.ipynb": Read(says="v3 heading", stats={"cells": 5}),
    "nb_nan_and_dupe_keys.ipynb": Read(says="NaN"),
    "nb_lone_surrogate.ipynb": Read(says="bad ? char"),
    "nb_10000_cells.ipynb": Read(chunks=(100, 10_000), stats={"cells": 10_000}),
    "nb_deep_nesting_100k.ipynb": "invalid_json",
    "nb_huge_stream_output.ipynb": Read(chunks=(1, 3), says="characters left out"),
    "nb_ansi_traceback.ipynb": Read(never="\x1b"),
    "nb_crlf_source.ipynb": Read(0, {"missing": 1}, never="\r"),
    "nb_qiskit_image_tag_output.ipynb": Read(0, {"missing": 1}),
    "md_zero_byte.md": Read(chunks=(0, 0)),
    "mdx_zero_byte.mdx": Read(chunks=(0, 0)),
    "md_path_traversal.md": Read(0, {"outside_root": 6, "missing": 2, "remote": 2}, never="root:"),
    "mdx_path_traversal.mdx": Read(0, {"outside_root": 2}, (0, 1), never="root:"),
    "md_latin1.md": "encoding",
    "md_utf16le_bom.md": Read(says="UTF-16"),
    "md_cp932.md": "encoding",
    "md_nul_bytes.md": Read(says="NUL"),
    "md_binary.md": "encoding",
    "md_unclosed_fence.md": Read(says="!["),
    "mdx_unclosed_jsx.mdx": Read(0, {"missing": 1}, says="Unclosed"),
    "md_blockquote_depth_5000.md": Read(chunks=(1, 3)),
    "md_emphasis_bomb.md": Read(chunks=(20, 30)),
    "md_brackets_bomb.md": Read(chunks=(10, 20)),
    "md_one_line_500kB.md": Read(chunks=(125, 150)),
    "md_20000_image_links.md": Read(0, {"missing": 20_000}, says="Links"),
    "mdx_yaml_billion_laughs.mdx": Read(says="Title"),
    "mdx_yaml_python_object.mdx": Read(says="Title"),
    "md_bidi_zero_width.md": Read(says="\u202e"),
    "md_prompt_injection.md": Read(says="Model X100"),
    "md_only_frontmatter.mdx": Read(chunks=(0, 0)),
    "md_crlf.md": Read(0, {"missing": 1}, never="\r"),
    "md_data_uri_image.md": Read(2, {"unreadable": 1}),
    "md_links_to_broken_images.md": Read(1, {"unreadable": 6, "too_small": 1, "too_large": 2}),
    "dup/grover_copy.ipynb": Read(7, chunks=(5, 20), stats={"cells": 45}),
    "dup/grover_metadata_changed.ipynb": Read(7, chunks=(5, 20), stats={"cells": 45}),
    "dup/grover_outputs_stripped.ipynb": Read(0, chunks=(5, 20), stats={"cells": 45, "outputs": 0}),
}

# What becomes of each image; "" is stored.
IMAGES = {
    "img/png_bomb_40000x40000_1bit.png": "too_large",
    "img/png_header_2147483647.png": "too_large",
    "img/png_truncated.png": "unreadable",
    "img/png_1x1.png": "",  # dropped as `too_small` by the document that shows it
    "img/png_all_white_800x600.png": "",  # kept, and marked as decoration
    "img/jpeg_named.png": "unreadable",
    "img/svg_billion_laughs.svg": "unreadable",
    "img/svg_xxe.svg": "unreadable",
    "img/zero_byte.png": "unreadable",
    "img/avif_truncated.avif": "unreadable",
}


@pytest.fixture
def store() -> Iterator[ImageStore]:
    with tempfile.TemporaryDirectory() as folder:
        yield ImageStore(Path(folder))


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """Every file within its time, and without more memory than a large document takes."""
    before, started = _peak_kb(), time.perf_counter()
    yield
    assert time.perf_counter() - started < MAX_SECONDS
    assert _peak_kb() - before < MAX_MEMORY_KB


def _peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def parsed(path: str, store: ImageStore) -> Document:
    options = ParseOptions(pdf_ocr=False)
    return parse_file(source_file(f"broken/generated/{path}"), images=store, options=options)


def test_every_file_that_is_expected_is_in_the_tables() -> None:
    folder = corpus()
    assert folder is not None
    wanted = json.loads((folder / "broken" / "generated" / "EXPECTED.json").read_bytes())
    assert set(wanted) == {*DOCUMENTS, *IMAGES}


@pytest.mark.parametrize("path", sorted(p for p, o in DOCUMENTS.items() if isinstance(o, str)))
def test_a_broken_document_is_refused_with_its_reason(path: str, store: ImageStore) -> None:
    with pytest.raises(DocumentError) as caught:
        parsed(path, store)
    assert caught.value.reason == DOCUMENTS[path]
    assert len(str(caught.value)) < 400
    assert not caught.value.retryable


@pytest.mark.parametrize("path", sorted(p for p, o in DOCUMENTS.items() if isinstance(o, Read)))
def test_an_odd_document_is_read_as_the_table_says(path: str, store: ImageStore) -> None:
    outcome = DOCUMENTS[path]
    assert isinstance(outcome, Read)
    document = parsed(path, store)
    check(document)
    assert len(document.images) == outcome.images
    assert Counter(d.reason for d in document.dropped_images) == Counter(outcome.drops)
    assert outcome.says in document.text
    assert outcome.never not in document.text
    assert document.stats.items() >= outcome.stats.items()
    document.text.encode()  # no lone surrogate
    low, high = outcome.chunks
    assert low <= len(chunk_document(document, ChunkOptions())) <= high


@pytest.mark.parametrize("path", sorted(IMAGES))
def test_a_broken_image_is_refused_with_its_reason(path: str, store: ImageStore) -> None:
    folder = corpus()
    assert folder is not None
    data = (folder / "broken" / "generated" / path).read_bytes()
    reason = ""
    try:
        store.add(data)
    except ImageError as error:
        reason = error.reason
    assert reason == IMAGES[path]


def test_a_broken_json_is_told_with_its_position(store: ImageStore) -> None:
    with pytest.raises(DocumentError, match=r"line 446, column 20 \(character 93815\)"):
        parsed("nb_truncated_70pct.ipynb", store)


def test_a_blank_image_is_kept_as_decoration(store: ImageStore) -> None:
    (image,) = parsed("md_links_to_broken_images.md", store).images
    assert image.decorative


def test_duplicates_have_the_same_text(store: ImageStore) -> None:
    copy, metadata, stripped = (
        parsed(f"dup/grover_{name}.ipynb", store)
        for name in ("copy", "metadata_changed", "outputs_stripped")
    )
    assert copy.text.split() == metadata.text.split() or copy.code_blocks == metadata.code_blocks
    assert [c.code for c in copy.code_blocks] == [c.code for c in stripped.code_blocks]
    folder = corpus()
    assert folder is not None
    original = (
        folder / "notebooks/qiskit-community__qiskit-algorithms/docs/tutorials/06_grover.ipynb"
    )
    assert original.read_bytes() == (folder / "broken/generated/dup/grover_copy.ipynb").read_bytes()


def test_html_and_scripts_of_a_pdf_are_neither_run_nor_fetched(store: ImageStore) -> None:
    assert len(parsed("pdf_js_launch_uri.pdf", store).text.split()) < 10
