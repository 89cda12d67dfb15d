"""Decode one picture, of 8 or 16 bits, and say why of a file that gives none."""

from __future__ import annotations

import struct
import threading
import warnings
import zlib
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from nightfx.errors import TrainingError

PICTURE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"}
UNREAD_SUFFIXES = {
    *(".heic", ".heif", ".avif", ".jxl", ".jp2", ".gif", ".psd", ".tga", ".exr", ".hdr", ".dpx"),
    *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"),
}
"""Those of pictures that are not read: whoever has them in a folder should hear of it."""

BROKEN = (
    *(OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error),
    Image.DecompressionBombError,
)
"""What Pillow raises for files that are no pictures, or broken ones."""

_SMALL_PX = (
    64  # of a JPEG that is only looked at: it is decoded at an eighth, damage shows all the same
)
_ORIENTATION, _FIRST_TURNED = 0x0112, 5  # EXIF's tag, and from which value on sides are swapped
_opening = threading.Lock()  # filters of warnings are all threads' own


class _WrongKindError(ValueError):
    """A whole picture whose pixels are of a kind that is not trained on."""


def load_picture(path: Path) -> np.ndarray:
    """Decode one picture: (H, W, 3) uint8 RGB, EXIF orientation applied. Raises `TrainingError`."""
    try:
        return decode(path)
    except BROKEN as error:
        raise TrainingError(f"{path}: {reason_of(error)}; take it out and run again") from error


def decode(path: Path) -> np.ndarray:
    """As `load_picture`, but raises one of `BROKEN`, for `reason_of`."""
    with _opened(path) as image:
        ImageOps.exif_transpose(image, in_place=True)
        return np.asarray(_eight_bits(image))


def examine(path: Path) -> tuple[int, str]:
    """The short side in px and nothing, or 0 and why the file at `path` gives no picture: all of it is decoded."""
    try:
        with _opened(path) as image:
            side = min(image.size)
            image.draft("RGB", (_SMALL_PX, _SMALL_PX))
            _eight_bits(image).load()
            return side, ""
    except BROKEN as error:
        return 0, reason_of(error)


def picture_size(path: Path) -> tuple[int, int]:
    """Height and width in px of a picture, upright, without decoding it. Raises `TrainingError`."""
    try:
        with _opened(path) as image:
            width, height = image.size
            turned = image.getexif().get(_ORIENTATION, 1) >= _FIRST_TURNED
    except BROKEN as error:
        raise TrainingError(f"{path}: {reason_of(error)}; take it out and run again") from error
    return (width, height) if turned else (height, width)


def reason_of(error: BaseException) -> str:
    """Say why a file gave no picture, by what reading it raised: not there, not readable: …, or damaged: …."""
    if isinstance(error, FileNotFoundError):
        return "not there"
    if isinstance(error, Image.DecompressionBombError):
        return f"not readable: more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels"
    if isinstance(error, UnidentifiedImageError):
        return "not readable: no picture of 8 or 16 bits"
    if isinstance(error, _WrongKindError | PermissionError | IsADirectoryError):
        words = error.strerror if isinstance(error, OSError) else str(error)
        return f"not readable: {words}"
    return f"damaged: {' '.join(str(error).split()) or type(error).__name__}"


def _opened(path: Path) -> Image.Image:
    with (
        _opening,
        warnings.catch_warnings(),
    ):  # from 89 million pixels on; it refuses from 179 million on
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(path)


def _eight_bits(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):  # `convert` would clip it to 255 instead of scaling
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        kind = "floating-point" if image.mode == "F" else "32-bit"
        raise _WrongKindError(f"its pixels are {kind}, neither 8 nor 16 bits")
    return image if image.mode == "RGB" else image.convert("RGB")


def shrink(pixels: np.ndarray, lines: int) -> np.ndarray:
    """`pixels` (H, W, C) at a height of `lines` at most, its shape kept."""
    height, width = pixels.shape[:2]
    size = max(round(width * lines / height), 1), lines
    return pixels if height <= lines else cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
