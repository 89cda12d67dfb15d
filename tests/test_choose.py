"""Which lights are on and in which colour: shares that hold, houses and cars that go together, and a hash that no neighbour moves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightfx.lights import KINDS, Choice, Light, LightList, LightTrack, choose, group_of
from nightfx.lights.choose import unit
from nightfx.options import LightTable
from nightfx.picture import BT709, kelvin_rgb

COUNT = 10_000
TRACK = LightTrack(np.array([1001]), np.zeros((1, 4, 2), np.float32), np.ones(1, np.float32))
# so far apart that no window comes near the other one by what it differs from its house
TWO = LightTable(windows_kelvin=((2200, 0.3), (15000, 0.7)), windows_spread=0.0)


def some(kind: str, count: int = COUNT, *, each: int = 0) -> list[Light]:
    """Lights of a kind, `each` of them to a parent."""
    return [Light(i, kind, TRACK, parent=i // each if each else None) for i in range(count)]


def chosen(lights: Sequence[Light], table: LightTable, seed: int = 0) -> list[Choice]:
    found = choose(LightList((640, 360), 1001, 1, lights=tuple(lights)), table, seed)
    return [found[light.id] for light in lights]


def are_on(lights: Sequence[Light], table: LightTable, seed: int = 0) -> np.ndarray:
    return np.array([choice.on for choice in chosen(lights, table, seed)])


def luma(choice: Choice) -> float:
    return float(choice.light @ np.array(BT709))


def is_warm(choice: Choice) -> bool:
    return bool(choice.light[0] > choice.light[2])


def assert_share(found: np.ndarray, share: float) -> None:
    """That a share of many holds, within three standard deviations of what is drawn."""
    sigma = math.sqrt(share * (1 - share) / len(found))
    assert abs(found.mean() - share) <= 3 * sigma, (found.mean(), share, sigma)


@pytest.mark.parametrize("seed", [0, 12345])
@pytest.mark.parametrize(
    ("kind", "table", "share"),
    [
        ("window", LightTable(windows_on=(0.3, 0.6)), 0.45),
        ("window", LightTable(windows_on=(0.1, 0.1)), 0.1),
        ("shop", LightTable(shops_on=0.95, windows_on=(0.0, 0.0)), 0.95),
        ("sign", LightTable(signs_on=0.85), 0.85),
        ("front-lamp", LightTable(cars_on=0.8), 0.8),
    ],
)
def test_shares_hold(kind: str, table: LightTable, share: float, seed: int) -> None:
    on = are_on(some(kind), table, seed)
    assert_share(on, share)
    assert_share(on[1:] & on[:-1], share**2)  # neighbours know nothing of each other


@pytest.mark.parametrize("kind", KINDS)
def test_a_share_of_none_and_of_all_is_that(kind: str) -> None:
    none = LightTable(windows_on=(0, 0), shops_on=0, cars_on=0, signs_on=0)
    every = LightTable(windows_on=(1, 1), shops_on=1, cars_on=1, signs_on=1)
    always = group_of(kind) == "lamps"
    assert set(are_on(some(kind, 500), none)) == {always}
    assert set(are_on(some(kind, 500), every)) == {True}


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_users_share_of_windows_goes_before_the_presets(share: float) -> None:
    lights = some("window", each=20)
    found = choose(LightList((8, 8), 1001, 1, lights=tuple(lights)), LightTable(), 3, share)
    assert_share(np.array([found[x.id].on for x in lights]), share)


def test_more_of_them_leave_those_lit_that_were() -> None:
    told = LightList((8, 8), 1001, 1, lights=tuple(some("window", 500)))
    few, more = (choose(told, LightTable(), 0, share) for share in (0.2, 0.4))
    assert {i for i, x in few.items() if x.on} < {i for i, x in more.items() if x.on}


def test_each_house_has_its_own_share_of_lit_windows() -> None:
    table = LightTable(windows_on=(0.2, 0.8))
    shares = are_on(some("window", each=100), table).reshape(-1, 100).mean(1)
    assert 0.2 - 0.16 < shares.min() < 0.35
    assert 0.65 < shares.max() < 0.8 + 0.16
    # uniform between its ends, and what 100 windows scatter
    assert shares.std() == pytest.approx(math.sqrt(0.6**2 / 12 + 0.22 / 100), rel=0.2)


def test_windows_of_a_house_are_of_about_one_colour() -> None:
    warm = np.array([is_warm(x) for x in chosen(some("window", 20_000, each=100), TWO)])
    houses = warm.reshape(-1, 100).mean(1)
    assert_share(houses > 0.5, 0.3)
    # a tenth of the windows go their own way
    like = np.where(houses[:, None] > 0.5, warm.reshape(-1, 100), ~warm.reshape(-1, 100))
    other = 0.1 * np.where(houses > 0.5, 0.7, 0.3).mean()
    assert 1 - like.mean() == pytest.approx(other, rel=0.15)


def test_windows_without_a_house_have_the_presets_colours() -> None:
    assert_share(np.array([is_warm(x) for x in chosen(some("window"), TWO)]), 0.3)


def test_windows_spread_about_their_strength_by_stops() -> None:
    table = LightTable(windows=0.5, windows_spread=1.0)
    stops = np.log2([luma(x) for x in chosen(some("window"), table)])
    assert stops.mean() == pytest.approx(-1, abs=3 / math.sqrt(COUNT))
    assert stops.std() == pytest.approx(1, rel=0.03)
    assert np.abs(stops + 1).max() <= 3 + 1e-3


def test_all_lamps_of_a_shot_are_of_one_kind_and_shots_differ() -> None:
    table = LightTable(lamps=6.0, lamps_kelvin=((2000, 0.25), (4000, 0.75)))
    lights = {x.light.tobytes() for x in chosen(some("lamp", 50), table)}
    (only,) = lights
    found = np.frombuffer(only, np.float32)
    assert min(np.abs(found - 6 * kelvin_rgb(k)).max() for k in (2000, 4000)) < 1e-4
    shots = [chosen(some("lamp", 1), table, seed)[0].light for seed in range(COUNT)]
    sodium = 6 * kelvin_rgb(2000)
    assert_share(np.array([np.allclose(x, sodium) for x in shots]), 0.25)


def test_the_lamps_of_a_car_go_together_and_its_rear_is_red() -> None:
    kinds = "front-lamp", "front-lamp", "rear-lamp", "rear-lamp"
    lights = [Light(i, kinds[i % 4], TRACK, parent=i // 4) for i in range(800)]
    table = LightTable(cars=5.0, cars_on=0.5)
    for left, right, *rear in zip(*[iter(chosen(lights, table))] * 4, strict=True):
        assert len({x.on for x in (left, right, *rear)}) == 1
        np.testing.assert_array_equal(left.light, right.light)
        assert luma(left) == pytest.approx(5, rel=1e-4)
        for lamp in rear:
            assert lamp.light[0] > 20 * lamp.light[1:].max()
            assert luma(lamp) == pytest.approx(5 * 2**-3.3, rel=1e-4)


def test_traffic_lights_are_red_amber_or_green_in_equal_shares() -> None:
    table = LightTable(lamps=8.0)
    lights = np.array([x.light for x in chosen(some("traffic-light"), table)])
    red, amber, green = (
        lights[:, 1] < 0.1 * lights[:, 0],
        (lights[:, 1] > 0.3 * lights[:, 0]) & (lights[:, 2] < 0.1 * lights[:, 0]),
        lights[:, 1] > lights[:, 0],
    )
    for one in (red, amber, green):
        assert_share(one, 1 / 3)
    assert (red | amber | green).all()


# what a person says


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_list_says_by_hand_holds(kind: str) -> None:
    (plain,) = chosen([Light(5, kind, TRACK)], LightTable())
    for on in (True, False):
        assert chosen([Light(5, kind, TRACK, on=on)], LightTable())[0].on is on
    (brighter,) = chosen([Light(5, kind, TRACK, stops=1.5)], LightTable())
    np.testing.assert_allclose(brighter.light, plain.light * 2**1.5, rtol=1e-5)
    (warm,) = chosen([Light(5, kind, TRACK, kelvin=2000.0)], LightTable())
    np.testing.assert_allclose(warm.light, kelvin_rgb(2000) * luma(plain), rtol=1e-4)
    (own,) = chosen([Light(5, kind, TRACK, rgb=(0.5, 0.25, 2.0), stops=-1)], LightTable())
    np.testing.assert_allclose(own.light, (0.25, 0.125, 1.0), rtol=1e-6)
    assert warm.on == own.on == plain.on


def test_a_window_that_is_on_by_hand_is_on_where_none_is() -> None:
    told = LightList((8, 8), 1001, 1, lights=(Light(1, "window", TRACK, on=True),))
    assert choose(told, LightTable(), 0, 0.0)[1].on


# a hash


lights_of = st.lists(
    st.builds(
        Light,
        st.integers(0, 1 << 40),
        st.sampled_from(KINDS),
        st.just(TRACK),
        parent=st.none() | st.integers(0, 5),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda light: light.id,
)


@given(lights_of, st.integers(-(1 << 40), 1 << 40))
def test_other_lights_change_nothing(lights: list[Light], seed: int) -> None:
    told = LightList((8, 8), 1001, 1, lights=tuple(lights))
    together = choose(told, LightTable(), seed)
    turned = choose(replace(told, lights=tuple(reversed(lights))), LightTable(), seed)
    for light in lights:
        alone = choose(replace(told, lights=(light,)), LightTable(), seed)[light.id]
        for found in (together[light.id], turned[light.id]):
            assert found.on == alone.on
            np.testing.assert_array_equal(found.light, alone.light)
        assert np.isfinite(alone.light).all()
        assert (alone.light >= 0).all()


def test_seeds_differ_and_one_seed_is_one_shot() -> None:
    lights, table = some("sign"), LightTable(signs_on=0.5)
    first, second = are_on(lights, table, 1), are_on(lights, table, 2)
    assert_share(first != second, 0.5)
    np.testing.assert_array_equal(first, are_on(lights, table, 1))


def test_the_hash_is_that_of_whole_numbers_of_32_bits() -> None:
    """By numpy's, whose overflow is what the hash's masks are for."""
    seeds, purposes, numbers = np.meshgrid([0, 7, 2**31], [0, 3, 20], [1, 1001, 2**32 - 1])
    factors = (0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35)
    h: Any = np.zeros(seeds.shape, np.uint32)
    for values, factor in zip((seeds, purposes, numbers), factors, strict=True):
        h ^= values.astype(np.uint32) * np.uint32(factor)
    h = (h ^ h >> 16) * np.uint32(0x7FEB352D)
    h = (h ^ h >> 15) * np.uint32(0x846CA68B)
    wanted = (h ^ h >> 16) / 2.0**32
    found = np.vectorize(unit)(seeds, purposes, numbers)
    np.testing.assert_array_equal(found, wanted)
    assert len(np.unique(found)) == found.size


# black bodies


@pytest.mark.parametrize(
    ("kelvin", "x", "y"),
    # CIE's illuminant A, and Planck's law against the colour matching functions of 1931
    [
        (2000, 0.5267, 0.4133),
        (2856, 0.4476, 0.4074),
        (4000, 0.3805, 0.3768),
        (6500, 0.3135, 0.3237),
    ],
)
def test_a_temperature_has_the_colour_of_a_black_body(kelvin: float, x: float, y: float) -> None:
    xyz_of_rgb = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    found = xyz_of_rgb @ kelvin_rgb(kelvin)
    np.testing.assert_allclose(found[:2] / found.sum(), (x, y), atol=0.002)
    assert found[1] == pytest.approx(1, abs=1e-3)


def test_colours_go_from_red_to_blue_and_have_luma_1() -> None:
    rgb = np.array([kelvin_rgb(k) for k in range(1000, 20001, 250)])
    assert (rgb >= 0).all()
    np.testing.assert_allclose(rgb @ np.array(BT709), 1, atol=1e-5)
    assert (np.diff(rgb[:, 0]) < 0).all()
    assert (np.diff(rgb[:, 2]) >= 0).all()
