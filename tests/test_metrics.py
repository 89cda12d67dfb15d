"""Measures, on pictures whose answers are known."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from nightfx.metrics import (
    color_distance,
    dissolved,
    flicker,
    hsp_brightness,
    patch_distance,
    psnr,
    sliced_wasserstein,
    structure_kept,
)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def mean_projection(dimensions: int) -> float:
    # E|u·e| for a random unit u: Γ(D/2) / (√π Γ((D+1)/2)); 1/2 in three dimensions
    return math.exp(
        math.lgamma(dimensions / 2)
        - math.lgamma((dimensions + 1) / 2)
        - math.log(math.sqrt(math.pi))
    )


def test_brightness_of_grey_is_its_value_over_the_root_of_the_sum_of_weights() -> None:
    assert hsp_brightness(torch.full((3, 8, 8), 0.3)) == pytest.approx(0.3)


@pytest.mark.parametrize(("channel", "weight"), [(0, 0.299), (1, 0.587), (2, 0.114)])
def test_brightness_of_a_primary_is_the_root_of_its_weight(channel: int, weight: float) -> None:
    x = torch.zeros(2, 3, 4, 4)
    x[:, channel] = 1
    assert hsp_brightness(x) == pytest.approx(math.sqrt(weight))


def test_brightness_of_a_batch_is_the_mean_over_all_its_pixels() -> None:
    x = torch.stack([torch.zeros(3, 4, 4), torch.ones(3, 4, 4)])
    assert hsp_brightness(x) == pytest.approx(0.5)


def test_a_picture_keeps_all_its_structure() -> None:
    x = noise(3, 64, 64)
    assert structure_kept(x, x) == pytest.approx(1, abs=1e-5)


def test_structure_of_many_pixels_is_summed_without_drift() -> None:
    x = noise(1, 3, 1024, 1024)
    assert structure_kept(x, x) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("gain", [0.5, 0.3])
def test_affine_darkening_keeps_the_structure_of_a_picture_with_contrast(gain: float) -> None:
    # not exactly 1: the floor of 1e-4 (1 % contrast) weighs more in the darker picture
    x = noise(2, 3, 64, 64)
    assert structure_kept(x, gain * x + 0.02) > 0.998


def test_a_negative_has_the_opposite_structure() -> None:
    x = noise(3, 64, 64)
    assert structure_kept(x, 1 - x) == pytest.approx(-1, abs=1e-5)


def test_independent_noise_shares_no_structure() -> None:
    # 65,536 pixels: chance correlates by about 1/256
    assert abs(structure_kept(noise(3, 256, 256), noise(3, 256, 256, seed=1))) < 0.02


def test_structure_falls_as_blur_grows() -> None:
    x = noise(1, 3, 96, 96)
    once, twice = (F.avg_pool2d(x, k, stride=1, padding=k // 2) for k in (3, 7))
    assert 0.9 > structure_kept(x, once) > structure_kept(x, twice) > 0


def test_a_slow_change_of_light_keeps_the_structure() -> None:
    x = noise(3, 64, 128)
    assert structure_kept(x, x * torch.linspace(0.3, 1, 128)) > 0.99


def test_structure_is_defined_for_flat_pictures() -> None:
    assert structure_kept(torch.zeros(3, 32, 32), noise(3, 32, 32)) == pytest.approx(0)


def test_equal_sets_are_no_distance_apart() -> None:
    x = noise(2, 3, 32, 32)
    assert sliced_wasserstein(x.view(-1, 3), x.view(-1, 3)) == 0
    assert color_distance(x, x) == 0
    assert patch_distance(x, x) == 0


def test_distance_on_a_line_is_the_shift() -> None:
    # one dimension: every direction is ±1
    x = noise(500, 1)
    assert sliced_wasserstein(x, x + 0.25) == pytest.approx(0.25, abs=1e-5)


def test_distance_of_a_line_to_one_twice_as_long_is_half_a_length() -> None:
    x = torch.linspace(0, 1, 1001)[:, None]
    assert sliced_wasserstein(x, 2 * x) == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize("dimensions", [2, 3, 30])
def test_distance_of_shifted_points_is_the_mean_projection_of_the_shift(dimensions: int) -> None:
    # 4,000 directions estimate E|u·e| within 1 % (one standard deviation) or better
    x = noise(300, dimensions)
    shift = torch.zeros(dimensions)
    shift[0] = 0.4
    expected = 0.4 * mean_projection(dimensions)
    found = sliced_wasserstein(x, x + shift, projections=4000)
    assert found == pytest.approx(expected, rel=0.04)


def test_sets_of_different_sizes_compare_by_their_quantiles() -> None:
    x = torch.linspace(0, 1, 401)[:, None]
    assert sliced_wasserstein(x, x[::4] + 0.1) == pytest.approx(0.1, abs=1e-4)
    assert sliced_wasserstein(x[::4] + 0.1, x) == pytest.approx(0.1, abs=1e-4)


def test_order_and_count_of_equal_points_do_not_matter() -> None:
    x = noise(400, 3)
    # the quantile function of doubled points is a finer staircase: apart by less than a step
    assert sliced_wasserstein(x, x.flip(0)) == 0
    assert sliced_wasserstein(x, x.repeat(2, 1)) < 2e-3


def test_a_seed_fixes_the_directions() -> None:
    x, y = noise(50, 3), noise(60, 3, seed=1)
    assert sliced_wasserstein(x, y, seed=3) == sliced_wasserstein(x, y, seed=3)
    assert sliced_wasserstein(x, y, seed=3) != sliced_wasserstein(x, y, seed=4)


def test_distances_leave_the_global_random_state_alone() -> None:
    before = torch.random.get_rng_state()
    color_distance(noise(3, 32, 32), noise(3, 32, 32, seed=1))
    patch_distance(noise(3, 32, 32), noise(3, 32, 32, seed=1))
    assert torch.equal(before, torch.random.get_rng_state())


def test_grey_shift_of_colours_is_found() -> None:
    # d in three channels is a vector of length √3 d, of which half is seen on average: 0.87 d
    x = 0.5 * noise(2, 3, 64, 64)
    expected = 0.2 * math.sqrt(3) * mean_projection(3)
    assert color_distance(x + 0.2, x) == pytest.approx(expected, rel=0.15)


def test_patches_shifted_by_a_value_are_four_fifths_of_it_apart() -> None:
    # √768 d · E|u·e| = 0.8 d: √(2/π), the mean of |a normal number|
    x = 0.5 * noise(2, 3, 64, 64)
    assert patch_distance(x + 0.2, x) == pytest.approx(0.2 * math.sqrt(2 / math.pi), rel=0.15)


def test_colours_do_not_see_where_pixels_lie_and_patches_do() -> None:
    x = torch.zeros(2, 3, 64, 64)
    x[..., 32:] = 1
    mixed = x.flatten(2)[..., torch.randperm(64 * 64, generator=torch.Generator().manual_seed(0))]
    mixed = mixed.view_as(x)
    assert color_distance(x, mixed) < 0.02  # only the drawn sample could differ
    assert patch_distance(x, mixed) > 0.2


def test_sets_of_pictures_may_differ_in_number_and_size() -> None:
    x = noise(4, 3, 64, 64)
    assert color_distance(x, noise(2, 3, 32, 48, seed=1)) < 0.03
    assert patch_distance(x, noise(2, 3, 32, 48, seed=1)) < 0.3


def test_distances_need_no_gradient() -> None:
    x = noise(3, 32, 32).requires_grad_()
    y = noise(3, 32, 32, seed=1)
    for value in (hsp_brightness(x), structure_kept(x, y), color_distance(x, y), psnr(x, y)):
        assert isinstance(value, float)


@pytest.mark.parametrize(("error", "decibels"), [(0.1, 20), (0.01, 40)])
def test_psnr_of_a_constant_error(error: float, decibels: float) -> None:
    x = 0.5 * noise(3, 16, 16)
    assert psnr(x, x + error) == pytest.approx(decibels, abs=1e-3)


def test_psnr_of_equal_pictures_is_infinite() -> None:
    x = noise(3, 16, 16)
    assert psnr(x, x) == math.inf


def moving(count: int = 4) -> list[torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    wide = F.interpolate(torch.rand(1, 3, 12, 30, generator=rng), scale_factor=8, mode="bicubic")
    return [wide[0, :, :, 3 * i : 3 * i + 160].clamp(0, 1) for i in range(count)]


def test_a_render_that_is_its_plate_flickers_as_much() -> None:
    assert flicker(moving(), moving()) == pytest.approx(1)


def test_a_darker_plate_flickers_no_more() -> None:
    assert flicker(moving(), [x * 0.5 for x in moving()]) < 1.1


def test_light_that_jumps_flickers_more() -> None:
    jumps = [x * (0.5 + 0.1 * (i % 2)) for i, x in enumerate(moving())]
    assert flicker(moving(), jumps) > 2


def test_towers_that_dissolve_are_found_and_a_grade_dissolves_none() -> None:
    rng = np.random.default_rng(0)
    plate = np.full((3, 360, 480), 0.8, np.float32)
    for left in range(40, 440, 100):
        plate[:, 120:, left : left + 60] = (
            rng.choice([0.3, 0.6], (1, 20, 5)).repeat(12, 1).repeat(12, 2)
        )
    grade = 0.4 * plate**2.2
    smoke = grade.copy()
    smoke[:, :, 120:220] = grade[:, :, 120:220].mean()
    was, even, gone = (torch.from_numpy(x) for x in (plate, grade, smoke))
    assert dissolved(was, even) == 0
    assert 0.15 < dissolved(was, gone) < 0.4  # one tower of four
    assert dissolved(torch.full_like(was, 0.5), torch.zeros_like(was)) == 0  # nothing to lose
