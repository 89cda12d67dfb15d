"""Pairs of colours, plate and render, from frames of a shot that are rendered each alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from nightfx.apply import SkyChange, Steps, Written, straight_rgb
from nightfx.export.frames import Spread
from nightfx.job.matte import open_mattes
from nightfx.job.pipeline import Progress
from nightfx.light import (
    Beside,
    Borders,
    Footage,
    Lengths,
    Lighting,
    build_lighting,
    find_lights_of,
    light_frames,
    plan_lamps,
)
from nightfx.lights import LightList
from nightfx.network import Preset
from nightfx.options import LightOptions, Look, RenderOptions
from nightfx.picture import BT709, Encodings, Float32, Float64, Frame

Mask = NDArray[np.bool_]

MOST_PIXELS = 1 << 16  # of a frame
_BLOCK_PX = 16  # side of what is held out of a single picture
_SKY = 0.1  # of a pixel
_BRIGHTER = 2 / 255  # more than rounding and dither make


@dataclass(frozen=True)
class Pairs:
    """Colours of pixels in plate and render, as signals of red, green and blue."""

    plate: Float64
    """(N, 3), 0 to 1."""
    render: Float64
    """(N, 3), 0 to 1."""
    is_sky: Mask
    """(N,): a night sky was put there."""
    is_lamplit: Mask
    """(N,): brighter than the plate, which lamps alone make."""
    is_held: Mask
    """(N,): held out, to measure by."""
    held_frames: int = 0
    """Frames that are held out whole; 0 where blocks of one picture are."""

    @property
    def is_placed(self) -> Mask:
        """(N,): where a place decides, so that no one transform of colours makes it."""
        placed: Mask = self.is_sky | self.is_lamplit
        return placed

    def fitted(self, sky_share: float = 0.0) -> tuple[Float64, Float64, Float64]:
        """Return the colours that a transform is fitted to, and how much each counts (N,): sky its share, lamps nothing."""
        rest = ~self.is_held & ~self.is_lamplit
        if not sky_share:
            rest &= ~self.is_sky
        chosen = rest if rest.any() else ~self.is_held
        share = np.where(self.is_sky[chosen], sky_share or 1.0, 1.0)
        return self.plate[chosen], self.render[chosen], share


def never_brightens(preset: Preset, look: Look, frames: Sequence[Frame]) -> bool:
    """Say whether a look brightens nothing but by lamps: a preset that darkens, and no flag that lifts it."""
    if not preset.facts.darkens:
        return False
    own = preset.facts.look.at(0).exposure if preset.facts.look else 0.0
    moments = [look.at(frame.number or 0) for frame in frames]
    return all(x.exposure <= max(own, 0) and x.black <= 0 for x in moments)


def pairs_of(
    shot: Spread,
    preset: Preset,
    options: RenderOptions,
    on_progress: Progress | None = None,
) -> Pairs:
    """Render frames of a shot, each alone, and return the colours of some of their pixels; `options` have the preset's look."""
    darkens = never_brightens(preset, options.look, shot.frames)
    parts = []
    for index, (frame, lit, sky) in enumerate(_rendered(shot, preset, options)):
        is_held = None if len(shot.frames) == 1 else index % 2 == 1
        parts.append(_pixels(frame, lit, sky, is_held, index, darkens=darkens))
        if on_progress:
            on_progress(index + 1, len(shot.frames))
    return Pairs(
        np.concatenate([x.plate for x in parts]),
        np.concatenate([x.render for x in parts]),
        np.concatenate([x.is_sky for x in parts]),
        np.concatenate([x.is_lamplit for x in parts]),
        np.concatenate([x.is_held for x in parts]),
        len(shot.frames) // 2,
    )


def _rendered(
    shot: Spread, preset: Preset, options: RenderOptions
) -> Iterator[tuple[Frame, Frame, Float32 | None]]:
    """Yield frames, their renders, and how much of each pixel (H, W) is a night sky."""
    found = _lights_of(shot, preset, options.light)
    footage = Footage(lambda: shot.frames, len(shot.frames), shot.encoding)
    asked = options.look, options.light, options.field
    lighting = build_lighting(preset, footage, *asked, found=found[0])
    with ExitStack() as opened:
        mattes = opened.enter_context(open_mattes(options.light, options.source, shot.info))
        for frame, place, lights in zip(shot.frames, shot.places, found, strict=True):
            own = replace(lighting, lamps=plan_lamps(preset, lights, options.light), found=lights)
            steps = _Steps()
            beside = mattes.beside(Borders(Lengths(), place, ()), steps.keep)
            yield frame, _lit(frame, own, shot, beside), steps.sky


def _lit(frame: Frame, lighting: Lighting, shot: Spread, beside: Beside) -> Frame:
    written = Written(frame.coding, Encodings(shot.encoding, shot.encoding))
    (lit,) = light_frames([frame], lighting, written, beside)
    return lit


def _lights_of(shot: Spread, preset: Preset, light: LightOptions) -> list[LightList | None]:
    """What could be lit in each frame; whether the shot shows a town, most of them decide."""
    alone = [Footage(partial(list, [one]), encoding=shot.encoding) for one in shot.frames]
    looked = [find_lights_of(preset, one, light) for one in alone]
    town = 2 * sum(bool(found and found.town) for found in looked) > len(looked)
    return [found and replace(found, town=town) for found in looked]


class _Steps:
    """Keeps where the sky of the last frame is."""

    sky: Float32 | None = None

    def keep(self, frame: Frame, steps: Steps) -> None:
        bare = steps.bare
        self.sky = bare.alpha * np.float32(bare.amount) if isinstance(bare, SkyChange) else None


def _pixels(
    frame: Frame,
    lit: Frame,
    sky: Float32 | None,
    is_held: bool | None,
    seed: int,
    *,
    darkens: bool,
) -> Pairs:
    """Colours of some pixels of a frame in plate and render."""
    chosen = _chosen(frame, seed)
    plate, render = (
        straight_rgb(x).reshape(3, -1)[:, chosen].T.clip(0, 1).astype(np.float64)
        for x in (frame, lit)
    )
    none = np.zeros(len(chosen), np.bool_)
    is_sky = none if sky is None else sky.reshape(-1)[chosen] > _SKY
    is_lamplit = (render - plate) @ np.array(BT709) > _BRIGHTER if darkens else none
    held = _blocks(chosen, frame) if is_held is None else np.full(len(chosen), is_held)
    return Pairs(plate, render, is_sky, is_lamplit, held)


def _chosen(frame: Frame, seed: int) -> NDArray[np.int64]:
    """Some pixels of a frame, by their place; transparent ones have no colour."""
    places = np.arange(frame.width * frame.height)
    if frame.alpha is not None:
        seen = places[frame.alpha.reshape(-1) > frame.coding.peak / 2]
        places = seen if len(seen) else places
    if len(places) <= MOST_PIXELS:
        return places
    return np.sort(np.random.default_rng(seed).choice(places, MOST_PIXELS, replace=False))


def _blocks(chosen: NDArray[np.int64], frame: Frame) -> Mask:
    side = min(max(min(frame.width, frame.height) // 4, 1), _BLOCK_PX)
    y, x = chosen // frame.width // side, chosen % frame.width // side
    held: Mask = (x + y) % 2 == 1
    return held
