"""Curves between light and signal, element by element; mirrored below 0, and continued above 1."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange
from numpy.typing import NDArray

from nightfx.video.kernel import kernel

Float32 = NDArray[np.float32]

SRGB, LINEAR_OF_SRGB, PQ, LINEAR_OF_PQ, HLG, LINEAR_OF_HLG, BT2020, LINEAR_OF_BT2020 = range(8)
HLG_WHITE = 0.2649625  # scene light of the signal 0.75, which is reference white (BT.2408)
PQ_WHITE = 203 / 10000  # reference white in units of PQ's peak
ALPHA, BETA = 1.09929682680944, 0.018053968510807  # of BT.2020, at 12 bits and more


def curve(values: Float32, kind: int) -> Float32:
    """One of the curves, by its number; light is in units of reference white."""
    out = np.empty(values.shape, np.float32)
    _curve(np.ascontiguousarray(values, np.float32).reshape(-1), kind, out.reshape(-1))
    return out


@kernel(parallel=True)
def _curve(values: Float32, kind: int, out: Float32) -> None:
    for i in prange(values.shape[0]):
        value = values[i]
        size = abs(value)
        if kind == SRGB:
            size = _srgb(size)
        elif kind == LINEAR_OF_SRGB:
            size = _linear_of_srgb(size)
        elif kind == PQ:
            size = _pq(size)
        elif kind == LINEAR_OF_PQ:
            size = _linear_of_pq(size)
        elif kind == HLG:
            size = _hlg(size)
        elif kind == LINEAR_OF_HLG:
            size = _linear_of_hlg(size)
        elif kind == BT2020:
            size = _bt2020(size)
        else:
            size = _linear_of_bt2020(size)
        out[i] = -size if value < 0 else size


@kernel()
def _srgb(light: Any) -> Any:
    """IEC 61966-2-1, continued above 1."""
    return 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055


@kernel()
def _linear_of_srgb(signal: Any) -> Any:
    return signal / 12.92 if signal <= 0.04045 else ((signal + 0.055) / 1.055) ** 2.4


@kernel()
def _pq(light: Any) -> Any:
    """SMPTE ST 2084, light in units of reference white."""
    power = (light * PQ_WHITE) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


@kernel()
def _linear_of_pq(signal: Any) -> Any:
    power = min(signal, 1.0) ** (32 / 2523)  # codes above 10,000 cd/m² say no more than that
    share = max(power - 3424 / 4096, 0.0) / (2413 / 128 - 2392 / 128 * power)
    return share ** (16384 / 2610) / PQ_WHITE


@kernel()
def _hlg(light: Any) -> Any:
    """ITU-R BT.2100, light of the scene in units of reference white."""
    light *= HLG_WHITE
    if light <= 1 / 12:
        return np.sqrt(3 * light)
    return 0.17883277 * np.log(12 * light - 0.28466892) + 0.55991073


@kernel()
def _linear_of_hlg(signal: Any) -> Any:
    if signal <= 0.5:
        return signal * signal / (3 * HLG_WHITE)
    return (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / (12 * HLG_WHITE)


@kernel()
def _bt2020(light: Any) -> Any:
    """ITU-R BT.2020 (and BT.709): of a camera, whose white is 1."""
    return 4.5 * light if light < BETA else ALPHA * light**0.45 - (ALPHA - 1)


@kernel()
def _linear_of_bt2020(signal: Any) -> Any:
    return signal / 4.5 if signal < 4.5 * BETA else ((signal + ALPHA - 1) / ALPHA) ** (1 / 0.45)
