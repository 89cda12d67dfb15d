"""A data set for training, in memory and on disk: squares by split, class and source, and tables of them.

`manifest.csv` names every picture, `left_out.csv` every other one and why, `dataset.json` how it was made.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from nightfx.training.data import charts
from nightfx.training.sets import measure

CLASSES = ("day", "night")
_SPLITS = ("train", "test")
_FIGURE_PICTURES = 100  # of each class, as in the paper's Figure 1


@dataclass(frozen=True)
class Sorted:
    """A picture of the data set, or one that was left out."""

    measured: measure.Measured
    """The pictures that were read."""
    normalised: float
    """Brightness by the data set's maximum, or by 255."""
    name: str = ""
    """day or night."""
    split: str = "train"
    """train or test."""
    reason: str = ""
    """Why it is left out; empty for a picture of the set."""


@dataclass(frozen=True)
class DataSet:
    """A data set that was made."""

    folder: Path
    """Where it is."""
    kept: list[Sorted]
    """Its pictures."""
    left_out: list[Sorted]
    """All others, with a reason each."""
    divisor: float
    """The divisor of brightness, of 255."""

    def count(self, name: str, split: str) -> int:
        """Pictures of a class in train or test."""
        return sum(x.name == name and x.split == split for x in self.kept)


def write_dataset(data: DataSet, folder: Path, how: Mapping[str, Any], seed: int) -> None:
    """Write `data` below `folder`: squares, tables, Figure 1 (its pictures drawn by `seed`), and `how` it was made as JSON."""
    rows = [_place(picture, folder) for picture in data.kept]
    _write_table(folder / "manifest.csv", sorted(rows, key=lambda row: str(row["path"])))
    _write_table(folder / "left_out.csv", [_left_out(x) for x in data.left_out])
    counts = {f"{split} {name}": data.count(name, split) for split in _SPLITS for name in CLASSES}
    facts = {**how, "brightness divided by": 255 * data.divisor, "pictures": counts}
    (folder / "dataset.json").write_text(json.dumps(facts, indent=2, default=str) + "\n", "utf-8")
    day, night = (_drawn(data, name, seed) for name in CLASSES)
    charts.save_brightness(night, day, folder / "figure_1.png")


def _place(picture: Sorted, folder: Path) -> dict[str, object]:
    """Move a square to its place and return its row of the manifest."""
    found = picture.measured
    assert found.square is not None
    name = f"{_plain(found.candidate.path.stem)}-{found.digest[:12]}.png"
    path = Path(picture.split, picture.name, _plain(found.candidate.source), name)
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    found.square.replace(folder / path)
    return {
        "path": path.as_posix(),
        "class": picture.name,
        "split": picture.split,
        **_facts(picture),
        "hash": found.square_hash,
    }


def _left_out(picture: Sorted) -> dict[str, object]:
    return {**_facts(picture), "reason": picture.reason}


def _facts(picture: Sorted) -> dict[str, object]:
    found = picture.measured
    known = bool(found.digest)
    return {
        "source": _plain(found.candidate.source),
        "brightness": f"{found.brightness:.4f}" if known else "",
        "normalised": f"{picture.normalised:.4f}" if known else "",
        "original": str(found.candidate.path),
        "seconds": "" if found.seconds is None else f"{found.seconds:.3f}",
    }


def _plain(name: str) -> str:
    """A name that is safe as a folder's or file's on every system."""
    return re.sub(r"[^\w-]+", "_", name)[:80].strip("_") or "set"


def _write_table(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    columns = list(rows[0]) if rows else ["source", "original", "reason"]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def _drawn(data: DataSet, name: str, seed: int) -> list[float]:
    values = [x.normalised for x in data.kept if x.name == name]
    order = np.random.default_rng(seed).permutation(len(values))[:_FIGURE_PICTURES]
    return [values[index] for index in order]


def describe(data: DataSet) -> str:
    """A table for a terminal: pictures and median normalised brightness of each source by class."""
    sources = sorted({x.measured.candidate.source for x in [*data.kept, *data.left_out]})
    lines = [f"{'source':24}  {'day':>14}  {'night':>14}  left out"]
    for source in sources:
        kept, out = (
            [x for x in part if x.measured.candidate.source == source]
            for part in (data.kept, data.left_out)
        )
        cells = [_cell([x.normalised for x in kept if x.name == name]) for name in CLASSES]
        lines.append(f"{source[:24]:24}  {cells[0]:>14}  {cells[1]:>14}  {len(out):8}")
    totals = (f"{data.count(name, split)} {name}" for split in _SPLITS for name in CLASSES)
    return "\n".join([*lines, "train: {}, {}; test: {}, {}".format(*totals)])


def _cell(values: list[float]) -> str:
    return f"{len(values)} at {median(values):.2f}" if values else "0"
