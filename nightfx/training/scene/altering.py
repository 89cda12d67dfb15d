"""Other light, weather and cameras for a picture whose labels stay: what a network learns to look through."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from nightfx.training.scene.labelled import UNKNOWN, Labelled

Float = NDArray[np.float32]
Change = Callable[[Float, Float, np.random.Generator], Float]

_PLAIN = 0.18  # the least height of a piece of nothing but sky, in parts of a picture


def altered(item: Labelled, skies: Sequence[np.ndarray], rng: np.random.Generator) -> Float:
    """The picture (H, W, 3) float32 in [0, 1] as it might have been photographed on another day, by another camera."""
    x, sky = _unit(item.picture), _unit(item.sky)[..., None]
    known = bool((item.surface != UNKNOWN).any())
    if known and skies and rng.uniform() < 0.2:
        x = _other_sky(x, sky, skies, rng)
    if known and rng.uniform() < 0.2:
        x = _whitened(x, sky, rng)
    if known and rng.uniform() < 0.2:
        x = _hazed(x, sky, rng)
    for chance, change in _CHANGES:
        if rng.uniform() < chance:
            x = change(x, rng)
    return np.ascontiguousarray(np.clip(x, 0, 1), np.float32)


def plain_sky(item: Labelled) -> np.ndarray | None:
    """The rows of a picture (H, W, 3) uint8 from its top that show nothing but sky, or None where they are few."""
    rows = (item.sky > 235).mean(1) > 0.99
    count = len(rows) if rows.all() else int(np.argmin(rows))
    return item.picture[: count - 2].copy() if count > max(_PLAIN * len(rows), 24) else None


def _unit(codes: np.ndarray) -> Float:
    return codes.astype(np.float32) * np.float32(1 / 255)


def _other_sky(
    x: Float, sky: Float, skies: Sequence[np.ndarray], rng: np.random.Generator
) -> Float:
    rows = np.flatnonzero(sky[..., 0].max(1) > 0.5)
    if not len(rows):
        return x
    height, width = min(int(rows[-1]) + 2, len(x)), x.shape[1]
    other = _unit(skies[int(rng.integers(len(skies)))])
    full = np.broadcast_to(other[-1:].mean(1, keepdims=True), x.shape).copy()
    full[:height] = cv2.resize(other, (width, height))[:, :: int(rng.choice([-1, 1]))]
    share = np.clip(1.25 * sky - 0.125, 0, 1)
    return np.asarray(share * full + (1 - share) * x, np.float32)


def _whitened(x: Float, sky: Float, rng: np.random.Generator) -> Float:
    """Some of what is no sky as white as sunlit plaster, or as a white sky."""
    white = np.array([1.0, 1.0, 1.0], np.float32) * rng.uniform(0.75, 1.0)
    white *= 1 + rng.normal(size=3).astype(np.float32) * 0.03
    share = (1 - sky) * _blobs(x.shape[:2], rng)[..., None] * np.float32(rng.uniform(0.4, 0.9))
    return np.asarray(x + share * (white - x), np.float32)


def _blobs(size: tuple[int, int], rng: np.random.Generator) -> Float:
    """Soft or hard patches, 0 to 1."""
    cells = int(rng.integers(2, 7))
    noise = rng.uniform(0, 1, (cells, cells + 1)).astype(np.float32)
    smooth = cv2.resize(noise, size[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip((smooth - 0.5) * np.float32(rng.uniform(2, 12)), 0, 1), np.float32)


def _hazed(x: Float, sky: Float, rng: np.random.Generator) -> Float:
    """Air in the sky's own colour, or a grey, before what is no sky; thicker higher up, where things are farther."""
    own = float(sky.sum()) > 50
    air = (x * sky).sum((0, 1)) / sky.sum() if own else np.full(3, rng.uniform(0.6, 0.95))
    air = air.astype(np.float32)
    height = np.linspace(1, 0, len(x), dtype=np.float32).reshape(-1, 1, 1)
    thick = np.float32(rng.uniform(0.15, 0.75)) * height ** np.float32(rng.uniform(0, 1.5))
    return np.asarray(x + thick * (air - x), np.float32)


def _exposed(x: Float, rng: np.random.Generator) -> Float:
    gamma, gain = rng.uniform(0.6, 1.7), 2 ** rng.uniform(-0.9, 0.45)
    balance = 2 ** (rng.normal(size=3) * 0.12)
    return (np.clip(x, 0, 1) ** np.float32(gamma) * (gain * balance).astype(np.float32)).astype(
        np.float32
    )


def _recoloured(x: Float, rng: np.random.Generator) -> Float:
    grey = x.mean(2, keepdims=True)
    contrast, middle = rng.uniform(0.6, 1.3), np.float32(x.mean())
    lifted = grey + np.float32(rng.uniform(0, 1.6)) * (x - grey)
    return np.asarray(middle + np.float32(contrast) * (lifted - middle), np.float32)


def _blurred(x: Float, rng: np.random.Generator) -> Float:
    return np.asarray(cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 1.6)), np.float32)


def _coarse(x: Float, rng: np.random.Generator) -> Float:
    height, width = x.shape[:2]
    scale = rng.uniform(0.35, 0.8)
    small = cv2.resize(x, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height)), np.float32)


def _noisy(x: Float, rng: np.random.Generator) -> Float:
    noise = rng.standard_normal(x.shape, dtype=np.float32)
    return x + np.float32(rng.uniform(0.004, 0.04)) * noise


def _packed(x: Float, rng: np.random.Generator) -> Float:
    codes = np.rint(np.clip(x, 0, 1) * 255).astype(np.uint8)
    _, packed = cv2.imencode(".jpg", codes, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))])
    return _unit(np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR)))


_CHANGES: tuple[tuple[float, Callable[[Float, np.random.Generator], Float]], ...] = (
    (0.75, _exposed),
    (0.4, _recoloured),
    (0.2, _blurred),
    (0.15, _coarse),
    (0.4, _noisy),
    (0.3, _packed),
)
