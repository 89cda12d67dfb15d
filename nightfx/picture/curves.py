"""Curves between light and signal, element by element; mirrored below 0, and continued above 1."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nightfx.picture.compiled import kernel, prange

_Float32 = NDArray[np.float32]
_Int32 = NDArray[np.int32]

SRGB, LINEAR_OF_SRGB, PQ, LINEAR_OF_PQ, HLG, LINEAR_OF_HLG, BT2020, LINEAR_OF_BT2020 = range(8)
_HLG_WHITE = 0.2649625  # scene light of the signal 0.75, which is reference white (BT.2408)
_PQ_WHITE = 203 / 10000  # reference white in units of PQ's peak
ALPHA, BETA = 1.09929682680944, 0.018053968510807  # of BT.2020, at 12 bits and more


# A table has STEPS places in each octave of |value|, from 2^LOWEST up to 2^HIGHEST, and is read by a straight line
# between two of them: monotone, and as near as the test of it says. Outside, curves are computed.
LOWEST, HIGHEST, STEPS = -24, 17, 1 << 10
_SHIFT = 23 - 10  # bits of a float32 below those that choose the place
_FIRST = (127 + LOWEST) << 10
MOST = 65504.0  # the largest half float: what an infinite highlight counts as


def curve(values: _Float32, kind: int) -> _Float32:
    """One of the curves, by its number; light is in units of reference white.

    What is not a number counts as 0, infinite as the largest half float.
    """
    out = np.empty(values.shape, np.float32)
    flat = np.ascontiguousarray(values, np.float32).reshape(-1)
    _read(flat, flat.view(np.int32), kind, _table(kind), out.reshape(-1))
    return out


@cache
def _table(kind: int) -> _Float32:
    places = np.arange(_FIRST, _FIRST + (HIGHEST - LOWEST) * STEPS + 1, dtype=np.int32) << _SHIFT
    table = np.empty(places.shape, np.float32)
    _compute(places.view(np.float32), kind, table)
    return table


@kernel(parallel=True)
def _read(values: _Float32, bits: _Int32, kind: int, table: _Float32, out: _Float32) -> None:
    share = np.float32(1 / (1 << _SHIFT))
    for i in prange(values.shape[0]):
        size = bits[i] & 0x7FFFFFFF  # without its sign
        at = (size >> _SHIFT) - _FIRST
        if 0 <= at < table.shape[0] - 1:
            part = np.float32(size & ((1 << _SHIFT) - 1)) * share
            value = table[at] + (table[at + 1] - table[at]) * part
        elif values[i] != values[i]:
            value = np.float32(0)
        else:
            light = abs(values[i])
            value = np.float32(_computed(np.float32(MOST) if np.isinf(light) else light, kind))
        out[i] = -value if bits[i] < 0 else value


@kernel()
def _compute(values: _Float32, kind: int, out: _Float32) -> None:
    for i in range(values.shape[0]):
        out[i] = _computed(np.float64(values[i]), kind)


@kernel()
def _computed(size: Any, kind: int) -> Any:
    if kind == SRGB:
        return _srgb(size)
    if kind == LINEAR_OF_SRGB:
        return _linear_of_srgb(size)
    if kind == PQ:
        return _pq(size)
    if kind == LINEAR_OF_PQ:
        return _linear_of_pq(size)
    if kind == HLG:
        return _hlg(size)
    if kind == LINEAR_OF_HLG:
        return _linear_of_hlg(size)
    return _bt2020(size) if kind == BT2020 else _linear_of_bt2020(size)


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
    power = (light * _PQ_WHITE) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


@kernel()
def _linear_of_pq(signal: Any) -> Any:
    power = min(signal, 1.0) ** (32 / 2523)  # codes above 10,000 cd/m² say no more than that
    share = max(power - 3424 / 4096, 0.0) / (2413 / 128 - 2392 / 128 * power)
    return share ** (16384 / 2610) / _PQ_WHITE


@kernel()
def _hlg(light: Any) -> Any:
    """ITU-R BT.2100, light of the scene in units of reference white."""
    light *= _HLG_WHITE
    if light <= 1 / 12:
        return np.sqrt(3 * light)
    return 0.17883277 * np.log(12 * light - 0.28466892) + 0.55991073


@kernel()
def _linear_of_hlg(signal: Any) -> Any:
    if signal <= 0.5:
        return signal * signal / (3 * _HLG_WHITE)
    light = (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / (12 * _HLG_WHITE)
    return min(light, MOST)


@kernel()
def _bt2020(light: Any) -> Any:
    """ITU-R BT.2020 (and BT.709): of a camera, whose white is 1."""
    return 4.5 * light if light < BETA else ALPHA * light**0.45 - (ALPHA - 1)


@kernel()
def _linear_of_bt2020(signal: Any) -> Any:
    return signal / 4.5 if signal < 4.5 * BETA else ((signal + ALPHA - 1) / ALPHA) ** (1 / 0.45)
