"""The relight field on a plate: 3×4 numbers per cell of a small grid, read between the cells, applied to the planes.

Affine in RGB is affine in YUV, so the planes are changed as they were decoded: luma at its own size, chroma where its
samples stand, from the plate's chroma and from luma averaged there. An identity field returns the plate, code for code.
"""

from __future__ import annotations

import cv2
import numpy as np

from nightfx.apply.planes import (
    alpha_for,
    as_coded_planes,
    planes_of_one_type,
    same_samples,
    seed_of,
)
from nightfx.picture import (
    Coding,
    Float32,
    Float64,
    Frame,
    Plane,
    Planes,
    average_rows,
    from_rgb,
    kernel,
    matrix_of,
    noise_at,
    prange,
    to_rgb,
    widened,
)

BLOCKS = 32  # parts of a frame that threads share

Field = Float32
"""(12, h, w): for R, G and B each, the shares of plate R, G, B and a constant; cells are centred like pixels."""


def identity_field(height: int, width: int) -> Field:
    """The field that changes nothing."""
    field = np.zeros((3, 4, height, width), np.float32)
    field[range(3), range(3)] = 1
    return field.reshape(12, height, width)


def apply_field(frame: Frame, field: Field, coding: Coding, *, dither: bool = True) -> Frame:
    """The frame under the light of `field` (12, h, w), in `coding`; alpha, time and tags stay.

    The field is read bilinearly between its cells. No luma falls below black, but where the plate's is below it already. Where `coding` is sampled as the frame, the planes are changed
    directly, whatever their depth and matrix; 8-bit codes are dithered by a hash of pts and pixel, unless `dither` is off.
    """
    if not same_samples(frame.coding, coding):
        return _convert(frame, field, coding, seed_of(frame.pts) if dither else None)
    plates, out = planes_of_one_type(frame, coding)
    codes = field_in_codes(field, frame.coding, coding)
    places = coding.sub_x, coding.sub_y
    dither = dither and coding.depth == 8
    black = matrix_of(coding)[1][0], 2.0 ** (coding.depth - frame.coding.depth)
    _apply(plates, out, codes, *places, black, coding.peak, seed_of(frame.pts), dither)
    return frame.with_planes(as_coded_planes(out, coding, alpha_for(coding, frame)), coding)


def field_in_codes(field: Field, plate: Coding, coding: Coding) -> Field:
    """The same field from code values of `plate` to those of `coding`: M A M⁻¹, computed in float64."""
    matrix, zero = matrix_of(coding)
    plate_matrix, plate_zero = matrix_of(plate)
    homogeneous = np.eye(4)
    homogeneous[:3, :3], homogeneous[:3, 3] = plate_matrix, plate_zero
    # rows and columns of a cell's 3×4 each become a sum over its 12 numbers: one product for all cells
    transform = np.kron(matrix, np.linalg.inv(homogeneous).T)
    codes = _mixed(transform, field)
    codes.reshape(3, 4, -1)[:, 3] += zero.astype(np.float32)[:, None]
    return codes


def _mixed(matrix: Float64, field: Float32) -> Float32:
    """`matrix` (m, n) times the n numbers of each cell of `field` (n, h, w): (m, h, w).

    The threads of a matrix library would wait for cores that decoder and encoder have: ten times as long, in a render.
    """
    made = np.empty((len(matrix), *field.shape[1:]), np.float32)
    _mix_cells(matrix.astype(np.float32), np.ascontiguousarray(field), made)
    return made


@kernel(parallel=True)
def _mix_cells(matrix: Float32, field: Float32, made: Float32) -> None:
    for y in prange(field.shape[1]):
        for i in range(matrix.shape[0]):
            row = made[i, y]
            row[:] = 0
            for j in range(matrix.shape[1]):
                share, source = matrix[i, j], field[j, y]
                if share != 0:
                    for x in range(row.shape[0]):
                        row[x] += share * source[x]


def full_size(field: Field, height: int, width: int) -> Float32:
    """The field's 12 numbers at every pixel, (12, height, width), as `apply_field` reads them."""
    return np.stack([cv2.resize(c, (width, height), interpolation=cv2.INTER_LINEAR) for c in field])


