"""One file of a film sequence: EXR, DPX or TIFF through OpenImageIO, with everything beside its picture.

A picture is what the display window and the data window cover together; what has no data is black. Other layers, other
parts, both windows, compression and metadata stay on a *sheet* that goes with the frame, and are written back from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from nightfx.errors import SourceError, UsageError, install_words
from nightfx.options import MAX_PIXELS
from nightfx.picture import Coding, Frame, Plane, rgb_coding
from nightfx.source.still_extras import FilePart, Sheet, Window, around

FORMATS = {".exr": "openexr", ".dpx": "dpx", ".tif": "tiff", ".tiff": "tiff"}
_BITS = {"uint8": 8, "uint16": 16, "uint": 16}  # of 24 and 32 whole bits the first 16 are lit


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
        FilePart(each, kept if rest else None) for each, kept in zip(specs, pixels, strict=True)
    )
    sheet = Sheet(source.format_name(), parts, main, colour, data, canvas)
    return Frame(planes, coding, pts=0, time_base=Fraction(1), sheet=sheet)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    if not has_openimageio():
        raise UsageError(f"{path}: {path.suffix} needs {install_words('film')}")
    import OpenImageIO

    hints = OpenImageIO.ImageSpec()
    hints.attribute("oiio:UnassociatedAlpha", 1)  # or TIFF's colour would be multiplied by it
    source = OpenImageIO.ImageInput.open(str(path), hints) if path.is_file() else None
    if source is None:
        reason = OpenImageIO.geterror() if path.is_file() else "no such file"
        raise SourceError(f"{path}: not readable as a picture ({one_line(reason)})")
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
        raise SourceError(f"{path}: not readable as a picture ({one_line(source.geterror())})")
    return np.asarray(pixels).reshape(spec.height, spec.width, spec.nchannels)


def _coding(spec: Any, colour: tuple[int, ...]) -> Coding:
    bits = spec.getattribute("oiio:BitsPerSample") or 0
    depth = _BITS.get(str(spec.format), 32)
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
    plane[inside(data, canvas)] = pixels
    return plane


def inside(data: Window, canvas: Window) -> tuple[slice, slice]:
    """Return the rows and columns of a canvas that a data window covers."""
    top, left = data.y - canvas.y, data.x - canvas.x
    return slice(top, top + data.height), slice(left, left + data.width)


def _words(window: Window) -> str:
    return f"{window.width}x{window.height}+{window.x}+{window.y}"


def one_line(text: str) -> str:
    """Return what OpenImageIO says as one line."""
    return " ".join(text.split()) or "no reason given"
