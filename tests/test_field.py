"""A field on a plate: identity is the plate, and the codes are those of float64 arithmetic in RGB."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_planes import CODINGS, flat_frame, names, noise_frame

from nightfx.apply.field import apply_field, field_in_codes, identity_field, relight
from nightfx.picture.color import to_rgb
from nightfx.picture.frame import Coding, Frame
from nightfx.picture.matrices import matrix_of

COLOURED = [coding for coding in CODINGS if coding.matrix != "gray"]


def night(height: int, width: int) -> np.ndarray:
    """A field that darkens, mixes channels and changes over the frame, smoothly."""
    y, x = np.mgrid[:height, :width] / np.array([height, width]).reshape(2, 1, 1)
    field = identity_field(height, width).reshape(3, 4, height, width)
    field *= 0.3 + 0.1 * np.sin(5 * x) + 0.1 * np.cos(4 * y)
    field[0, 1], field[1, 2], field[2, 3] = 0.04 * y, -0.03 * x, 0.05 * x * y
    return np.ascontiguousarray(field.reshape(12, height, width), np.float32)


def smooth_frame(coding: Coding, height: int = 90, width: int = 122) -> Frame:
    y, x = np.mgrid[:height, :width] / np.array([height, width]).reshape(2, 1, 1)
    colour = np.stack([0.2 + 0.6 * x, 0.8 - 0.5 * y, 0.3 + 0.3 * x * y])
    matrix, zero = matrix_of(coding)
    codes = np.einsum("ij,jyx->iyx", matrix, colour) + zero.reshape(3, 1, 1)
    steps = [(1, 1), *[(1 << coding.sub_y, 1 << coding.sub_x)] * 2]
    planes = [
        np.rint(p[::s, ::t]).astype(coding.dtype) for p, (s, t) in zip(codes, steps, strict=True)
    ]
    planes += [np.full((height, width), 7, coding.dtype)] * coding.has_alpha
    return Frame(tuple(planes), coding, 3, Fraction(1, 24))


@pytest.mark.parametrize("coding", CODINGS, ids=names)
def test_the_identity_is_the_plate(coding: Coding) -> None:
    frame = noise_frame(coding)
    for before, after in zip(
        frame.planes, apply_field(frame, identity_field(5, 9), coding).planes, strict=True
    ):
        assert np.abs(before.astype(int) - after).max() <= (1 if coding.matrix == "gray" else 0)


@pytest.mark.parametrize("coding", COLOURED, ids=lambda c: f"{c.pix_fmt}-{c.matrix}")
def test_codes_are_those_of_float64_in_rgb(coding: Coding) -> None:
    frame, field = smooth_frame(coding), night(24, 32)
    wanted = reference(frame, field)
    rounded, dithered = (apply_field(frame, field, coding, dither=d) for d in (False, True))
    for plane, spread, exact in zip(rounded.planes[:3], dithered.planes[:3], wanted, strict=True):
        assert np.abs(plane - exact).max() <= 0.51
        assert np.abs(plane - exact).mean() <= 0.3
        assert np.abs(spread - exact).max() <= 1.01
        assert abs(float((spread - exact).mean())) < 0.03


def reference(frame: Frame, field: np.ndarray) -> list[np.ndarray]:
    """RGB at each sample's own place, the field read there, and back to codes; all in float64, not rounded."""
    coding = frame.coding
    matrix, zero = matrix_of(coding)
    height, width = frame.planes[0].shape
    shift = 0.5 * ((1 << coding.sub_y) - 1)
    rows, columns = np.arange(height), np.arange(width)
    luma_places = rows.astype(float), columns.astype(float)
    chroma_places = (
        np.arange(frame.planes[1].shape[0]) * float(1 << coding.sub_y) + shift,
        np.arange(frame.planes[1].shape[1]) * float(1 << coding.sub_x),
    )
    planes = [plane.astype(float) for plane in frame.planes[:3]]
    at_luma = [planes[0], *(resample(p, chroma_places, luma_places) for p in planes[1:])]
    averaged = triangle(planes[0], coding)
    at_chroma = [averaged, *planes[1:]]
    wanted = []
    for index in range(3):
        subsampled = index > 0 and coding.matrix != "rgb"
        places, codes = (chroma_places, at_chroma) if subsampled else (luma_places, at_luma)
        rgb = np.einsum(
            "ij,jyx->iyx", np.linalg.inv(matrix), np.stack(codes) - zero.reshape(3, 1, 1)
        )
        shares = field_at(field, places, (height, width)).reshape(3, 4, *rgb.shape[1:])
        lit = (shares[:, :3] * rgb).sum(1) + shares[:, 3]
        wanted.append(np.einsum("j,jyx->yx", matrix[index], lit) + zero[index])
    return wanted


