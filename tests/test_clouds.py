"""Clouds that a scene network lacks, and what only hangs in the sky as they do."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from nightfx.scene.clouds import clouds

SIZE = 128, 200
BLUE = np.array([0.35, 0.5, 0.8], np.float32)[:, None, None]
MIDDLE = 40, 90  # of what hangs there, px


def _disk(radius_px: int, middle: tuple[int, int] = MIDDLE) -> np.ndarray:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    inside = (y - middle[0]) ** 2 + (x - middle[1]) ** 2 <= radius_px**2
    return np.asarray(inside, np.float32)


def _scene(
    there: np.ndarray, luma: float, soft_px: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The sky that a network sees, the picture, and where it lacks sky."""
    sky = np.ones(SIZE, np.float32)
    sky[100:] = 0
    shape = cv2.GaussianBlur(there, (0, 0), soft_px) if soft_px else there
    picture = BLUE * (1 - shape) + luma * shape
    picture[:, 100:] = 0.2
    lacking = (there > 0.5) & (sky > 0.5)
    sky[there > 0.5] = 0.2
    return sky, picture.astype(np.float32), lacking


def test_a_soft_white_cloud_is_given_back_with_its_border() -> None:
    sky, picture, lacking = _scene(_disk(16), 0.9, 6)
    found = clouds(sky, picture)
    assert found[lacking].all()
    assert not found[100:].any()
    assert found.sum() < 1.5 * lacking.sum()


def test_one_at_the_upper_edge_is_a_cloud_as_well() -> None:
    sky, picture, lacking = _scene(_disk(16, (2, 90)), 0.9, 6)
    assert clouds(sky, picture)[lacking].all()


@pytest.mark.parametrize(
    ("there", "luma", "soft_px"),
    [
        pytest.param(_disk(16), 0.95, 0, id="a white balloon, hard at its border"),
        pytest.param(_disk(16), 0.1, 6, id="a crown out of focus, darker than the sky"),
        pytest.param(_disk(16, (95, 90)), 0.9, 6, id="a white house that stands on the ground"),
        pytest.param(_disk(1), 0.6, 2, id="a bird, too small to say"),
    ],
)
def test_what_is_no_cloud_stays(there: np.ndarray, luma: float, soft_px: float) -> None:
    sky, picture, lacking = _scene(there, luma, soft_px)
    assert lacking.any()
    assert not clouds(sky, picture).any()


def test_a_picture_all_sky_or_without_has_none() -> None:
    picture = np.full((3, *SIZE), 0.5, np.float32)
    for sky in (np.ones(SIZE, np.float32), np.zeros(SIZE, np.float32)):
        assert not clouds(sky, picture).any()
