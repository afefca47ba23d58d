"""SVG bytes in; their size, or a PNG, the same on every machine. No file they link to is opened."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from synth_dspy.parsing.image_error import ImageError

SVG_SIDE_PX = 1024  # what an exported image has at most
FACES = ("Sans", "Sans-Bold", "Sans-Oblique", "SansMono")  # DejaVu, from matplotlib
SANS, MONO = "DejaVu Sans", "DejaVu Sans Mono"

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


def svg_size(data: bytes, *, max_pixels: int) -> tuple[int, int]:
    """Width and height in pixels of what `draw_svg` would draw; the XML is checked, not drawn.

    Raises:
        ImageError: `unreadable`, `too_large` (by the size it states).
    """
    from xml.parsers import expat

    text = _text(data)
    size = _drawn_size(text, max_pixels)
    if "<!ENTITY" in text:  # the drawing library refuses entities that loop, grow or lead to files
        _drawn(text, (16, 16))
        return size
    names: list[str] = []
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = lambda name, _: names.append(name) if not names else None
    try:
        parser.Parse(text.encode("utf-8"), True)
    except expat.ExpatError as error:
        raise ImageError("unreadable", f"SVG: {error}") from error
    if names[0].rpartition(":")[2] != "svg":
        raise ImageError("unreadable", f"the XML of an SVG begins with <{names[0][:40]}>")
    return size


def draw_svg(data: bytes, *, max_pixels: int) -> bytes:
    """The PNG of an SVG, on white.

    Raises:
        ImageError: `unreadable`, `too_large` (by the size it states).
    """
    text = _text(data)
    return _drawn(text, _drawn_size(text, max_pixels))


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImageError("unreadable", "an SVG that is not UTF-8") from error


def _drawn_size(text: str, max_pixels: int) -> tuple[int, int]:
    width, height = _natural_size(text)
    if width * height > max_pixels:
        raise ImageError("too_large", f"an SVG of {width:.0f} x {height:.0f} pixels")
    scale = SVG_SIDE_PX / max(width, height)
    scale = min(scale, 4.0)  # an icon stays an icon
    return max(1, round(width * scale)), max(1, round(height * scale))


def _drawn(text: str, size: tuple[int, int]) -> bytes:
    import resvg_py

    try:
        # Links to other files are cut off; fonts come with the package, so that a picture is the
        # same on every machine.
        png: bytes = resvg_py.svg_to_bytes(
            svg_string=_XREF.sub(r"\1\2\2", text),
            width=size[0],
            height=size[1],
            background="#ffffff",
            dpi=96.0,  # the default of 0 makes nothing of sizes in pt and mm
            skip_system_fonts=True,
            font_files=_font_files() if "<text" in text else None,
            # What the packaged fonts lack (Arial, Helvetica) falls back to these; else it is left
            # out of the picture.
            font_family=SANS,
            sans_serif_family=SANS,
            serif_family=SANS,
            monospace_family=MONO,
        )
    except (ValueError, BaseException) as error:
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        raise ImageError("unreadable", f"SVG: {error}") from error
    return bytes(png)


def _natural_size(text: str) -> tuple[float, float]:
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
