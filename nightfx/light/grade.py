"""The affine part of a look, as 3×4 numbers that a relight field is composed with: exactly, in the working encoding."""

from __future__ import annotations

import numpy as np

from nightfx.options import Look, Moment, Moonlight
from nightfx.picture import BT709, XYZ_OF_RGB, Float64, black_body, rgb_of_uv

_GRADED = (
    "exposure",
    "temperature",
    "tint",
    "saturation",
    "black",
)  # what of a look a grade carries
_GAMMA = (
    2.2  # the working encoding is near this power of light: a stop is a factor of 2^(1/2.2) in it
)
_LUMA = np.array(BT709)
_MIRED = 1e6 / 6504  # of D65


def grade_of(moment: Moment) -> Float64 | None:
    """The grade (3, 4) of exposure and white balance, then saturation, then black; None where it changes nothing."""
    if all(getattr(moment, name) == getattr(Moment(), name) for name in _GRADED):
        return None
    gains = stops_gain(moment.exposure) * white_gains(moment.temperature, moment.tint)
    mix = moment.saturation * np.eye(3) + (1 - moment.saturation) * _LUMA
    rows = (1 - moment.black) * mix * gains
    return np.column_stack([rows, np.full(3, moment.black)])


def moonlit(moonlight: Moonlight) -> Float64:
    """The grade (3, 4) of a night by the moon: colours go, then white moves."""
    mix = moonlight.saturation * np.eye(3) + (1 - moonlight.saturation) * _LUMA
    gains = stops_gain(moonlight.exposure) * white_gains(moonlight.temperature, moonlight.tint)
    return np.column_stack([gains[:, None] * mix, np.zeros(3)])


def then(first: Float64 | None, second: Float64 | None) -> Float64 | None:
    """The grade (3, 4) that is one and then the other; None changes nothing."""
    if first is None or second is None:
        return second if first is None else first
    whole: Float64 = second[:, :3] @ first
    whole[:, 3] += second[:, 3]
    return whole


def brightest(look: Look | None) -> float:
    """Return what a look's exposure, at its most, multiplies the working encoding by; 1 at least."""
    stops = look.exposure if look else None
    values = [value for _, value in stops] if isinstance(stops, tuple) else [stops or 0.0]
    return max(stops_gain(max(values)), 1.0)


def stops_gain(stops: float) -> float:
    """Return what so many stops of light multiply the working encoding by."""
    return float(2 ** (stops / _GAMMA))


def white_gains(temperature: float, tint: float) -> Float64:
    """Return what white (3,) becomes by a shift in mired along the colours of black bodies, and across them by thousandths of Duv.

    Luma stays.
    """
    here, there = black_body(_MIRED), black_body(_MIRED + temperature)
    along = black_body(_MIRED + temperature + 0.1) - there
    across = np.array([along[1], -along[0]]) / np.hypot(*along)  # towards magenta, below the curve
    white = _uv(XYZ_OF_RGB.sum(1))
    rgb = rgb_of_uv(white + there - here + across * tint / 1000)
    gains: Float64 = np.maximum(rgb / (_LUMA @ rgb), 1e-3) ** (1 / _GAMMA)
    balanced: Float64 = gains / (_LUMA @ gains)
    return balanced


def _uv(xyz: Float64) -> Float64:
    x, y, z = xyz
    uv: Float64 = np.array([4 * x, 6 * y]) / (x + 15 * y + 3 * z)
    return uv
