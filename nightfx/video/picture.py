"""Read and write single pictures as frames: 8 and 16 bits, alpha, ICC profile, EXIF and dpi kept.

Pillow reads what has 8 bits; it would cut 16-bit RGB down silently, so OpenCV reads that.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nightfx.errors import SourceError, TargetError
from nightfx.video.frame import Frame, rgb_coding
from nightfx.video.partial import partial_file
from nightfx.video.probe import MAX_PIXELS

if TYPE_CHECKING:  # where it is used, Pillow is imported: clips do without
    from PIL import Image

Pixels = NDArray[Any]
"""A picture (H, W, 3 or 4), red first, uint8 or uint16."""

SUFFIXES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
SUFFIXES |= {".tif": "TIFF", ".tiff": "TIFF"}
ORIENTATION = 0x0112  # EXIF tag; 1 is upright
BITS_PER_SAMPLE = 258  # TIFF tag
JPEG_QUALITY = 95


@dataclass(frozen=True)
class _Extras:
    """What a picture file holds beside its pixels."""

    icc_profile: bytes | None
    """Colour profile."""
    exif: bytes | None
    """EXIF block, its orientation reset: the pixels are upright."""
    dpi: tuple[float, float] | None
    """Pixels an inch, horizontally and vertically."""

    def options(self) -> dict[str, Any]:
        """Return what there is as arguments of Pillow's `save`."""
        return {name: value for name, value in vars(self).items() if value}


def is_picture(path: Path) -> bool:
    """Say, by its suffix, whether a file is a single picture."""
    return path.suffix.lower() in SUFFIXES


def read_picture(path: Path, max_pixels: int = MAX_PIXELS) -> Frame:
    """Read a picture upright, as planes R, G, B[, A] of 8 or 16 bits; raises SourceError, for a larger one too."""
    from PIL import Image

    if not path.is_file():
        raise SourceError(f"{path}: {'is a folder' if path.is_dir() else 'no such file'}")
    try:
        with _opened(path) as image:
            if image.width * image.height > max_pixels:
                size = f"{image.width}x{image.height}"
                raise ValueError(f"{size} is more than {max_pixels} pixels: see --max-pixels")
            _refuse_several(image)
            orientation = image.getexif().get(ORIENTATION, 1)
            pixels = _deep_pixels(path) if _depth(image, path) > 8 else _pixels(image)
    except (Image.DecompressionBombError, OSError, SyntaxError, ValueError, cv2.error) as error:
        raise SourceError(f"{path}: not readable as a picture ({error})") from error
    return _frame(_upright(pixels, orientation))


def write_picture(
    frame: Frame, target: Path, *, like: Path | None, folder: Path | None = None
) -> None:
    """Write an RGB frame, with the profile, EXIF and dpi of the picture `like`, if any.

    The target's suffix chooses the format: png and tif keep 16 bits and alpha, jpg has neither. An unfinished file is
    in `folder`, else beside the target.
    Raises TargetError where the target cannot be written.
    """
    form = SUFFIXES.get(target.suffix.lower())
    if form is None:
        raise TargetError(f"{target}: pictures are written as {', '.join(SUFFIXES)}")
    assert frame.coding.matrix == "rgb", frame.coding
    data = _encode(
        np.stack(frame.planes, axis=-1), form, _extras(like) if like else _Extras(None, None, None)
    )
    with partial_file(target, folder) as part:
        part.write_bytes(data)


def read_extras(path: Path) -> dict[str, Any]:
    """What a picture file holds beside its pixels: `icc_profile`, `exif`, `dpi`, those that there are."""
    return _extras(path).options()


def _opened(path: Path) -> Image.Image:
    from PIL import Image

    with warnings.catch_warnings():  # from 89 million pixels on; it refuses from 179 million on
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(path)


def _refuse_several(image: Image.Image) -> None:
    count = getattr(image, "n_frames", 1)
    if count > 1:
        raise ValueError(f"it holds {count} pictures: make a clip of them, or files of their own")


