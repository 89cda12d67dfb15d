"""What a warm start imitates: the sky is found, and curves carry one set to the other."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from PIL import Image

from nightfx.scene import find_any_sky
from nightfx.training.data.pictures import find_pictures
from nightfx.training.run.guide import (
    find_curves,
    from_tints,
    guide,
    interpolate,
    measure_curves,
    split_guides,
    to_tints,
)
from nightfx.training.run.train_options import TrainOptions


def street(sky: float, houses: float, height: int = 192) -> np.ndarray:
    """A plain sky over the upper half, dark and light houses below it."""
    rgb = np.full((height, 2 * height, 3), sky, np.float32)
    rgb[height // 2 :] = houses
    rgb[height // 2 :, :: height // 8] = houses / 2
    return rgb


@pytest.mark.parametrize(("sky", "houses"), [(0.9, 0.4), (0.05, 0.3), (0.6, 0.2)])
def test_what_the_top_edge_reaches_is_sky(sky: float, houses: float) -> None:
    found = find_any_sky(street(sky, houses))
    assert found.shape == (192, 384)
    assert found[:80].min() > 0.95
    assert found[112:].max() < 0.1


def test_a_smooth_sky_may_change_slowly_and_a_street_without_a_sky_has_little() -> None:
    slow = np.linspace(0.5, 0.6, 192, dtype=np.float32)[:, None, None].repeat(200, 1).repeat(3, 2)
    assert find_any_sky(slow).min() > 0.6
    noise = np.random.default_rng(0).uniform(0, 1, (12, 20, 3)).astype(np.float32)
    assert find_any_sky(noise.repeat(16, 0).repeat(16, 1))[96:].mean() < 0.2


def test_tints_and_back_is_the_picture() -> None:
    rgb = torch.rand(2, 3, 5, 7)
    torch.testing.assert_close(from_tints(to_tints(rgb)), rgb)


def test_curves_carry_skies_to_skies_and_the_rest_to_the_rest() -> None:
    rng = torch.Generator().manual_seed(0)
    grey = torch.rand(4000, 1, generator=rng).expand(-1, 3)
    sky = (torch.arange(4000) % 2).float()
    day = torch.where(sky[:, None] > 0, 0.5 + grey / 2, grey)
    night = torch.where(sky[:, None] > 0, grey / 10, grey / 2)
    of_day, of_night = measure_curves(day, sky), measure_curves(night, sky)
    as_picture = day.T.view(1, 3, 40, 100), sky.view(1, 1, 40, 100)
    made = guide(*as_picture, of_day, of_night)
    assert (made - night.T.view(1, 3, 40, 100)).abs().max() < 0.02
    back = guide(made, as_picture[1], of_night, of_day)
    assert (back - as_picture[0]).abs().max() < 0.05


def test_a_class_of_one_value_and_one_without_skies_give_finite_curves() -> None:
    flat = measure_curves(torch.full((100, 3), 0.5), torch.zeros(100))
    other = measure_curves(torch.rand(100, 3), torch.ones(100))
    made = guide(torch.rand(1, 3, 8, 8), torch.rand(1, 1, 8, 8), flat, other)
    assert made.isfinite().all()


def test_between_known_places_a_curve_is_straight_and_flat_beyond_them() -> None:
    at, values = torch.tensor([0.0, 0.5, 1.0]), torch.tensor([0.0, 0.1, 1.0])
    x = torch.tensor([-1.0, 0.0, 0.25, 0.75, 1.0, 2.0])
    torch.testing.assert_close(
        interpolate(x, at, values), torch.tensor([0.0, 0.0, 0.05, 0.55, 1.0, 1.0])
    )


@pytest.mark.parametrize("guided_by", ["curves", "sky"])
def test_curves_are_found_in_pictures_with_and_without_skies(
    tmp_path: Path, guided_by: Literal["curves", "sky"]
) -> None:
    for name, sky, houses in (("day", 0.9, 0.4), ("night", 0.05, 0.3)):
        (tmp_path / name).mkdir()
        picture = (street(sky, houses) * 255).astype(np.uint8)
        Image.fromarray(picture).save(tmp_path / name / "0.png")
        Image.fromarray(picture[:, ::-1]).save(tmp_path / name / "1.png")
    day, night = (find_pictures(tmp_path / name, crop_px=96) for name in ("day", "night"))
    options = TrainOptions(guide=guided_by)
    of_day, of_night = find_curves((day, night), options, torch.device("cpu"))
    x = torch.full((1, 3, 8, 8), 0.9)
    whole_sky = torch.full((1, 1, 8, 8), float(guided_by == "sky"))
    made = guide(x, whole_sky, of_day, of_night)
    # ranks alone take the brightest to the brightest; skies go to skies
    assert made.mean().item() == pytest.approx(0.05 if guided_by == "sky" else 0.3, abs=0.02)


def test_a_batch_of_four_channels_becomes_pictures_and_their_guides() -> None:
    curves = measure_curves(torch.rand(500, 3), torch.rand(500))
    batch = torch.rand(2, 4, 8, 8), torch.rand(2, 4, 8, 8)
    (real_A, real_B), (guide_A, guide_B) = split_guides(batch, (curves, curves))
    torch.testing.assert_close(real_A, batch[0][:, :3])
    torch.testing.assert_close(real_B, batch[1][:, :3])
    (plain, _), _ = split_guides((batch[0][:, :3], batch[1][:, :3]), (curves, curves))
    torch.testing.assert_close(plain, real_A)
    for real, made in ((real_A, guide_A), (real_B, guide_B)):  # a class to itself changes little
        assert (made - real).abs().mean() < 0.02
