"""Tiles equal the whole frame, for every size and both architectures."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from nightfx.errors import UsageError
from nightfx.light.tiling import light_of, plan_tiles
from nightfx.network.model import HALO_PX, Generator, build_generator


def lively_generator(architecture: Any, seed: int = 0) -> Generator:
    """Random weights that keep the signal alive through all layers, so that every border pixel matters."""
    torch.manual_seed(seed)
    generator = build_generator(architecture).eval()
    for module in generator.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    nn.init.normal_(generator.out.weight, std=0.02)
    return generator


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((3, height, width), np.float32)


def assert_tiles_equal_whole(architecture: Any, height: int, width: int, tile_px: int) -> None:
    generator, rgb = lively_generator(architecture), picture(height, width)
    whole, tiled = (light_of(generator, rgb, size) for size in ("whole", tile_px))
    gain = float(whole.gain.max())
    assert float((tiled.gain - whole.gain).abs().max()) <= 1e-5 * max(1.0, gain)
    assert float((tiled.offset - whole.offset).abs().max()) <= 1e-5 * max(1.0, gain)
    assert whole.gain.shape == (3, height, width)


@settings(max_examples=12, deadline=None)
@given(
    architecture=st.sampled_from(["paper", "relit"]),
    height=st.integers(1, 420),
    width=st.integers(1, 420),
    tile_px=st.sampled_from([64, 128, 256]),
)
def test_tiles_equal_the_whole_frame_at_any_size(
    architecture: str, height: int, width: int, tile_px: int
) -> None:
    assert_tiles_equal_whole(architecture, height, width, tile_px)


@pytest.mark.parametrize("architecture", ["paper", "relit"])
def test_tiles_equal_the_whole_frame_at_home(architecture: str) -> None:
    assert_tiles_equal_whole(architecture, 1080, 1920, 256)


def test_halo_covers_the_receptive_field_and_not_much_more() -> None:
    x = torch.rand(1, 3, 16, 512, requires_grad=True)
    lively_generator("relit")(x)[0, 0, 8, 256].backward()
    assert x.grad is not None
    seen = x.grad.abs().sum((0, 1, 2)).nonzero()
    reach = int((seen - 256).abs().max())
    assert HALO_PX - 16 < reach <= HALO_PX


@given(height=st.integers(1, 200), width=st.integers(1, 200), tile=st.integers(8, 60))
def test_cores_cover_the_frame_once_and_stand_on_multiples_of_eight(
    height: int, width: int, tile: int
) -> None:
    height, width = 8 * height, 8 * width
    covered = np.zeros((height // 8, width // 8), int)
    for part in plan_tiles(height, width, 8 * tile):
        rows, columns = part.core
        edges = [edge for s in (*part.core, *part.window) for edge in (s.start, s.stop)]
        assert all(edge % 8 == 0 for edge in edges)
        assert rows.stop - rows.start <= 8 * tile
        assert columns.stop - columns.start <= 8 * tile
        covered[rows.start // 8 : rows.stop // 8, columns.start // 8 : columns.stop // 8] += 1
    assert (covered == 1).all()


def test_large_frames_are_cut_by_default_and_small_ones_are_not() -> None:
    assert len(plan_tiles(720, 1280)) == 1
    assert len(plan_tiles(2160, 3840)) > 1


@pytest.mark.parametrize("size", [4, 100])
def test_a_tile_off_the_grid_is_refused(size: int) -> None:
    with pytest.raises(UsageError, match=f"multiple of 8, or whole, got {size}"):
        plan_tiles(720, 1280, size)


def test_the_generator_sees_no_more_than_white() -> None:
    generator = lively_generator("relit")
    bright = light_of(generator, np.full((3, 16, 16), 4.0, np.float32))
    white = light_of(generator, np.ones((3, 16, 16), np.float32))
    assert torch.equal(bright.gain, white.gain)
