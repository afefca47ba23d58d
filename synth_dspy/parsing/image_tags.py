"""Which image an HTML or JSX tag shows: `<img>`, `<Image src>`, an import, a named diagram."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth_dspy.records import ImageOrigin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth_dspy.parsing.tags import Tag

IMAGE_SUFFIX = re.compile(
    r"\.(png|jpe?g|gif|svg|webp|avif|bmp|tiff?|ico|apng|eps|pdf|\*)(?:[?#].*)?$", re.IGNORECASE
)
_QUOTED_PATH = re.compile(r"""["'`]([^"'`\n]+)["'`]""")
_IMAGE_COMPONENT = re.compile(
    r"image|img|figure|picture|photo|screenshot|avatar|icon|logo", re.IGNORECASE
)
_SRC_ATTRIBUTES = ("src", "image", "img", "icon", "lightSrc", "source", "data-src")


@dataclass(frozen=True, slots=True)
class Found:
    """An image as the source names it.

    Attributes:
        ref: as written; "" with `named`, when a component names a picture without a path.
    """

    ref: str
    origin: ImageOrigin
    alt: str = ""
    caption: str = ""
    named: str = ""
    expression: bool = False


def image_of(tag: Tag, imports: Mapping[str, str]) -> Found | None:
    """The image that this tag shows, if it shows one.

    Args:
        imports: paths of images that the page imports, by the name it gives them.
    """
    alt = tag.strings.get("alt", "")
    origin: ImageOrigin = "html" if tag.name.lower() == "img" else "jsx"
    if tag.name in imports:
        return Found(imports[tag.name], "jsx", alt)
    if tag.name.lower() != "img" and not tag.is_component:
        return None
    caption = tag.strings.get("caption", "")
    for key in _SRC_ATTRIBUTES:
        value, expression = tag.strings.get(key, ""), tag.expressions.get(key, "")
        shows = bool(IMAGE_SUFFIX.search(value)) or value.startswith("data:image")
        if value and (origin == "html" or shows or (key == "src" and _is_image(tag))):
            return Found(value.strip(), origin, alt, caption)
        if expression in imports:
            return Found(imports[expression], origin, alt, caption)
        paths = [p for p in _QUOTED_PATH.findall(expression) if IMAGE_SUFFIX.search(p)]
        if paths and "<" not in expression:
            return Found(paths[0], origin, alt, caption)
        if expression and key == "src" and (origin == "html" or _is_image(tag)):
            return Found(f"{{{expression}}}", origin, alt, caption, expression=True)
    if origin == "jsx" and alt and re.fullmatch(r"[\w-]+", tag.strings.get("name", "")):
        return Found("", "jsx", alt, caption, named=tag.strings["name"])
    return None


def _is_image(tag: Tag) -> bool:
    return bool(_IMAGE_COMPONENT.search(tag.name))
