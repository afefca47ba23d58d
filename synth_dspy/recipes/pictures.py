"""Images of the run directory as models are sent them: data URIs of bounded size."""

from __future__ import annotations

import base64
import io
from collections import OrderedDict
from pathlib import Path
from typing import Any

import dspy

from synth_dspy.records import Image

LONGEST_SIDE = 1536
_KEPT = 32


class Pictures:
    """Opens pictures; the last few are kept, since a picture is sent to several steps.

    Args:
        run_dir: what an image's `path` is relative to.
    """

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._kept: OrderedDict[str, dspy.Image] = OrderedDict()

    def __deepcopy__(self, memo: dict[int, Any]) -> Pictures:
        return self

    def __call__(self, image: Image) -> dspy.Image | None:
        """The picture as PNG, at most 1536 pixels on its longest side; None without a file."""
        if not image.path:
            return None
        known = self._kept.get(image.path)
        if known is None:
            known = self._kept[image.path] = _read(self._run_dir / image.path)
        self._kept.move_to_end(image.path)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return known


def _read(path: Path) -> dspy.Image:
    from PIL import Image as Pillow

    with Pillow.open(path) as picture:
        picture.load()
        converted = picture.convert("RGB")
    converted.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    data = io.BytesIO()
    converted.save(data, "PNG")
    encoded = base64.b64encode(data.getvalue()).decode("ascii")
    return dspy.Image(url=f"data:image/png;base64,{encoded}")
