"""Frames from groups of light: the same view by sun, by overcast, and by true night.

Light of the groups is in the units of the render: white ground under the open sky gives about 1 by `sky`, by `sun`
another 1.3, and about 1 below a lamp by `lamps`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.town.shot import Plane

Rng = np.random.Generator

LAMPS = {  # kinds of street lamps by name: colour
    "sodium": (1.0, 0.50, 0.16), "warm": (1.0, 0.66, 0.36), "mild": (1.0, 0.80, 0.58), "cold": (0.92, 0.97, 1.0),
}  # fmt: skip
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


@dataclass(frozen=True)
class Mood:
    """What the weather, the town and the camera give to a view."""

    sun_strength: float
    sun_color: tuple[float, float, float]
    haze: float
    """How much thicker the air is than `NEAR_METRES` say, by day."""
    cover: float
    """Share of the blue sky that clouds cover."""
    lamp: str
    strengths: tuple[float, float, float, float]
    """Of lamps, windows, cars and signs by night."""
    ambient: float
    """Of the sky's light by night; also its own brightness."""
    night_haze: float
    white: tuple[float, float, float]
    """The camera's error of white balance."""
    day_level: float
    night_level: float
    """Mean of the encoded frame that the camera's exposure aims at."""
    metered: str
    """By day the camera looks at the whole frame, or at the ground: then skies may be all white."""
    contrast: float
    glare: float

    def facts(self) -> dict[str, Any]:
        """All of it, as JSON takes it."""
        return asdict(self)


def draw_mood(rng: Rng) -> Mood:
    """Draw one."""
    warm = rng.uniform(0, 1)
    lamps, windows, cars, signs = np.exp(rng.normal(0, 0.45, 4)) * [1.0, 1.0, 0.6, 1.0]
    return Mood(
        sun_strength=float(rng.uniform(1.1, 3.4)),
        sun_color=(1.0, 0.94 - 0.12 * warm, 0.86 - 0.3 * warm),
        haze=float(
            rng.choice([0.1, 0.2, 0.4, 0.8, 1.6, 4.0], p=[0.25, 0.25, 0.2, 0.15, 0.1, 0.05])
        ),
        cover=float(rng.choice([0.0, 0.1, 0.3, 0.5, 0.8])),
        lamp=str(rng.choice(list(LAMPS), p=[0.3, 0.3, 0.25, 0.15])),
        strengths=(float(lamps), float(windows), float(cars), float(signs)),
        ambient=float(np.exp(rng.uniform(np.log(0.008), np.log(0.05)))),
        night_haze=float(rng.choice([0.1, 0.3, 0.6, 1.5])),
        white=tuple(float(v) for v in np.exp(rng.normal(0, [0.06, 0.01, 0.07]))),  # type: ignore[arg-type]
        day_level=float(rng.uniform(0.34, 0.52)),
        night_level=float(rng.uniform(0.12, 0.26)),
        metered=str(rng.choice(["frame", "ground"], p=[0.6, 0.4])),
        contrast=float(rng.uniform(0, 1)),
        glare=float(rng.uniform(0.02, 0.12)),
    )


def by_sun(groups: dict[str, Plane], mood: Mood) -> Plane:
    """Light under the sun and a blue sky."""
    sun = groups["sun"] * (mood.sun_strength * np.array(mood.sun_color))
    return np.asarray(sun + groups["sky"] * (0.42, 0.50, 0.62), np.float32)


def by_night(groups: dict[str, Plane], mood: Mood) -> Plane:
    """Light of the town and of a dark sky."""
    lamps, windows, cars, signs = mood.strengths
    lit = groups["lamps"] * (lamps * np.array(LAMPS[mood.lamp]))
    lit = lit + groups["windows"] * windows + groups["cars"] * cars + groups["signs"] * signs
    return np.asarray(lit + groups["sky"] * (mood.ambient * np.array([0.75, 0.9, 1.2])), np.float32)


def before_sky(
    light: Plane, alpha: Plane, near: Plane, sky: Plane, haze: float, air: Plane
) -> Plane:
    """What is seen: the light through the air, before a sky; `near` is exp(-distance / NEAR_METRES) times `alpha`."""
    cover = alpha[..., None]
    kept = np.clip(near[..., None] / np.maximum(cover, 1e-3), 1e-4, 1) ** haze
    return np.asarray(light * kept + air * (cover * (1 - kept)) + sky * (1 - cover), np.float32)


def photograph(
    light: Plane, mood: Mood, level: float, rng: Rng, noise: float, metered: Plane | None = None
) -> NDArray[np.uint8]:
    """A camera's picture: glare, exposure, white balance, curve, a little noise; RGB bytes.

    Its mean is `level` by the weights `metered`, (height, width); everywhere the same without them.
    """
    light = light * np.array(mood.white, np.float32)
    gain = exposure(light, level, mood, metered)
    bright = with_glare(light * gain, mood.glare)
    code = encoded(bright, mood.contrast)
    code = code + rng.normal(0, noise, code.shape) * (0.3 + code) ** 0.5
    return np.asarray(np.clip(code * 255 + 0.5, 0, 255), np.uint8)


def exposure(light: Plane, level: float, mood: Mood, metered: Plane | None = None) -> float:
    """The gain at which the mean of the picture is `level`, found by halving; no pixel counts as more than white."""
    shares = np.ones(light.shape[:2], np.float32) if metered is None else metered + 1e-3
    weights = cv2.resize(shares, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    small = cv2.resize(light, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    low, high = -12.0, 12.0
    for _ in range(18):
        middle = (low + high) / 2
        luma = encoded(small * np.float32(2**middle), mood.contrast) @ LUMA
        mean = float(np.average(luma, weights=weights))
        low, high = (middle, high) if mean < level else (low, middle)
    return float(2**low)


def encoded(light: Plane, contrast: float) -> Plane:
    """Linear light as code values in [0, 1]: between a soft shoulder and the plain curve of the display."""
    x = np.maximum(light, 0)
    film = np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0, 1)
    plain = 1 - np.exp(-1.4 * x)
    y = contrast * film + (1 - contrast) * plain
    return np.asarray(
        np.where(y < 0.0031308, 12.92 * y, 1.055 * np.maximum(y, 1e-6) ** (1 / 2.4) - 0.055),
        np.float32,
    )


def with_glare(light: Plane, share: float) -> Plane:
    """Spread what is brighter than white, as a lens does."""
    over = np.minimum(np.maximum(light - 1, 0), 60)
    wide = sum(
        cv2.GaussianBlur(over, (0, 0), sigma) * part
        for sigma, part in ((1.5, 0.5), (5, 0.3), (18, 0.2))
    )
    return np.asarray(light + share * 4 * wide, np.float32)
