"""One file of a film sequence: EXR, DPX or TIFF through OpenImageIO, with everything beside its picture.

A picture is what the display window and the data window cover together; what has no data is black. Other layers, other
parts, both windows, compression and metadata stay on a *sheet* that goes with the frame, and are written back from it.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from nightfx.errors import SourceError, UsageError
from nightfx.video.frame import Coding, Frame, Plane, rgb_coding
from nightfx.video.partial import partial_file
from nightfx.video.probe import MAX_PIXELS
from nightfx.video.sheet import Part, Sheet, Window, around

FORMATS = {".exr": "openexr", ".dpx": "dpx", ".tif": "tiff", ".tiff": "tiff"}
LEAST_FREE_BYTES = 1 << 20  # OpenImageIO does not say why it could not write
# what belongs to the file that was read, not to one that is written
FEW_BITS = ("ccitt", "sgilog")  # compression of black and white, and of what is not RGB
OWN_ATTRIBUTES = ("openexr:chunkCount", "oiio:subimages")
BITS = {"uint8": 8, "uint16": 16, "uint": 16}  # of 24 and 32 whole bits the first 16 are lit


def has_openimageio() -> bool:
    """Say whether nightfx[film] is installed."""
    try:
        import OpenImageIO  # noqa: F401
    except ImportError:
        return False
    return True


def by_openimageio(path: Path) -> bool:
    """Say whether OpenImageIO reads and writes a file: it must for EXR and DPX, and does for TIFF where it is installed."""
    suffix = path.suffix.lower()
    return suffix in FORMATS and (FORMATS[suffix] != "tiff" or has_openimageio())


def has_timecode(path: Path) -> bool:
    """Say whether a file's header has a place for timecode and frame rate."""
    return path.suffix.lower() in (".exr", ".dpx")


def read_still(path: Path, canvas: Window | None = None, max_pixels: int = MAX_PIXELS) -> Frame:
    """Read a file as planes R, G, B[, A], on `canvas` where one is given; raises SourceError.

    EXR and float TIFF give float32, others their own 8 to 16 bits.
    """
    with _opened(path) as source:
        specs = list(_specs(source))
        main, colour = _find_colour(path, specs)
        spec = specs[main]
        data = Window(spec.x, spec.y, spec.width, spec.height)
        shown = Window(spec.full_x, spec.full_y, spec.full_width, spec.full_height)
        canvas = canvas or around(data, shown)
        if not canvas.holds(data):
            raise SourceError(f"{path}: its data window {_words(data)} is outside {_words(canvas)}")
        most = max(canvas.width * canvas.height, *(each.width * each.height for each in specs))
        if most > max_pixels:
            words = f"{most} pixels are more than {max_pixels}: see --max-pixels"
            raise SourceError(f"{path}: {words}")
        pixels = [_pixels(path, source, index, each) for index, each in enumerate(specs)]
    coding = _coding(spec, colour)
    planes = tuple(_plane(pixels[main][..., channel], coding, data, canvas) for channel in colour)
    rest = len(specs) > 1 or spec.nchannels > len(colour)
    parts = tuple(
        Part(each, kept if rest else None) for each, kept in zip(specs, pixels, strict=True)
    )
    sheet = Sheet(source.format_name(), parts, main, colour, data, canvas)
    return Frame(planes, coding, pts=0, time_base=Fraction(1), sheet=sheet)


def write_still(
    frame: Frame, target: Path, attributes: dict[str, Any], folder: Path | None = None
) -> None:
    """Write an RGB frame as the suffix says; from its sheet, where it comes from a file of the same format.

    `attributes` are set where it has no sheet; an unfinished file is in `folder`, else beside the target. Raises
    TargetError, or RetryError where the disk is full.
    """
    form, sheet = FORMATS[target.suffix.lower()], frame.sheet
    if sheet is not None and sheet.form == form:
        parts = [_relit_part(sheet, index, frame) for index in range(len(sheet.parts))]
    else:
        parts = [_new_part(frame, form, attributes)]
    with partial_file(target, folder) as part:
        write_parts(part, form, parts)


def still_coding(suffix: str, source: Coding) -> Coding:
    """What a new file with this suffix holds of a picture in `source`."""
    if suffix == ".exr":
        return rgb_coding(32, alpha=source.has_alpha)
    if suffix == ".dpx":
        depth = next(bits for bits in (10, 12, 16, 32) if bits >= source.depth)
        return rgb_coding(min(depth, 16), alpha=False)
    return rgb_coding(8 if source.depth == 8 else 16, alpha=source.has_alpha)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    if not has_openimageio():
        raise UsageError(f"{path}: {path.suffix} needs pip install 'nightfx[film]'")
    import OpenImageIO

    hints = OpenImageIO.ImageSpec()
    hints.attribute("oiio:UnassociatedAlpha", 1)  # or TIFF's colour would be multiplied by it
    source = OpenImageIO.ImageInput.open(str(path), hints) if path.is_file() else None
    if source is None:
        reason = OpenImageIO.geterror() if path.is_file() else "no such file"
        raise SourceError(f"{path}: not readable as a picture ({_line(reason)})")
    try:
        yield source
    finally:
        source.close()


def _specs(source: Any) -> Iterator[Any]:
    index = 0
    while (spec := source.spec(index)).width:  # past the last one it has none
        yield spec
        index += 1


