"""Which of the windows found in a picture are kept: grids of them, one alone, and pieces beside them."""

from __future__ import annotations

import numpy as np

from nightfx.lights.found import Found
from nightfx.lights.windows import true_windows


def _found(x: float, y: float, side_px: float, confidence: float, house: int = 1) -> Found:
    corners = [(x, y), (x + side_px, y), (x + side_px, y + side_px), (x, y + side_px)]
    return Found("window", np.array(corners, np.float32), confidence, house)


def _house(side_px: float, confidence: float, house: int = 1, left: float = 0) -> list[Found]:
    step = 2.5 * side_px
    return [
        _found(left + i * step, j * step, side_px, confidence, house)
        for j in range(3)
        for i in range(3)
    ]


def test_nothing_found_stays_nothing() -> None:
    assert true_windows([]) == []


def test_a_house_keeps_all_its_windows_be_they_ever_so_small() -> None:
    for side_px in (3, 12, 40):
        house = _house(side_px, 0.74)
        assert true_windows(house) == house


def test_a_window_alone_must_be_likely() -> None:
    assert true_windows([_found(50, 50, 12, 0.75)])
    assert not true_windows([_found(50, 50, 12, 0.65)])


def test_rows_lend_their_windows_confidence() -> None:
    assert len(true_windows(_house(12, 0.68))) == 9
    scattered = [_found(70 * i, 41 * i * i % 97, 12, 0.68, house=i) for i in range(5)]
    assert true_windows(scattered) == []


def test_what_is_small_beside_windows_is_a_piece_of_one_however_sure() -> None:
    house = _house(40, 0.95)
    piece = _found(44, 10, 8, 1.0)
    assert true_windows([*house, piece]) == house


def test_what_is_small_for_its_house_must_be_sure() -> None:
    house = _house(40, 0.95)
    far_off = 400.0
    unsure, sure = _found(far_off, 300, 8, 0.8), _found(far_off, 500, 8, 0.95)
    assert true_windows([*house, unsure, sure]) == [*house, sure]


def test_another_house_of_small_windows_is_judged_by_itself() -> None:
    near, far = _house(40, 0.95), _house(5, 0.74, house=2, left=400)
    assert true_windows([*near, *far]) == [*near, *far]
