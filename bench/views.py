"""Views that cameras saw by day and by night, and how near a render of the day comes to that view's own nights.

The cameras stood still, but traffic, weather and exposure differ from picture to picture. So no figure compares pixels:
each is a mean over the view's nights, and is read beside the same figure between two nights of one view, the floor.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.split import part_of, view_of
from bench.twins import Mask, Plane, count_kept, luma
from nightfx.errors import UsageError
from nightfx.metrics import structure_kept
from nightfx.training.data.decode import load_picture
from nightfx.training.data.pictures import to_tensor

SHORT_PX = 272  # pictures are measured at this short side
GRID = 8
EACH = 8  # days and nights of a view: its pictures are half an hour apart, and more alike than views are
# of the eight rows of cells, those that are sky or nearly so, from the top; by eye. Views that are not here have none
SKY_ROWS = {
    **{"640x372": 1, "640x439": 1, "640x469": 2, "640x469 b": 1, "640x471": 3, "693x512": 1},
    **{"711x512": 2, "715x512": 1, "737x512": 2, "738x512": 3, "800x458": 4},
}
# cameras that share a frame size with another, told by the minute at which they take a picture each half hour; by eye
SECOND_CAMERAS = {"640x469": range(4, 8), "640x471": range(14, 19)}
BRIGHT, ABOVE = (
    0.5,
    0.25,
)  # luma of a light in a view's median night, and how much more than around it
LIGHT_PX = 31  # the most that a light measures across

Renderer = Callable[[Tensor], Tensor]
Cells = NDArray[np.float32]


@dataclass(frozen=True)
class View:
    """What one camera saw."""

    name: str
    days: list[Tensor]
    """Pictures (3, H, W) in [0, 1]."""
    nights: list[Tensor]
    sky_rows: int
    """Of the eight rows of cells, from the top."""


@dataclass(frozen=True)
class Likeness:
    """How like a view's nights its renders are; means over pairs of a render and a night."""

    name: str
    structure: float
    """Correlation of locally normalised luma (`nightfx.metrics.structure_kept`), higher is nearer."""
    ground: float
    """Mean over cells of the error of their mean luma, in code values of 1; a picture has 8×8 cells."""
    sky: float
    """The same in rows of sky; not a number where a view has none."""
    pattern: float
    """Mean over all cells of the error that is left when its median is taken away: that of no exposure."""
    colour: float
    """Mean over all cells of the distance of their mean colours in a*, b* of CIELAB."""
    lights: float
    """Share of the lights of the median night that stand out (`bench.twins.count_kept`)."""


def load_views(photos: Path, part: str) -> Iterator[View]:
    """The views of a part of the split, or of `all`, that were seen by day and by night; raises UsageError if there is none."""
    table = photos / "manifest.csv"
    if not table.is_file():
        raise UsageError(f"{table}: not there; it says which camera took which picture")
    with table.open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["source"] == "webcams"]
    seen: dict[str, dict[str, list[Path]]] = {}
    for row in rows:
        if part in ("all", part_of(row)):
            sides = seen.setdefault(camera_of(row), {"day": [], "night": []})
            sides[row["class"]].append(photos / row["path"])
    both = {name: sides for name, sides in sorted(seen.items()) if all(sides.values())}
    if not both:
        raise UsageError(f"{table}: no webcam of the part {part} has pictures by day and by night")
    for name, sides in both.items():
        days, nights = ([_load(path) for path in spread(sides[s])] for s in ("day", "night"))
        yield View(name, days, nights, SKY_ROWS.get(name, 0))


def camera_of(row: dict[str, str]) -> str:
    """The camera that took the picture of `row`: its frame size, and where two share one, the minute of its clock."""
    size = str(view_of(row))
    minute = int(Path(row["original"]).stem[-4:-2])
    return f"{size} b" if minute % 30 in SECOND_CAMERAS.get(size, ()) else size


