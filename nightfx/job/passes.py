"""Passes: the change of light as files that a compositor reads, beside the render and one for each of its frames.

`NAME.field.1001.exr` is the relight field at plate size, four layers of R, G, B: what the plate's red, green and blue
become (`from_red`, `from_green`, `from_blue`) and what is added (`offset`). `NAME.pair.1001.exr` says nearly the same
so that a person can read it: `gain`, in stops, and `offset`. Both are for the plate's own signal, as it was read: where
that is SDR they are as smooth as the field is, where it is light, PQ or log they are what the field is at each pixel.
`NAME.glow.1001.exr` is what a glow adds to either, and `NAME.matte.1001.exr` how much of all that replaces the plate, as
it acts on the signal. `NAME.sky.1001.exr` has one channel, `matte.sky`: how much of each pixel is sky.
`NAME.lights.1001.exr` has a layer for each group of lamps, for lamps outside the picture (`street`) and for the `rest`: what
it gives of the render's light, linear, 1 being white; their sum is the render. Half floats are within a code of the render
up to 12 bits. Frames count from 1001.

Without OpenImageIO they are 16-bit PNGs, but for the field: `NAME.gain.1001.png` from -8 to 8 stops, and
`NAME.offset.1001.png`, glow and matte from -1 to 1: value = lowest + (highest - lowest) code / 65535; the sky's is grey,
from 0 to 1. Lights are not told apart in them.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from nightfx.apply import (
    FieldChange,
    GroupShare,
    SkyChange,
    Steps,
    full_size,
    layers_of,
    lit_signal,
    straight_rgb,
    tangent,
)
from nightfx.disk import check_folder_name, make_folder_of, partial_file
from nightfx.errors import TargetError, install_words
from nightfx.picture import (
    FIRST_FRAME,
    SDR,
    Coding,
    Encoding,
    Float32,
    Frame,
    finite,
    matrix_of,
    to_rgb,
    to_working,
)
from nightfx.source import FilePart, has_openimageio
from nightfx.target import write_grey, write_parts

_COLOURS = "red", "green", "blue"
FIELD_LAYERS = "from_red", "from_green", "from_blue", "offset"
_PAIR_LAYERS = "gain", "offset"
_KINDS = "field", "pair", "gain", "offset", "glow", "matte", "sky", "lights"
SKY_CHANNEL = "matte.sky"
MAX_STOPS, MAX_OFFSET = 8.0, 1.0  # what a PNG can say
_WHITE = 65535
_LARGEST_HALF = 65504.0
_FLOAT_CODES = 10  # bits that half floats have near white: what a code of theirs counts as
_LEAST_CHANGE = 1e-5  # of the signal, below which a matte's share of it is lost in rounding

_Half = NDArray[np.float16]


def nuke_field() -> list[str]:
    """Red, green and blue of Nuke's MergeExpression, A the field and B the plate: the render."""
    return [
        " + ".join([*(f"B{c[0]}*Afrom_{c}.{out}" for c in _COLOURS), f"Aoffset.{out}"])
        for out in _COLOURS
    ]


def nuke_pair() -> list[str]:
    """The same with the pair as A: nearly the render."""
    return [f"B{c[0]}*pow(2, Again.{c}) + Aoffset.{c}" for c in _COLOURS]


def make_folder_of_passes(folder: Path, name: str, *, overwrite: bool) -> None:
    """Make the folder, refuse to replace passes that it has under this name unless `overwrite`; raises TargetError."""
    check_folder_name(folder)
    make_folder_of(folder / name)
    taken = [p for kind in _KINDS for p in folder.glob(f"{glob.escape(name)}.{kind}.[0-9]*.*")]
    if taken and not overwrite:
        raise TargetError(f"{min(taken)}: exists already; --overwrite replaces it")


def open_passes(folder: Path, name: str, *, overwrite: bool, first: int = FIRST_FRAME) -> Passes:
    """Return what writes the passes of a shot, the first frame's by the number `first`. Raises as `make_folder_of_passes`."""
    make_folder_of_passes(folder, name, overwrite=overwrite)
    return Passes(folder, name, first)


def writing(passes: Passes | None, encoding: Encoding) -> Callable[[Frame, Steps], None] | None:
    """Return what writes the passes of frames as they are lit, in a working encoding; None where none are asked for."""
    if passes is None:
        return None
    return lambda frame, steps: passes.write(frame, steps, encoding)


