"""Frames held to their plates by what they show: other light is no change, another order is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from nightfx.check.marks import mark_of_plane
from nightfx.check.order import order_of, order_row

COUNT = 40
TEXTURE = np.random.default_rng(3).random((120, 400)).astype(np.float32)


def soft(picture: np.ndarray) -> np.ndarray:
    spectrum = np.fft.rfft2(picture)
    y, x = np.fft.fftfreq(picture.shape[0])[:, None], np.fft.rfftfreq(picture.shape[1])[None]
    smooth = np.fft.irfft2(spectrum * np.exp(-800 * (x * x + y * y)), picture.shape)
    return np.asarray((smooth - smooth.mean()) / smooth.std() * 0.12 + 0.5, np.float32)


SCENE = soft(TEXTURE)


def pan(index: int, speed: float) -> np.ndarray:
    """A crop of the scene that moves, to the fraction of a pixel."""
    at, part = divmod(index * speed, 1)
    left, right = (SCENE[:90, int(at) + i : int(at) + i + 160] for i in (0, 1))
    return left * (1 - part) + right * part


def night(picture: np.ndarray, index: int) -> np.ndarray:
    """Dark, of another contrast, with a lamp that flickers and grain."""
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
    rng = np.random.default_rng(index)
    lamp = np.exp(-((x - 110) ** 2 + (y - 30) ** 2) / 400) * (0.5 + 0.1 * rng.random())
    lit = picture**1.8 * (0.2 + 0.2 * y / 90 + lamp) * (0.95 + 0.1 * rng.random())
    return np.asarray(lit + rng.normal(0, 0.004, picture.shape), np.float32)


def marks(frames: list[np.ndarray]) -> np.ndarray:
    return np.stack([mark_of_plane(frame).ravel() for frame in frames])


def shot(speed: float) -> tuple[np.ndarray, np.ndarray]:
    plates = [pan(index, speed) for index in range(COUNT)]
    return marks(plates), marks([night(plate, index) for index, plate in enumerate(plates)])


@pytest.mark.parametrize("speed", [0.0, 0.2, 1.0, 3.0, 6.0])
def test_night_is_no_other_order(speed: float) -> None:
    plates, frames = shot(speed)
    found = order_of(plates, frames)
    assert found.wrong == ()
    assert (found.told > COUNT // 2) == (speed >= 1)


CHANGES: dict[str, list[int]] = {
    "swapped": [*range(10), 11, 10, *range(12, COUNT)],
    "repeated": [*range(20), 19, *range(21, COUNT)],
    "dropped, the last twice": [*range(15), *range(16, COUNT), COUNT - 1],
    "twice, the last gone": [*range(16), *range(15, COUNT - 1)],
    "far ones swapped": [*range(5), 12, *range(6, 12), 5, *range(13, COUNT)],
}


@pytest.mark.parametrize("speed", [1.0, 3.0, 6.0])
@pytest.mark.parametrize("name", CHANGES)
def test_another_order_is_found(speed: float, name: str) -> None:
    plates, frames = shot(speed)
    assert order_of(plates, frames[CHANGES[name]]).wrong


def test_a_still_shot_cannot_tell_and_says_so() -> None:
    still = marks([pan(0, 0)] * COUNT)
    row = order_row(still, marks([night(pan(0, 0), 0)] * COUNT))
    assert (row.verdict, row.source) == ("kept", f"0 of {COUNT - 1} told apart")
    assert "alike" in row.render


@pytest.mark.parametrize("cut", [4, 20])
def test_a_cut_is_no_other_order(cut: int) -> None:
    plates = [pan(index + (150 if index >= cut else 0), 1.0) for index in range(COUNT)]
    frames = [night(plate, index) for index, plate in enumerate(plates)]
    assert order_of(marks(plates), marks(frames)).wrong == ()


@pytest.mark.parametrize("make", [lambda i: np.zeros((90, 160)), lambda i: night(pan(i, 1.0), i)])
def test_one_frame_or_darkness_tells_nothing(make: Callable[[int], np.ndarray]) -> None:
    plates = marks([pan(0, 1.0)])
    assert order_of(plates, marks([make(0)])).told == 0
    many = marks([pan(i, 1.0) for i in range(COUNT)])
    dark = order_of(many, marks([np.zeros((90, 160), np.float32)] * COUNT))
    assert (dark.told, dark.wrong) == (0, ())
