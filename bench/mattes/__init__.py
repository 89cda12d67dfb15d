"""Skies of sixty photographs by day, drawn by hand: the truth that mattes are measured by.

Each began as an automatic matte at 512 lines, was looked at beside its photograph at two sizes or more, and corrected by
polygons until nothing was left to correct. What cannot be decided (crowns of leaves, haze at the horizon, glass of lanterns)
is unsure, and counts for nobody. The photographs do not come along: a matte knows its own by its hash.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nightfx.errors import UsageError
from nightfx.training.data.decode import load_picture

LINES = 512  # of a matte's shorter side
NOT_SKY, SKY, UNSURE = 0, 1, 2

Byte = NDArray[np.uint8]

_SKIES = Path(__file__).parent / "sky.json"
_HARD = Path(__file__).parent / "hard.txt"


class HandMatte(NamedTuple):
    """The sky of one photograph."""

    path: str
    """The photograph's, below the folder of photographs."""
    holds: str
    """What makes it worth measuring."""
    sha256: str
    """Of the photograph's file."""
    sky: Byte
    """(h, w) of `NOT_SKY`, `SKY` and `UNSURE`; the shorter side has 512 px."""


def load_mattes() -> list[HandMatte]:
    """All sixty, in the order of their paths."""
    facts = json.loads(_SKIES.read_text(encoding="utf-8"))
    return [HandMatte(path, of["holds"], of["sha256"], _unpacked(of)) for path, of in facts.items()]


def _unpacked(of: dict[str, str]) -> Byte:
    codes = zlib.decompress(base64.b64decode(of["matte"]))
    return np.frombuffer(codes, np.uint8).reshape(int(of["height"]), int(of["width"]))


def load_photo(hand: HandMatte, photos: Path) -> Byte:
    """Decode the photograph of a matte, (H, W, 3) RGB; raises `UsageError` where it is missing or another."""
    path = find_photo(hand.path, photos)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != hand.sha256:
        raise UsageError(
            f"{path}: not the photograph that the matte was drawn on (SHA-256 {found[:12]}…, not "
            f"{hand.sha256[:12]}…): put back the original file"
        )
    return load_picture(path)


def find_photo(name: str, photos: Path) -> Path:
    """The file `name` below `photos`; raises `UsageError` where there is none."""
    path = photos / name
    if not path.is_file():
        raise UsageError(
            f"{path}: no such photograph; --photos is the folder that holds {name.split('/')[0]}/"
        )
    return path


def load_hard() -> dict[str, str]:
    """Photographs that are hard to turn to night: why, by path below the folder of photographs."""
    lines = _HARD.read_text(encoding="utf-8").splitlines()
    pairs = (line.split(maxsplit=1) for line in lines if line and not line.startswith("#"))
    return {path: why.strip() for path, why in pairs}