@dataclass(frozen=True)
class Tally:
    """The figures of passes that were written."""

    errors: Sequence[tuple[float, float]]
    """The distance of the pair from the render for each frame: mean and maximum, in codes."""
    depth: int
    """Bits of those codes."""


class Passes:
    """The passes of one shot: counts its frames, and remembers how far the pair is from the render."""

    def __init__(self, folder: Path, name: str, first: int) -> None:
        self._folder, self._name, self._number, self._first = folder, name, first, first
        self._has_exr = has_openimageio()
        self._index, self._depth = 0, 8
        self._errors: dict[int, tuple[float, float]] = {}

    def begin_at(self, index: int) -> None:
        """Count on from the `index`-th frame of the shot."""
        self._index = index

    def tally(self, first: int, last: int) -> Tally:
        """Return the figures of the frames from the `first`-th to before the `last`-th."""
        errors = [self._errors[i] for i in range(first, last) if i in self._errors]
        return Tally(errors, self._depth)

    def recall(self, first: int, tally: Tally) -> None:
        """Count what another process wrote."""
        self._errors.update(enumerate(tally.errors, first))
        self._depth = tally.depth

    def write(self, frame: Frame, steps: Steps, encoding: Encoding = SDR) -> None:
        """Write the passes of the next frame: `steps` are what it was rendered with, in the working encoding."""
        self._number = self._first + self._index if frame.number is None else frame.number
        self._depth = _FLOAT_CODES if frame.coding.is_float else frame.coding.depth
        plate, bare = to_rgb(frame), steps.bare.by(steps.finish.strength)
        assert isinstance(bare, FieldChange | SkyChange), "passes are refused for tiles"
        lit = lit_signal(frame, bare.of_samples, encoding)
        if encoding.to_linear is None and not frame.coding.multiplied:
            field = _field_pixels(bare, plate) if self._has_exr else None
            stops, offset = _readable_pair(plate, bare)
            wanted = bare.of_samples(plate, 0, 0)  # as it is before luma ends at black
        else:
            field, stops, offset = _tangents(frame, bare, lit, encoding)
            wanted = lit
        most = _most_of(frame.coding) if encoding.to_linear is None else None
        formula = _formula(steps, most)
        errors = self._write_change(plate, wanted, field, stops, offset, formula)
        self._write_finish(frame, steps, lit, encoding, formula)
        if isinstance(bare, SkyChange):
            self._save_sky(bare.alpha)
        if steps.shares and self._has_exr:
            self._save_lights(frame, steps, steps.shares, encoding)
        codes = errors * ((1 << self._depth) - 1)
        self._errors[self._index] = float(codes.mean()), float(codes.max())
        self._index += 1

    def _write_change(
        self,
        plate: Float32,
        wanted: Float32,
        field: _Half | None,
        stops: Float32,
        offset: Float32,
        formula: str,
    ) -> Float32:
        """Write field and pair; returns how far the pair is from the light, (3, H, W)."""
        if self._has_exr and field is not None:
            words = f"{formula}, where this is {_expression(nuke_field())}"
            _save_exr(self._path("field", "exr"), _in_rgb(FIELD_LAYERS), field, words)
            pair = _half(np.stack([*stops, *offset], axis=-1))
            words = f"{formula}, where this is {_expression(nuke_pair())}"
            _save_exr(self._path("pair", "exr"), _in_rgb(_PAIR_LAYERS), pair, words)
            stops, offset = np.split(np.moveaxis(pair, -1, 0).astype(np.float32), 2)
        else:
            stops = _save_png(self._path("gain", "png"), stops, MAX_STOPS)
            offset = _save_png(self._path("offset", "png"), offset, MAX_OFFSET)
        error: Float32 = np.abs(plate * np.exp2(stops) + offset - wanted)
        return error

    def _write_finish(
        self, frame: Frame, steps: Steps, lit: Float32, encoding: Encoding, formula: str
    ) -> None:
        """Write what a glow adds and how much a matte lets through, where there are such."""
        glowing = lit_signal(frame, steps.glowing(), encoding) if steps.has_glow else lit
        if steps.has_glow:
            most = _most_of(frame.coding) if encoding.to_linear is None else None
            lamps, below = (
                (glowing, lit) if most is None else (x.clip(0, most) for x in (glowing, lit))
            )
            self._save_layer("glow", lamps - below, formula)
        if steps.finish.matte is None:
            return
        plate = finite(to_rgb(frame))
        change = glowing - plate
        let = lit_signal(frame, steps.matted(), encoding) - plate
        known = np.abs(change) > _LEAST_CHANGE
        share = np.divide(let, change, where=known, out=np.stack([steps.finish.matte] * 3))
        self._save_layer("matte", share.clip(0, 1), formula)

    def _save_layer(self, layer: str, values: Float32, words: str) -> None:
        if not self._has_exr:
            _save_png(self._path(layer, "png"), values, MAX_OFFSET)
            return
        pixels = np.moveaxis(values, 0, -1)
        # a matte of half floats would be more than a code of a large change away
        stored = pixels if layer == "matte" else _half(pixels)
        _save_exr(self._path(layer, "exr"), _in_rgb((layer,)), stored, words)

    def _save_lights(
        self, frame: Frame, steps: Steps, shares: Mapping[str, GroupShare], encoding: Encoding
    ) -> None:
        """Write what each group of lamps gives of the light."""
        work = to_working(straight_rgb(frame), encoding)
        names, pixels = [], []
        for name, layer in layers_of(work, steps, shares):
            names.append(name)
            pixels += [_half(channel) for channel in layer]
        end = "through the curve of sRGB" if encoding is SDR else "as Rec.709 light"
        let = "" if steps.finish.matte is None else ", before the matte"
        words = (
            f"The sum of all layers, {end}, is the render{let}; without a group's layer it is dark"
        )
        _save_exr(self._path("lights", "exr"), _in_rgb(tuple(names)), np.stack(pixels, -1), words)

    def _save_sky(self, alpha: Float32) -> None:
        """Write how much of each pixel (H, W) is sky."""
        if self._has_exr:
            words = "How much of each pixel is sky"
            _save_exr(self._path("sky", "exr"), [SKY_CHANNEL], alpha[..., None], words)
        else:
            write_grey(np.rint(alpha * _WHITE).astype(np.uint16), self._path("sky", "png"))

    def finish(self) -> Iterator[str]:
        """Yield the lines that a user should read when all are written: how good the pair is, and what is missing.

        What killed processes left unfinished is removed.
        """
        for kind in _KINDS:
            for path in self._folder.glob(f".{glob.escape(self._name)}.{kind}.[0-9]*.part"):
                path.unlink(missing_ok=True)
        if self._errors:
            means, maxima = zip(*self._errors.values(), strict=True)
            mean, most = float(np.mean(means)), max(maxima)
            words = f"within {mean:.2g} codes of {self._depth} bits (mean), {most:.2g} (max)"
            yield f"passes: the gain/offset pair recombines to {words}"
        if not self._has_exr:
            yield f"passes: only that pair is written, as PNG; the full field needs {install_words('film')}"

    def _path(self, kind: str, suffix: str) -> Path:
        return self._folder / f"{self._name}.{kind}.{self._number:04d}.{suffix}"