def _depth(image: Image.Image, path: Path) -> int:
    if image.format == "PNG":
        with path.open("rb") as file:
            return file.read(25)[24]  # signature 8, length 4, "IHDR" 4, size 8, then the depth
    if image.format == "TIFF":
        bits: Any = image.getexif().get(BITS_PER_SAMPLE, 8)
        return max(bits) if isinstance(bits, tuple) else int(bits)
    return 8


def _pixels(image: Image.Image) -> Pixels:
    if image.mode in ("I", "F"):
        raise ValueError(f"mode {image.mode} is neither 8 nor 16 bits")
    alpha = "A" in image.mode or "transparency" in image.info
    return np.asarray(image.convert("RGBA" if alpha else "RGB"))


def _deep_pixels(path: Path) -> Pixels:
    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        raise ValueError("neither 8 nor 16 bits")
    if pixels.ndim == 2:
        return np.repeat(pixels[..., None], 3, axis=2)
    return np.asarray(pixels[..., [2, 1, 0, 3][: pixels.shape[2]]])


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """Undo an EXIF orientation: 5 to 8 are transposed, the others only flipped."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def _frame(pixels: Pixels) -> Frame:
    alpha, deep = pixels.shape[2] == 4, pixels.dtype == np.uint16
    coding = rgb_coding(16 if deep else 8, alpha=alpha)
    planes = tuple(np.array(plane, order="C") for plane in np.moveaxis(pixels, 2, 0))
    return Frame(planes, coding, pts=0, time_base=Fraction(1))


def _extras(like: Path) -> _Extras:
    with _opened(like) as image:
        exif = image.getexif()
        if ORIENTATION in exif:
            exif[ORIENTATION] = 1
        for tag in (BITS_PER_SAMPLE, *range(256, 260), 262, 273, 277, 278, 279, 284):
            exif.pop(tag, None)  # TIFF's own layout, not a description of the picture
        block = exif.tobytes() if exif else None
        profile = image.info.get("icc_profile") or b""
        # the picture is written as RGB: a profile of grey or CMYK would be wrong (ICC.1, bytes 16 to 19)
        return _Extras(profile if profile[16:20] == b"RGB " else None, block, image.info.get("dpi"))


def _encode(pixels: Pixels, form: str, extras: _Extras) -> bytes:
    if form == "JPEG":
        pixels = pixels[..., :3]
    if pixels.dtype == np.uint16 and form in ("PNG", "TIFF"):
        return _encode_deep(pixels, form, extras)
    if pixels.dtype == np.uint16:
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    options: dict[str, Any] = {"JPEG": {"quality": JPEG_QUALITY, "subsampling": 0}}.get(form, {})
    if form == "WEBP":
        options = {"lossless": True, "exact": True}
    if form == "TIFF":
        options = {"compression": "tiff_lzw"}
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form, **options, **extras.options())
    return file.getvalue()


def _encode_deep(pixels: Pixels, form: str, extras: _Extras) -> bytes:
    blue_first = np.ascontiguousarray(pixels[..., [2, 1, 0, 3][: pixels.shape[2]]])
    done, data = cv2.imencode(f".{form.lower()}", blue_first)
    assert done, form
    return _with_chunks(data.tobytes(), extras) if form == "PNG" else data.tobytes()


def _with_chunks(png: bytes, extras: _Extras) -> bytes:
    """Put profile, EXIF and dpi behind the header of a PNG, where they belong."""
    chunks = b""
    if extras.icc_profile:
        chunks += _chunk(b"iCCP", b"ICC\0\0" + zlib.compress(extras.icc_profile))
    if extras.exif:
        chunks += _chunk(b"eXIf", extras.exif.removeprefix(b"Exif\0\0"))
    if extras.dpi:
        per_metre = (round(dpi / 0.0254) for dpi in extras.dpi)
        chunks += _chunk(b"pHYs", struct.pack(">IIB", *per_metre, 1))
    header_end = 8 + 25  # the signature, then a header chunk of 13 bytes
    return png[:header_end] + chunks + png[header_end:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
