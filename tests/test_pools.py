"""The light of lamps on the ground: below a lamp that hangs over a place the ground is brightest there, and a beam lies before its car."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightfx.light.lamps.ground import on_ground
from nightfx.lights import Source

HEIGHT, WIDTH, HORIZON = 720, 1280, 0.45
CELLS = 180, 320
EYE_M, POLE_M, HEAD_M, FOCAL = 1.5, 7.0, 0.7, 1.2
LIGHT = np.array([8.0, 6.0, 4.0], np.float32)


def shown(across_m: float, up_m: float, ahead_m: float) -> tuple[float, float]:
    """Where a camera on the ground's plane shows a place, px."""
    x = FOCAL * across_m / ahead_m
    y = HORIZON - FOCAL * (up_m - EYE_M) / ahead_m
    return WIDTH / 2 + x * HEIGHT, y * HEIGHT


def source(kind: str, across_m: float, up_m: float, ahead_m: float) -> Source:
    x, y = shown(across_m, up_m, ahead_m)
    corners = np.array([(-2, -2), (2, -2), (2, 2), (-2, 2)], np.float32)
    return Source(kind, corners + np.array([x, y], np.float32), LIGHT)


def lit(*sources: Source) -> np.ndarray:
    return on_ground(sources, (HEIGHT, WIDTH), CELLS, HORIZON)


@given(across=st.floats(-4, 4), ahead=st.floats(8, 30))
def test_the_ground_is_brightest_right_below_a_lamp(across: float, ahead: float) -> None:
    light = lit(source("lamp", across, POLE_M, ahead))
    row, column = np.unravel_index(light[..., 1].argmax(), CELLS)
    x, y = shown(across, 0, ahead)
    assert abs((column + 0.5) * 4 - x) <= 8
    assert abs((row + 0.5) * 4 - y) <= 8
    np.testing.assert_allclose(light[row, column], LIGHT, rtol=0.1)


def test_a_lamps_light_falls_off_by_its_own_height() -> None:
    light = lit(source("lamp", 0, POLE_M, 20))[..., 1]
    x, y = shown(POLE_M, 0, 20)  # as far beside its foot as it hangs above
    beside = light[int(y / 4), int(x / 4)]
    assert beside == pytest.approx(6 * 2**-1.5, rel=0.1)


def test_nothing_above_the_horizon_is_ground() -> None:
    light = lit(source("lamp", 2, POLE_M, 15), source("front-lamp", -2, HEAD_M, 12))
    assert not light[: int(HORIZON * CELLS[0])].any()
    assert light[int(HORIZON * CELLS[0]) + 4 :].any()


def test_a_beam_lies_before_its_car_and_not_behind_it() -> None:
    light = lit(source("front-lamp", 1, HEAD_M, 15))[..., 1]
    (_, foot), (x, ahead) = shown(1, 0, 15), shown(1, 0, 10)
    assert not light[: int(foot / 4) - 1].any()
    assert light[int(ahead / 4), int(x / 4)] > 2 * light[int(ahead / 4), int(x / 4) + 40]


def test_lamps_that_hang_below_the_horizon_light_no_ground() -> None:
    assert not lit(source("lamp", 0, 0.5, 10)).any()
    assert not lit(source("window", 0, POLE_M, 10), source("rear-lamp", 0, HEAD_M, 10)).any()


def test_a_horizon_below_the_picture_leaves_no_ground() -> None:
    light = on_ground([source("lamp", 0, POLE_M, 20)], (HEIGHT, WIDTH), CELLS, 1.5)
    assert not light.any()
