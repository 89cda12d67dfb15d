"""The sky of a night, as a change of light of the sky by day: what stands in the matte of the plate's sky.

Dark overhead and lighter towards the horizon, where the town's lamps shine into the haze; over it the plate's own clouds
and grain, at a low contrast and in the colour that the sky has there. It is affine in the plate, as a field is.
"""

from __future__ import annotations

import numpy as np

from nightfx.apply import FieldChange
from nightfx.light.grade import stops_gain, white_gains
from nightfx.options import Moment, NightSky
from nightfx.picture import BT709, Float32, Frame, as_coded, luma, upright

_LOWEST = 0.97  # of the sky lies above its horizon: what peeps through below is no measure of it
_REACH = 0.2  # elevation, in shorter sides of the picture, at which e⁻¹ of the town's glow is left
_OWN_COLOUR = (
    0.25  # of what differs from the sky's smooth colour; the rest takes the colour of the night
)
_LEAST_LUMA = 1e-3
_MOST = 0.7  # of the luma of the sky by day: what is as dark as this beside it counts as sky


def night_sky(
    day: Float32, sky: Float32, frame: Frame, facts: NightSky, moment: Moment, most: float | None
) -> FieldChange:
    """Return what becomes of the sky of a frame: `day` (3, h, w) is its smooth colour, `sky` (h, w) where it is.

    Nothing is brighter than by day, nor than the share `most` of it where that is given.
    """
    night = as_coded(_colours(upright(sky[None], frame)[0], facts, moment), frame)
    night = _below(night, day, _MOST * (1.0 if most is None else most))
    mean = _mean(day, sky)
    shares = _shares(night, float(luma(mean)[0, 0]), facts.clouds)
    constant = night - (shares * mean[None]).sum(1)
    field = np.concatenate([shares, constant[:, None]], axis=1)
    cells = field.reshape(12, *day.shape[1:]).astype(np.float32)
    return FieldChange(np.ascontiguousarray(cells), frame.height, frame.width)


def _colours(sky: Float32, facts: NightSky, moment: Moment) -> Float32:
    """The colours (3, h, w) of a night over an upright picture."""
    height, width = sky.shape
    above = (horizon(sky) - np.arange(height) - 0.5) / min(height, width)
    glow = np.exp(-np.maximum(above, 0) / _REACH)
    tint = stops_gain(moment.sky_level) * white_gains(moment.sky_tint, 0)
    overhead, town = (tint * np.array(colour) for colour in (facts.overhead, facts.glow))
    rows = overhead[:, None] + town[:, None] * glow
    colours: Float32 = np.broadcast_to(rows[:, :, None], (3, height, width)).astype(np.float32)
    return colours


def horizon(sky: Float32) -> float:
    """Return the row, from the top edge, above which all but a little of the sky (h, w) of an upright picture lies."""
    above = np.cumsum(sky.sum(1, dtype=np.float64))
    if above[-1] <= 0:
        return 0.0
    rows = np.arange(len(above) + 1)
    return float(np.interp(_LOWEST * above[-1], np.append(0, above), rows))


def _below(night: Float32, day: Float32, most: float) -> Float32:
    allowed = np.float32(most) * np.maximum(luma(day), 0)
    held: Float32 = night * np.minimum(allowed / np.maximum(luma(night), _LEAST_LUMA), 1)
    return held


def _mean(day: Float32, sky: Float32) -> Float32:
    """The colour (3, 1, 1) of the whole sky by day: what is brighter than that is a cloud."""
    weight = sky + np.float32(1e-6)
    mean: Float32 = (day * weight).sum((1, 2), keepdims=True) / weight.sum()
    return mean


def _shares(night: Float32, day: float, clouds: float) -> Float32:
    """The shares (3, 3, h, w) of the plate's red, green and blue in those of the night; `day` is the luma of the sky."""
    gain = np.float32(clouds) * night / max(day, _LEAST_LUMA)
    mix = (1 - _OWN_COLOUR) * np.tile(BT709, (3, 1)) + _OWN_COLOUR * np.eye(3)
    shares: Float32 = mix[:, :, None, None].astype(np.float32) * gain[:, None]
    return shares