def _most_of(coding: Coding) -> float:
    """The brightest grey that codes can say, 1 being white."""
    matrix, zero = matrix_of(coding)
    return float((coding.peak - zero[0]) / matrix[0].sum())


def _formula(steps: Steps, most: float | None) -> str:
    """How files make the render: light goes on what codes can say, which are from black to the `most`; None has no end."""
    lit = "this" if most is None else f"clamp(this, 0, {most:.5g})"
    words = f"{lit} + glow" if steps.has_glow else "this"
    has_matte = steps.finish.matte is not None
    return f"The render is {f'plate + matte * ({words} - plate)' if has_matte else words}"


def _expression(lines: list[str]) -> str:
    return f"Nuke MergeExpression, B the plate: {'; '.join(lines)}"


def _tangents(
    frame: Frame, bare: FieldChange | SkyChange, lit: Float32, encoding: Encoding
) -> tuple[_Half, Float32, Float32]:
    """The field (H, W, 12), stops and offset of the pair, (3, H, W) each, on the plate's own signal."""
    plate, slopes = finite(to_rgb(frame)), tangent(frame, bare.of_samples, encoding)
    halves = _half(slopes.clip(-_LARGEST_HALF, _LARGEST_HALF))
    offset = lit - (halves.astype(np.float32) * plate[:, None]).sum(0)
    layers = np.concatenate([halves.reshape(9, *lit.shape[1:]), _half(offset)])
    gain = slopes.sum(0).clip(2**-MAX_STOPS, 2**MAX_STOPS)
    stops = _half(np.log2(gain)).astype(np.float32)
    return np.moveaxis(layers, 0, -1), stops, lit - plate * np.exp2(stops)


