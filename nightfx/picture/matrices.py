"""Matrices by tag, from code values to RGB, and the ways through light where there is no matrix.

ITU-T H.273 table 4 names them; ICtCp (BT.2100) and constant luminance (BT.2020) are not affine in RGB.
"""

from __future__ import annotations

import numpy as np

from nightfx.picture import curves, weights
from nightfx.picture.frame import Coding, Float32, Float64, Matrix

# red and blue share of luma; green has the rest (ITU-T H.273 table 4)
_LUMA_SHARES: dict[Matrix, tuple[float, float]] = {
    "bt709": weights.BT709[::2],
    "bt601": weights.BT601[::2],
    "bt2020": (0.2627, 0.0593),
    "smpte240m": (0.212, 0.087),
    "fcc": (0.30, 0.11),
    "gray": weights.BT709[::2],
}


# BT.2100 table 7, light of BT.2020 to light of the cones, and those' signals to I, Ct, Cp
LMS = np.array([[1688, 2146, 262], [683, 2951, 462], [99, 309, 3688]]) / 4096
_ICTCP = {
    "ictcp_pq": (
        curves.LINEAR_OF_PQ,
        curves.PQ,
        np.array([[2048, 2048, 0], [6610, -13613, 7003], [17933, -17390, -543]]) / 4096,
    ),
    "ictcp_hlg": (
        curves.LINEAR_OF_HLG,
        curves.HLG,
        np.array([[2048, 2048, 0], [3625, -7465, 3840], [9500, -9212, -288]]) / 4096,
    ),
}
# BT.2020 table 4, constant luminance: what a difference below and above 0 is divided by
BLUE_SCALES, RED_SCALES = (1.9404, 1.5816), (1.7184, 0.9936)


def matrix_of(coding: Coding) -> tuple[Float64, Float64]:
    """Return M (3, 3) and offset (3,) of `code = M @ rgb + offset`, rgb in [0, 1].

    For gray only the first row says something: the luma of BT.709. Where codes are not affine in RGB, it is their own
    luma and chroma in place of it.
    """
    if coding.matrix == "rgb":
        return np.eye(3) * coding.peak, np.zeros(3)
    luma, chroma, black = _scales(coding)
    if not is_affine(coding):
        centre = float(1 << (coding.depth - 1))
        return np.diag([luma, chroma, chroma]), np.array([black, centre, centre])
    rows = _luma_chroma_rows(*_LUMA_SHARES[coding.matrix])
    centre = float(1 << (coding.depth - 1))
    if coding.matrix == "gray":
        rows[1:], centre = 0.0, 0.0
    return rows * np.array([[luma], [chroma], [chroma]]), np.array([black, centre, centre])


def is_affine(coding: Coding) -> bool:
    """Whether codes and RGB are tied by a matrix alone."""
    return coding.matrix not in ("bt2020c", "ictcp_pq", "ictcp_hlg")


def rgb_of(ycc: Float32, matrix: Matrix) -> Float32:
    """The RGB signal of ICtCp or BT.2020's constant luminance, (3, H, W) both, through light (ITU-R BT.2100, BT.2020)."""
    if matrix == "bt2020c":
        luma, blue, red = ycc
        signal = np.stack(
            [luma + _scaled(red, RED_SCALES), luma, luma + _scaled(blue, BLUE_SCALES)]
        )
        light = curves.curve(signal, curves.LINEAR_OF_BT2020)
        light[1] = (light[1] - 0.2627 * light[0] - 0.0593 * light[2]) / 0.6780
        signal[1] = curves.curve(light[1], curves.BT2020)
        return signal
    there, back, rows = _ICTCP[matrix]
    lms = curves.curve(mixed(ycc, _inverse(rows)), there)
    return curves.curve(mixed(lms, _inverse(LMS)), back)


def ycc_of(rgb: Float32, matrix: Matrix) -> Float32:
    """The way back of `rgb_of`."""
    if matrix == "bt2020c":
        light = curves.curve(rgb, curves.LINEAR_OF_BT2020)
        luma = curves.curve(
            0.2627 * light[0] + 0.6780 * light[1] + 0.0593 * light[2], curves.BT2020
        )
        blue, red = rgb[2] - luma, rgb[0] - luma
        return np.stack([luma, _scaled(blue, BLUE_SCALES, -1), _scaled(red, RED_SCALES, -1)])
    there, back, rows = _ICTCP[matrix]
    return mixed(curves.curve(mixed(curves.curve(rgb, there), LMS), back), rows)


def mixed(channels: Float32, matrix: Float64) -> Float32:
    """A matrix (3, 3) applied to channels (3, H, W)."""
    flat = matrix.astype(np.float32) @ channels.reshape(3, -1)
    return np.asarray(flat.reshape(channels.shape), np.float32)


def _inverse(matrix: Float64) -> Float64:
    return np.linalg.inv(matrix).astype(np.float64)


def _scaled(values: Float32, scales: tuple[float, float], power: int = 1) -> Float32:
    below, above = (np.float32(scale**power) for scale in scales)
    return values * np.where(values > 0, above, below)


def _scales(coding: Coding) -> tuple[float, float, float]:
    """Codes between black and white, between the chroma extremes, and the code of black."""
    if coding.full_range:
        return float(coding.peak), float(coding.peak), 0.0
    unit = 1 << (coding.depth - 8)
    return 219.0 * unit, 224.0 * unit, 16.0 * unit


def _luma_chroma_rows(red: float, blue: float) -> Float64:
    luma = np.array([red, 1 - red - blue, blue])
    to_blue = (np.array([0.0, 0.0, 1.0]) - luma) / (2 * (1 - blue))
    to_red = (np.array([1.0, 0.0, 0.0]) - luma) / (2 * (1 - red))
    return np.stack([luma, to_blue, to_red])
