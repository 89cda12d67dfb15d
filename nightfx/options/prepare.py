"""Options of a data set that is made: what is day and what is night, what is left out, and how pictures are cut."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from nightfx.errors import UsageError
from nightfx.options.option import option, settle

_Normaliser = Literal["max", "255"]
"""Brightness is divided by the data set's largest, or by 255."""
Crop = Literal["centre", "random", "whole"]
"""Where the largest square is cut, if it is."""
Repeats = Literal["frames", "all", "none"]
"""Among which pictures near-duplicates are looked for."""


@dataclass(frozen=True)
class PrepareOptions:
    """How to sort, crop and split; the defaults are the paper's."""

    labels: Path | None = None
    """A CSV or BDD100K's JSON that says which is day and which is night, instead of brightness."""
    by_folder: bool = False
    """The nearest folder called day or night says it."""
    normalise: _Normaliser = option("max", "Divide brightness by the data set's max, or by 255.")
    day_above: float = option(0.6, "Day is brighter than this.")
    night_below: float = option(0.4, "Night is darker than this; what lies between is left out.")
    find_limits: bool = option(
        False, "Find where day and night part in these pictures, in place of both."
    )
    thresholds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """`night_below` and `day_above` of single sources: cameras differ."""
    test: int = option(
        500,
        "Pictures of each class in the test set, drawn at random; at most half of a class.",
        limits=(0, math.inf),
    )
    seed: int = option(0, "Seeds the test set and random crops.")
    crop: Crop = option("centre", "The largest square: centre, or random; whole cuts nothing.")
    size_px: int = option(
        256,
        "Side of the squares, to which pictures down to half of it are upscaled; of whole ones at most.",
        key="size",
        limits=(8, math.inf),
        unit="px",
    )
    every_seconds: float = option(
        1.0,
        "Seconds between two frames of a clip.",
        key="every",
        words="a number of seconds above 0",
        metavar="SECONDS",
    )
    repeats: Repeats = option(
        "frames", "Leave out near-duplicates among frames of a clip, all, or none."
    )
    near: float = option(
        0.97,
        "Correlation of thumbnails from which two are near-duplicates.",
        words="a number above 0 and at most 1",
    )

    def __post_init__(self) -> None:
        settle(self)
        for low, high in ((self.night_below, self.day_above), *self.thresholds.values()):
            if not 0 <= low <= high <= 1:
                words = "night must end below where day begins, in 0 to 1"
                raise UsageError(f"{words}: got {low}, {high}")
        if self.labels and self.by_folder:
            raise UsageError("labels come from a file or from folders, not from both")
        if not 0 < self.every_seconds < math.inf:
            raise UsageError(f"--every must be above 0 seconds, got {self.every_seconds:g}")
        if not 0 < self.near <= 1:
            raise UsageError(f"--near must be above 0 and at most 1, got {self.near:g}")
