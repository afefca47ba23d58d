"""What a user may set about parsing; limits are in characters, pixels, pages and bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ParseOptions:
    """Limits and switches of every parser.

    Attributes:
        max_output_chars: recorded text output kept of one notebook cell; the middle is cut.
        min_image_px: an image with a side below this is dropped as `too_small`.
        decorative_px: an image with a side below this is kept and marked decorative.
        max_image_pixels: an image with more pixels is dropped as `too_large`, before decoding.
        max_image_bytes: a file with more bytes is dropped as `too_large`, before reading.
        allow_remote_images: fetch `http(s)` images; otherwise they are dropped as `remote`.
        pdf_tables: find tables in PDFs (slow: several times the time of the text).
        pdf_ocr: read pages without a text layer with Tesseract, where it is installed.
        pdf_min_image_px: bitmaps of a PDF with a side below this are ornaments, not figures.
        max_pages: a PDF with more pages is refused with the reason `too_many_pages`.
    """

    max_output_chars: int = 4000
    min_image_px: int = 2
    decorative_px: int = 32
    max_image_pixels: int = 100_000_000
    max_image_bytes: int = 64 * 1024 * 1024
    allow_remote_images: bool = False
    pdf_tables: bool = False
    pdf_ocr: bool = True
    pdf_min_image_px: int = 64
    max_pages: int = 5000
