"""Steadying: what stands still is averaged, what moves is followed, a cut starts anew."""

import numpy as np
import pytest

from nightfx.engine.field import identity_field
from nightfx.engine.steady import Memory, find_motion, luma_of, steady

FRAME_SECONDS = 1 / 24


def scene(seed: int = 0, shift: int = 0, height: int = 128, width: int = 192) -> np.ndarray:
    """A blurred random picture (3, h, w), moved to the right by `shift` px."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0.1, 0.9, (height // 8, width // 8 + 16))
    fine = np.kron(coarse, np.ones((8, 8)))
    for axis in (0, 1):
        fine = np.apply_along_axis(lambda v: np.convolve(v, np.ones(9) / 9, "same"), axis, fine)
    window = fine[:, 64 - shift : 64 - shift + width]
    return np.repeat(window[None], 3, axis=0).astype(np.float32)


def flicker(level: float, like: np.ndarray) -> np.ndarray:
    return identity_field(*like.shape[1:]) * np.float32(level)


def run(pictures: list[np.ndarray], levels: list[float], amount: float = 0.8) -> list[Memory]:
    memory, all_of_them = None, []
    for picture, level in zip(pictures, levels, strict=True):
        memory = steady(memory, picture, flicker(level, picture), amount, FRAME_SECONDS)
        all_of_them.append(memory)
    return all_of_them


def levels_of(memories: list[Memory]) -> np.ndarray:
    return np.array([float(memory.field[0].mean()) for memory in memories])


def test_flicker_of_a_still_picture_is_averaged_away() -> None:
    levels = [0.5 + 0.1 * (-1) ** i for i in range(24)]
    steadied = levels_of(run([scene()] * 24, levels))
    assert np.ptp(steadied[8:]) < 0.2 * np.ptp(levels)
    assert steadied[8:].mean() == pytest.approx(0.5, abs=0.01)


def test_the_first_frames_are_a_plain_mean() -> None:
    assert levels_of(run([scene()] * 2, [0.4, 0.6]))[1] == pytest.approx(0.5, abs=0.005)


def test_none_is_none() -> None:
    levels = [0.3, 0.7, 0.5]
    np.testing.assert_allclose(levels_of(run([scene()] * 3, levels, 0.0)), levels, rtol=1e-6)


def test_the_amount_is_meant_at_24_frames_a_second() -> None:
    still, field = scene(), flicker(1.0, scene())
    memory = Memory(luma_of(still), field * 0, 1000)
    fast = steady(memory, still, field, 0.64, 1 / 48)
    assert float(fast.field[0].mean()) == pytest.approx(1 - 0.8, abs=0.01)


def test_motion_is_found_where_the_picture_moved() -> None:
    motion = find_motion(luma_of(scene(shift=0)), luma_of(scene(shift=6)))
    inside = motion.flow[20:-20, 20:-20]
    assert inside[..., 0].mean() == pytest.approx(-6, abs=0.5)
    assert abs(inside[..., 1].mean()) < 0.3
    assert motion.trust[20:-20, 20:-20].mean() > 0.8
    assert not motion.is_cut


def test_light_travels_with_what_it_lies_on() -> None:
    pictures = [scene(shift=4 * i) for i in range(6)]
    memory = None
    for index, picture in enumerate(pictures):
        field = flicker(0.5, picture)
        field[0] += 0.4 * (np.arange(192) >= 96 + 4 * index)  # a lit side that moves along
        memory = steady(memory, picture, field, 0.9, FRAME_SECONDS)
    assert memory is not None
    error = np.abs(memory.field - field)[0]
    assert error.mean() < 0.01
    # without motion the edge would be smeared over the 20 columns that it passed
    assert error[16:-16, 100:112].mean() < 0.05


@pytest.mark.parametrize("other", ["scene", "level"])
def test_a_cut_starts_anew(other: str) -> None:
    first, second = scene(1), scene(2) if other == "scene" else scene(1) * 0.3
    memories = run([first] * 5 + [second] * 2, [0.9] * 5 + [0.2] * 2)
    assert levels_of(memories)[5:] == pytest.approx([0.2, 0.2])
    assert memories[5].frames == 1


def test_noise_alone_is_no_cut() -> None:
    rng = np.random.default_rng(3)
    noisy = [(scene() + rng.normal(0, 0.03, (3, 128, 192))).astype(np.float32) for _ in range(4)]
    assert run(noisy, [0.5] * 4)[-1].frames == 4


def test_what_comes_into_the_frame_has_no_past() -> None:
    motion = find_motion(luma_of(scene(shift=0)), luma_of(scene(shift=30)))
    assert motion.trust[:, :20].mean() < 0.2
