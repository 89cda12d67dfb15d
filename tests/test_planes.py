"""Light applied to planes: no light is no change, and known light gives known codes."""

from fractions import Fraction

import numpy as np
import pytest

from nightfx.apply.planes import apply_light
from nightfx.picture.color import to_rgb
from nightfx.picture.frame import Coding, Frame
from nightfx.picture.matrices import matrix_of

CODINGS = [
    Coding("yuv420p", 8, 1, 1, "bt709", False, False),
    Coding("yuv420p", 8, 1, 1, "bt601", True, False),
    Coding("yuv422p10le", 10, 1, 0, "bt709", False, False),
    Coding("yuv444p", 8, 0, 0, "bt709", False, False),
    Coding("yuva444p12le", 12, 0, 0, "bt2020", False, True),
    Coding("yuv411p", 8, 2, 0, "bt601", False, False),
    Coding("gbrp", 8, 0, 0, "rgb", True, False),
    Coding("gbrp16le", 16, 0, 0, "rgb", True, False),
    Coding("gray", 8, 0, 0, "gray", True, False),
]
names = [f"{c.pix_fmt}-{c.matrix}" for c in CODINGS]


def noise_frame(coding: Coding, height: int = 45, width: int = 61) -> Frame:
    rng = np.random.default_rng(1)
    sizes = [coding.plane_size(i, height, width) for i in range(coding.plane_count)]
    planes = tuple(rng.integers(0, coding.peak + 1, size).astype(coding.dtype) for size in sizes)
    return Frame(planes, coding, 3, Fraction(1, 24))


def flat_frame(coding: Coding, codes: tuple[int, ...], height: int = 8, width: int = 8) -> Frame:
    sizes = [coding.plane_size(i, height, width) for i in range(coding.plane_count)]
    planes = tuple(
        np.full(size, code, coding.dtype) for size, code in zip(sizes, codes, strict=True)
    )
    return Frame(planes, coding, 0, Fraction(1, 24))


def relit(frame: Frame, gain: float, offset: float = 0.0) -> Frame:
    rgb = to_rgb(frame)
    return apply_light(frame, rgb, np.full_like(rgb, gain), np.full_like(rgb, offset), frame.coding)


@pytest.mark.parametrize("coding", CODINGS, ids=names)
def test_no_change_of_light_returns_the_plate(coding: Coding) -> None:
    frame = noise_frame(coding)
    for before, after in zip(frame.planes, relit(frame, 1.0).planes, strict=True):
        difference = np.abs(before.astype(int) - after)
        assert difference.max() <= 1
        assert difference.mean() < 1e-3


@pytest.mark.parametrize("coding", CODINGS, ids=names)
def test_a_known_light_gives_the_codes_of_the_float_arithmetic(coding: Coding) -> None:
    matrix, zero = matrix_of(coding)
    rgb = np.array([0.7, 0.5, 0.3]) if coding.matrix != "gray" else np.full(3, 0.5)
    colour = np.rint(matrix @ rgb + zero)[: coding.plane_count - coding.has_alpha].astype(int)
    frame = flat_frame(coding, (*colour, *[coding.peak // 2] * coding.has_alpha), 32, 32)
    wanted = matrix @ (0.4 * to_rgb(frame)[:, 0, 0].astype(np.float64) + 0.05) + zero
    after = relit(frame, 0.4, 0.05)
    for index, plane in enumerate(after.planes[: len(colour)]):
        # dither makes 8-bit codes right on average, others are rounded
        dithered = coding.depth == 8 and coding.matrix != "gray"
        assert abs(plane.mean() - wanted[index]) < (0.15 if dithered else 0.51)


def test_alpha_and_time_stay() -> None:
    frame = noise_frame(CODINGS[4])
    after = relit(frame, 0.3)
    assert np.array_equal(after.planes[3], frame.planes[3])
    assert (after.pts, after.time_base) == (frame.pts, frame.time_base)


def test_values_above_white_are_darkened_before_they_are_clipped() -> None:
    coding = CODINGS[2]
    frame = flat_frame(coding, (1000, 512, 512))  # 1000 of 64..940: 1.068 of white
    assert int(relit(frame, 0.5).planes[0][0, 0]) == round((1000 - 64) * 0.5 + 64)


def test_dither_spreads_a_dark_ramp_and_is_the_same_each_time() -> None:
    frame = flat_frame(CODINGS[3], (16 + 100, 128, 128), 64, 64)
    first, second = (relit(frame, 0.2025).planes[0] for _ in range(2))
    assert set(np.unique(first)) == {36, 37}  # 20.25 codes above black
    assert abs(float((first == 37).mean()) - 0.25) < 0.05
    assert np.array_equal(first, second)


def test_another_coding_converts() -> None:
    frame = flat_frame(CODINGS[6], (200, 100, 50))
    rgb = to_rgb(frame)
    after = apply_light(frame, rgb, np.ones_like(rgb), np.zeros_like(rgb), CODINGS[3])
    assert after.coding == CODINGS[3]
    np.testing.assert_allclose(to_rgb(after)[:, 4, 4] * 255, [200, 100, 50], atol=1.5)
