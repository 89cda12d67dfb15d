"""Light the frames of a shot: what the generator says, then what the look adds, then all of it put on the plate.

The way of a frame, top to bottom: `_changes` gives each frame its change of light, by a field or by tiles; `_light_one`
adds the look's grade, glow and matte; `apply.finish.light_plate` puts it on the plate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import count, starmap
from typing import NamedTuple

from nightfx.apply import (
    Change,
    Field,
    FieldChange,
    Finish,
    MapChange,
    Steps,
    Written,
    light_plate,
    straight_rgb,
)
from nightfx.light import fit, grade, steady
from nightfx.light.borders import Borders
from nightfx.light.glow import spread
from nightfx.light.lighting import Lighting
from nightfx.light.see import Seen, luma_of, see
from nightfx.light.tiling import light_of
from nightfx.picture import SDR, Encoding, Float32, Frame, as_coded, rolled_off, to_working, upright


class Beside(NamedTuple):
    """Who looks on while frames are lit."""

    borders: Borders | None = None
    """Told of the frames that go by; those of a warm-up are seen and not lit."""
    matte_at: Callable[[int, Frame], Float32] | None = None
    """Gives the matte (H, W) of a frame by its place in the shot."""
    on_change: Callable[[Frame, Steps], None] | None = None
    """Told of what is done to each frame."""


class Lit(NamedTuple):
    """A frame and the change of light that the generator wants for it."""

    frame: Frame
    small: Float32
    """The frame, small, in the working encoding: what glow is made of."""
    change: Change


def light_frames(
    frames: Iterable[Frame], lighting: Lighting, written: Written, beside: Beside | None = None
) -> Iterator[Frame]:
    """Yield each frame under the light of a shot, as it is written; the matte counts the shot's frames from 0."""
    beside = beside or Beside()
    first = beside.borders.shown_from if beside.borders else 0
    changes = _changes(frames, lighting, written.encodings.source, beside.borders)
    yield from map(
        lambda index, lit: _light_one(index, lit, lighting, written, beside), count(first), changes
    )


def _changes(
    frames: Iterable[Frame], lighting: Lighting, encoding: Encoding, borders: Borders | None
) -> Iterator[Lit]:
    if lighting.fields is None:
        yield from (_by_tiles(frame, lighting, encoding) for frame in frames)
        return
    # a loop's own name would keep each frame until the next one has its change
    yield from starmap(
        _by_field, fit.light_by_field(frames, lighting.generator, lighting.fields, borders)
    )


def _by_field(seen: Seen, field: Field) -> Lit:
    return Lit(seen.frame, seen.small, FieldChange(field, seen.frame.height, seen.frame.width))


def _by_tiles(frame: Frame, lighting: Lighting, encoding: Encoding) -> Lit:
    """Return what the generator says of a frame at full size."""
    work = to_working(straight_rgb(frame), encoding)
    shown = rolled_off(work, encoding)
    maps = light_of(lighting.generator, upright(shown, frame), lighting.tile_px)
    gain, offset = (as_coded(tensor.numpy(), frame) for tensor in maps)
    if lighting.most is not None:
        gain, offset = fit.held_below(work, gain, offset, lighting.most)
    # glow is made at the height at which relight would make it
    small = (
        see(frame, fit.FieldPlan.height, encoding).small if lighting.look.names("glow") else shown
    )
    return Lit(frame, small, MapChange(gain, offset))


def _light_one(index: int, lit: Lit, lighting: Lighting, written: Written, beside: Beside) -> Frame:
    """Return a frame under its change of light and what the look adds to it."""
    frame = lit.frame
    moment = lighting.look.at(lighting.numbering.of(frame, index))
    change = bare = lit.change.graded(grade.grade_of(moment))
    glow = spread(change.of_picture(lit.small), moment.glow) if moment.glow else None
    if glow is not None and written.is_direct_for(frame):
        screened = change.screened(glow)
        change, glow = (screened, None) if screened else (change, glow)
    matte = beside.matte_at(index, frame) if beside.matte_at else None
    finish = Finish(moment.strength, glow, moment.grain, matte, lighting.seed)
    if beside.on_change:
        beside.on_change(frame, Steps(bare, change, finish))
    return light_plate(frame, change, finish, written)


def mark_borders(
    frames: Iterable[Frame], borders: Borders, height: int, encoding: Encoding = SDR
) -> Iterator[Frame]:
    """Yield the frames to be lit; `borders` are told of those with a cut, seen at a working `height`, where it matters."""
    before = None
    for index, frame in enumerate(frames, borders.begun_at):
        looks = borders.watches(index) or borders.watches(index + 1)
        luma = luma_of(see(frame, height, encoding).cells) if looks else None
        known = before is not None and luma is not None
        is_cut = known and steady.find_motion(before, luma).is_cut  # type: ignore[arg-type]  # known
        borders.begins(index, is_cut=is_cut)
        before = luma
        if index >= borders.shown_from:
            yield frame
