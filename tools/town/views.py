"""Views of a place: where the camera stands, what the weather is, and the frames that come of it."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from tools.town import skies
from tools.town.frames import LAMPS, Mood, before_sky, by_night, by_sun, draw_mood, photograph
from tools.town.labels import NEAR_METRES
from tools.town.layout.plan import Camera, Plan
from tools.town.shot import Plane, Shot

APART_METRES = 3.0  # nothing stands nearer before the camera, at its own height


def draw_camera(plan: Plan, rng: Random) -> Camera:
    """Draw a camera in one of a place's stances, where no thing hides the view; the last tried where all do."""
    for _ in range(40):
        stance = rng.choices(plan.stances, [3, *[2] * (len(plan.stances) - 1)])[0]
        spans = (stance.x, stance.y, stance.z, stance.heading, stance.pitch)
        x, y, z, heading, pitch = (rng.uniform(*span) for span in spans)
        pitch += rng.choice([0, 0, 0, 0, 0.15, 0.3]) if z < 3.5 else 0  # now and then a look up
        roll, fov = rng.gauss(0, 0.012), math.radians(rng.choice([40, 52, 62, 72, 84]))
        camera = Camera(x, y, z, heading, pitch, roll, fov)
        if plan.free(x, y, 0.4) and clear_ahead(plan, camera):
            break
    return camera


def clear_ahead(plan: Plan, camera: Camera) -> bool:
    """Whether no thing stands just before the camera."""
    if camera.z > 3.5:
        return True
    ahead = math.cos(camera.heading), math.sin(camera.heading)
    for thing in plan.things:
        x, y = thing.x - camera.x, thing.y - camera.y
        far = APART_METRES * (2 if thing.kind.endswith("on") or thing.kind == "car" else 1)
        if math.hypot(x, y) < far and x * ahead[0] + y * ahead[1] > -far / 2:
            return False
    return True


def draw_sun(camera: Camera, rng: Random) -> tuple[float, float]:
    """Draw where the sun stands, azimuth and elevation; rarely in the picture."""
    return camera.heading + rng.uniform(0.7, math.tau - 0.7), math.radians(
        rng.triangular(12, 68, 38)
    )


def make_frames(
    shot: Shot, camera: Camera, sun: tuple[float, float], photos: list[Path], seed: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The frames of a view by their names, and the facts of it."""
    rng = np.random.default_rng(seed)
    mood = draw_mood(rng)
    height, width = shot.near.shape
    ways = skies.look_up(camera.fov, camera.pitch, camera.roll, camera.heading, (width, height))
    alpha = 1 - shot.maps["sky"]
    blue, grey = day_skies(ways, sun, photos, mood, rng)
    lamp = np.array(LAMPS[mood.lamp], np.float32)
    dark = skies.drawn_night(ways, rng, lamp) * np.float32(mood.ambient)
    lights = {
        "sun": (by_sun(shot.groups, mood), blue, mood.haze, 0.4),
        "overcast": (shot.groups["sky"], grey, mood.haze, 0.5),
        "night": (by_night(shot.groups, mood), dark, mood.night_haze, 1.0),
    }
    frames = {}
    for name, (light, sky, haze, noise) in lights.items():
        air = horizon(ways, sky)
        seen = before_sky(light, alpha, shot.near, sky, haze, air)
        by_day = name != "night"
        level = mood.day_level if by_day else mood.night_level
        metered = alpha if by_day and mood.metered == "ground" else None
        frames[name] = photograph(seen, mood, level, rng, 0.012 * noise, metered)
    row = 0.5 + math.tan(camera.pitch) / math.tan(camera.fov / 2) / 2 * width / height
    facts = {
        "camera": asdict(camera), "horizon": row, "sun": sun, "near_metres": NEAR_METRES,
        "mood": mood.facts(), "seed": seed,
    }  # fmt: skip
    return frames, facts


def day_skies(
    ways: Plane, sun: tuple[float, float], photos: list[Path], mood: Mood, rng: np.random.Generator
) -> tuple[Plane, Plane]:
    """A sky for the sun and one for overcast: photographs in two of three views where there are any."""
    if photos and rng.random() < 0.67:
        path = photos[rng.integers(len(photos))]
        photo = skies.photographed(ways, skies.load_sky(path), rng)
        return photo, photo * np.float32(
            rng.uniform(1.1, 1.8)
        ) if rng.random() < 0.5 else skies.drawn_overcast(ways, rng)
    return skies.drawn_day(ways, sun, rng, mood.cover), skies.drawn_overcast(ways, rng)


def horizon(ways: Plane, sky: Plane) -> Plane:
    """The colour of far air: what the sky is just above the horizon, in the mean."""
    up = ways[..., 2]
    low = np.exp(-np.abs(up - np.clip(0.05, up.min(), up.max())) / 0.05)[..., None]
    color = (sky * low).sum((0, 1)) / low.sum()
    return np.asarray(0.4 * color + 0.6 * color.mean(), np.float32)  # air is paler than the sky