def _readable_pair(plate: Float32, change: FieldChange | SkyChange) -> tuple[Float32, Float32]:
    """Stops and offset, (3, H, W) each: plate · 2^stops + offset is nearly the plate (3, H, W) under a change.

    The gain is what a grey gets, the sum of a row of the field; the offset makes it exact for the plate's mean colour
    in each cell. On a 720p street the pair errs by 0.01 codes of 8 bits (at most 1), where the same gain with the
    field's own constant errs by 0.7 (13) and the diagonal of the field by 2.7 (54).
    """
    if isinstance(change, SkyChange):
        return _pair_of_pixels(plate, change)
    field = change.field
    cells = field.reshape(3, 4, *field.shape[1:])
    colour = _mean_colour(plate, field.shape[1:])
    gain = cells[:, :3].sum(1).clip(2**-MAX_STOPS, 2**MAX_STOPS)
    offset = (cells[:, :3] * colour).sum(1) + cells[:, 3] - gain * colour
    stops = np.log2(full_size(gain, *plate.shape[1:]))
    return stops, full_size(offset, *plate.shape[1:])


def _pair_of_pixels(plate: Float32, change: SkyChange) -> tuple[Float32, Float32]:
    """The same where a matte, as fine as the plate, lets two fields through."""
    colour = full_size(_mean_colour(plate, change.day.shape[1:]), *plate.shape[1:])
    gain, offset = np.zeros_like(plate), np.zeros_like(plate)
    for index, numbers in enumerate(change.numbers(plate)):
        lit, read = divmod(index, 4)
        if read < 3:
            gain[lit] += numbers
        offset[lit] += numbers * colour[read] if read < 3 else numbers
    gain = gain.clip(2**-MAX_STOPS, 2**MAX_STOPS)
    return np.log2(gain), offset - gain * colour


def _mean_colour(plate: Float32, cells: tuple[int, ...]) -> Float32:
    return np.stack([cv2.resize(c, cells[::-1], interpolation=cv2.INTER_AREA) for c in plate])


def _in_rgb(layers: tuple[str, ...]) -> list[str]:
    return [f"{layer}.{channel}" for layer in layers for channel in "RGB"]


def _save_exr(target: Path, channels: list[str], pixels: _Half | Float32, words: str) -> None:
    """Write pixels (H, W, C) as channels, losslessly; how to recombine them stands in its `comments`."""
    import OpenImageIO

    kind = "half" if pixels.dtype == np.float16 else "float"
    spec = OpenImageIO.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], kind)
    spec.channelnames = channels
    spec.attribute("compression", "zips")  # a line at a time, as Nuke reads and itself writes
    spec.attribute("ImageDescription", words)
    with partial_file(target, target.parent) as part:  # a segment may be rendered twice at once
        write_parts(part, "openexr", [FilePart(spec, pixels)])


def _save_png(target: Path, values: Float32, most: float) -> Float32:
    """Write values (3, H, W) from -most to most as 16 bits; returns what can be read from it."""
    codes = np.rint((values / most + 1) * (_WHITE / 2)).clip(0, _WHITE).astype(np.uint16)
    quick = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    done, data = cv2.imencode(".png", np.moveaxis(codes[::-1], 0, -1), quick)
    assert done, target
    with partial_file(target, target.parent) as part:
        part.write_bytes(data.tobytes())
    stored: Float32 = (codes.astype(np.float32) / np.float32(_WHITE / 2) - 1) * np.float32(most)
    return stored


def _field_pixels(change: FieldChange | SkyChange, plate: Float32) -> _Half:
    """The field at every pixel of a plate (3, H, W), (H, W, 12), ordered by layer: a plane at a time, for it is large."""
    pixels = np.empty((*plate.shape[1:], 12), np.float16)
    for index, numbers in enumerate(change.numbers(plate)):
        lit, read = divmod(index, 4)
        pixels[..., 3 * read + lit] = _half(numbers)
    return pixels


def _half(values: Float32) -> _Half:
    import torch

    # numpy takes ten times as long
    return torch.from_numpy(values).half().numpy()
