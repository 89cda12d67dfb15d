"""The affine part of a look, as 3×4 numbers that a relight field is composed with: exactly, in the working encoding."""

from __future__ import annotations

import numpy as np

from nightfx.options import Look, Moment
from nightfx.picture import BT709, Float64

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
# linear Rec.709 of CIE XYZ with a white of D65 (ITU-T H.273)
_RGB_OF_XYZ = np.linalg.inv([[0.4124, 0.3576, 0.1805], list(BT709), [0.0193, 0.1192, 0.9505]])


def grade_of(moment: Moment) -> Float64 | None:
    """The grade (3, 4) of exposure and white balance, then saturation, then black; None where it changes nothing."""
    if all(getattr(moment, name) == getattr(Moment(), name) for name in _GRADED):
        return None
    gains = stops_gain(moment.exposure) * white_gains(moment.temperature, moment.tint)
    mix = moment.saturation * np.eye(3) + (1 - moment.saturation) * _LUMA
    rows = (1 - moment.black) * mix * gains
    return np.column_stack([rows, np.full(3, moment.black)])


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

    Krystek 1985 (doi 10.1002/col.5080100109) for their place in CIE 1960 u, v. Luma stays.
    """
    here, there = _black_body(_MIRED), _black_body(_MIRED + temperature)
    along = _black_body(_MIRED + temperature + 0.1) - there
    across = np.array([along[1], -along[0]]) / np.hypot(*along)  # towards magenta, below the curve
    white = _uv(np.linalg.inv(_RGB_OF_XYZ).sum(1))
    rgb = _rgb(white + there - here + across * tint / 1000)
    gains: Float64 = np.maximum(rgb / (_LUMA @ rgb), 1e-3) ** (1 / _GAMMA)
    balanced: Float64 = gains / (_LUMA @ gains)
    return balanced


def _black_body(mired: float) -> Float64:
    t = 1e6 / mired
    u = (0.860117757 + 1.54118254e-4 * t + 1.28641212e-7 * t**2) / (
        1 + 8.42420235e-4 * t + 7.08145163e-7 * t**2
    )
    v = (0.317398726 + 4.22806245e-5 * t + 4.20481691e-8 * t**2) / (
        1 - 2.89741816e-5 * t + 1.61456053e-7 * t**2
    )
    return np.array([u, v])


def _uv(xyz: Float64) -> Float64:
    x, y, z = xyz
    uv: Float64 = np.array([4 * x, 6 * y]) / (x + 15 * y + 3 * z)
    return uv


def _rgb(uv: Float64) -> Float64:
    u, v = uv
    x, y = np.array([3 * u, 2 * v]) / (2 * u - 8 * v + 4)
    rgb: Float64 = _RGB_OF_XYZ @ np.array([x / y, 1, (1 - x - y) / y])
    return rgb
