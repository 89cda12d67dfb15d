"""Write single pictures: 8 and 16 bits, alpha, profile, EXIF, dpi and text kept, and PNG's tags of colour."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from nightfx.disk import partial_file
from nightfx.errors import TargetError
from nightfx.picture import HDR_TRANSFERS, ColorTags, Frame
from nightfx.source import (
    FORMATS,
    GREY_LINE,
    SUFFIXES,
    Chunk,
    PictureExtras,
    Pixels,
    picture_extras,
)

_JPEG_QUALITY = 95


def write_picture(
    frame: Frame,
    target: Path,
    *,
    like: Path | None,
    folder: Path | None = None,
    tags: ColorTags | None = None,
) -> None:
    """Write an RGB frame, with all that the picture `like`, if any, holds beside its pixels.

    The target's suffix chooses the format: png and tif keep 16 bits and alpha, jpg has neither. PQ and HLG by `tags` are
    said where the format can, in PNG. An unfinished file is in `folder`, else beside the target.
    Raises TargetError where the target cannot be written.
    """
    form = SUFFIXES.get(target.suffix.lower())
    if form is None:
        films = ", ".join(suffix for suffix in FORMATS if suffix not in SUFFIXES)
        raise TargetError(f"{target}: pictures are written as {', '.join(SUFFIXES)}, {films}")
    assert frame.coding.matrix == "rgb", frame.coding
    extras = picture_extras(like) if like else PictureExtras(None, None, None)
    data = _encode(np.stack(frame.planes, axis=-1), form, extras)
    if form == "PNG":
        data = _with_chunks(data, [*_colour_chunks(tags, extras), *_chunks_of(extras)])
    with partial_file(target, folder) as part:
        part.write_bytes(data)


def write_grey(codes: Pixels, target: Path, folder: Path | None = None) -> None:
    """Write codes (H, W), uint8 or uint16, as a grey PNG, which is in `folder` until it is whole; raises TargetError."""
    done, data = cv2.imencode(".png", codes)
    assert done, target
    with partial_file(target, folder) as part:
        part.write_bytes(data.tobytes())


def picture_lines(like: Path, suffix: str, *, deep: bool) -> Iterator[str]:
    """Yield a line for each thing beside the pixels of the picture `like` that is not written to a `suffix`; `deep` is 16 bits."""
    extras, form = picture_extras(like), SUFFIXES.get(suffix.lower())
    if extras.is_grey:
        yield GREY_LINE
    left = list(extras.left)
    if form != "PNG":
        known = {b"iCCP", b"pHYs"} if extras.icc_profile or extras.dpi else set()
        left += [
            kind.decode()
            for kind in dict.fromkeys(c.kind for c in extras.chunks if c.kind not in known)
        ]
    if form == "TIFF" and deep:
        left += list(extras.options())
    if form == "WEBP" and extras.dpi:
        left.append("dpi")
    if form != "JPEG" and extras.comment:
        left.append("its comment")
    if left:
        yield f"not written to {suffix.lstrip('.').upper()}: {', '.join(left)}"


def _encode(pixels: Pixels, form: str, extras: PictureExtras) -> bytes:
    if form == "JPEG":
        pixels = pixels[..., :3]
    if pixels.dtype == np.uint16 and form in ("PNG", "TIFF"):
        return _encode_deep(pixels, form)
    if pixels.dtype == np.uint16:
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    options: dict[str, Any] = {"JPEG": {"quality": _JPEG_QUALITY, "subsampling": 0}}.get(form, {})
    if form == "WEBP":
        options = {"lossless": True, "exact": True}
    if form == "TIFF":
        options = {"compression": "tiff_lzw"}
    from PIL import Image

    file = io.BytesIO()
    said = {} if form == "PNG" else extras.options()  # a PNG's chunks are its own
    Image.fromarray(pixels).save(file, form, **options, **said)
    return file.getvalue()


def _encode_deep(pixels: Pixels, form: str) -> bytes:
    blue_first = np.ascontiguousarray(pixels[..., [2, 1, 0, 3][: pixels.shape[2]]])
    done, data = cv2.imencode(f".{form.lower()}", blue_first)
    assert done, form
    return data.tobytes()


def _chunks_of(extras: PictureExtras) -> Iterator[Chunk]:
    """The chunks of a PNG: those of one that was read, or what another format says in its own way."""
    kinds = {chunk.kind for chunk in extras.chunks}
    yield from extras.chunks
    if extras.exif:
        yield Chunk(b"eXIf", extras.exif.removeprefix(b"Exif\0\0"))
    if extras.icc_profile and b"iCCP" not in kinds:
        yield Chunk(b"iCCP", b"ICC\0\0" + zlib.compress(extras.icc_profile))
    if extras.dpi and b"pHYs" not in kinds:
        per_metre = (round(dpi / 0.0254) for dpi in extras.dpi)
        yield Chunk(b"pHYs", struct.pack(">IIB", *per_metre, 1))
    if extras.xmp and b"iTXt" not in kinds:
        yield Chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + extras.xmp)


def _colour_chunks(tags: ColorTags | None, extras: PictureExtras) -> Iterator[Chunk]:
    known = any(chunk.kind == b"cICP" for chunk in extras.chunks)
    if tags and tags.transfer in HDR_TRANSFERS and not known:
        yield Chunk(b"cICP", bytes([tags.primaries, tags.transfer, 0, 1]))


def _with_chunks(png: bytes, chunks: Iterable[Chunk]) -> bytes:
    """Put chunks behind the header of a PNG, where those of colour belong."""
    header_end = 8 + 25  # the signature, then a header chunk of 13 bytes
    return png[:header_end] + b"".join(map(_written, chunks)) + png[header_end:]


def _written(chunk: Chunk) -> bytes:
    checksum = zlib.crc32(chunk.kind + chunk.data)
    return (
        struct.pack(">I", len(chunk.data)) + chunk.kind + chunk.data + struct.pack(">I", checksum)
    )
