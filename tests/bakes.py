"""Makers of bakes whose light is known by construction: a ground, a sky through its matte, a veil, groups, and lamps."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from nightfx.apply import Shape
from nightfx.apply.field import identity_field
from nightfx.baked import BakedLight, BakeFacts, BakeWriter, LumaWeights, track_sizes
from nightfx.baked.header import GROUPS
from nightfx.picture import BT709, Coding, Float32, Frame, from_rgb, rgb_coding

CELLS = 24, 32
SIZE = HEIGHT, WIDTH = 96, 128
RGB = rgb_coding(16, alpha=False)
WEIGHTS = LumaWeights(BT709, (0.0, 1.0, 0.0), 0.0, 1.0)
PANE = np.array([[3, 3], [17, 4], [16, 21], [2, 20]], np.float32)
ROUND = np.array([[3, 3], [9, 3], [9, 9], [3, 9]], np.float32)


def ramp(low: float, high: float) -> Float32:
    """A plane of cells that rises evenly from left to right."""
    return np.tile(np.linspace(low, high, CELLS[1], dtype=np.float32), (CELLS[0], 1))


def ground(gain: float = 0.3) -> Float32:
    field = identity_field(*CELLS).reshape(3, 4, *CELLS) * ramp(gain, gain + 0.1)
    field[2, 3] += 0.02
    return field.reshape(12, *CELLS)


def night() -> Float32:
    """A sky that becomes a dark blue with a tenth of its contrast, and its blue by day."""
    field = identity_field(*CELLS).reshape(3, 4, *CELLS) * np.float32(0.1)
    field[:, 3] = np.array([0.02, 0.03, 0.06], np.float32).reshape(3, 1, 1)
    day = np.tile(np.array([0.5, 0.6, 0.8], np.float32).reshape(3, 1, 1), (1, *CELLS))
    return np.concatenate([field.reshape(12, *CELLS), day])


def matte() -> Float32:
    """Sky above, by how blue a pixel is around the middle, none below."""
    model = np.zeros((6, *CELLS), np.float32)
    model[2], model[3] = 2.0, -0.5
    model[4, :8], model[5, :16] = 1, 1
    return model


def groups() -> Float32:
    shares = np.zeros((len(GROUPS), 2, 3, *CELLS), np.float32)
    shares[GROUPS.index("lamps")] = 0.25
    shares[GROUPS.index("windows"), 1] = 0.5
    return shares.reshape(-1, *CELLS)


def lamps() -> tuple[Shape, ...]:
    light = np.array([0.9, 0.6, 0.3], np.float32)
    return (
        Shape(10, 60, (24, 20), PANE, light, True, 0.7, 0.3, "windows"),
        Shape(70, 50, (12, 12), ROUND, light * 3, False, 0.0, 0.0, "lamps"),
    )


def light(index: int = 0, **more: object) -> BakedLight:
    """The light of a frame; each is a little brighter than the one before."""
    veil = np.stack([ramp(0, 0.2)] * 3)
    planes = {"ground": ground(0.3 + index / 64), "veil": veil, "sky": night(), "matte": matte()}
    made = BakedLight(planes | {"groups": groups()}, lamps(), 1.0, 0.75)
    return made._replace(**more)  # type: ignore[arg-type]  # of the fields' own types


def plate(coding: Coding = RGB, size: tuple[int, int] = SIZE) -> Frame:
    """A picture of all colours, blue above."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    rgb = np.stack([x / size[1], (x + y) / sum(size), 1 - y / size[0]])
    rgb[:, 60:80] *= (0.4 + 0.6 * (x[60:80] % 5 > 1))[None]
    return Frame(from_rgb(rgb.astype(np.float32), coding, None), coding, 3, Fraction(1, 24))


@dataclass(frozen=True)
class Made:
    """What a made bake is of."""

    size: tuple[int, int] = SIZE
    first: int = 1001
    rate: Fraction = Fraction(24)
    plate_frames: int = 12
    key_every: int = 4

    def facts(self) -> BakeFacts:
        sizes = track_sizes(CELLS, ground_alone=False)
        counts = self.first, 1, 1001, self.plate_frames
        about = {"plate": "made", "preset": "none", "options": {}}
        height, width = self.size
        return BakeFacts(
            *(width, height, self.rate, *counts, CELLS, WEIGHTS, self.key_every, 0, about, sizes)
        )


def save_bake(path: Path, lights: list[BakedLight], made: Made = Made()) -> Path:
    with path.open("wb") as out:
        writer = BakeWriter(out, made.facts())
        for one in lights:
            writer.add(one)
        writer.finish()
    return path
