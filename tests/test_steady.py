"""Steadying: what stands still is averaged, what moves is followed, a cut starts anew."""

from fractions import Fraction

import numpy as np
import pytest

from nightfx.apply.field import identity_field
from nightfx.light.see import Seen, luma_of
from nightfx.light.steady import Memory, Motion, Part, Steadying, find_motion, steady, steady_parts
from nightfx.picture.frame import Coding, Frame


def scene(seed: int = 0, shift: int = 0, height: int = 128, width: int = 192) -> np.ndarray:
    """A blurred random picture (3, h, w), moved to the right by `shift` px."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0.1, 0.9, (height // 8, width // 8 + 16))
    fine = np.kron(coarse, np.ones((8, 8)))
    for axis in (0, 1):
        fine = np.apply_along_axis(lambda v: np.convolve(v, np.ones(9) / 9, "same"), axis, fine)
    window = fine[:, 64 - shift : 64 - shift + width]
    return np.repeat(window[None], 3, axis=0).astype(np.float32)


def flat(level: float, like: np.ndarray) -> np.ndarray:
    return identity_field(*like.shape[1:]) * np.float32(level)


def seen(picture: np.ndarray, index: int, rate: int = 24) -> Seen:
    luma = np.zeros(picture.shape[1:], np.uint8)
    coding = Coding("gray", 8, 0, 0, "gray", True, False)
    return Seen(Frame((luma,), coding, index, Fraction(1, rate)), picture, picture)


def run(
    pictures: list[np.ndarray],
    fields: list[np.ndarray],
    amount: float = 0.8,
    *,
    every: int = 1,
    rate: int = 24,
) -> list[np.ndarray]:
    shot = [seen(picture, index, rate) for index, picture in enumerate(pictures)]
    by_frame = {id(s): f for s, f in zip(shot, fields, strict=True)}
    return [f for _, f in steady(shot, lambda s: by_frame[id(s)], Steadying(amount, every))]


def run_levels(
    pictures: list[np.ndarray], levels: list[float], amount: float = 0.8, **how: int
) -> np.ndarray:
    fields = [flat(level, picture) for picture, level in zip(pictures, levels, strict=True)]
    return np.array([float(f[0].mean()) for f in run(pictures, fields, amount, **how)])


@pytest.mark.parametrize("height", [8, 24, 31])
def test_motion_is_found_in_strips(height: int) -> None:
    before, now = (luma_of(scene(shift=x, width=96)[:, 40 : 40 + height]) for x in (0, 3))
    motion = find_motion(np.ascontiguousarray(before), np.ascontiguousarray(now))
    inside = motion.flow[:, 16:80]
    assert np.median(np.abs(inside - (-3, 0))) < 0.5
    upright = find_motion(*(np.ascontiguousarray(x.T) for x in (before, now)))
    assert np.median(np.abs(upright.flow[16:80] - (0, -3))) < 0.5


def test_flicker_of_a_still_picture_is_averaged_away() -> None:
    levels = [0.5 + 0.1 * (-1) ** i for i in range(24)]
    steadied = run_levels([scene()] * 24, levels)
    assert np.ptp(steadied[8:]) < 0.2 * np.ptp(levels)
    assert steadied[8:].mean() == pytest.approx(0.5, abs=0.01)


def test_the_first_frames_are_a_plain_mean() -> None:
    assert run_levels([scene()] * 2, [0.4, 0.6])[1] == pytest.approx(0.5, abs=0.005)


def test_none_is_none() -> None:
    levels = [0.3, 0.7, 0.5]
    np.testing.assert_allclose(run_levels([scene()] * 3, levels, 0.0), levels, rtol=1e-6)


def test_the_amount_is_meant_at_24_frames_a_second() -> None:
    # a step from 0 to 1, a second later: as far at 48 frames a second as at 24
    slow = run_levels([scene()] * 40, [0.0] * 28 + [1.0] * 12, rate=24)
    fast = run_levels([scene()] * 80, [0.0] * 56 + [1.0] * 24, rate=48)
    assert fast[-1] == pytest.approx(slow[-1], abs=0.02)
    assert slow[28] == pytest.approx(0.2, abs=0.02)


def test_motion_is_found_where_the_picture_moved() -> None:
    motion = find_motion(luma_of(scene(shift=0)), luma_of(scene(shift=6)))
    inside = motion.flow[20:-20, 20:-20]
    assert inside[..., 0].mean() == pytest.approx(-6, abs=0.5)
    assert abs(inside[..., 1].mean()) < 0.3
    assert motion.trust[20:-20, 20:-20].mean() > 0.8
    assert not motion.is_cut


def lit_side(index: int) -> np.ndarray:
    """A field whose right side is brighter; its edge moves 4 px a frame, as the scene does."""
    field = flat(0.5, scene())
    field[0] += np.float32(0.4) * (np.arange(192) >= 96 + 4 * index)
    return field


@pytest.mark.parametrize("every", [1, 4])
def test_light_travels_with_what_it_lies_on(every: int) -> None:
    pictures = [scene(shift=4 * i) for i in range(8)]
    fields = [lit_side(i) for i in range(8)]
    error = np.abs(run(pictures, fields, 0.9, every=every)[-1] - fields[-1])[0]
    assert error.mean() < 0.01
    # without motion the edge would be smeared over the 28 columns that it passed
    assert error[16:-16, 108:120].mean() < 0.05


def test_fields_are_asked_for_every_so_often_and_after_a_cut() -> None:
    asked = []
    shot = [seen(scene(1 if i < 6 else 2), i) for i in range(10)]

    def field_of(now: Seen) -> np.ndarray:
        asked.append(now.frame.pts)
        return flat(0.5, now.cells)

    assert len(list(steady(shot, field_of, Steadying(0.8, 4)))) == 10
    assert asked == [0, 4, 6, 8]


def test_each_part_is_asked_for_as_often_as_it_says_and_follows_the_same_motion() -> None:
    shot = [seen(scene(1 if i < 5 else 2, shift=4 * i), i) for i in range(8)]
    asked: dict[int, list[int]] = {1: [], 2: []}

    def part(every: int) -> Part:
        def of(now: Seen) -> np.ndarray:
            asked[every].append(now.frame.pts)
            return lit_side(now.frame.pts)[:every]

        return Part(of, Steadying(0.9, every))

    both = [fields for _, fields in steady_parts(shot, [part(1), part(2)])]
    assert asked == {1: list(range(8)), 2: [0, 2, 4, 5, 6]}
    for every, place in ((1, 0), (2, 1)):
        alone = [field for _, field in steady(shot, part(every).of, part(every).how)]
        np.testing.assert_array_equal([fields[place] for fields in both], alone)


def test_a_part_is_asked_for_where_it_is_lost() -> None:
    asked: list[int] = []

    def of(now: Seen) -> np.ndarray:
        asked.append(now.frame.pts)
        return lit_side(now.frame.pts)

    def is_lost(past: Memory, motion: Motion) -> bool:
        return len(asked) == 2

    shot = [seen(scene(1, shift=4 * i), i) for i in range(10)]
    list(steady_parts(shot, [Part(of, Steadying(0.9, 4), is_lost)]))
    assert asked == [0, 4, 5, 8]


@pytest.mark.parametrize("every", [1, 2, 4])
@pytest.mark.parametrize("other", ["scene", "level"])
def test_a_cut_starts_anew(other: str, every: int) -> None:
    first, second = scene(1), scene(2) if other == "scene" else scene(1) * 0.3
    levels = run_levels([first] * 5 + [second] * 2, [0.9] * 5 + [0.2] * 2, every=every)
    assert levels[5:] == pytest.approx([0.2, 0.2])


def test_noise_alone_is_no_cut() -> None:
    rng = np.random.default_rng(3)
    noisy = [(scene() + rng.normal(0, 0.03, (3, 128, 192))).astype(np.float32) for _ in range(4)]
    assert run_levels(noisy, [0.5, 0.5, 0.5, 1.0])[-1] < 0.9


def test_what_comes_into_the_frame_has_no_past() -> None:
    motion = find_motion(luma_of(scene(shift=0)), luma_of(scene(shift=30)))
    assert motion.trust[:, :20].mean() < 0.2
