"""One file of a film sequence: EXR, DPX or TIFF through OpenImageIO, with everything beside its picture.

A picture is what the display window and the data windows cover together; what has no data is black. Other layers, other
parts, both windows, compression and metadata stay on a *sheet* that goes with the frame, and are written back from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nightfx.errors import SourceError, UsageError, install_words
from nightfx.options import MAX_PIXELS
from nightfx.picture import (
    Coding,
    Frame,
    Layer,
    PartNames,
    Plane,
    choice_lines,
    choose_layer,
    layers_of,
    rgb_coding,
)
from nightfx.source.still_extras import FilePart, Sheet, Window, around

FORMATS = {".exr": "openexr", ".dpx": "dpx", ".tif": "tiff", ".tiff": "tiff"}
_BITS = {"uint8": 8, "uint16": 16, "uint": 16}  # of 24 and 32 whole bits the first 16 are lit
NO_LAYERS = "--layer and --view are for EXR"
GREY_LINE = "grey is written as RGB, since light has a colour"


def has_openimageio() -> bool:
    """Say whether nightfx[film] is installed."""
    try:
        import OpenImageIO  # noqa: F401
    except ImportError:
        return False
    return True


def need_openimageio(path: Path) -> None:
    """Refuse a file that OpenImageIO alone reads and writes where it is missing; raises UsageError."""
    if not has_openimageio():
        raise UsageError(f"{path}: {path.suffix} needs {install_words('film')}")


def by_openimageio(path: Path) -> bool:
    """Say whether OpenImageIO reads and writes a file: it must for EXR and DPX, and does for TIFF where it is installed."""
    suffix = path.suffix.lower()
    return suffix in FORMATS and (FORMATS[suffix] != "tiff" or has_openimageio())


def has_timecode(path: Path) -> bool:
    """Say whether a file's header has a place for timecode and frame rate."""
    return path.suffix.lower() in (".exr", ".dpx")


class Pick(NamedTuple):
    """What of a file is its picture."""

    layer: str | None = None
    """The layer, where one is asked for."""
    view: str | None = None
    """The view, where one is asked for."""


BEAUTY = Pick()
"""What is lit where nobody asks: the beauty, in its first view."""


def read_still(
    path: Path, canvas: Window | None = None, max_pixels: int = MAX_PIXELS, pick: Pick = BEAUTY
) -> Frame:
    """Read a file as planes R, G, B[, A], on `canvas` where one is given; raises SourceError.

    EXR and float TIFF give float32, others their own 8 to 16 bits.
    """
    with _opened(path) as source:
        specs = list(_specs(source))
        _refuse_pages(path, source, specs)
        chosen, notes = _choose(path, specs, pick)
        main, colour = chosen.part, chosen.channels
        data, shown = windows_of(specs[main])
        canvas = canvas or around(data, shown)
        _check_room(path, specs, data, canvas, max_pixels)
        pixels = [_pixels(path, source, index, each) for index, each in enumerate(specs)]
        notes += tuple(_losses(source, specs))
    coding = _coding(source.format_name(), specs[main], colour)
    planes = tuple(_plane(pixels[main][..., channel], coding, data, canvas) for channel in colour)
    rest = len(specs) > 1 or specs[main].nchannels > len(colour)
    parts = tuple(
        FilePart(each, kept if rest else None) for each, kept in zip(specs, pixels, strict=True)
    )
    sheet = Sheet(source.format_name(), parts, main, colour, data, shown, canvas, notes)
    return Frame(planes, coding, pts=0, time_base=Fraction(1), sheet=sheet)


def read_windows(path: Path, pick: Pick = BEAUTY) -> tuple[Window, Window]:
    """Return where a file has pixels, and where it shows them, without reading any; raises SourceError."""
    with _opened(path) as source:
        specs = list(_specs(source))
        return windows_of(specs[_choose(path, specs, pick)[0].part])


def windows_of(spec: Any) -> tuple[Window, Window]:
    """Return the data window and the display window that a header says."""
    data = Window(spec.x, spec.y, spec.width, spec.height)
    return data, Window(spec.full_x, spec.full_y, spec.full_width, spec.full_height)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    need_openimageio(path)
    import OpenImageIO

    hints = OpenImageIO.ImageSpec()
    hints.attribute("oiio:UnassociatedAlpha", 1)  # or TIFF's colour would be multiplied by it
    source = OpenImageIO.ImageInput.open(str(path), hints) if path.is_file() else None
    if source is None:
        reason = error_of(OpenImageIO) if path.is_file() else "no such file"
        raise SourceError(f"{path}: not readable as a picture ({reason})")
    try:
        yield source
    finally:
        source.close()


