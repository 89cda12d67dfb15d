"""The glow of a frame: what is bright, spread around by several radii."""

from __future__ import annotations

import cv2
import numpy as np

from nightfx.picture import Float32, kernel, prange

KNEE, FULL = 0.4, 0.75  # brightness from which a light glows, and from which it glows wholly
_MOST = 4.0  # of a light above white
_FINEST_PX = 2.0  # the least radius, in pixels, that a wide blur is made with
LAMP = 3.0  # a lamp that a camera shows as white is brighter than that
# radii in shares of the shorter side, and what of the glow they spread: a bright core, and a veil
_SPREADS = ((0.008, 0.5), (0.03, 0.3), (0.1, 0.2))


def spread(lit: Float32, amount: float) -> Float32:
    """Return the bright parts of a picture (3, h, w), blurred by several radii, times `amount`, up to 1; at half its size."""
    size = -(-lit.shape[1] // 2), -(-lit.shape[2] // 2)
    lights, glow = np.empty((*size, 3), np.float32), np.zeros((*size, 3), np.float32)
    _lights(np.ascontiguousarray(lit), lights)
    for radius, share in _SPREADS:
        glow += np.float32(share) * blurred(lights, max(radius * min(size), 0.3))
    return np.moveaxis((glow * np.float32(LAMP * amount)).clip(0, 1), -1, 0)


@kernel(parallel=True)
def _lights(lit: Float32, lights: Float32) -> None:
    """Write the parts of a picture (3, H, W) that glow, averaged over 2×2 px, (h, w, 3): found before averaging, or small lamps would be lost."""
    _, height, width = lit.shape
    knee, per_range, most = np.float32(KNEE), np.float32(1 / (FULL - KNEE)), np.float32(_MOST)
    for y in prange(lights.shape[0]):
        for x in range(lights.shape[1]):
            lights[y, x] = 0
            for place in range(4):
                j, i = min(2 * y + place // 2, height - 1), min(2 * x + place % 2, width - 1)
                bright = max(lit[0, j, i], lit[1, j, i], lit[2, j, i])
                t = min(max((bright - knee) * per_range, np.float32(0)), np.float32(1))
                share = t * t * (3 - 2 * t) * np.float32(0.25)
                for c in range(3):
                    lights[y, x, c] += min(max(lit[c, j, i], np.float32(0)), most) * share


def blurred(picture: Float32, sigma_px: float) -> Float32:
    """A picture (h, w, 3) under a Gaussian; wide ones on fewer pixels, of which they leave nothing else."""
    height, width = picture.shape[:2]
    part = max(int(sigma_px / _FINEST_PX), 1)
    if part == 1:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma_px), np.float32)
    size = -(-width // part), -(-height // part)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    wide = cv2.GaussianBlur(small, (0, 0), sigma_px * size[0] / width)
    return np.asarray(cv2.resize(wide, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
