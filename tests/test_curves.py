"""Curves between light and signal: read from tables, and as near to their formulas as float32 needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightfx.picture.curves import (
    BT2020,
    HLG,
    LINEAR_OF_BT2020,
    LINEAR_OF_HLG,
    LINEAR_OF_PQ,
    LINEAR_OF_SRGB,
    MOST,
    PQ,
    SRGB,
    curve,
)

Values = np.ndarray[Any, np.dtype[np.float64]]
PAIRS = {SRGB: LINEAR_OF_SRGB, PQ: LINEAR_OF_PQ, HLG: LINEAR_OF_HLG, BT2020: LINEAR_OF_BT2020}
M1, M2, C1, C2, C3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128  # ST 2084


def pq(light: Values) -> Values:
    power = (light * 0.0203) ** M1
    return np.asarray(((C1 + C2 * power) / (1 + C3 * power)) ** M2)


def linear_of_pq(signal: Values) -> Values:
    power = np.minimum(signal, 1) ** (1 / M2)
    return np.asarray((np.maximum(power - C1, 0) / (C2 - C3 * power)) ** (1 / M1) / 0.0203)


def srgb(light: Values) -> Values:
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def linear_of_srgb(signal: Values) -> Values:
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)


FORMULAS: list[tuple[int, Callable[[Values], Values]]] = [
    (SRGB, srgb),
    (LINEAR_OF_SRGB, linear_of_srgb),
    (PQ, pq),
    (LINEAR_OF_PQ, linear_of_pq),
]


@pytest.mark.parametrize(("kind", "formula"), FORMULAS)
def test_a_table_is_its_formula(kind: int, formula: Callable[[Values], Values]) -> None:
    """To 4 millionths, a hundredth of what a half float rounds by; near black to 2 ten-millionths of white."""
    values = np.concatenate([np.linspace(0, 4, 400_001), 10.0 ** np.linspace(-9, 4.8, 400_001)])
    values = values.astype(np.float32).astype(np.float64)
    np.testing.assert_allclose(curve(values, kind), formula(values), rtol=4e-6, atol=2e-7)


@pytest.mark.parametrize("kind", range(8))
def test_every_curve_rises_and_is_mirrored(kind: int) -> None:
    share = np.random.default_rng(kind).uniform(0, 1.1, 200_000)
    values = np.sort(np.concatenate([share * 1e-6, share, share * 10])).astype(np.float32)
    made = curve(values, kind)
    assert (np.diff(made) >= 0).all()
    np.testing.assert_array_equal(curve(-values, kind), -made)


@given(st.sampled_from(list(PAIRS)), st.floats(0, 1, width=32))
def test_there_and_back_is_the_same(kind: int, signal: float) -> None:
    light = curve(np.array([signal], np.float32), PAIRS[kind])
    # near black PQ says more than a float32 of light holds
    assert curve(light, kind)[0] == pytest.approx(signal, rel=4e-6, abs=1e-6)


@pytest.mark.parametrize("kind", range(8))
def test_what_is_no_number_becomes_one(kind: int) -> None:
    wild = np.array([np.nan, np.inf, -np.inf, MOST, 0, 1e-40], np.float32)
    made = curve(wild, kind)
    assert np.isfinite(made).all()
    assert made[0] == 0
    assert made[1] == -made[2] == made[3]