def resample(plane: np.ndarray, old: Any, new: Any) -> np.ndarray:
    down = np.stack([np.interp(new[1], old[1], row) for row in plane])
    return np.stack([np.interp(new[0], old[0], column) for column in down.T]).T


def field_at(field: np.ndarray, places: Any, size: tuple[int, int]) -> np.ndarray:
    cells = [
        (np.arange(n) + 0.5) * side / n - 0.5 for n, side in zip(field.shape[1:], size, strict=True)
    ]
    return np.stack([resample(plane.astype(float), cells, places) for plane in field])


def triangle(luma: np.ndarray, coding: Coding) -> np.ndarray:
    rows, step = 1 << coding.sub_y, 1 << coding.sub_x
    mean = np.stack([luma[i : i + rows].mean(0) for i in range(0, luma.shape[0], rows)])
    padded = np.pad(mean, ((0, 0), (step, step)), mode="edge")
    taps = np.array([step - abs(k) for k in range(1 - step, step)]) / step**2
    return np.stack([np.convolve(row, taps, "same") for row in padded])[:, step:-step][:, ::step]


def test_a_field_in_codes_does_to_codes_what_it_does_to_colours() -> None:
    coding, field = CODINGS[2], night(1, 1)
    matrix, zero = matrix_of(coding)
    rgb = np.array([0.3, 0.5, 0.7])
    shares, in_codes = (
        x.reshape(3, 4).astype(float) for x in (field, field_in_codes(field, coding, coding))
    )
    wanted = matrix @ (shares[:, :3] @ rgb + shares[:, 3]) + zero
    codes = in_codes[:, :3] @ (matrix @ rgb + zero) + in_codes[:, 3]
    np.testing.assert_allclose(codes, wanted, atol=2e-3)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12), st.integers(1, 12))
def test_any_size_takes_any_field(height: int, width: int, rows: int, columns: int) -> None:
    coding = CODINGS[0]
    frame = flat_frame(coding, (120, 100, 140), height, width)
    after = apply_field(frame, identity_field(rows, columns), coding)
    assert all(np.array_equal(a, b) for a, b in zip(frame.planes, after.planes, strict=True))


def test_alpha_and_time_stay() -> None:
    frame = smooth_frame(CODINGS[4])
    after = apply_field(frame, night(4, 4), frame.coding)
    assert np.array_equal(after.planes[3], frame.planes[3])
    assert (after.pts, after.time_base) == (frame.pts, frame.time_base)


def test_dither_is_the_same_each_time_and_right_on_average() -> None:
    frame = flat_frame(CODINGS[3], (16 + 100, 128, 128), 64, 64)
    field = identity_field(2, 2) * np.float32(0.2025)
    first, second = (apply_field(frame, field, frame.coding).planes[0] for _ in range(2))
    assert np.array_equal(first, second)
    assert set(np.unique(first)) == {36, 37}
    assert abs(float((first == 37).mean()) - 0.25) < 0.05


def test_another_coding_converts() -> None:
    frame = flat_frame(CODINGS[6], (200, 100, 50))
    after = apply_field(frame, identity_field(3, 3), CODINGS[3])
    assert after.coding == CODINGS[3]
    np.testing.assert_allclose(to_rgb(after)[:, 4, 4] * 255, [200, 100, 50], atol=1.5)


def test_a_compositor_gets_the_render_from_plate_and_field() -> None:
    frame, field = smooth_frame(replace(CODINGS[7])), night(24, 32)
    lit = apply_field(frame, field, frame.coding)
    np.testing.assert_allclose(relight(to_rgb(frame), field) * 65535, to_rgb(lit) * 65535, atol=1.5)
