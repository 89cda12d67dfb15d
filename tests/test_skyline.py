"""Skylines and lamps of renders: each fault that can be painted makes its figure worse, and a plain grade makes none."""

import math

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from nightfx.metrics import misplaced_lights, skyline

HEIGHT, WIDTH, ROOFS = 360, 480, (110, 60, 150, 90)


def town() -> tuple[Tensor, Tensor]:
    """A bright sky over four textured towers, light and dark, with soft edges, (3, 360, 480); and where the sky is."""
    rng = np.random.default_rng(3)
    roof = np.repeat(ROOFS, WIDTH // 4)
    is_sky = np.arange(HEIGHT)[:, None] < roof
    walls = cv2.resize(rng.uniform(0.25, 0.6, (45, 60)), (WIDTH, HEIGHT))
    alpha = cv2.GaussianBlur(is_sky.astype(np.float64), (0, 0), 0.8)
    y = alpha * 0.85 + (1 - alpha) * walls
    picture = torch.from_numpy(y[None] * np.array([0.97, 1, 1.03])[:, None, None]).float()
    return picture, torch.from_numpy(is_sky.astype(np.float32))


def composite(plate: Tensor, sky: Tensor) -> Tensor:
    """The night that it should be: walls by one curve, a dark sky, and edges in between."""
    alpha = torch.from_numpy(cv2.GaussianBlur(sky.numpy(), (0, 0), 0.8))
    wall = ((plate - alpha * 0.85) / (1 - alpha).clamp(min=0.05)).clamp(0, 1)
    return (1 - alpha) * 0.3 * wall**1.4 + alpha * 0.06


def below(sky: Tensor) -> Tensor:
    """How many px each pixel lies from the sky, 0 in it."""
    outside = (sky.numpy() < 0.5).astype(np.uint8)
    return torch.from_numpy(cv2.distanceTransform(outside, cv2.DIST_L2, 5))


def test_grades_and_a_clean_composite_have_a_good_skyline() -> None:
    plate, sky = town()
    for render in (plate, 0.3 * plate, plate**2.2, composite(plate, sky)):
        found = skyline(plate, render, sky)
        assert found.darker < 0.05
        assert found.fringe < 0.05


def test_smoke_below_the_skyline_darkens_walls_near_it() -> None:
    plate, sky = town()
    night = composite(plate, sky)
    smoke = night * (1 - 0.7 * torch.exp(-((below(sky) / 20) ** 2)))
    found = skyline(plate, smoke, sky)
    assert found.darker > 0.5
    assert skyline(plate, torch.where(below(sky) < 30, 0.01, night), sky).darker > 1


def test_a_rim_of_daylight_is_a_fringe() -> None:
    plate, sky = town()
    night = composite(plate, sky)
    alpha = torch.from_numpy(cv2.GaussianBlur(sky.numpy(), (0, 0), 0.8))
    # the sky's light is left in what is half sky
    left = night + 0.5 * (alpha * (1 - alpha)) * 4 * 0.85 * (1 - alpha)
    assert skyline(plate, left, sky).fringe > 0.5
    outline = torch.where((below(sky) > 0) & (below(sky) <= 2), 0.0, night)
    assert skyline(plate, outline, sky).fringe > 0.3


def test_without_a_skyline_there_is_nothing_to_measure() -> None:
    plate, _ = town()
    for nothing in (torch.zeros(10, 10), torch.ones(10, 10)):
        assert all(math.isnan(x) for x in skyline(plate, plate, nothing))


@pytest.mark.parametrize("centre", [(30, 40), (70, 300)])
def test_a_lamp_in_the_sky_counts(centre: tuple[int, int]) -> None:
    plate, sky = town()
    night = composite(plate, sky)
    assert misplaced_lights(plate, night, sky) == 0
    assert misplaced_lights(plate, lamp(night, centre), sky) == 1


def test_lamps_on_walls_and_what_the_plate_explains_do_not_count() -> None:
    plate, sky = town()
    night = composite(plate, sky)
    assert misplaced_lights(plate, lamp(night, (250, 100)), sky) == 0
    leaves = 1 - sky
    assert misplaced_lights(plate, lamp(night, (250, 100)), leaves) == 1
    # a white thing by day, as bright beside its surroundings by night
    white = lamp(plate, (250, 100))
    assert misplaced_lights(white, 0.6 * white, leaves) == 0


def test_a_light_on_the_ground_has_a_lamp_above_it() -> None:
    plate, sky = town()
    night = composite(plate, sky)
    ground = (torch.arange(HEIGHT) >= 260).float()[:, None].expand(HEIGHT, WIDTH)
    alone = lamp(night, (300, 100))
    assert misplaced_lights(plate, alone, sky, ground) == 1
    assert misplaced_lights(plate, lamp(alone, (200, 300)), sky, ground) == 1
    assert misplaced_lights(plate, lamp(alone, (200, 105)), sky, ground) == 0  # its reflection


def lamp(picture: Tensor, centre: tuple[int, int]) -> Tensor:
    """A glowing dot of 10 px."""
    y, x = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    near = torch.exp(-((((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / 5.0**2) ** 2))
    return torch.maximum(picture, near * torch.tensor([1.0, 0.9, 0.7])[:, None, None])
