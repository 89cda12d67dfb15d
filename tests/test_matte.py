"""The sky's matte at the size of the plate, on pictures whose alpha is known: roofs, poles, wires, leaves and clouds."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from nightfx.light.see import see
from nightfx.picture import Coding, Float32, Frame, from_rgb, rgb_coding, to_rgb
from nightfx.scene import Matte, refine, refine_picture

HEIGHT, WIDTH, LINES = 540, 960, 144
YUV = Coding("yuv420p", 8, 1, 1, "bt709", full_range=False, has_alpha=False)
CODINGS = [
    YUV,
    replace(YUV, pix_fmt="yuv422p10le", depth=10, sub_y=0),
    replace(YUV, pix_fmt="yuv444p12le", depth=12, sub_x=0, sub_y=0, full_range=True),
    replace(YUV, matrix="bt2020"),
    rgb_coding(16, alpha=False),
]
SHAPES = 8  # samples a pixel, across and down
BLUE = (0.35, 0.5, 0.8), (0.7, 0.8, 0.9)
WHITE = (0.9, 0.92, 0.95), (0.95, 0.95, 0.95)


class Drawn(NamedTuple):
    """A picture of a sky behind things, and its parts."""

    rgb: Float32
    alpha: Float32
    """(H, W): how much of a pixel is sky."""
    sky: Float32
    """(3, H, W): the sky alone."""
    front: Float32
    """(3, H, W): all else alone."""


def drawn(solid: Float32, sky: Float32, front: Float32, noise: float = 0.01) -> Drawn:
    alpha = cv2.GaussianBlur(1 - solid, (0, 0), 0.6)  # a lens
    grain = np.random.default_rng(1).normal(0, noise, (3, HEIGHT, WIDTH))
    rgb = (alpha * sky + (1 - alpha) * front + grain).clip(0, 1).astype(np.float32)
    return Drawn(rgb, np.asarray(alpha, np.float32), sky, front)


def gradient(colours: tuple[tuple[float, ...], tuple[float, ...]], clouds: float = 0.0) -> Float32:
    """A sky from one colour at the top to another at 60 % of the height, with soft clouds."""
    down = (np.mgrid[0:HEIGHT, 0:WIDTH][0] / HEIGHT / 0.6).clip(0, 1)
    made = np.stack([high + (low - high) * down for high, low in zip(*colours, strict=True)])
    shapes = np.random.default_rng(2).uniform(-clouds, clouds, (6, 9)).astype(np.float32)
    soft = cv2.resize(shapes, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.asarray(made + soft, np.float32)


def covered(*shapes: list[tuple[float, float]]) -> Float32:
    """How much of each pixel (H, W) polygons cover."""
    large = np.zeros((HEIGHT * SHAPES, WIDTH * SHAPES), np.uint8)
    for shape in shapes:
        cv2.fillPoly(large, [np.int32(np.array(shape) * SHAPES)], 255)
    small = cv2.resize(large, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(small / np.float32(255), np.float32)


def upright(x: float, width: float, top: float) -> list[tuple[float, float]]:
    """What stands on the ground: a house or a pole."""
    return [(x, HEIGHT), (x, top), (x + width, top), (x + width, HEIGHT)]


def houses() -> Float32:
    roof = [(300.0, 540.0), (300.0, 260.0), (420.0, 200.0), (540.0, 260.0), (540.0, 540.0)]
    walls = upright(0, 300, 320), upright(540, 180, 300), upright(720, 240, 240)
    return covered(roof, *walls)


def street(colours: tuple[tuple[float, ...], tuple[float, ...]] = BLUE) -> Drawn:
    """Houses of four colours with windows as bright as the sky."""
    front = np.empty((3, HEIGHT, WIDTH), np.float32)
    walls = (0.25, 0.2, 0.18), (0.3, 0.15, 0.12), (0.6, 0.55, 0.5), (0.15, 0.15, 0.16)
    for left, right, wall in zip((0, 300, 540, 720), (300, 540, 720, 960), walls, strict=True):
        front[:, :, left:right] = np.array(wall)[:, None, None]
    front[:, 380::40, 30::50] = front[:, 381::40, 31::50] = 0.9
    return drawn(houses(), gradient(colours), front)


def crown() -> Drawn:
    """Leaves of some 3 px before the sky, thinner towards the rim."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    far = np.hypot(y - 240, x - 480) / 130
    leaves = np.random.default_rng(3).uniform(0, 1, (HEIGHT // 4, WIDTH // 4)).astype(np.float32)
    leaves = cv2.resize(leaves, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    solid = ((1.2 - 0.7 * far - leaves) * 6).clip(0, 1) * (far < 1.5)
    solid = np.maximum(solid, y > 440)
    front = np.stack([0.12 + 0.1 * leaves, 0.2 + 0.15 * leaves, 0.06 + 0.05 * leaves])
    return drawn(solid.astype(np.float32), gradient(BLUE), front.astype(np.float32))


def said_of(alpha: Float32) -> Float32:
    """What a network would say that sees the picture small: smooth, and no thing that is thin."""
    size = WIDTH * LINES // HEIGHT, LINES
    small = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    small = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    odds = 8 * (cv2.GaussianBlur(small, (0, 0), 1.0) - 0.5)
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def framed(rgb: Float32, coding: Coding = YUV) -> Frame:
    return Frame(from_rgb(rgb, coding), coding, 0, Fraction(1, 24))


def matte_of(picture: Drawn, coding: Coding = YUV, said: Float32 | None = None) -> Matte:
    frame = framed(picture.rgb, coding)
    said = said_of(picture.alpha) if said is None else said
    return refine(said, see(frame, 2 * LINES).small, frame)


def enlarged(picture: Drawn) -> Float32:
    """What the network says, at the size of the plate."""
    return np.asarray(cv2.resize(said_of(picture.alpha), (WIDTH, HEIGHT)), np.float32)


def near_edge(alpha: Float32, px: int = 8) -> np.ndarray:
    edge = ((alpha > 0.02) & (alpha < 0.98)).astype(np.uint8)
    return np.asarray(cv2.dilate(edge, np.ones((2 * px + 1, 2 * px + 1), np.uint8)) > 0)


def error_at_edge(alpha: Float32, picture: Drawn) -> float:
    return float(np.abs(alpha - picture.alpha)[near_edge(picture.alpha)].mean())


def fringe(alpha: Float32, picture: Drawn) -> float:
    """What is left of the day's sky in pixels that are partly it, when it is taken out."""
    part = (picture.alpha > 0.2) & (picture.alpha < 0.8)
    left = picture.rgb - alpha * picture.sky - (1 - picture.alpha) * picture.front
    return float(np.maximum(left, 0).mean(0)[part].mean())


@pytest.mark.parametrize("colours", [BLUE, WHITE])
def test_roofs_are_cut_out_within_a_pixel(
    colours: tuple[tuple[float, ...], tuple[float, ...]],
) -> None:
    picture = street(colours)
    alpha = matte_of(picture).alpha
    same = ((alpha > 0.5) & (picture.alpha > 0.5)).sum()
    assert same / ((alpha > 0.5) | (picture.alpha > 0.5)).sum() > 0.998
    assert error_at_edge(alpha, picture) < 0.01  # the network's, enlarged: .1
    assert fringe(alpha, picture) < 0.01  # .06


def test_a_matte_is_exactly_all_or_nothing_away_from_edges() -> None:
    picture = street()
    far = ~near_edge(picture.alpha, 40)
    assert set(np.unique(matte_of(picture).alpha[far])) == {0.0, 1.0}


def test_sky_between_leaves_is_found_and_little_of_it_is_left() -> None:
    picture = crown()
    alpha, rough = matte_of(picture).alpha, enlarged(picture)
    assert error_at_edge(alpha, picture) < 0.3 * error_at_edge(rough, picture)
    assert fringe(alpha, picture) < 0.6 * fringe(rough, picture)


@pytest.mark.parametrize("width", [1.0, 1.5, 3.0, 6.0])
def test_a_pole_that_the_network_did_not_see_stays_before_the_sky(width: float) -> None:
    sky = gradient(BLUE, clouds=0.05)
    solid = np.maximum(covered(upright(480.3, width, 100)), covered(upright(0, 960, 480)))
    picture = drawn(solid, sky, np.full_like(sky, 0.12))
    said = said_of(1 - covered(upright(0, 960, 480)))
    alpha = matte_of(picture, said=said).alpha
    across = (1 - alpha[200:400]).sum(1)
    assert abs(float(across.mean()) - width) < 0.2 * width + 0.3
    assert alpha[200:400, :460].min() == 1
    assert alpha[200:400, 500:].min() == 1


def test_a_wire_that_slants_stays_whole() -> None:
    sky = gradient(BLUE)
    wire = covered([(0, 100), (960, 220), (960, 221.5), (0, 101.5)])
    alpha = matte_of(drawn(wire, sky, np.full_like(sky, 0.1)), said=np.ones((72, 128), np.float32))
    assert (1 - alpha.alpha).sum(0).min() > 0.7


def test_clouds_leave_no_holes() -> None:
    cloudy = gradient(BLUE, clouds=0.25)
    picture = drawn(houses(), cloudy, np.full_like(cloudy, 0.2))
    alpha = matte_of(picture).alpha
    assert alpha[:180].min() == 1


def test_windows_as_bright_as_the_sky_are_none() -> None:
    assert matte_of(street(WHITE)).alpha[370:].max() == 0


def test_where_a_wall_is_like_the_sky_the_network_is_believed() -> None:
    sky = np.full((3, HEIGHT, WIDTH), 0.85, np.float32)
    picture = drawn(houses(), sky, sky)
    alpha = matte_of(picture).alpha
    assert np.abs(alpha - picture.alpha)[~near_edge(picture.alpha, 8)].max() < 0.1


@pytest.mark.parametrize("coding", CODINGS, ids=lambda c: f"{c.pix_fmt}-{c.matrix}")
def test_every_coding_has_the_same_matte(coding: Coding) -> None:
    picture = street()
    frame = framed(picture.rgb, coding)
    small, said = see(frame, 2 * LINES).small, said_of(picture.alpha)
    by_planes, by_picture = refine(said, small, frame), refine_picture(said, small, to_rgb(frame))
    assert by_planes.alpha.dtype == np.float32
    # thin things are looked for in luma, and in green
    assert np.abs(by_planes.alpha - by_picture.alpha).mean() < 2e-3
    assert error_at_edge(by_planes.alpha, picture) < 0.03


def test_a_grey_picture_has_a_matte() -> None:
    picture = street()
    grey = replace(YUV, pix_fmt="gray", sub_x=0, sub_y=0, matrix="gray", full_range=True)
    assert error_at_edge(matte_of(picture, grey).alpha, picture) < 0.03


def test_the_colour_of_the_sky_goes_on_where_there_is_none() -> None:
    picture = street()
    colour = matte_of(picture).sky_colour
    size = colour.shape[:0:-1]
    wanted = np.stack([cv2.resize(c, size, interpolation=cv2.INTER_AREA) for c in picture.sky])
    assert np.abs(colour - wanted)[:, :60].max() < 0.05
    assert np.abs(colour - wanted)[:, 60:].max() < 0.3  # no wall's: those are .3 to .8 darker
    assert colour[2, -1].min() > 0.6


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_picture_without_sky_and_one_of_sky_alone_are_whole(share: float) -> None:
    picture = drawn(np.full((HEIGHT, WIDTH), 1 - share, np.float32), gradient(BLUE), gradient(BLUE))
    said = np.full((LINES, 2 * LINES), share, np.float32)
    matte = matte_of(picture, said=said)
    assert (matte.alpha == share).all()
    assert np.isfinite(matte.sky_colour).all()


@pytest.mark.parametrize(("height", "width"), [(64, 96), (33, 57), (1, 1), (720, 40)])
def test_any_size_of_plate_has_a_matte(height: int, width: int) -> None:
    rgb = np.full((3, height, width), 0.2, np.float32)
    rgb[:, : height // 2] = 0.9
    frame = framed(rgb)
    small = see(frame, 64).small
    said = (small.mean(0) > 0.5).astype(np.float32)
    alpha = refine(said, small, frame).alpha
    assert alpha.shape == (height, width)
    assert np.isfinite(alpha).all()