def _specs(source: Any) -> Iterator[Any]:
    index = 0
    while (spec := source.spec(index)).width:  # past the last one it has none
        yield spec
        index += 1


def _check_room(
    path: Path, specs: list[Any], data: Window, canvas: Window, max_pixels: int
) -> None:
    if not canvas.holds(data):
        raise SourceError(f"{path}: its data window {_words(data)} is outside {_words(canvas)}")
    most = max(canvas.width * canvas.height, *(each.width * each.height for each in specs))
    if most > max_pixels:
        words = f"{most} pixels are more than {max_pixels}: see --max-pixels"
        raise SourceError(f"{path}: {words}")


def _refuse_pages(path: Path, source: Any, specs: list[Any]) -> None:
    """Refuse a file of several pictures: parts that belong together are EXR's alone."""
    if len(specs) > 1 and source.format_name() != "openexr":
        words = f"it holds {len(specs)} pictures (pages): make files of their own"
        raise SourceError(f"{path}: {words}")


def _choose(path: Path, specs: list[Any], pick: Pick) -> tuple[Layer, tuple[str, ...]]:
    """The channels R, G, B[, A] of the picture, and the lines that tell of the choice."""
    if any(spec.deep for spec in specs):
        raise SourceError(f"{path}: deep pixels are not supported: flatten it first")
    layers = layers_of(_names(spec) for spec in specs)
    if not layers and len(specs) == specs[0].nchannels == 1 and pick == BEAUTY:
        return Layer(0, (0, 0, 0), "", ""), (GREY_LINE,)
    if not layers:
        found = ", ".join(name for spec in specs for name in spec.channelnames)
        raise SourceError(f"{path}: has no channels R, G and B, but {found[:200]}")
    try:
        chosen = choose_layer(layers, *pick)
    except SourceError as error:
        raise SourceError(f"{path}: {error}") from error
    return chosen, tuple(choice_lines(layers, chosen))


def _names(spec: Any) -> PartNames:
    name, view = (str(spec.getattribute(a) or "") for a in ("oiio:subimagename", "view"))
    views = spec.getattribute("multiView") or ()
    return PartNames(spec.channelnames, name, view, (views,) if isinstance(views, str) else views)


def _pixels(path: Path, source: Any, index: int, spec: Any) -> Plane:
    """All channels of a part in the type that holds each of them."""
    kinds = {str(kind) for kind in spec.channelformats} or {str(spec.format)}
    kind = kinds.pop() if len(kinds) == 1 else "float"
    pixels = source.read_image(index, 0, 0, spec.nchannels, kind)
    if pixels is None:
        raise SourceError(f"{path}: not readable as a picture ({error_of(source)})")
    return np.asarray(pixels).reshape(spec.height, spec.width, spec.nchannels)


def _losses(source: Any, specs: list[Any]) -> Iterator[str]:
    """Yield a line for each thing in a file that cannot be written back."""
    if any(source.spec(index, 1).width for index in range(len(specs))):
        yield "its smaller levels (mip map) are not written: the render has one, maketx makes them anew"
    for spec in specs:
        # OpenImageIO takes all of a part whose channels differ in type through floats
        kinds = [str(kind) for kind in spec.channelformats]
        names = [
            name for name, kind in zip(spec.channelnames, kinds, strict=False) if kind == "uint"
        ]
        if names and len(set(kinds)) > 1:
            yield f"whole numbers in {', '.join(names)[:80]} are kept to 24 bits: larger ones are rounded"


def _coding(form: str, spec: Any, colour: tuple[int, ...]) -> Coding:
    bits = spec.getattribute("oiio:BitsPerSample") or 0
    depth, alpha = _BITS.get(str(spec.format), 32), len(colour) == 4
    coding = rgb_coding(bits if depth == 16 and 9 < bits < 16 else depth, alpha=alpha)
    apart = form == "dpx" or spec.getattribute("oiio:UnassociatedAlpha")
    return replace(coding, multiplied=alpha and not apart)


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


def error_of(speaker: Any) -> str:
    """Return the last error of OpenImageIO or of a file of its as one line: it may quote bytes that are no text."""
    try:
        text = str(speaker.geterror())
    except UnicodeDecodeError as error:
        text = error.object.decode(errors="replace")
    return " ".join(text.split()) or "no reason given"
