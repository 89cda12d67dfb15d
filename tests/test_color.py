"""Colour conversion: known answers, exact round trips, a float64 reference."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightfx.picture.chroma import average_at_sites
from nightfx.picture.color import convert_alpha, from_rgb, to_rgb
from nightfx.picture.frame import Coding, Float64, Frame, Matrix, Plane, Planes
from nightfx.picture.matrices import matrix_of

MATRICES: list[Matrix] = ["bt709", "bt601", "bt2020", "smpte240m", "fcc"]
SUBSAMPLINGS = {"420": (1, 1), "422": (1, 0), "444": (0, 0), "411": (2, 0), "440": (0, 1)}


def coding(
    matrix: Matrix = "bt709",
    *,
    depth: int = 8,
    sub: str = "444",
    full: bool = False,
    alpha: bool = False,
) -> Coding:
    sub_x, sub_y = SUBSAMPLINGS[sub] if matrix not in ("rgb", "gray") else (0, 0)
    return Coding(f"yuv{sub}p", depth, sub_x, sub_y, matrix, full, alpha)


def frame(planes: Planes, made: Coding) -> Frame:
    typed = tuple(np.ascontiguousarray(plane, made.dtype) for plane in planes)
    return Frame(typed, made, 0, Fraction(1, 25))


def flat(codes: tuple[int, ...], made: Coding, size: tuple[int, int] = (6, 9)) -> Frame:
    planes = [np.full(made.plane_size(i, *size), code) for i, code in enumerate(codes)]
    return frame(tuple(planes), made)


def reference_rgb(source: Frame) -> Float64:
    """The definition, in float64 and plain numpy."""
    made, (height, width) = source.coding, source.planes[0].shape
    matrix, offset = matrix_of(made)
    code = np.empty((3, height, width))
    code[0] = source.planes[0]
    x, y = np.arange(width) / (1 << made.sub_x), np.arange(height, dtype=float)
    y = (y - 0.5) / 2 if made.sub_y else y
    for c in (1, 2):
        plane = source.planes[c].astype(np.float64)
        rows = np.array([np.interp(y, np.arange(plane.shape[0]), column) for column in plane.T]).T
        code[c] = [np.interp(x, np.arange(plane.shape[1]), row) for row in rows]
    rgb: Float64 = np.einsum("ij,jhw->ihw", np.linalg.inv(matrix), code - offset[:, None, None])
    return rgb


@pytest.mark.parametrize(
    ("codes", "rgb"),
    [
        ((16, 128, 128), (0, 0, 0)),
        ((235, 128, 128), (1, 1, 1)),
        ((63, 102, 240), (1, 0, 0)),
        ((173, 42, 26), (0, 1, 0)),
        ((32, 240, 118), (0, 0, 1)),
    ],
)
def test_bt709_black_white_and_primaries_known_by_hand(
    codes: tuple[int, int, int], rgb: tuple[int, int, int]
) -> None:
    got = to_rgb(flat(codes, coding()))[:, 0, 0]
    assert np.abs(got - rgb).max() < 0.6 * 1.86 / 219  # the codes themselves are rounded
    picture = np.tile(np.array(rgb, np.float32)[:, None, None], (1, 2, 2))
    assert tuple(int(plane[0, 0]) for plane in from_rgb(picture, coding())) == codes


def test_super_white_and_sub_black_survive() -> None:
    made = coding(depth=10)
    white, black = (to_rgb(flat((y, 512, 512), made))[:, 0, 0] for y in (1019, 4))
    np.testing.assert_allclose(white, (1019 - 64) / 876, atol=1e-6)
    np.testing.assert_allclose(black, (4 - 64) / 876, atol=1e-6)


def test_sixteen_bit_white_is_exactly_one() -> None:
    rgb = to_rgb(flat((235 << 8, 1 << 15, 1 << 15), coding(depth=16)))
    np.testing.assert_allclose(rgb, 1.0, atol=1e-6)


@pytest.mark.parametrize("sub", SUBSAMPLINGS)
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", MATRICES)
def test_every_8_bit_luma_code_with_a_chroma_grid_comes_back(
    matrix: Matrix, full: bool, sub: str
) -> None:
    assert_round_trip(coding(matrix, sub=sub, full=full), chroma_step=15)


@pytest.mark.parametrize("depth", [9, 10, 12, 16])
@pytest.mark.parametrize("full", [False, True])
def test_every_deep_luma_code_comes_back(depth: int, full: bool) -> None:
    assert_round_trip(coding("bt709", depth=depth, full=full), chroma_step=(1 << depth) // 7)


def assert_round_trip(made: Coding, chroma_step: int) -> None:
    """All luma codes side by side, in bands of six rows that are flat in chroma.

    Of each band the middle is compared, which no filter mixes with its neighbours.
    """
    codes = np.arange(0, made.peak + 1, max(1, made.peak // 1023))
    grid = range(0, made.peak + 1, chroma_step)
    pairs = [(b, r) for b in grid for r in (0, b, made.peak // 2 + 1, made.peak)]
    planes = [np.tile(codes, (6 * len(pairs), 1))]
    for values in zip(*pairs, strict=True):
        height, width = made.plane_size(1, *planes[0].shape)
        planes.append(np.tile(np.repeat(values, height // len(pairs))[:, None], (1, width)))
    source = frame(tuple(planes), made)
    back = from_rgb(to_rgb(source), made)
    off = [np.abs(a.astype(int) - b) for a, b in zip(back, source.planes, strict=True)]
    kept = [np.stack([o[i :: len(o) // len(pairs)] for i in middle(o, pairs)]) for o in off]
    assert max(o.max() for o in kept) <= 1
    assert np.mean([o.mean() for o in kept]) < 0.3


def middle(plane: Plane, pairs: list[tuple[int, int]]) -> tuple[int, ...]:
    return (2, 3) if len(plane) == 6 * len(pairs) else (1,)


@pytest.mark.parametrize("sub", SUBSAMPLINGS)
@pytest.mark.parametrize("size", [(8, 12), (7, 11), (1, 1), (2, 3), (5, 6)])
@pytest.mark.parametrize("depth", [8, 10, 16])
def test_conversion_equals_the_float64_reference(
    sub: str, size: tuple[int, int], depth: int
) -> None:
    made = coding(sub=sub, depth=depth)
    rng = np.random.default_rng(1)
    planes = tuple(rng.integers(0, made.peak + 1, made.plane_size(i, *size)) for i in range(3))
    source = frame(planes, made)
    assert np.abs(to_rgb(source) - reference_rgb(source)).max() <= 1e-5


@pytest.mark.parametrize("sub", ["420", "422", "411"])
def test_a_horizontal_chroma_ramp_is_left_sited(sub: str) -> None:
    made = coding(sub=sub, full=True)
    step = 1 << made.sub_x
    columns = 16 // step
    ramp = np.tile(np.arange(columns) * 2 * step + 100, (made.plane_size(1, 4, 16)[0], 1))
    source = frame((np.full((4, 16), 128), ramp, np.full_like(ramp, 128)), made)
    blue_less_luma = (to_rgb(source)[2] - 128 / 255) / (2 * (1 - 0.0722)) * 255 + 128
    inside = 16 - step  # after the last sample there is nothing to go up to
    np.testing.assert_allclose(
        blue_less_luma[:, :inside], 100 + 2.0 * np.arange(inside) * np.ones((4, 1)), atol=2e-4
    )
    back = from_rgb(to_rgb(source), made)
    np.testing.assert_array_equal(back[1][:, 1:-1], source.planes[1][:, 1:-1])


def test_a_vertical_chroma_ramp_lies_between_the_rows() -> None:
    made = coding(sub="420", full=True)
    ramp = np.tile((np.arange(4) * 8 + 100)[:, None], (1, 3))
    source = frame((np.full((8, 6), 128), ramp, np.full_like(ramp, 128)), made)
    blue = (to_rgb(source)[2, :, 0] - 128 / 255) / (2 * (1 - 0.0722)) * 255 + 128
    np.testing.assert_allclose(blue, [100, 102, 106, 110, 114, 118, 122, 124], atol=2e-4)


def test_rgb_and_gray_planes_pass_unchanged() -> None:
    codes = np.arange(1 << 10).reshape(32, 32)
    rgb = coding("rgb", depth=10, full=True)
    source = frame((codes, codes[::-1], codes.T), rgb)
    for a, b in zip(from_rgb(to_rgb(source), rgb), source.planes, strict=True):
        np.testing.assert_array_equal(a, b)
    gray = coding("gray", depth=10)
    np.testing.assert_array_equal(from_rgb(to_rgb(frame((codes,), gray)), gray)[0], codes)


def test_alpha_is_kept_and_scaled_and_opaque_when_missing() -> None:
    made = coding(alpha=True)
    alpha = np.array([[0, 128, 255]], np.uint8)
    picture = np.zeros((3, 1, 3), np.float32)
    np.testing.assert_array_equal(from_rgb(picture, made, alpha)[3], alpha)
    np.testing.assert_array_equal(from_rgb(picture, made)[3], [[255] * 3])
    np.testing.assert_array_equal(convert_alpha(alpha, 8, 10), [[0, 514, 1023]])


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.sampled_from(sorted(SUBSAMPLINGS)),
    st.floats(-0.5, 1.5, width=32),
)
def test_a_flat_colour_fills_any_size(size: tuple[int, int], sub: str, value: float) -> None:
    made = coding(sub=sub)
    planes = from_rgb(np.full((3, *size), value, np.float32), made)
    assert [plane.shape for plane in planes] == [made.plane_size(i, *size) for i in range(3)]
    expected = min(max(int(np.floor(16 + 219 * np.float64(value) + 0.5)), 0), 255)
    assert abs(int(planes[0][0, 0]) - expected) <= 1
    assert all(np.ptp(plane) == 0 for plane in planes)


@pytest.mark.parametrize(
    ("sub_x", "weights"), [(0, [1]), (1, [1, 2, 1]), (2, [1, 2, 3, 4, 3, 2, 1])]
)
def test_chroma_samples_average_a_triangle_of_columns_and_the_rows_they_serve(
    sub_x: int, weights: list[int]
) -> None:
    centre, reach = 2 << sub_x, len(weights) // 2
    shares = np.zeros((4, 5 << sub_x), np.float32)
    for column in range(centre - reach, centre + reach + 1):
        plane = np.zeros_like(shares)
        plane[2, column] = 1
        shares[2, column] = average_at_sites(plane, sub_x, 1)[1, 2]
    expected = np.array(weights) / sum(weights) / 2
    np.testing.assert_array_equal(shares[2, centre - reach : centre + reach + 1], expected)
    flat = average_at_sites(np.full((5, 7), 3.0, np.float32), sub_x, 1)
    np.testing.assert_array_equal(flat, 3)
