"""Light the frames of a shot: what the generator says, then what the look adds, then all of it put on the plate.

The way of a frame, top to bottom: `_changes` gives each frame its change of light, by a field or by tiles; `_light_one`
adds the look's grade, glow and matte; `apply.finish.light_plate` puts it on the plate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import count
from typing import NamedTuple

from nightfx.apply import (
    Change,
    FieldChange,
    Finish,
    GroupShare,
    LitChange,
    MapChange,
    Patch,
    Steps,
    Written,
    light_plate,
    screened,
    straight_rgb,
)
from nightfx.baked import Bake
from nightfx.light import fit, grade, steady
from nightfx.light.borders import Borders
from nightfx.light.glow import spread
from nightfx.light.lamps.shine import with_lamps
from nightfx.light.lighting import Lighting
from nightfx.light.see import Seen, luma_of, see
from nightfx.light.sky import SkyMatte, edited, follow_skies, own_sky, with_sky
from nightfx.light.tiling import light_of
from nightfx.options import Look
from nightfx.picture import (
    SDR,
    Encoding,
    Float32,
    Frame,
    as_coded,
    end_watch,
    rolled_off,
    to_working,
    upright,
)


class Beside(NamedTuple):
    """Who looks on while frames are lit."""

    borders: Borders | None = None
    """Told of the frames that go by; those of a warm-up are seen and not lit."""
    matte_at: Callable[[int, Frame], Float32] | None = None
    """Gives the matte (H, W) of a frame by its place in the shot."""
    on_change: Callable[[Frame, Steps], None] | None = None
    """Told of what is done to each frame."""
    sky_at: Callable[[int, Frame], Float32] | None = None
    """Gives the user's own matte (H, W) of the sky, likewise."""


class Lit(NamedTuple):
    """A frame and the change of light that the generator wants for it."""

    seen: Seen
    """The frame as it was seen: its glow is made of what is small in it."""
    change: Change
    sky: Float32 | None
    """How surely each cell (h, w) is sky; None where the look leaves skies alone."""


def light_frames(
    frames: Iterable[Frame], lighting: Lighting, written: Written, beside: Beside | None = None
) -> Iterator[Frame]:
    """Yield each frame under the light of a shot, as it is written; the matte counts the shot's frames from 0."""
    beside = beside or Beside()
    first = beside.borders.shown_from if beside.borders else 0
    if lighting.baked is not None:
        yield from (
            _light_by_bake(index, frame, lighting, lighting.baked, written, beside)
            for index, frame in enumerate(frames, first)
        )
        return
    changes = _changes(frames, lighting, written.encodings.source, beside.borders)
    yield from map(
        lambda index, lit: _light_one(index, lit, lighting, written, beside), count(first), changes
    )


def light_looks(
    frame: Frame, lighting: Lighting, looks: Iterable[Look], written: Written, beside: Beside
) -> Iterator[Frame]:
    """Yield one frame under each of several looks, for which the generator sees it once.

    They are complete, and all of them want a sky of night where that of `lighting` does, or none.
    """
    if lighting.baked is not None:
        first = beside.borders.shown_from if beside.borders else 0
        yield from (
            _light_by_bake(first, frame, lighting, lighting.baked, written, beside) for _ in looks
        )
        return
    lit = wanted_light(frame, lighting, written, beside)
    for look in looks:
        yield light_as(lit, replace(lighting, look=look), written, beside)


def wanted_light(frame: Frame, lighting: Lighting, written: Written, beside: Beside) -> Lit:
    """What the generator wants for one frame: whoever keeps it lights the frame again without asking the generator."""
    (lit,) = _changes([frame], lighting, written.encodings.source, beside.borders)
    return lit


def light_as(lit: Lit, lighting: Lighting, written: Written, beside: Beside) -> Frame:
    """Return a frame under what the generator wanted for it, as look and lamps of `lighting` have it."""
    first = beside.borders.shown_from if beside.borders else 0
    return _light_one(first, lit, lighting, written, beside)


