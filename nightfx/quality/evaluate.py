"""Renders measured beside their plates and real pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nightfx.disk import partial_file
from nightfx.errors import SourceError, install_words
from nightfx.job.pipeline import begin_stage, stage_counter
from nightfx.metrics import Features, flicker
from nightfx.metrics.pictures import to_lines
from nightfx.options import MAX_PIXELS
from nightfx.quality import contacts, figures, files
from nightfx.quality.views import views
from nightfx.source import is_picture

_EVERY = 24  # frame of a clip is measured as a picture
FLICKER_FRAMES, FLICKER_LINES = 24, 270
_FEW_REAL = 30
OWN = "nightfx's own small network: not comparable with published figures"
_STILL = (
    1e-4  # mean change between frames of a plate, below which it has no flicker to compare with
)


@dataclass(frozen=True)
class EvaluateOptions:
    """How to measure."""

    tile_px: int = 256
    """Seams are looked for where tiles of this size begin."""
    frames: int = 240
    """So many frames of each clip are read; every 24th is measured, and flicker on the first 24."""
    max_pixels: int = MAX_PIXELS
    """Refuse a picture of more pixels than this."""
    features: Features | None = None
    """A network's features for KID and FID; None takes the small one's that comes along."""


@dataclass(frozen=True, eq=False)
class Report:
    """All that was measured."""

    rows: list[figures.FigureRow]
    """Plates, renders, and one half of the real pictures against the other."""
    pictures: list[tuple[figures.Compared, contacts.Thumb]]
    real: figures.Real
    notes: list[str]
    own_features: bool
    """Whether KID and FID rest on the small network that comes along."""

    def to_json(self) -> str:
        """All figures."""
        ranges = self.real.range
        facts: dict[str, Any] = {
            "rows": [asdict(row) for row in self.rows],
            "real": {"pictures": len(self.real.portraits), **asdict(ranges)},
            "kid_and_fid_by": OWN if self.own_features else "the network given",
            "pictures": [figures.facts_of(each, ranges) for each, _ in self.pictures],
            "notes": self.notes,
        }
        return json.dumps(facts, indent=2, allow_nan=False) + "\n"


def evaluate(
    plates: Path,
    renders: Path,
    nights: Path,
    *,
    options: EvaluateOptions | None = None,
    on_progress: Callable[[int, int | None], None] | None = None,
) -> Report:
    """Measure the renders in a folder beside the plates of their names and real nights (or days, for renders of days).

    Pictures and clips, also below the folders; the first folder below each is a source, and every source counts alike.
    Raises a `NightfxError`.
    """
    options, tell = options or EvaluateOptions(), on_progress or (lambda done, total: None)
    pairs, notes = files.find_pairs(Path(plates), Path(renders))
    real_paths = files.list_media(Path(nights))
    count_real = stage_counter(on_progress, "real pictures", len(real_paths))
    portraits: list[figures.Portrait] = []
    for path in real_paths:
        portraits += _portraits(path, files.source_of(path, Path(nights)), options, len(portraits))
        count_real()
    real = figures.Real(portraits)
    if len(portraits) < _FEW_REAL:
        notes.append(f"{len(portraits)} real pictures are few: distances depend on which they are")
    plain: list[figures.Portrait] = []
    pictures: list[tuple[figures.Compared, contacts.Thumb]] = []
    flickers: list[float] = []
    for done, pair in enumerate(pairs):
        tell(done, len(pairs))
        before, found, value = _measure(pair, real, options, len(pictures))
        plain, pictures = plain + before, pictures + found
        flickers += [value] if value is not None else []
    tell(len(pairs), len(pairs))
    begin_stage(on_progress, "comparing")
    rows = [
        figures.summarise("plates", plain, real),
        figures.summarise(
            "renders", [x.render for x, _ in pictures], real, [x for x, _ in pictures], flickers
        ),
    ]
    rows += _floor(real)
    if rows[0].kid is None:
        notes.append(f"KID and FID are left out: they need {install_words('evaluate')}")
    return Report(rows, pictures, real, notes, options.features is None)


def write_json(report: Report, target: Path) -> None:
    """Write all figures; the name only ever stands for a complete file."""
    with partial_file(target) as part:
        part.write_text(report.to_json(), encoding="utf-8")


def _floor(real: figures.Real) -> list[figures.FigureRow]:
    """Real pictures against real pictures: by name, the first half of each source against the second."""
    halves: tuple[list[figures.Portrait], list[figures.Portrait]] = [], []
    for source in dict.fromkeys(x.source for x in real.portraits):
        own = [x for x in real.portraits if x.source == source]
        halves[0].extend(own[: len(own) // 2])
        halves[1].extend(own[len(own) // 2 :])
    if min(len(half) for half in halves) < 2:
        return []
    return [figures.summarise("real, halves", halves[0], figures.Real(halves[1]))]


def _portraits(
    path: Path, source: str, options: EvaluateOptions, seed: int
) -> list[figures.Portrait]:
    shown = _views(path, options)
    found = [
        figures.portray(picture, path.name, source, features=options.features, seed=seed + i)
        for i, picture in enumerate(shown)
        if i % _EVERY == 0
    ]
    if not found:
        raise SourceError(f"{path}: no picture in it")
    return [replace(x, share=1 / len(found)) for x in found]


def _measure(
    pair: files.Pair, real: figures.Real, options: EvaluateOptions, seed: int
) -> tuple[list[figures.Portrait], list[tuple[figures.Compared, contacts.Thumb]], float | None]:
    if is_picture(pair.plate) != is_picture(pair.render):
        raise SourceError(
            f"{pair.render}: one of it and {pair.plate} is a clip, the other a picture"
        )
    before: list[figures.Portrait] = []
    found: list[tuple[figures.Compared, contacts.Thumb]] = []
    run: list[tuple[Tensor, Tensor]] = []
    both = zip(_views(pair.plate, options), _views(pair.render, options), strict=False)
    for i, (plate, render) in enumerate(both):
        _check_sizes(pair, plate, render)
        if i < FLICKER_FRAMES and not is_picture(pair.plate):
            run.append((_smaller(plate), _smaller(render)))
        if i % _EVERY:
            continue
        name = pair.name if is_picture(pair.plate) else f"{pair.name}:{i}"
        sides = [
            figures.portray(x, name, pair.source, features=options.features, seed=seed + i)
            for x in (plate, render)
        ]
        before.append(sides[0])
        compared = figures.compare(plate, render, sides[1], real, options.tile_px)
        found.append((compared, contacts.thumb_of(plate, render)))
    if not found:
        raise SourceError(f"{pair.render}: no picture in it")
    share = 1 / len(found)
    even = [(replace(x, render=replace(x.render, share=share)), thumb) for x, thumb in found]
    return [replace(x, share=share) for x in before], even, _flicker(run)


def _views(path: Path, options: EvaluateOptions) -> Iterator[Tensor]:
    return views(path, most=options.frames, max_pixels=options.max_pixels)


def _check_sizes(pair: files.Pair, plate: Tensor, render: Tensor) -> None:
    if plate.shape != render.shape:
        sizes = [f"{x.shape[2]}x{x.shape[1]}" for x in (render, plate)]
        raise SourceError(
            f"{pair.render}: is {sizes[0]}, and its plate {pair.plate} {sizes[1]}: give renders of one size"
        )


def _smaller(picture: Tensor) -> Tensor:
    return to_lines(picture, min(FLICKER_LINES, *picture.shape[1:]))


def _flicker(run: list[tuple[Tensor, Tensor]]) -> float | None:
    if len(run) < 2:
        return None
    plates, renders = [x for x, _ in run], [y for _, y in run]
    changes = torch.stack([(a - b).abs().mean() for a, b in pairwise(plates)])
    return flicker(plates, renders) if float(changes.max()) > _STILL else None
