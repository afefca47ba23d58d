"""Images as they are exported."""

import io
from pathlib import Path

import pytest
from PIL import Image

from synth_dspy.dataset.pictures import png_bytes, webp_bytes
from synth_dspy.errors import StoreError
from tests.dataset.made import picture


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "L", "P", "RGB", "1"])
def test_every_mode_becomes_rgb_png(tmp_path: Path, mode: str) -> None:
    result = opened(png_bytes(tmp_path, picture(tmp_path, "a.png", mode=mode)))
    assert (result.format, result.mode) == ("PNG", "RGB")


def test_transparency_becomes_white(tmp_path: Path) -> None:
    result = opened(png_bytes(tmp_path, picture(tmp_path, "a.png", mode="RGBA")))
    assert result.getpixel((2, 2)) == (255, 255, 255)


def test_a_large_image_is_scaled_to_the_longest_side(tmp_path: Path) -> None:
    path = picture(tmp_path, "a.png", size=(900, 300))
    assert opened(png_bytes(tmp_path, path, max_side=300)).size == (300, 100)


def test_a_small_image_keeps_its_size(tmp_path: Path) -> None:
    path = picture(tmp_path, "a.png", size=(90, 80))
    assert opened(png_bytes(tmp_path, path, max_side=300)).size == (90, 80)


def test_a_thumbnail_is_webp(tmp_path: Path) -> None:
    result = opened(webp_bytes(tmp_path, picture(tmp_path, "a.png"), max_side=480))
    assert result.format == "WEBP"
    assert max(result.size) == 480


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"'images/no\.png'.*Run parse again"):
        png_bytes(tmp_path, "images/no.png")


def test_a_file_that_is_no_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("not an image")
    with pytest.raises(StoreError, match=r"'a\.png'"):
        png_bytes(tmp_path, "a.png")


def test_a_path_out_of_the_run_directory_is_refused(tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    picture(tmp_path, "a.png")
    with pytest.raises(StoreError, match="outside of the run directory"):
        png_bytes(run_dir, "../images/a.png")
