"""Skies behind a town: drawn clouds, or photographs of skies; and the sky of a night over it.

All are linear light in the units of `frames.py`, on the directions that a camera's pixels look.
"""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np

from tools.town.shot import Plane

Rng = np.random.Generator


def look_up(fov: float, pitch: float, roll: float, heading: float, size: tuple[int, int]) -> Plane:
    """Unit directions (height, width, 3) of a camera's pixels, x right of the world, y ahead, z up."""
    width, height = size
    reach = math.tan(fov / 2)
    x = (np.arange(width) + 0.5) / width * 2 - 1
    y = (np.arange(height) + 0.5) / height * 2 - 1
    right, down = np.meshgrid(x * reach, y * reach * height / width)
    turned = (
        right * math.cos(roll) - down * math.sin(roll),
        right * math.sin(roll) + down * math.cos(roll),
    )
    ahead = np.ones_like(right)
    level = ahead * math.cos(pitch) + turned[1] * math.sin(pitch)
    up = ahead * math.sin(pitch) - turned[1] * math.cos(pitch)
    cos, sin = math.cos(heading), math.sin(heading)
    ways = np.stack([level * cos + turned[0] * sin, level * sin - turned[0] * cos, up], -1)
    return np.asarray(ways / np.linalg.norm(ways, axis=-1, keepdims=True), np.float32)


def drawn_day(ways: Plane, sun: tuple[float, float], rng: Rng, cover: float) -> Plane:
    """A blue sky with a share `cover` of clouds, pale at the horizon and about the sun, (height, width, 3)."""
    up = np.clip(ways[..., 2], 0, 1)
    deep = rng.uniform([0.10, 0.22, 0.52], [0.26, 0.40, 0.78])
    pale = rng.uniform([0.55, 0.66, 0.80], [0.80, 0.86, 0.92])
    low = np.exp(-up / rng.uniform(0.08, 0.4))[..., None]
    flat = math.cos(sun[1])
    to_sun = np.array([flat * math.cos(sun[0]), flat * math.sin(sun[0]), math.sin(sun[1])])
    glow = np.clip(ways @ to_sun, 0, 1)[..., None]
    sky = deep * (1 - low) + pale * low + np.array([1.0, 0.93, 0.8]) * (glow**6 * 0.25 + glow**80)
    drift = clouds(ways, rng)
    edge = np.quantile(drift, np.clip(1 - cover, 0, 0.999)) if cover > 0 else np.inf
    cloud = np.clip((drift - edge) / rng.uniform(0.04, 0.2), 0, 1)[..., None]
    shade = 0.72 + 0.28 * np.clip(1 - (drift - edge) * 3, 0, 1)[..., None]
    white = np.array([1.0, 1.0, 1.02]) * rng.uniform(0.8, 1.25) * shade
    return np.asarray((sky * (1 - cloud) + white * cloud) * rng.uniform(0.8, 1.2), np.float32)


def drawn_overcast(ways: Plane, rng: Rng) -> Plane:
    """A closed grey sky, brighter above, its clouds faint."""
    up = np.clip(ways[..., 2], 0, 1)[..., None]
    drift = clouds(ways, rng)[..., None]
    level = (0.8 + rng.uniform(0, 0.6) * up) * (1 + rng.uniform(0, 0.8) * (drift - 0.5))
    return np.asarray(level * rng.uniform([0.92, 0.96, 1.0], [1.0, 1.0, 1.06]), np.float32)


def drawn_night(ways: Plane, rng: Rng, glow: Plane) -> Plane:
    """A dark sky that the lamps of the town, of colour `glow`, light from below; sometimes its clouds are seen."""
    up = np.clip(ways[..., 2], 0, 1)[..., None]
    above = rng.uniform([0.10, 0.16, 0.32], [0.28, 0.34, 0.52]) * rng.uniform(0.2, 1.0)
    low = np.exp(-up / rng.uniform(0.08, 0.4))
    sky = above + glow * low * rng.uniform(0.2, 1.6)
    lit = rng.uniform(0, 0.8) * (clouds(ways, rng)[..., None] - 0.5)
    return np.asarray(sky * np.clip(1 + lit, 0.1, None), np.float32)


def clouds(ways: Plane, rng: Rng) -> Plane:
    """Fractal noise about 0.5 on a level layer above, (height, width)."""
    far = np.maximum(ways[..., 2], 0) + 0.12
    spread = rng.uniform(0.5, 2.0)
    x, y = ways[..., 0] / far * spread + 40, ways[..., 1] / far * spread * rng.uniform(0.6, 1) + 40
    total = np.zeros(far.shape, np.float32)
    for octave in range(5):
        noise = rng.random((64, 64), np.float32)
        scale = np.float32(2.0**octave)
        grid = [np.asarray(a * scale, np.float32) for a in (x, y)]
        layer = cv2.remap(noise, grid[0], grid[1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP)
        total += layer * 0.5 ** (octave + 1)
    return np.asarray(cv2.GaussianBlur(total, (0, 0), 1.0), np.float32)


def photographed(ways: Plane, picture: Plane, rng: Rng) -> Plane:
    """The sky of a photograph, linear (h, w, 3), around the horizon, mirrored where it ends."""
    h, w = picture.shape[:2]
    tall = rng.uniform(0.6, 1.1)  # radians that the photograph's height takes
    wide = tall * w / h
    around = np.arctan2(ways[..., 0], ways[..., 1]) + rng.uniform(0, 6)
    above = np.arcsin(np.clip(ways[..., 2], -1, 1))
    x = np.abs(((around / wide) % 2) - 1) * (w - 1)
    y = np.clip(1 - above / tall, 0, 1) * (h - 1)
    grid = np.asarray(x, np.float32), np.asarray(y, np.float32)
    return np.asarray(cv2.remap(picture, grid[0], grid[1], cv2.INTER_LINEAR), np.float32)


def load_skies(folder: Path | None) -> list[Path]:
    """The photographs of a folder, in order; none without one."""
    return sorted(folder.glob("*.[jpw]*[gp]")) if folder else []


def load_sky(path: Path) -> Plane:
    """Read a photograph of a sky as linear RGB whose mean is 0.8."""
    code = cv2.imread(str(path))
    if code is None:
        raise SystemExit(
            f"{path}: not a picture that OpenCV reads: take it out of the folder of skies"
        )
    light = np.asarray((code[..., ::-1] / np.float32(255)) ** 2.2, np.float32)
    return light * np.float32(0.8 / max(float(light.mean()), 0.05))
