"""The sky by day, on pictures whose sky is known, and what becomes of it."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest

from nightfx.apply.field import relight
from nightfx.light.fit import FieldPlan, field_of, light_by_field
from nightfx.light.see import see
from nightfx.network.model import RelitGenerator
from nightfx.options.look import Look
from nightfx.picture.frame import Frame, rgb_coding
from nightfx.scene import darken, find_day_sky

HEIGHT, WIDTH = 256, 384
ROOF = 144


def street(sky: tuple[float, float, float], ground: float = 0.25) -> np.ndarray:
    """A plain sky over houses with windows, (3, 256, 384)."""
    rgb = np.empty((3, HEIGHT, WIDTH), np.float32)
    rgb[:] = np.array(sky, np.float32).reshape(3, 1, 1)
    rgb[:, ROOF:] = np.array([1.1, 1, 0.9], np.float32).reshape(3, 1, 1) * ground
    rgb[:, ROOF + 8 :: 16, ::16] *= 0.4
    return rgb


@pytest.mark.parametrize(
    "sky", [(0.95, 0.95, 0.95), (0.35, 0.5, 0.75), (0.2, 0.3, 0.5), (0.8, 0.85, 0.9)]
)
def test_a_sky_by_day_is_found_down_to_the_roofs(sky: tuple[float, float, float]) -> None:
    found = find_day_sky(street(sky))
    assert found.shape == (HEIGHT // 2, WIDTH // 2)
    assert found[: ROOF // 2 - 2].min() > 0.95
    assert found[ROOF // 2 + 2 :].max() < 0.1


def test_clouds_leave_no_holes() -> None:
    noise = np.random.default_rng(0).uniform(-1, 1, (9, 13)).astype(np.float32)
    clouds = 0.75 + 0.2 * cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    rgb = street((1, 1, 1))
    rgb[:, :ROOF] = clouds[:ROOF] * np.array([0.92, 0.97, 1.05], np.float32).reshape(3, 1, 1)
    assert find_day_sky(rgb.clip(0, 1))[: ROOF // 2 - 2].min() > 0.9


def test_wires_do_not_end_a_sky() -> None:
    rgb = street((0.7, 0.8, 0.95))
    rgb[:, 20:22] = rgb[:, 60:62, :] = 0.05
    assert find_day_sky(rgb)[34 : ROOF // 2 - 2].min() > 0.9


@pytest.mark.parametrize(
    ("name", "sky"),
    [
        ("night", (0.05, 0.06, 0.1)),
        ("lit night", (0.3, 0.22, 0.12)),
        ("face", (0.8, 0.6, 0.5)),
        ("brick", (0.6, 0.35, 0.25)),
        ("grass", (0.4, 0.6, 0.3)),
        ("grey wall", (0.45, 0.45, 0.45)),
    ],
)
def test_what_is_no_sky_by_day_is_not_found(name: str, sky: tuple[float, float, float]) -> None:
    assert find_day_sky(street(sky)).max() < 0.1, name


def test_what_does_not_reach_the_top_is_no_sky() -> None:
    rgb = np.full((3, HEIGHT, WIDTH), 0.15, np.float32)
    rgb[:, 120:180, 100:300] = 0.95  # a lit window, or snow below a forest
    assert find_day_sky(rgb).max() < 0.1


def test_a_square_that_reaches_the_top_through_a_gap_is_no_sky() -> None:
    rgb = np.full((3, HEIGHT, WIDTH), 0.7, np.float32)
    rgb[:, :60] = 0.15  # houses
    rgb[:, :60, 100:180] = 0.7
    assert find_day_sky(rgb).max() < 0.1
    rgb[:, 110:] = 0.15  # and the same gap with houses below it is one
    assert find_day_sky(rgb)[:25, 55:85].min() > 0.7


def test_a_sky_turns_dark_and_even_and_nothing_else_changes() -> None:
    lit = street((0.5, 0.55, 0.6))
    lit[:, :ROOF, : WIDTH // 2] *= 0.5
    share = np.zeros((HEIGHT, WIDTH), np.float32)
    share[:ROOF] = 1
    gain = np.full_like(lit, 0.5)
    darker, less = darken(lit, gain, share)
    np.testing.assert_array_equal(darker[:, ROOF:], lit[:, ROOF:])
    np.testing.assert_array_equal(less[:, ROOF:], gain[:, ROOF:])
    left, right = darker[:, 10, 10], darker[:, 10, -10]
    assert right.max() < 0.22
    assert abs(float(right.mean() - left.mean())) < 0.08  # it was .27
    assert left[2] > left[1] > left[0]  # blue-black


def test_no_amount_is_no_change_bit_for_bit_and_an_amount_reaches_the_plate() -> None:
    rgb = street((0.9, 0.9, 0.9))
    planes = tuple(np.rint(c.clip(0, 1) * 65535).astype(np.uint16) for c in rgb)
    frame = Frame(planes, rgb_coding(16, alpha=False), 0, Fraction(1, 24))
    generator = RelitGenerator().eval()
    seen = see(frame, HEIGHT)
    none, zero, whole = (
        field_of(seen, generator, FieldPlan(look=look))
        for look in (Look(), Look(sky=0.0), Look(sky=1.0))
    )
    np.testing.assert_array_equal(none, zero)
    made = relight(rgb, whole)
    assert made[:, : ROOF - 20].max() < 0.3
    np.testing.assert_allclose(made[:, ROOF + 30 :], rgb[:, ROOF + 30 :], atol=0.02)


def test_sky_seen_through_a_crown_gets_dark_and_no_rim_of_it_stays_light() -> None:
    plate = street((0.9, 0.9, 0.9))
    leaves = np.random.default_rng(0).random((8, 32)) < 0.5
    crown = np.kron(leaves, np.ones((4, 4))).astype(bool)  # 4 px at working height
    plate[:, 112:ROOF, 128:256][:, crown] = 0.1
    planes = tuple(np.rint(c.clip(0, 1) * 65535).astype(np.uint16) for c in plate)
    seen = see(Frame(planes, rgb_coding(16, alpha=False), 0, Fraction(1, 24)), HEIGHT)
    field = field_of(seen, RelitGenerator().eval(), FieldPlan(look=Look(sky=1.0)))
    made = relight(plate, field)[:, 112:ROOF, 128:256]
    gaps, rims = made[:, ~crown], relight(plate, field)[:, ROOF - 12 : ROOF, :100]
    assert np.quantile(gaps, 0.9) < 0.3  # the plate has 0.9
    assert made[:, crown].max() < 0.25
    assert rims.max() < 0.3


def test_a_turned_frame_has_its_sky_above_as_a_player_shows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plate = street((0.9, 0.9, 0.9))
    turned = np.ascontiguousarray(np.rot90(plate, -1, axes=(1, 2)))
    planes = tuple(np.rint(c.clip(0, 1) * 65535).astype(np.uint16) for c in turned)
    frame = Frame(planes, rgb_coding(16, alpha=False), 0, Fraction(1, 24))
    monkeypatch.setattr(Frame, "rotation", 90)
    plan = FieldPlan(look=Look(sky=1.0))
    ((_, field),) = light_by_field([frame], RelitGenerator().eval(), plan)
    made = np.rot90(relight(turned, field), 1, axes=(1, 2))
    assert made[:, : ROOF - 20].max() < 0.3
    np.testing.assert_allclose(made[:, ROOF + 30 :], plate[:, ROOF + 30 :], atol=0.02)
