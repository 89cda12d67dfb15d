"""Where views are kept, in what order they are drawn, and in what form.

A view is a folder, renamed into place when complete, so that an interrupted run goes on where it stopped and any prefix
of the order holds all kinds of places.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.town.labels import GROUPS, LIGHTS, SURFACES
from tools.town.shot import Plane, Shot

HELD_OUT_EVERY = 12  # one place of so many is kept from training
DEPTH_METRES = 10.0
LOSSY, FINE = 90, 80


@dataclass(frozen=True)
class Place:
    """A place to draw: its number is its seed."""

    number: int
    kind: str
    part: str
    """train or held-out."""

    def folder(self, out: Path, view: int) -> Path:
        """Where one of its views is kept."""
        return out / self.part / f"{self.number:05}-{self.kind}-{view}"


def places(count: int, kinds: list[str]) -> Iterator[Place]:
    """Yield places in the order to be drawn: all kinds in turn, one round of kinds in twelve held out, the second first."""
    for number in range(count):
        held = number // len(kinds) % HELD_OUT_EVERY == 1
        yield Place(number, kinds[number % len(kinds)], "held-out" if held else "train")


def missing(out: Path, place: Place, views: int) -> list[int]:
    """The views of a place that are not there yet."""
    return [view for view in range(views) if not place.folder(out, view).is_dir()]


def save_view(
    folder: Path,
    frames: dict[str, NDArray[np.uint8]],
    shot: Shot,
    facts: dict[str, Any],
) -> None:
    """Write a view, complete or not at all: its frames by name, what was seen, and the facts."""
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for name, frame in frames.items():
        _write(part / f"{name}.webp", frame[..., ::-1], LOSSY)
    kinds = np.concatenate([shot.maps[name] for name in SURFACES + LIGHTS])
    _write(part / "kinds.png", np.asarray(kinds * 255 + 0.5, np.uint8))
    _write(part / "depth.png", depth_codes(shot.depth))
    _write(part / "albedo.webp", _srgb(shot.albedo)[..., ::-1], FINE)
    groups = np.concatenate([shot.groups[name] for name in GROUPS])
    _write(part / "groups.webp", _srgb(groups / (1 + groups))[..., ::-1], LOSSY)
    (part / "facts.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    part.rename(folder)


def depth_codes(metres: Plane) -> NDArray[np.uint16]:
    """Depth as 16-bit codes in steps of 16, near 65535 at the lens, 0 where it is infinite."""
    codes = np.asarray(65535 * DEPTH_METRES / (DEPTH_METRES + metres) + 0.5, np.uint16)
    return codes & np.uint16(0xFFF0)  # finer ones would double the file


def depth_metres(codes: NDArray[np.uint16]) -> Plane:
    """What `depth_codes` was given, to 16 codes; infinite where the code is 0."""
    with np.errstate(divide="ignore"):
        return np.asarray(DEPTH_METRES * (65535 / codes.astype(np.float64) - 1), np.float32)


def _srgb(light: Plane) -> NDArray[np.uint8]:
    x = np.clip(light, 0, 1)
    code = np.where(x < 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-6) ** (1 / 2.4) - 0.055)
    return np.asarray(code * 255 + 0.5, np.uint8)


def _write(path: Path, picture: NDArray[Any], quality: int | None = None) -> None:
    how = [cv2.IMWRITE_WEBP_QUALITY, quality] if quality else []
    if not cv2.imwrite(str(path), np.ascontiguousarray(picture), how):
        raise OSError(f"{path}: could not be written: is the disk full?")
