"""SVG bytes in, a PNG out, the same on every machine. Nothing that the file links to is opened."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from synth_dspy.parsing.image_error import ImageError

SVG_SIDE_PX = 1200
FACES = ("Sans", "Sans-Bold", "Sans-Oblique", "SansMono", "Serif")  # DejaVu, from matplotlib

_XREF = re.compile(
    r"""(<(?:[\w-]+:)?(?:image|use|feImage)\b[^>]*?\b(?:xlink:)?href\s*=\s*)(["'])(?!data:|\#)[^"']*\2"""
)
_SIZE = r"""<svg\b[^>]*?\s{}\s*=\s*["']\s*([\d.]+(?:e[+-]?\d+)?)\s*([a-z%]*)"""
_VIEW_BOX = re.compile(
    r"""<svg\b[^>]*?\sviewBox\s*=\s*["']\s*[-\d.e]+[\s,]+[-\d.e]+[\s,]+([\d.e]+)[\s,]+([\d.e]+)"""
)
_UNITS = {
    "": 1.0,
    "px": 1.0,
    "pt": 4 / 3,
    "in": 96.0,
    "cm": 96 / 2.54,
    "mm": 96 / 25.4,
    "ex": 8.0,
    "em": 16.0,
}


def draw_svg(data: bytes, *, max_pixels: int) -> bytes:
    """The PNG of an SVG, on white.

    Raises:
        ImageError: `unreadable`, `too_large` (by the size it states).
    """
    import resvg_py

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImageError("unreadable", "an SVG that is not UTF-8") from error
    width, height = _svg_size(text)
    if width * height > max_pixels:
        raise ImageError("too_large", f"an SVG of {width:.0f} x {height:.0f} pixels")
    scale = SVG_SIDE_PX / max(width, height)
    scale = min(scale, 4.0)  # an icon stays an icon
    try:
        # Links to other files are cut off; fonts come with the package, so that a picture is the
        # same on every machine.
        png: bytes = resvg_py.svg_to_bytes(
            svg_string=_XREF.sub(r"\1\2\2", text),
            width=max(1, round(width * scale)),
            height=max(1, round(height * scale)),
            background="#ffffff",
            dpi=96.0,  # the default of 0 makes nothing of sizes in pt and mm
            skip_system_fonts=True,
            font_files=_font_files() if "<text" in text else None,
        )
    except (ValueError, BaseException) as error:
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        raise ImageError("unreadable", f"SVG: {error}") from error
    return bytes(png)


def _svg_size(text: str) -> tuple[float, float]:
    """Natural width and height of an SVG in CSS pixels; 300 x 150, as in browsers, if unsaid."""
    box = _VIEW_BOX.search(text)
    sides: list[float | None] = []
    for name in ("width", "height"):
        found = re.search(_SIZE.format(name), text)
        unit = _UNITS.get(found[2]) if found else None
        sides.append(float(found[1]) * unit if found and unit else None)
    try:
        box_width, box_height = (float(box[1]), float(box[2])) if box else (300.0, 150.0)
    except ValueError:
        box_width, box_height = 300.0, 150.0
    width, height = sides
    ratio = box_width / box_height if box_width and box_height else 2.0
    if width and height:
        return width, height
    if width:
        return width, width / ratio
    if height:
        return height * ratio, height
    return (box_width or 300.0), (box_height or 150.0)


def _font_files() -> list[str]:
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        return []
    folder = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
    return [str(folder / f"DejaVu{face}.ttf") for face in FACES]