def _find_colour(path: Path, specs: list[Any]) -> tuple[int, tuple[int, ...]]:
    """The part and its channels R, G, B[, A]: those without a layer before those of the first layer."""
    if any(spec.deep for spec in specs):
        raise SourceError(f"{path}: deep pixels are not supported: flatten it first")
    for layer_too in (False, True):
        for index, spec in enumerate(specs):
            names = list(spec.channelnames)
            for red in names:
                layer = red[:-1] if red.endswith("R") else None
                if layer is None or (layer and not layer_too):
                    continue
                if f"{layer}G" in names and f"{layer}B" in names:
                    wanted = (f"{layer}{c}" for c in "RGBA")
                    return index, tuple(names.index(name) for name in wanted if name in names)
    if len(specs) == specs[0].nchannels == 1:
        return 0, (0, 0, 0)
    found = ", ".join(name for spec in specs for name in spec.channelnames)
    raise SourceError(f"{path}: has no channels R, G and B, but {found[:200]}")


def _pixels(path: Path, source: Any, index: int, spec: Any) -> Plane:
    """All channels of a part in the type that holds each of them."""
    kinds = {str(kind) for kind in spec.channelformats} or {str(spec.format)}
    kind = kinds.pop() if len(kinds) == 1 else "float"
    pixels = source.read_image(index, 0, 0, spec.nchannels, kind)
    if pixels is None:
        raise SourceError(f"{path}: not readable as a picture ({_line(source.geterror())})")
    return np.asarray(pixels).reshape(spec.height, spec.width, spec.nchannels)


def _coding(spec: Any, colour: tuple[int, ...]) -> Coding:
    bits = spec.getattribute("oiio:BitsPerSample") or 0
    depth = BITS.get(str(spec.format), 32)
    return rgb_coding(bits if depth == 16 and 9 < bits < 16 else depth, alpha=len(colour) == 4)


def _plane(pixels: Plane, coding: Coding, data: Window, canvas: Window) -> Plane:
    if pixels.dtype == np.uint32 and not coding.is_float:
        pixels = pixels >> 16
    if 8 < coding.depth < 16:
        pixels = pixels >> (16 - coding.depth)
    if pixels.dtype.kind == "u" and coding.is_float:
        pixels = pixels / np.iinfo(pixels.dtype).max
    if data == canvas:
        return np.ascontiguousarray(pixels, coding.dtype)
    plane = np.zeros((canvas.height, canvas.width), coding.dtype)
    plane[_inside(data, canvas)] = pixels
    return plane


def _inside(data: Window, canvas: Window) -> tuple[slice, slice]:
    top, left = data.y - canvas.y, data.x - canvas.x
    return slice(top, top + data.height), slice(left, left + data.width)


def _relit_part(sheet: Sheet, index: int, frame: Frame) -> Part:
    import OpenImageIO

    part = sheet.parts[index]
    spec = OpenImageIO.ImageSpec(part.spec)
    for name in OWN_ATTRIBUTES:
        spec.erase_attribute(name)
    if index != sheet.main:
        return Part(spec, part.pixels)
    _make_room(spec)
    planes = [_stored(plane[_inside(sheet.data, sheet.canvas)], frame) for plane in frame.planes]
    if part.pixels is None or len(set(sheet.colour)) < 3:
        spec.nchannels = len(planes)
        spec.channelnames = tuple("RGBA"[: len(planes)])
        return Part(spec, np.stack(planes, axis=-1))
    pixels = part.pixels.copy()
    for channel, plane in zip(sheet.colour, planes, strict=True):
        whole = plane.astype(np.uint32) * 65537 if pixels.dtype == np.uint32 else plane
        pixels[..., channel] = whole
    return Part(spec, pixels)


def _make_room(spec: Any) -> None:
    """Let TIFF hold a lit picture where it was of few bits, of odd ones, or CMYK: 8 to 32 bits of RGB."""
    if (spec.getattribute("oiio:BitsPerSample") or 8) not in range(8, 17):
        spec.erase_attribute("oiio:BitsPerSample")
    if str(spec.getattribute("compression") or "").startswith(FEW_BITS):
        spec.attribute("compression", "zip")
    profile = spec.getattribute("ICCProfile")
    if profile is not None and bytes(bytearray(profile))[16:20] != b"RGB ":
        spec.erase_attribute("ICCProfile")
    spec.erase_attribute("tiff:ColorSpace")
    spec.erase_attribute("tiff:PhotometricInterpretation")


def _new_part(frame: Frame, form: str, attributes: dict[str, Any]) -> Part:
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
    return Part(spec, np.stack(planes, axis=-1))


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


def write_parts(target: Path, form: str, parts: list[Part]) -> None:
    """Write a file of the format `form`, a name of OpenImageIO; raises OSError."""
    import OpenImageIO

    out = OpenImageIO.ImageOutput.create(form)
    assert out, form
    specs = [part.spec for part in parts]
    done = out.open(str(target), specs if len(specs) > 1 else specs[0])
    for index, part in enumerate(parts):
        if index:
            done = done and out.open(str(target), part.spec, "AppendSubimage")
        done = done and out.write_image(np.ascontiguousarray(part.pixels))
    reason = out.geterror()
    if out.close() and done:
        return
    if shutil.disk_usage(target.parent).free < LEAST_FREE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    raise OSError(_line(reason or OpenImageIO.geterror()))


def _words(window: Window) -> str:
    return f"{window.width}x{window.height}+{window.x}+{window.y}"


def _line(text: str) -> str:
    return " ".join(text.split()) or "no reason given"