def _changes(
    frames: Iterable[Frame], lighting: Lighting, encoding: Encoding, borders: Borders | None
) -> Iterator[Lit]:
    # a loop's own name would keep each frame until the next one has its change
    generator = lighting.generator
    assert generator is not None, "a bake needs no changes"
    if lighting.fields is not None:
        shot = fit.light_by_field(
            *(frames, generator, lighting.fields, borders, lighting.found_sky)
        )
        yield from map(_by_field, shot)
    elif lighting.found_sky is not None:
        skies = follow_skies(frames, lighting.found_sky, encoding, borders)
        yield from (Lit(seen, _maps_of(seen.frame, lighting, encoding), sky) for seen, sky in skies)
    else:
        yield from (_by_tiles(frame, lighting, encoding) for frame in frames)


def _by_field(lit: fit.ByField) -> Lit:
    frame = lit.seen.frame
    return Lit(lit.seen, FieldChange(lit.field, frame.height, frame.width), lit.sky)


def _by_tiles(frame: Frame, lighting: Lighting, encoding: Encoding) -> Lit:
    # glow is made at the height at which relight would make it
    seen = see(frame, fit.FieldPlan.height, encoding)
    return Lit(seen, _maps_of(frame, lighting, encoding), None)


def _maps_of(frame: Frame, lighting: Lighting, encoding: Encoding) -> MapChange:
    """Return what the generator says of a frame at full size."""
    work = to_working(straight_rgb(frame), encoding)
    shown = rolled_off(work, encoding)
    assert lighting.generator is not None, "a bake needs no maps"
    maps = light_of(lighting.generator, upright(shown, frame), lighting.tile_px)
    gain, offset = (as_coded(tensor.numpy(), frame) for tensor in maps)
    if lighting.ceiling is not None:
        gain, offset = fit.held_below(work, gain, offset, lighting.ceiling)
    return MapChange(gain, offset)


def _light_one(index: int, lit: Lit, lighting: Lighting, written: Written, beside: Beside) -> Frame:
    """Return a frame under its change of light and what the look adds to it."""
    frame = lit.seen.frame
    number = lighting.numbering.of(frame, index)
    moment = lighting.look.at(number)
    change, surely = lit.change, lit.sky
    if lighting.sky and surely is not None:
        surely = edited(surely, lighting.sky, frame, number)
    if lighting.sky and moment.sky:
        own = own_sky(beside.sky_at(index, frame), lit.seen) if beside.sky_at else None
        sky = own or SkyMatte(surely)
        change = with_sky(change, lit.seen, sky, lighting.sky, moment, written.encodings.source)
    change = bare = change.graded(grade.then(grade.grade_of(moment), lighting.moonlight))
    glow = spread(change.of_picture(lit.seen.small), moment.glow) if moment.glow else None
    patches: tuple[Patch, ...] = ()
    shares: dict[str, GroupShare] | None = None
    if lighting.lamps:
        lamps = lighting.lamps.at(number, moment)
        change, glare, patches, shares_under = with_lamps(change, lit.seen, surely, lamps)
        bare, glow = change, glare if glow is None else screened(glow, glare)
        shares = shares_under(glow) if beside.on_change else None
    veil = None
    if glow is not None and written.is_direct_for(frame) and (veiled := change.screened(glow)):
        change, veil, glow = veiled, glow, None
    if patches:
        # as glow is, they are not of what is `bare`: passes say them by their pixels
        size, ends = (frame.height, frame.width), written.encodings.target is SDR
        change = LitChange(change, patches, size, ends)
    matte = beside.matte_at(index, frame) if beside.matte_at else None
    finish = Finish(moment.strength, glow, moment.grain, matte, lighting.seed)
    if beside.on_change:
        beside.on_change(frame, Steps(bare, change, finish, shares, veil))
    done = light_plate(frame, change, finish, written)
    end_watch()
    return done


def _light_by_bake(
    index: int, frame: Frame, lighting: Lighting, bake: Bake, written: Written, beside: Beside
) -> Frame:
    """Return a frame under the light that a bake has for it."""
    number = lighting.numbering.of(frame, index)
    change, finish = bake.change_at(number, frame, lighting.seed)
    if beside.matte_at:
        finish = replace(finish, matte=beside.matte_at(index, frame))
    done = light_plate(frame, change, finish, written)
    end_watch()
    return done


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
