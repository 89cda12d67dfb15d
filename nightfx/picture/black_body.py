"""The colours of black bodies, which lamps and daylight are near."""

from __future__ import annotations

import numpy as np

from nightfx.picture.frame import Float32, Float64
from nightfx.picture.weights import BT709

XYZ_OF_RGB = np.array([[0.4124, 0.3576, 0.1805], list(BT709), [0.0193, 0.1192, 0.9505]])
"""CIE XYZ of linear Rec.709 with a white of D65 (ITU-T H.273)."""
_RGB_OF_XYZ = np.linalg.inv(XYZ_OF_RGB)
_LUMA = np.array(BT709)


def black_body(mired: float) -> Float64:
    """Return the place of a black body in CIE 1960 u, v, (2,).

    Krystek 1985 (doi 10.1002/col.5080100109).
    """
    t = 1e6 / mired
    u = (0.860117757 + 1.54118254e-4 * t + 1.28641212e-7 * t**2) / (
        1 + 8.42420235e-4 * t + 7.08145163e-7 * t**2
    )
    v = (0.317398726 + 4.22806245e-5 * t + 4.20481691e-8 * t**2) / (
        1 - 2.89741816e-5 * t + 1.61456053e-7 * t**2
    )
    return np.array([u, v])


def rgb_of_uv(uv: Float64) -> Float64:
    """Return linear Rec.709 (3,) of a place in CIE 1960 u, v, at a luminance of 1; negative where it cannot be shown."""
    u, v = uv
    x, y = np.array([3 * u, 2 * v]) / (2 * u - 8 * v + 4)
    rgb: Float64 = _RGB_OF_XYZ @ np.array([x / y, 1, (1 - x - y) / y])
    return rgb


def kelvin_rgb(kelvin: float) -> Float32:
    """Return linear Rec.709 (3,) of a black body, of luma 1."""
    rgb = np.maximum(rgb_of_uv(black_body(1e6 / kelvin)), 0)
    return np.asarray(rgb / (_LUMA @ rgb), np.float32)