def relight(rgb: Float32, field: Field) -> Float32:
    """`field` applied to a picture (3, H, W) in RGB: what a compositor computes from the pass."""
    return relight_sites(rgb, field, *rgb.shape[1:])


def relight_sites(
    rgb: Float32, field: Field, height: int, width: int, sub_x: int = 0, sub_y: int = 0
) -> Float32:
    """`field` applied where the chroma samples of a frame of `height` × `width` px stand: `rgb` is (3, h, w) there."""
    lit = np.empty(rgb.shape, np.float32)
    _relight(np.ascontiguousarray(rgb), field, height, width, sub_x, sub_y, lit)
    return lit


def _convert(frame: Frame, field: Field, coding: Coding, seed: int | None) -> Frame:
    alpha = alpha_for(coding, frame)
    lit = relight(to_rgb(frame), field)
    return frame.with_planes(from_rgb(lit, coding, alpha, seed=seed), coding)


@kernel(parallel=True)
def _relight(
    rgb: Float32, field: Field, height: int, width: int, sub_x: int, sub_y: int, lit: Float32
) -> None:
    _, rows, columns = rgb.shape
    at, part = places_of(columns, width, field.shape[2], sub_x)
    for block in prange(BLOCKS):
        cells, have = np.empty((2, 12, columns), np.float32), np.full(2, -1)
        shares = np.empty((12, columns), np.float32)
        for row in range(rows * block // BLOCKS, rows * (block + 1) // BLOCKS):
            centre = ((row << sub_y) + min((row + 1) << sub_y, height)) / 2
            read_cells(field, centre, height, at, part, cells, have, shares)
            for c in range(3):
                red, green, blue, constant = shares[4 * c : 4 * c + 4]
                out = lit[c, row]
                for x in range(columns):
                    value = red[x] * rgb[0, row, x] + green[x] * rgb[1, row, x]
                    out[x] = value + blue[x] * rgb[2, row, x] + constant[x]


@kernel(parallel=True)
def _apply(
    planes: Planes,
    out: Planes,
    field: Float32,
    sub_x: int,
    sub_y: int,
    black: tuple[float, float],
    peak: int,
    seed: int,
    dither: bool,
) -> None:
    """`black` is the code of luma's black, and what a code of the plate is in the codes written."""
    first, second, third = planes
    out_first, out_second, out_third = out
    height, width = first.shape
    rows, columns = second.shape
    cells_x = field.shape[2]
    at, part = places_of(width, width, cells_x, 0)
    at_chroma, part_chroma = places_of(columns, width, cells_x, sub_x)
    none = (0.0, 1.0)
    for block in prange(BLOCKS):
        luma_cells, luma_have = np.empty((2, 4, width), np.float32), np.full(2, -1)
        chroma_cells, chroma_have = np.empty((2, 8, columns), np.float32), np.full(2, -1)
        shares = np.empty((8, max(width, columns)), np.float32)
        noise = np.full(width, np.float32(0.5))
        luma = np.empty(columns, np.float32)
        for row in range(rows * block // BLOCKS, rows * (block + 1) // BLOCKS):
            top, bottom = row << sub_y, min((row + 1) << sub_y, height)
            for y in range(top, bottom):
                far = min(max(row + 2 * (y & 1) - 1, 0), rows - 1)
                share = np.float32(0.25 * sub_y)
                full_b = widened(second[row], second[far], share, sub_x, width, np.float32(0))
                full_r = widened(third[row], third[far], share, sub_x, width, np.float32(0))
                read_cells(field[:4], y + 0.5, height, at, part, luma_cells, luma_have, shares)
                if dither:
                    noise_row(seed, y, noise)
                affine_row(first[y], full_b, full_r, shares, noise, black, peak, out_first[y])
            average_rows(first, top, bottom, sub_x, luma)
            read_cells(
                *(field[4:], (top + bottom) / 2, height, at_chroma, part_chroma),
                *(chroma_cells, chroma_have, shares),
            )
            if dither:
                noise_row(seed + 1, row, noise[:columns])
            affine_row(luma, second[row], third[row], shares, noise, none, peak, out_second[row])
            if dither:
                noise_row(seed + 2, row, noise[:columns])
            affine_row(luma, second[row], third[row], shares[4:], noise, none, peak, out_third[row])


@kernel()
def places_of(count: int, width: int, cells: int, sub_x: int) -> tuple[np.ndarray, Float32]:
    """For each sample the cell to its left and how far on it is; chroma stands on the even luma columns."""
    at, part = np.empty(count, np.int32), np.empty(count, np.float32)
    for x in range(count):
        place = min(max(((x << sub_x) + 0.5) * cells / width - 0.5, 0.0), cells - 1.0)
        at[x] = min(int(place), max(cells - 2, 0))
        part[x] = place - at[x]
    return at, part


@kernel()
def read_cells(
    field: Float32,
    y: float,
    height: int,
    at: np.ndarray,
    part: Float32,
    cells: Float32,
    have: np.ndarray,
    shares: Float32,
) -> None:
    """The field along one row of samples, `shares`; the two rows of cells around it stay in `cells` for the next."""
    rows = field.shape[1]
    place = min(max(y * rows / height - 0.5, 0.0), rows - 1.0)
    upper = min(int(place), max(rows - 2, 0))
    lower = min(upper + 1, rows - 1)
    along = np.float32(place - upper)
    for j in (upper, lower):
        if have[j & 1] != j:
            have[j & 1] = j
            _widen_cells(field[:, j], at, part, cells[j & 1])
    above, below = cells[upper & 1], cells[lower & 1]
    for c in range(field.shape[0]):
        for x in range(at.shape[0]):
            shares[c, x] = above[c, x] + (below[c, x] - above[c, x]) * along


@kernel()
def _widen_cells(row: Float32, at: np.ndarray, part: Float32, wide: Float32) -> None:
    last = row.shape[1] - 1
    for c in range(row.shape[0]):
        for x in range(at.shape[0]):
            left = row[c, at[x]]
            wide[c, x] = left + (row[c, min(at[x] + 1, last)] - left) * part[x]


@kernel()
def noise_row(seed: int, y: int, noise: Float32) -> None:
    """Write the dither along a row `y` of samples."""
    for x in range(noise.shape[0]):
        noise[x] = noise_at(seed, y, x, True)


@kernel()
def affine_row(
    a: Plane,
    b: Plane,
    c: Plane,
    shares: Float32,
    noise: Float32,
    black: tuple[float, float],
    peak: int,
    out: Plane,
) -> None:
    """Write a row of codes of one plane: its 4 `shares` of the codes `a`, `b` and `c`."""
    top, low, scale = np.float32(peak), np.float32(black[0]), np.float32(black[1])
    for x in range(out.shape[0]):
        value = shares[0, x] * a[x] + shares[1, x] * b[x] + shares[2, x] * c[x] + shares[3, x]
        out[x] = np.int32(min(max(value + noise[x], min(a[x] * scale, low)), top))


def graded(field: Field, grade: Float64 | None) -> Field:
    """`field` (12, h, w), and then the grade (3, 4)."""
    if grade is None:
        return field
    _, height, width = field.shape
    after = _mixed(grade[:, :3], field.reshape(3, 4 * height, width)).reshape(3, 4, -1)
    after[:, 3] += grade[:, 3:].astype(np.float32)
    return after.reshape(field.shape)


def blended(field: Field, strength: float) -> Field:
    """From no change at a strength of 0 to `field` at 1."""
    if strength == 1:
        return field
    none = identity_field(*field.shape[1:])
    part: Field = none + np.float32(strength) * (field - none)
    return part


def glowing(field: Field, glow: Float32) -> Field:
    """`field` (12, h, w), and then what `screened` does up to white; codes above it come nearer to it."""
    over, size = glow, (field.shape[2], field.shape[1])
    if glow.shape[1:] != field.shape[1:]:
        over = np.stack([cv2.resize(c, size, interpolation=cv2.INTER_AREA) for c in glow])
    _mixed = field.reshape(3, 4, *over.shape[1:]) * (1 - over)[:, None]
    _mixed[:, 3] += over
    made: Field = _mixed.reshape(field.shape)
    return made
