"""Single pictures: depth, alpha, profile, EXIF and dpi survive a round trip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from nightfx.errors import SourceError, TargetError
from nightfx.source.image import is_picture, read_picture
from nightfx.target.image_writer import write_picture

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SMALL = np.arange(5 * 7 * 4, dtype=np.uint8).reshape(5, 7, 4) + 60


def save(path: Path, pixels: Any = SMALL[..., :3], **options: Any) -> Path:
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.mark.parametrize(
    ("suffix", "alpha"), [(".png", True), (".png", False), (".tif", True), (".webp", True)]
)
def test_lossless_pictures_come_back_exactly(tmp_path: Path, suffix: str, alpha: bool) -> None:
    pixels = SMALL if alpha else SMALL[..., :3]
    path = save(
        tmp_path / f"a{suffix}",
        pixels,
        **({"lossless": True, "exact": True} if suffix == ".webp" else {}),
    )
    frame = read_picture(path)
    assert frame.coding.pix_fmt == ("gbrap" if alpha else "gbrp")
    write_picture(frame, tmp_path / f"b{suffix}", like=path)
    for picture in (frame, read_picture(tmp_path / f"b{suffix}")):
        np.testing.assert_array_equal(np.stack(picture.planes, -1), pixels)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [3, 4])
def test_sixteen_bits_stay_sixteen(tmp_path: Path, suffix: str, channels: int) -> None:
    pixels = (np.arange(5 * 7 * channels, dtype=np.uint16) * 601).reshape(5, 7, channels)
    path = tmp_path / f"a{suffix}"
    cv2.imwrite(str(path), pixels[..., [2, 1, 0, 3][:channels]])
    frame = read_picture(path)
    assert frame.coding.pix_fmt == ("gbrp16le" if channels == 3 else "gbrap16le")
    np.testing.assert_array_equal(np.stack(frame.planes, -1), pixels)
    write_picture(frame, tmp_path / f"b{suffix}", like=path)
    again = read_picture(tmp_path / f"b{suffix}")
    np.testing.assert_array_equal(np.stack(again.planes, -1), pixels)


def exif(orientation: int) -> Image.Exif:
    made = Image.Exif()
    made[0x0112], made[0x010F] = orientation, "Nightcam"
    return made


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_as_pillow_does(tmp_path: Path, orientation: int) -> None:
    from PIL import ImageOps

    path = save(tmp_path / "a.png", exif=exif(orientation))
    with Image.open(path) as image:
        upright = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(np.stack(read_picture(path).planes, -1), upright)


@pytest.mark.parametrize("file", ["a.png", "a.jpg", "deep.png"])
def test_profile_exif_and_dpi_are_carried_over(tmp_path: Path, file: str) -> None:
    like = save(
        tmp_path / ("a.jpg" if file == "a.jpg" else "a.png"),
        icc_profile=PROFILE,
        exif=exif(6),
        dpi=(300, 300),
    )
    frame = read_picture(like)
    if file == "deep.png":
        deep = (np.ones((3, 7, 5)) * 40000).astype(np.uint16)
        cv2.imwrite(str(tmp_path / "d.png"), deep.transpose(1, 2, 0))
        frame = read_picture(tmp_path / "d.png")
    target = tmp_path / f"out{like.suffix}"
    write_picture(frame, target, like=like)
    with Image.open(target) as image:
        assert image.info["icc_profile"] == PROFILE
        assert image.getexif()[0x0112] == 1
        assert image.getexif()[0x010F] == "Nightcam"
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert image.size == (5, 7)


def test_jpeg_is_written_with_full_chroma(tmp_path: Path) -> None:
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[:, ::2, 0] = 255  # red stripes one pixel wide
    path = save(tmp_path / "a.png", pixels)
    write_picture(read_picture(path), tmp_path / "b.jpg", like=path)
    back = np.stack(read_picture(tmp_path / "b.jpg").planes, -1)
    assert np.abs(back.astype(int) - pixels).max() < 12


def test_gray_and_palette_pictures_become_rgb(tmp_path: Path) -> None:
    gray = save(tmp_path / "g.png", SMALL[..., 0])
    np.testing.assert_array_equal(read_picture(gray).planes[2], SMALL[..., 0])
    palette = Image.fromarray(SMALL[..., :3]).convert("P")
    palette.save(tmp_path / "p.png")
    assert read_picture(tmp_path / "p.png").coding.pix_fmt == "gbrp"


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(30)])
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(SourceError, match="not readable as a picture"):
        read_picture(path)
    with pytest.raises(SourceError, match="no such file"):
        read_picture(tmp_path / "none.png")
    with pytest.raises(SourceError, match="is a folder"):
        read_picture(tmp_path)


def test_a_truncated_picture_is_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    for name in ("a.png", "a.jpg"):
        path = save(tmp_path / name, noise)
        path.write_bytes(path.read_bytes()[:-2000])
        with pytest.raises(SourceError, match="not readable"):
            read_picture(path)


def test_pictures_are_told_by_their_suffix(tmp_path: Path) -> None:
    assert is_picture(Path("a.PNG"))
    assert not is_picture(Path("a.mp4"))
    frame = read_picture(save(tmp_path / "a.png"))
    with pytest.raises(TargetError, match=r"\.png, \.jpg"):
        write_picture(frame, tmp_path / "a.bmp", like=tmp_path / "a.png")
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
