"""The distance between sets of pictures, the measures of lights and borders, on pictures whose answers are known."""

import math

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from nightfx.metrics import (
    Distance,
    Sample,
    halos,
    hsp_brightness,
    invented_lights,
    light_share,
    pyramid_distance,
    sample_picture,
    seams,
    sliced_wasserstein,
)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def night(seed: int, height: int = 96, width: int = 128) -> Tensor:
    """A dark sky over a street of fine texture and a few lamps."""
    rng = np.random.default_rng(seed)
    y = np.concatenate(
        [np.full((height // 2, width), 0.05), rng.uniform(0.1, 0.4, (height - height // 2, width))]
    )
    for _ in range(6):
        row, column = rng.integers(height // 2, height - 3), rng.integers(0, width - 3)
        y[row : row + 3, column : column + 3] = 0.95
    return torch.from_numpy(np.stack([y, 0.9 * y, 0.8 * y]).astype(np.float32))


def samples(pictures: list[Tensor]) -> list[Sample]:
    return [sample_picture(x, seed=i) for i, x in enumerate(pictures)]


def grey(value: float) -> list[Sample]:
    return samples([torch.full((3, 40, 64), value)] * 3)


@pytest.fixture(scope="module")
def nights() -> list[Sample]:
    return samples([night(i) for i in range(24)])


@pytest.fixture(scope="module")
def floor(nights: list[Sample]) -> Distance:
    return pyramid_distance(samples([night(100 + i) for i in range(24)]), nights)


def test_a_set_is_no_distance_from_itself(nights: list[Sample]) -> None:
    assert pyramid_distance(nights, nights).whole == 0


def test_the_whole_is_colours_and_layout_and_four_times_the_bands() -> None:
    assert Distance(0.5, (0.01, 0.02), (0.1, 0.2)).whole == pytest.approx(0.5 + 0.3 + 0.12)


def test_grey_that_is_lighter_is_found_in_colours_and_mean_alone() -> None:
    # d in three channels is a vector of length √3 d; E|u·e| is 1/2 in three dimensions
    d = pyramid_distance(grey(0.3), grey(0.5))
    expected = 0.2 * math.sqrt(3) / 2
    assert d.colours == pytest.approx(expected, rel=0.1)
    assert d.layout[-1] == pytest.approx(expected, rel=0.1)
    assert (*d.bands, *d.layout[:-1]) == pytest.approx([0.0] * 7, abs=1e-3)


def test_nights_upside_down_are_far_by_layout_alone(nights: list[Sample], floor: Distance) -> None:
    d = pyramid_distance(samples([night(100 + i).flip(1) for i in range(24)]), nights)
    assert d.layout[2] > 4 * floor.layout[2]
    assert d.layout[3] == pytest.approx(floor.layout[3], abs=1e-4)
    assert d.colours < 2 * floor.colours + 0.01
    assert d.whole > 1.5 * floor.whole


def test_mirrored_nights_are_as_near(nights: list[Sample], floor: Distance) -> None:
    d = pyramid_distance(samples([night(100 + i).flip(2) for i in range(24)]), nights)
    assert d.whole == pytest.approx(floor.whole, rel=0.25)


def test_blurred_nights_are_far_in_the_fine_bands(nights: list[Sample], floor: Distance) -> None:
    def blurred(x: Tensor) -> Tensor:
        soft = cv2.GaussianBlur(x.permute(1, 2, 0).numpy(), (0, 0), 1.5)
        return torch.from_numpy(soft.transpose(2, 0, 1).copy())

    d = pyramid_distance(samples([blurred(night(100 + i)) for i in range(24)]), nights)
    assert d.bands[1] > 4 * floor.bands[1]
    assert d.layout == pytest.approx(floor.layout, abs=0.01)


def test_shifted_nights_are_as_near(nights: list[Sample], floor: Distance) -> None:
    d = pyramid_distance(samples([night(100 + i).roll(9, 2) for i in range(24)]), nights)
    assert d.whole == pytest.approx(floor.whole, rel=0.25)


def test_days_are_far(nights: list[Sample], floor: Distance) -> None:
    d = pyramid_distance(samples([0.9 - 0.5 * night(100 + i) for i in range(24)]), nights)
    assert d.whole > 5 * floor.whole


def test_weights_count_as_often_as_repeats(nights: list[Sample]) -> None:
    others = samples([0.5 * night(200 + i) for i in range(4)])
    repeated = pyramid_distance([*others[:2], *others[:2], *others[2:]], nights)
    weighted = pyramid_distance(others, nights, ([2, 2, 1, 1], [1.0] * len(nights)))
    assert weighted.whole == pytest.approx(repeated.whole, rel=0.03)


def test_equal_weights_are_none() -> None:
    a, b = noise(300, 3), noise(200, 3, seed=1)
    even = sliced_wasserstein(a, b, weights=(torch.full((300,), 2.0), torch.full((200,), 0.1)))
    assert even == pytest.approx(sliced_wasserstein(a, b), abs=1e-5)


def test_a_point_alone_is_its_distance_away() -> None:
    a, b = torch.zeros(1, 1), torch.full((1, 1), 0.4)
    assert sliced_wasserstein(a, b, weights=(torch.ones(1), torch.ones(1))) == pytest.approx(0.4)


def test_pictures_of_any_size_can_be_sampled() -> None:
    for shape in ((1, 1), (3, 300)):
        found = sample_picture(torch.full((3, *shape), 0.25))
        assert all(bool(x.isfinite().all()) for x in (found.colours, *found.bands, *found.layout))
        assert hsp_brightness(found.colours.T[:, :, None]) == pytest.approx(0.25, abs=1e-3)


def lit(value: float = 0.9, ground: float = 0.1, size: int = 6) -> Tensor:
    x = torch.full((3, 256, 256), ground)
    x[:, 100 : 100 + size, 60 : 60 + size] = value
    return x


def test_the_share_of_lights_is_their_area() -> None:
    assert light_share(lit()) == pytest.approx(36 / 256**2)


@pytest.mark.parametrize(
    "x", [torch.full((3, 64, 64), 0.95), lit(size=60), lit(value=0.5), lit(0.9, 0.75)]
)
def test_what_is_large_or_dim_or_stands_out_little_is_no_light(x: Tensor) -> None:
    assert light_share(x) == 0


def test_a_painted_lamp_is_an_invented_light() -> None:
    assert invented_lights(torch.full((3, 256, 256), 0.3), lit()) == 1


def test_a_lamp_that_was_there_is_not() -> None:
    assert invented_lights(lit(0.42, 0.3), lit()) == 0  # off by day, but it stands out
    assert invented_lights(torch.full((3, 256, 256), 0.6), lit()) == 0  # bright already
    assert invented_lights(lit(), lit()) == 0


def test_a_lamp_on_a_dark_wall_is_no_invented_light() -> None:
    plate, wall = torch.full((3, 256, 256), 0.3), torch.zeros(64, 64)
    assert invented_lights(plate, lit(), wall) == 1
    assert invented_lights(plate, lit(), wall + 1) == 0


def test_each_invented_light_counts() -> None:
    plate, render = lit(0.3, 0.3), lit()
    render[:, 200:206, 200:206] = 1
    render[:, 30, 30] = 1  # a pixel is noise
    assert invented_lights(plate, render) == 2


def test_a_picture_has_no_seams_against_itself() -> None:
    assert seams(noise(3, 64, 96), noise(3, 64, 96), [32], [48]) == pytest.approx(1)


def test_a_painted_seam_is_its_gradient_over_that_inside() -> None:
    # a ramp of 0.01 a pixel, and a step of 0.05 more at one border: (0.06 + ε) / (0.01 + ε)
    ramp = (0.01 * torch.arange(64)).expand(3, 32, 64).clone()
    render = ramp.clone()
    render[:, :, 32:] += 0.05
    assert seams(render, ramp, [], [32]) == pytest.approx(0.061 / 0.011, rel=1e-3)
    assert seams(render, ramp, [], [24]) == pytest.approx(1)


def test_blocks_of_a_codec_are_no_seams() -> None:
    blocks = 0.5 * noise(3, 8, 8).repeat_interleave(8, 1).repeat_interleave(8, 2)
    assert seams(blocks, blocks.flip(1, 2), [32], [32]) == pytest.approx(1, abs=0.4)


def test_without_borders_there_is_no_answer() -> None:
    assert math.isnan(seams(noise(3, 32, 32), noise(3, 32, 32), [], []))


def skyline() -> tuple[Tensor, Tensor]:
    """A bright sky over dark ground, and where the sky is."""
    plate = torch.full((3, 256, 256), 0.8)
    plate[:, 120:] = 0.3
    return plate, (torch.arange(256) < 120).float()[:, None].expand(256, 256)


def test_even_darkening_makes_no_halo() -> None:
    plate, sky = skyline()
    assert halos(plate, 0.25 * plate, sky) == pytest.approx(0, abs=1e-3)
    assert halos(plate, torch.where(sky > 0.5, 0.1 * plate, 0.5 * plate), sky) == pytest.approx(
        0, abs=1e-3
    )


def test_a_light_rim_is_a_halo_of_its_stops() -> None:
    plate, sky = skyline()
    render = torch.where(sky > 0.5, 0.2 * plate, 0.3 * plate)
    rim = render.clone()
    rim[:, 114:120] = 0.35  # 0.16 before: log2 of 0.38 over 0.19 is a stop, on one of two sides
    assert halos(plate, rim, sky) == pytest.approx(0.5, abs=0.05)
    assert halos(rim, rim, sky) == 0
    dark = render.clone()
    dark[:, 120:126] = 0.015  # 0.09 before: 0.12 over 0.045, on the other side
    assert halos(plate, dark, sky) == pytest.approx(math.log2(0.12 / 0.045) / 2, abs=0.1)


def test_without_a_skyline_there_is_no_halo_to_measure() -> None:
    plate, sky = skyline()
    assert math.isnan(halos(plate, plate, torch.zeros(10, 10)))
    assert math.isnan(halos(plate, plate, torch.ones(10, 10)))
    assert math.isnan(halos(torch.full_like(plate, 0.5), plate, sky))
