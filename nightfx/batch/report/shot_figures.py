"""Figures and thumbnails of a render, measured on the file itself at a few places, for the report.

Four neighbouring frames are read at the beginning, the middle and the end of the plate and of the render, and shown as a
screen would (HDR and linear light with their highlights rolled off). Then

    flicker    `nightfx.metrics.flicker`, at most 360 lines high: render ÷ plate, 1 is as steady as the plate
    crushed    share of pixels that are black in the render (luma of BT.709 below 2 of 255) and were not nearly so in the
               plate (8 of 255 or more)
    clipped    share of pixels with a channel above 254 of 255 in the render that had none in the plate
    dissolved  `nightfx.metrics.dissolved`: share of the plate's detail, skylines above all, that is gone in the render
    skyline    `nightfx.metrics.skylines`: how much more walls near the sky were darkened than walls far from it, in stops
    fringe     the same: how far the edge of the sky is brighter than both its sides, or darker, in stops
    misplaced  `nightfx.metrics.misplaced_lights`: lights a picture in the sky, in leaves, on people or on the ground

`worst` is the largest of each in units of its limit (`LIMITS`): above 1, a shot is worth a look.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from nightfx.batch.report.limits import Figures
from nightfx.batch.report.player import FRAMES, player_of
from nightfx.job.source_target import asked_encoding, open_shot
from nightfx.metrics import dissolved, flicker, misplaced_lights, skyline
from nightfx.options import SourceOptions
from nightfx.picture import (
    Encoding,
    Float32,
    encoding_by_tags,
    luma,
    rolled_off,
    target_encoding,
    to_rgb,
    to_working,
    upright,
)
from nightfx.scene import places_of
from nightfx.source import FALLBACK_RATE, deinterlaced
from nightfx.source import FrameReader as Ends

_PLACES = (0.1, 0.5, 0.9)  # of the shot
_RUN_FRAMES = 4
_FLICKER_LINES = 360
_THUMB_PX = (420, 280)  # at most
_THUMB_QUALITY = 78
BLACK, NEAR_BLACK, WHITE = 2 / 255, 8 / 255, 254 / 255


@dataclass(frozen=True)
class PairedFrames:
    """Neighbouring frames of a plate and of its render, made small."""

    plate: list[Float32]
    """Pictures (3, H, W) in [0, 1]."""
    render: list[Float32]
    """The same frames, rendered."""
    crushed: list[float]
    """Share of each at full size that became black."""
    clipped: list[float]
    """Share of each at full size that became white."""


def measure(source: Path, target: Path, options: SourceOptions) -> dict[str, Any]:
    """Figures, thumbnails (`before`, `after`: JPEG in base64), a `player` (MP4 in base64), size and codec of a render. Raises SourceError."""
    loose = replace(options, keep_going=True)
    with open_shot(source, loose) as plate, open_shot(target, loose) as render:
        was = asked_encoding(options) or encoding_by_tags(plate.info.tags, plate.info.coding)
        kinds = {"was_float": plate.info.coding.is_float, "is_float": render.info.coding.is_float}
        will = target_encoding(was, **kinds)
        rate, count = plate.info.rate or FALLBACK_RATE, render.info.frames_estimate or 1
        skipped = math.ceil(Fraction(options.start_seconds or 0) * rate - Fraction(1, 100))
        samples = [
            compare(_shown(plate, skipped + first, was), _shown(render, first, will))
            for first in _firsts(count)
        ]
        middle = max(count - FRAMES, 0) // 2
        player = player_of(
            _shown(plate, skipped + middle, was), _shown(render, middle, will), Fraction(rate)
        )
        info = plate.info
        about: dict[str, Any] = {
            "width": info.width,
            "height": info.height,
            "codec": render.info.codec,
        }
    samples = [sample for sample in samples if sample.plate]
    if not samples:
        return about
    between = samples[len(samples) // 2]
    about |= {"before": _thumbnail(between.plate[0]), "after": _thumbnail(between.render[0])}
    about |= {"player": player} if player else {}
    return about | {"figures": asdict(figures_of(samples))}


def compare(plate: Iterable[Float32], render: Iterable[Float32]) -> PairedFrames:
    """The first frames of both, pictures (3, H, W) in [0, 1]; full-size pictures are held one at a time."""
    found = PairedFrames([], [], [], [])
    for a, b in islice(zip(plate, render, strict=False), _RUN_FRAMES):
        found.crushed.append(_share(luma(b) < BLACK, luma(a) < NEAR_BLACK))
        found.clipped.append(_share(b.max(0) > WHITE, a.max(0) > WHITE))
        scale = min(_FLICKER_LINES / a.shape[1], 1.0)
        found.plate.append(_smaller(a, scale))
        found.render.append(_smaller(b, scale))
    return found


def figures_of(samples: list[PairedFrames]) -> Figures:
    """The means of samples."""
    crushed = np.mean([share for sample in samples for share in sample.crushed])
    clipped = np.mean([share for sample in samples for share in sample.clipped])
    pairs = [_tensors([s.plate[0], s.render[0]]) for s in samples]
    gone = [dissolved(*pair) for pair in pairs]
    return Figures(
        *(_flicker(samples), float(crushed), float(clipped), float(np.mean(gone))),
        *_by_places(pairs),
    )


def _by_places(
    pairs: list[list[torch.Tensor]],
) -> tuple[float | None, float | None, float | None]:
    """What went wrong along skylines that there are, and lights in impossible places, of pairs that became darker."""
    lines, lights = [], []
    for plate, render in pairs:
        if render.mean() < plate.mean():
            sky, lampless, ground, _ = places_of(plate)
            lines.append(skyline(plate, render, sky))
            lights.append(float(misplaced_lights(plate, render, lampless, ground)))
    return _mean([x.darker for x in lines]), _mean([x.fringe for x in lines]), _mean(lights)


def _mean(values: Sequence[float]) -> float | None:
    """Of what was there to measure."""
    known = [value for value in values if math.isfinite(value)]
    return float(np.mean(known)) if known else None


def _thumbnail(picture: Float32) -> str:
    """A JPEG of a picture (3, H, W), in base64."""
    height, width = picture.shape[1:]
    scale = min(_THUMB_PX[0] / width, _THUMB_PX[1] / height, 1.0)
    small = _smaller(picture, scale)
    codes = np.ascontiguousarray((small.clip(0, 1) * 255 + 0.5).astype(np.uint8)[::-1])
    quality = [cv2.IMWRITE_JPEG_QUALITY, _THUMB_QUALITY]
    _, data = cv2.imencode(".jpg", codes.transpose(1, 2, 0), quality)
    return base64.b64encode(data.tobytes()).decode("ascii")


def _firsts(count: int) -> list[int]:
    most = max(count - _RUN_FRAMES, 0)
    return sorted({round(most * place) for place in _PLACES})


def _shown(shot: Ends, first: int, encoding: Encoding) -> Iterator[Float32]:
    """Pictures from the frame of this number on, as a screen would show them."""
    # half a frame early: a container that counts in milliseconds has moved the frames a little
    start = (first - Fraction(1, 2)) / (shot.info.rate or FALLBACK_RATE)
    frames = shot.frames(start if first else None)
    shown = deinterlaced(frames)
    for frame in shown:
        work = to_working(upright(to_rgb(frame), frame), encoding)
        yield rolled_off(work, encoding).clip(0, 1)


def _flicker(samples: list[PairedFrames]) -> float | None:
    moving = [s for s in samples if len(s.plate) > 1 and not _is_still(s.plate)]
    found = [flicker(_tensors(s.plate), _tensors(s.render)) for s in moving]
    return float(np.mean(found)) if found else None


def _is_still(run: list[Float32]) -> bool:
    # of a plate that does not change at all, any change would be endlessly more
    return all(np.abs(picture - run[0]).mean() < 1e-4 for picture in run[1:])


def _tensors(run: list[Float32]) -> list[torch.Tensor]:
    return [torch.from_numpy(picture) for picture in run]


def _smaller(picture: Float32, scale: float) -> Float32:
    size = tuple(max(round(n * scale), 1) for n in (picture.shape[2], picture.shape[1]))
    small = cv2.resize(picture.transpose(1, 2, 0), size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small.transpose(2, 0, 1))


def _share(now: np.ndarray, before: np.ndarray) -> float:
    return float((now & ~before).mean())
