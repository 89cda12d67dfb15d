"""Light pictures that are in memory already: a shot as arrays in, a shot as arrays out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nightfx.apply import Written
from nightfx.errors import UsageError
from nightfx.job.render_job import complete_options
from nightfx.light import Footage, build_lighting, light_frames
from nightfx.network import Preset, load_preset
from nightfx.options import RenderOptions
from nightfx.picture import Frame, rgb_coding

Pictures = Sequence[NDArray[Any]]

_DEPTH = {np.dtype(np.uint8): 8, np.dtype(np.uint16): 16}


def light_pictures(
    pictures: Pictures,
    *,
    preset: str | Path | Preset = "night",
    options: RenderOptions | None = None,
    frames_a_second: float = 24,
) -> Iterator[NDArray[Any]]:
    """Yield the pictures of one shot, (H, W, 3) RGB in sRGB, uint8 or uint16, under the light of `preset`: of the same size and type.

    They are gone through twice, for what would be lit and for their light. Of the options the look counts and how a frame is
    lit, and frames are numbered from 1001. Raises `UsageError` for pictures of another kind, or of more than one.
    """
    chosen = preset if isinstance(preset, Preset) else load_preset(preset)
    asked = complete_options(options or RenderOptions(), chosen)
    depth = _depth_of(pictures)
    footage = Footage(lambda: _frames(pictures, depth, frames_a_second), len(pictures))
    lighting = build_lighting(chosen, footage, asked.look, asked.light, asked.field)
    for lit in light_frames(footage.frames(), lighting, Written(rgb_coding(depth, alpha=False))):
        yield np.stack(lit.planes, axis=-1)


def _depth_of(pictures: Pictures) -> int:
    kinds = {(picture.shape, picture.dtype) for picture in pictures}
    if len(kinds) != 1:
        raise UsageError(f"pictures of one shot have one size and type, got {len(kinds)} of them")
    ((shape, kind),) = kinds
    if len(shape) != 3 or shape[2] != 3 or kind not in _DEPTH:
        raise UsageError(f"pictures are (H, W, 3) of uint8 or uint16, got {shape} of {kind}")
    return _DEPTH[kind]


def _frames(pictures: Pictures, depth: int, frames_a_second: float) -> Iterator[Frame]:
    coding = rgb_coding(depth, alpha=False)
    tick = 1 / Fraction(frames_a_second).limit_denominator(100000)
    for index, picture in enumerate(pictures):
        planes = tuple(np.ascontiguousarray(picture[..., c]) for c in range(3))
        yield Frame(planes, coding, index, tick)
