"""Write one file of a film sequence: EXR, DPX or TIFF through OpenImageIO, everything beside its picture written back from its sheet."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from nightfx.disk import partial_file
from nightfx.picture import Coding, Frame, Plane, rgb_coding
from nightfx.source import FORMATS, FilePart, Sheet, error_of, inside

_LEAST_FREE_BYTES = 1 << 20  # OpenImageIO does not say why it could not write
# what belongs to the file that was read, not to one that is written
_FEW_BITS = ("ccitt", "sgilog")  # compression of black and white, and of what is not RGB
OWN_ATTRIBUTES = ("openexr:chunkCount", "oiio:subimages")
# one level is written: with these, a reader would look for the others
_LEVEL_ATTRIBUTES = ("textureformat", "oiio:miplevels", "openexr:levelmode", "openexr:roundingmode")


def write_still(
    frame: Frame, target: Path, attributes: dict[str, Any], folder: Path | None = None
) -> None:
    """Write an RGB frame as the suffix says; from its sheet, where it comes from a file of the same format.

    `attributes` are set where it has no sheet; an unfinished file is in `folder`, else beside the target. Raises
    TargetError, or RetryError where the disk is full.
    """
    form, sheet = FORMATS[target.suffix.lower()], frame.sheet
    if isinstance(sheet, Sheet) and sheet.form == form:
        parts = [_relit_part(sheet, index, frame) for index in range(len(sheet.parts))]
    else:
        parts = [_new_part(frame, form, attributes)]
    with partial_file(target, folder) as part:
        write_parts(part, form, parts)


def still_coding(suffix: str, source: Coding) -> Coding:
    """Return the coding that a new file with this suffix holds of a picture in `source`."""
    if suffix == ".exr":
        return rgb_coding(32, alpha=source.has_alpha)
    if suffix == ".dpx":
        depth = next(bits for bits in (10, 12, 16, 32) if bits >= source.depth)
        return rgb_coding(min(depth, 16), alpha=False)
    return rgb_coding(8 if source.depth == 8 else 16, alpha=source.has_alpha)


def _relit_part(sheet: Sheet, index: int, frame: Frame) -> FilePart:
    import OpenImageIO

    part = sheet.parts[index]
    spec = OpenImageIO.ImageSpec(part.spec)
    for name in (*OWN_ATTRIBUTES, *_LEVEL_ATTRIBUTES):
        spec.erase_attribute(name)
    if index != sheet.main:
        return FilePart(spec, part.pixels)
    _make_room(spec)
    planes = [_stored(plane[inside(sheet.data, sheet.canvas)], frame) for plane in frame.planes]
    if len(set(sheet.colour)) < 3:
        spec.nchannels, spec.channelformats = 3, ()
        spec.channelnames = ("R", "G", "B")
        return FilePart(spec, np.stack(planes, axis=-1))
    if part.pixels is None:
        order = np.argsort(sheet.colour)
        return FilePart(spec, np.stack([planes[i] for i in order], axis=-1))
    pixels = part.pixels.copy()
    for channel, plane in zip(sheet.colour, planes, strict=True):
        whole = plane.astype(np.uint32) * 65537 if pixels.dtype == np.uint32 else plane
        pixels[..., channel] = whole
    return FilePart(spec, pixels)


def _make_room(spec: Any) -> None:
    """Let TIFF hold a lit picture where it was of few bits, of odd ones, or CMYK: 8 to 32 bits of RGB."""
    if (spec.getattribute("oiio:BitsPerSample") or 8) not in range(8, 17):
        spec.erase_attribute("oiio:BitsPerSample")
    if str(spec.getattribute("compression") or "").startswith(_FEW_BITS):
        spec.attribute("compression", "zip")
    profile = spec.getattribute("ICCProfile")
    if profile is not None and bytes(bytearray(profile))[16:20] != b"RGB ":
        spec.erase_attribute("ICCProfile")
    spec.erase_attribute("tiff:ColorSpace")
    spec.erase_attribute("tiff:PhotometricInterpretation")


def _new_part(frame: Frame, form: str, attributes: dict[str, Any]) -> FilePart:
    import OpenImageIO

    coding, kinds = frame.coding, {8: "uint8", 32: "half"}
    planes = [_stored(plane, frame) for plane in frame.planes]
    spec = OpenImageIO.ImageSpec(
        frame.width, frame.height, len(planes), kinds.get(coding.depth, "uint16")
    )
    if form != "dpx":
        spec.attribute("compression", "zip")
    if form == "tiff" and coding.has_alpha:
        spec.attribute("oiio:UnassociatedAlpha", 1)
    if 8 < coding.depth < 16:
        spec.attribute("oiio:BitsPerSample", coding.depth)
    for name, value in attributes.items():
        _set(spec, name, value)
    return FilePart(spec, np.stack(planes, axis=-1))


def _set(spec: Any, name: str, value: Any) -> None:
    import OpenImageIO

    if name == "smpte:TimeCode":
        spec.attribute(name, OpenImageIO.TypeDesc("timecode"), value)
    elif name == "FramesPerSecond":
        spec.attribute(name, OpenImageIO.TypeDesc("rational"), value)
    else:
        spec.attribute(name, value)


def _stored(plane: Plane, frame: Frame) -> Plane:
    """Codes of 10 to 14 bits as OpenImageIO takes them: spread over 16."""
    depth = frame.coding.depth
    if not 8 < depth < 16:
        return plane
    return (plane << (16 - depth)) | (plane >> (2 * depth - 16))


def write_parts(target: Path, form: str, parts: list[FilePart]) -> None:
    """Write a file of the format `form`, a name of OpenImageIO; raises OSError."""
    import OpenImageIO

    out = OpenImageIO.ImageOutput.create(form)
    assert out, form
    specs = [part.spec for part in parts]
    for spec in specs:
        _invent_no_date(spec, form)
    done = out.open(str(target), specs if len(specs) > 1 else specs[0])
    for index, part in enumerate(parts):
        if index:
            done = done and out.open(str(target), part.spec, "AppendSubimage")
        done = done and out.write_image(np.ascontiguousarray(part.pixels))
    reason = error_of(out) if out.has_error else ""
    if out.close() and done:
        return
    if shutil.disk_usage(target.parent).free < _LEAST_FREE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    raise OSError(reason or error_of(OpenImageIO))


def _invent_no_date(spec: Any, form: str) -> None:
    """Keep OpenImageIO from dating a picture that has no date: one that is no text is not written."""
    import OpenImageIO

    if form in ("openexr", "tiff") and spec.getattribute("DateTime") is None:
        spec.attribute("DateTime", OpenImageIO.TypeDesc("uint8"), 0)
