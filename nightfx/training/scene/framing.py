"""Another framing of a labelled picture: nearer or farther, turned, in perspective, mirrored; picture and maps alike."""

from __future__ import annotations

import cv2
import numpy as np

from nightfx.training.scene.labelled import UNKNOWN, Labelled

_TURN_DEGREES = 4.0
_SKEW, _FRONTAL_SKEW = 0.06, 0.2  # how far a corner moves, in parts of the side
_FAR = 0.45  # a frontal picture is often shown as small as this


def reframed(item: Labelled, size: tuple[int, int], rng: np.random.Generator) -> Labelled:
    """The picture as another camera would frame it, (height, width) = `size`; beyond its edges nothing is known."""
    matrix = _matrix(item.picture.shape[:2], size, rng, frontal=is_frontal(item))
    to = size[::-1]
    maps = []
    for i, plane in enumerate(item):
        smooth = i < 2
        method = cv2.INTER_AREA if smooth else cv2.INTER_NEAREST
        # cv2 averages no areas when it warps: what becomes smaller is made smaller first
        beyond = UNKNOWN if i == 2 else 0
        edge = cv2.BORDER_REFLECT_101 if i == 0 else cv2.BORDER_CONSTANT
        small, to_small = _reduced(plane, matrix, method)
        warp = cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
        maps.append(
            cv2.warpPerspective(
                small, matrix @ to_small, to, flags=warp, borderMode=edge, borderValue=beyond
            )
        )
    return Labelled(*(np.asarray(v, np.uint8) for v in maps))


def is_frontal(item: Labelled) -> bool:
    """Whether it is a facade: one whose windows somebody drew boxes around, and not all that it shows."""
    return bool(item.lit.any() and (item.trust < 255).any())


def _reduced(plane: np.ndarray, matrix: np.ndarray, method: int) -> tuple[np.ndarray, np.ndarray]:
    """The plane at about the scale at which `matrix` shows it, and the way from there to the plane."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    if scale > 0.8:
        return plane, np.eye(3)
    height, width = plane.shape[:2]
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    small = np.asarray(cv2.resize(plane, size, interpolation=method))
    return small, np.diag([width / size[0], height / size[1], 1.0])


def _matrix(
    shape: tuple[int, int], size: tuple[int, int], rng: np.random.Generator, *, frontal: bool
) -> np.ndarray:
    """The homography from the picture's pixels to the new frame's."""
    (height, width), (to_height, to_width) = shape, size
    fits = max(to_height / height, to_width / width)
    low = _FAR if frontal else 0.95
    scale = fits * low * (1.9 / low) ** rng.uniform()
    room_x, room_y = to_width - scale * width, to_height - scale * height
    x, y = rng.uniform() * room_x, rng.uniform() * room_y
    mirror = -1.0 if rng.uniform() < 0.5 else 1.0
    place = np.array([[scale, 0, x], [0, scale, y], [0, 0, 1.0]])
    centre = np.array([[1, 0, to_width / 2], [0, 1, to_height / 2], [0, 0, 1.0]])
    angle = np.radians(rng.normal() * _TURN_DEGREES / 2)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    turned = centre @ turn @ np.diag([mirror, 1, 1]) @ np.linalg.inv(centre)
    skew = _skew(size, rng, _FRONTAL_SKEW if frontal else _SKEW)
    return np.asarray(skew @ turned @ place)


def _skew(size: tuple[int, int], rng: np.random.Generator, most: float) -> np.ndarray:
    height, width = size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + rng.uniform(-most, most, (4, 2)) * (width, height)
    if rng.uniform() < 0.5:
        return np.eye(3)
    return np.asarray(cv2.getPerspectiveTransform(corners, moved.astype(np.float32)), np.float64)
