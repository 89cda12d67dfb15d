"""Write single pictures: 8 and 16 bits, alpha, ICC profile, EXIF and dpi kept."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from nightfx.disk import partial_file
from nightfx.errors import TargetError
from nightfx.picture import Frame
from nightfx.source import SUFFIXES, PictureExtras, Pixels, picture_extras

_JPEG_QUALITY = 95


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
        np.stack(frame.planes, axis=-1),
        form,
        picture_extras(like) if like else PictureExtras(None, None, None),
    )
    with partial_file(target, folder) as part:
        part.write_bytes(data)


def _encode(pixels: Pixels, form: str, extras: PictureExtras) -> bytes:
    if form == "JPEG":
        pixels = pixels[..., :3]
    if pixels.dtype == np.uint16 and form in ("PNG", "TIFF"):
        return _encode_deep(pixels, form, extras)
    if pixels.dtype == np.uint16:
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    options: dict[str, Any] = {"JPEG": {"quality": _JPEG_QUALITY, "subsampling": 0}}.get(form, {})
    if form == "WEBP":
        options = {"lossless": True, "exact": True}
    if form == "TIFF":
        options = {"compression": "tiff_lzw"}
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form, **options, **extras.options())
    return file.getvalue()


def _encode_deep(pixels: Pixels, form: str, extras: PictureExtras) -> bytes:
    blue_first = np.ascontiguousarray(pixels[..., [2, 1, 0, 3][: pixels.shape[2]]])
    done, data = cv2.imencode(f".{form.lower()}", blue_first)
    assert done, form
    return _with_chunks(data.tobytes(), extras) if form == "PNG" else data.tobytes()


def _with_chunks(png: bytes, extras: PictureExtras) -> bytes:
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
