"""A change of light said on the plate's own signal, at each pixel, whatever that signal is.

The working encoding of PQ, log and light is a curve away from the signal, so what is one affine map there is another one
at each pixel here: its tangent.
"""

from __future__ import annotations

import numpy as np

from nightfx.apply.working import LightOfSamples, change_of_rgb, straight_pixels
from nightfx.picture import Encoding, Float32, Frame, finite, from_working, to_rgb, to_working

_LEAST, _SHARE = 0.01, 0.02  # how far the signal is moved to see what becomes of it


def lit_signal(frame: Frame, light: LightOfSamples, encoding: Encoding) -> Float32:
    """The frame's RGB (3, H, W) under `light`, not rounded and not clipped."""
    lit: Float32 = finite(to_rgb(frame)) + change_of_rgb(frame, light, encoding)
    return lit


def tangent(frame: Frame, light: LightOfSamples, encoding: Encoding) -> Float32:
    """What red, green and blue of the plate become at each pixel, (3, 3, H, W): by the channel that is read, then by the one that is lit.

    With an offset that makes it exact, `sum(plate[k] * tangent[k]) + offset` is the lit signal.
    """
    rgb = finite(straight_pixels(frame))
    before = _under(rgb, light, encoding)
    slopes = []
    for channel in range(3):
        moved, step = rgb.copy(), np.maximum(np.abs(rgb[channel]), _LEAST) * np.float32(_SHARE)
        moved[channel] += step
        slopes.append((_under(moved, light, encoding) - before) / step)
    return finite(np.stack(slopes))


def _under(rgb: Float32, light: LightOfSamples, encoding: Encoding) -> Float32:
    return from_working(light(to_working(rgb, encoding), 0, 0), encoding)
