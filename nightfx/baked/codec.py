"""Planes of whole numbers as few bytes: each row told from what lies around it, or in the frame before, then Rice codes.

A row is a byte and its codes. Of the byte the low five bits are k, 31 where the row is told wholly; the next two say by what:
0 its neighbours, 1 the row of the frame before, 2 that and its neighbours' change since. Codes are most significant bit first:
of a number u its high part u >> k as so many ones and a zero, then k bits; from 24 ones on, 32 bits of u instead.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nightfx.picture import kernel

Whole = NDArray[np.int32]
Bytes = NDArray[np.uint8]

MOST = 1 << 20
"""No number of a plane is so large, nor its negative."""
_TOLD, _MOST_K, _ONES = 31, 20, 24


def packed_planes(planes: Whole, before: Whole | None) -> bytes:
    """Return planes (n, h, w) of numbers below `MOST` as bytes; `before` are those of the frame before."""
    count, height, width = planes.shape
    # the longest code is 24 ones, a zero bit no more, and 32 bits
    out = np.zeros(count * height * (1 + width * 7) + 8, np.uint8)
    last = planes if before is None else before
    size = _pack(np.ascontiguousarray(planes), last, before is not None, out)
    return out[:size].tobytes()


def unpacked_planes(data: Bytes, shape: tuple[int, int, int], before: Whole | None) -> Whole | None:
    """Return the planes of `packed_planes`; None where the bytes are none."""
    planes = np.zeros(shape, np.int32)
    last = planes if before is None else before
    return planes if _unpack(data, last, before is not None, planes) else None


@kernel()
def _middle(left: int, above: int, corner: int) -> int:
    """What a number is guessed to be by its neighbours: the median of both and of the plane through all three."""
    low, high = min(left, above), max(left, above)
    return max(low, min(high, left + above - corner))


@kernel()
def _guess(planes: Whole, before: Whole, c: int, y: int, x: int, how: int) -> int:
    if how == 1:
        return int(before[c, y, x])
    left, above, corner = 0, 0, 0
    if x > 0:
        left = planes[c, y, x - 1] - (before[c, y, x - 1] if how == 2 else 0)
    if y > 0:
        above = planes[c, y - 1, x] - (before[c, y - 1, x] if how == 2 else 0)
    if x > 0 and y > 0:
        corner = planes[c, y - 1, x - 1] - (before[c, y - 1, x - 1] if how == 2 else 0)
    near = _middle(left, above, corner) if x > 0 and y > 0 else left + above
    return near + (before[c, y, x] if how == 2 else 0)


@kernel()
def _pack(planes: Whole, before: Whole, has_before: bool, out: Bytes) -> int:
    count, height, width = planes.shape
    codes, best = np.empty((3, width), np.int64), np.empty(3, np.int64)
    ks = np.empty(3, np.int64)
    at = 0
    for c in range(count):
        for y in range(height):
            how = 0
            for one in range(3 if has_before else 1):
                for x in range(width):
                    away = planes[c, y, x] - _guess(planes, before, c, y, x, one)
                    codes[one, x] = 2 * away if away >= 0 else -2 * away - 1
                ks[one], best[one] = _cheapest(codes[one])
                if best[one] < best[how]:
                    how = one
            out[at] = ks[how] | how << 5
            at += 1
            if ks[how] != _TOLD:
                at = _put_row(codes[how], ks[how], out, at)
    return at


@kernel()
def _cheapest(codes: NDArray[np.int64]) -> tuple[int, int]:
    """The k by which a row takes the fewest bits, and how many."""
    if codes.max() == 0:
        return _TOLD, 0
    best_k, least = 0, 1 << 40
    for k in range(_MOST_K + 1):
        bits = 0
        for u in codes:
            ones = int(u) >> k
            bits += ones + 1 + k if ones < _ONES else _ONES + 32
        if bits < least:
            best_k, least = k, bits
    return best_k, least


@kernel()
def _put_row(codes: NDArray[np.int64], k: int, out: Bytes, at: int) -> int:
    bit = at * 8
    for u in codes:
        ones = u >> k
        if ones < _ONES:
            for _ in range(ones):
                out[bit >> 3] |= 128 >> (bit & 7)
                bit += 1
            bit, rest, wide = bit + 1, u & ((1 << k) - 1), k
        else:
            for _ in range(_ONES):
                out[bit >> 3] |= 128 >> (bit & 7)
                bit += 1
            rest, wide = u, 32
        for i in range(wide - 1, -1, -1):
            if rest >> i & 1:
                out[bit >> 3] |= 128 >> (bit & 7)
            bit += 1
    return (bit + 7) >> 3


@kernel()
def _unpack(data: Bytes, before: Whole, has_before: bool, planes: Whole) -> bool:
    """Write the planes of bytes; False where these are not all of them, and no more."""
    count, height, width = planes.shape
    codes, size = np.zeros(width, np.int64), data.shape[0]
    at = 0
    for c in range(count):
        for y in range(height):
            if at >= size:
                return False
            k, how = data[at] & 31, data[at] >> 5
            at += 1
            if how > 2 or (how > 0 and not has_before) or (k > _MOST_K and k != _TOLD):
                return False
            if k == _TOLD:
                codes[:] = 0
            else:
                at = _take_row(data, at, k, codes)
                if at < 0:
                    return False
            for x in range(width):
                u = codes[x]
                value = _guess(planes, before, c, y, x, how) + (
                    u >> 1 if u & 1 == 0 else -(u >> 1) - 1
                )
                if value <= -MOST or value >= MOST:
                    return False
                planes[c, y, x] = value
    return bool(at == size)


@kernel()
def _take_row(data: Bytes, at: int, k: int, codes: NDArray[np.int64]) -> int:
    """Write the codes of a row; returns where the next one begins, -1 where the bytes end before."""
    bit, end = at * 8, data.shape[0] * 8
    for x in range(codes.shape[0]):
        ones = 0
        while bit < end and ones < _ONES and data[bit >> 3] >> (7 - (bit & 7)) & 1:
            ones += 1
            bit += 1
        wide = k if ones < _ONES else 32
        bit += ones < _ONES
        if bit + wide > end:
            return -1
        rest = np.int64(0)
        for _ in range(wide):
            rest = rest << 1 | (data[bit >> 3] >> (7 - (bit & 7)) & 1)
            bit += 1
        codes[x] = rest if ones == _ONES else ones << k | rest
    return (bit + 7) >> 3