def spread(paths: list[Path]) -> list[Path]:
    """At most `EACH` of the paths, evenly from first to last."""
    count = min(EACH, len(paths))
    return [paths[i * len(paths) // count] for i in range(count)]


def _load(path: Path) -> Tensor:
    pixels = load_picture(path)
    scale = SHORT_PX / min(pixels.shape[:2])
    height, width = (round(side * scale) for side in pixels.shape[:2])
    return to_tensor(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))


def measure_view(name: str, view: View, render: Renderer) -> Likeness:
    """How like the view's nights the renders of its days are."""
    renders = [render(day) for day in view.days]
    pairs = [(a, b) for a in renders for b in view.nights]
    return _likeness(name, view, renders, pairs)


def measure_floor(name: str, view: View) -> Likeness:
    """How like each other a view's nights are."""
    return _likeness(name, view, view.nights, list(permutations(view.nights, 2)))


def _likeness(
    name: str, view: View, renders: list[Tensor], pairs: list[tuple[Tensor, Tensor]]
) -> Likeness:
    grids = {id(x): cells(x) for pair in pairs for x in pair}
    errors = [cell_errors(grids[id(a)], grids[id(b)], view.sky_rows) for a, b in pairs]
    structure = np.mean([structure_kept(b, a) for a, b in pairs])
    truth, lights = lights_of(view.nights)
    found, of = np.sum([count_kept(luma(a), truth, lights) for a in renders], axis=0)
    ground, sky, pattern, colour = (float(x) for x in np.mean(errors, axis=0))
    kept = float(found / of) if of else float("nan")
    return Likeness(name, float(structure), ground, sky, pattern, colour, kept)


def cells(picture: Tensor) -> Cells:
    """The mean colours (8, 8, 3) of the cells of a picture (3, H, W)."""
    pixels = np.ascontiguousarray(picture.clamp(0, 1).permute(1, 2, 0).numpy())
    return np.asarray(cv2.resize(pixels, (GRID, GRID), interpolation=cv2.INTER_AREA), np.float32)


def cell_errors(render: Cells, night: Cells, sky_rows: int) -> tuple[float, float, float, float]:
    """Errors of ground, sky, pattern and colour between cells (8, 8, 3), as `Likeness` says."""
    more = (luma_of(render) - luma_of(night)).astype(np.float64)
    sky, ground = np.abs(more[:sky_rows]), np.abs(more[sky_rows:])
    pattern = np.abs(more - np.median(more)).mean()
    tints = (cv2.cvtColor(x, cv2.COLOR_RGB2Lab)[..., 1:] for x in (render, night))
    colour = np.linalg.norm(np.subtract(*tints), axis=-1).mean()
    return (
        float(ground.mean()),
        float(sky.mean()) if sky_rows else np.nan,
        float(pattern),
        float(colour),
    )


def luma_of(grid: Cells) -> Plane:
    """Luma (8, 8) of cells (8, 8, 3)."""
    return luma(torch.from_numpy(np.moveaxis(grid, -1, 0)))


def lights_of(nights: list[Tensor]) -> tuple[Plane, Mask]:
    """The luma (H, W) of a view's median night, where no traffic is left, and what is small and bright in it.

    That is luma of 0.5 and 0.25 above an opening by a disc of 31 px.
    """
    y = np.median([luma(night) for night in nights], axis=0).astype(np.float32)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (LIGHT_PX, LIGHT_PX))
    above = cv2.morphologyEx(y, cv2.MORPH_TOPHAT, disc)
    return y, np.asarray((y >= BRIGHT) & (above >= ABOVE))


def mean_view(rows: list[Likeness]) -> Likeness:
    """One row for all views, every view counting alike; each figure over the views that have it."""
    figures = np.array([list(vars(row).values())[1:] for row in rows])
    known = ~np.isnan(figures)
    sums, counts = np.where(known, figures, 0).sum(0), known.sum(0)
    means = (float(x / n) if n else float("nan") for x, n in zip(sums, counts, strict=True))
    return Likeness(rows[0].name, *means)
