"""Figures of a picture alone, of a render beside its plate, and of a set of either."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nightfx.errors import UsageError
from nightfx.light import plan_tiles
from nightfx.metrics import (
    Called,
    Features,
    Sample,
    call_night,
    fid,
    halos,
    hsp_brightness,
    invented_lights,
    kid,
    light_share,
    misplaced_lights,
    pyramid_distance,
    sample_picture,
    seams,
    skyline,
    structure_kept,
)
from nightfx.metrics.features import small_features
from nightfx.metrics.pictures import to_lines
from nightfx.scene import places_of

_GRID_PX = 8
_DRAWN_PER_SOURCE = 48  # of features: KID and FID know no weights, so small sources repeat
# where a figure of one picture is worth a look; one picture has few borders of tiles, so chance alone makes seams of 1.2
STRUCTURE, HALO_STOPS, INVENTED, SEAM = 0.85, 0.5, 2, 1.5
# lamps leave walls below the sky darker than walls beside them, by 0.9 stops in drawn nights
DARKER_STOPS, FRINGE_STOPS, MISPLACED = 1.0, 0.4, 1


@dataclass(frozen=True, eq=False)
class Portrait:
    """Figures of a picture alone."""

    name: str
    source: str
    share: float
    """Weight: of a picture 1, of a frame of a clip its part of all frames measured."""
    brightness: float
    """HSP, 0 to 1."""
    lights: float
    """Share of pixels that are bright and small-scale."""
    called: Called
    """How likely it is night, to judges of colours and of structure that never saw a render nor its source, 0 to 1."""
    sample: Sample
    features: Tensor


@dataclass(frozen=True, eq=False)
class Compared:
    """A render beside its plate; None where there is nothing to measure."""

    render: Portrait
    structure: float
    """Correlation of locally normalised luma."""
    invented: int
    """Lights where the plate has neither light nor lamp."""
    halo: float | None
    """Along the skyline, in stops."""
    seams: float | None
    """Gradient at borders of tiles over that inside, render ÷ plate."""
    darker: float | None
    """How much more walls near the sky were darkened than walls far from it, in stops."""
    fringe: float | None
    """How far the skyline itself is brighter or darker than both its sides, in stops."""
    misplaced: int
    """Lights in the sky, in leaves, on people, on the bare ground."""
    apart: float
    """From the nearest real picture: RMS of 8×8 mean colours."""


@dataclass(frozen=True)
class FigureRow:
    """A line of the table: one way to make pictures, every source alike. None where it does not apply."""

    name: str
    pictures: int
    distance: float
    """`nightfx.metrics.pyramid_distance` from real pictures: the primary figure."""
    colours: float
    layout: float
    bands: float
    night: float
    """Share that the judge less content with it calls night: of colours or of structure."""
    brightness: float
    lights: float
    kid: float | None
    fid: float | None
    structure: float | None = None
    invented: float | None = None
    """Lights per 10 pictures."""
    halo: float | None = None
    seams: float | None = None
    flicker: float | None = None
    by_colours: float | None = None
    """Share called night by colours alone."""
    by_structure: float | None = None
    """Share called night by structure alone."""
    darker: float | None = None
    fringe: float | None = None
    misplaced: float | None = None
    """Lights in impossible places per 10 pictures."""


@dataclass(frozen=True)
class Range:
    """The middle 80 % of real pictures."""

    brightness: tuple[float, float]
    lights: tuple[float, float]
    apart: float
    """How far 90 % of real pictures are from the nearest other, at most."""


@dataclass(frozen=True, eq=False)
class Real:
    """Pictures of what is wanted: real nights, or real days."""

    portraits: list[Portrait]
    layouts: Tensor = field(init=False)
    """(N, 255): see `_layout`."""
    range: Range = field(init=False)

    def __post_init__(self) -> None:
        if len(self.portraits) < 2:
            raise UsageError(
                "real pictures are compared as a set: give 2 or more, better 50 of many places"
            )
        object.__setattr__(self, "layouts", torch.stack([_layout(x) for x in self.portraits]))
        object.__setattr__(self, "range", _range(self.portraits, self.layouts))


def portray(
    picture: Tensor, name: str, source: str = "", *, features: Features | None = None, seed: int = 0
) -> Portrait:
    """Measure a picture (3, H, W) in [0, 1]."""
    return Portrait(
        *(name, source, 1.0),
        *(hsp_brightness(to_lines(picture)), light_share(picture), call_night(picture, source)),
        *(sample_picture(picture, seed=seed), (features or small_features)(picture)),
    )


def compare(
    plate: Tensor, render: Tensor, portrait: Portrait, real: Real, tile_px: int
) -> Compared:
    """Measure a render beside its plate, (3, H, W) both, as tiles of `tile_px` would have been laid."""
    small = to_lines(plate), to_lines(render)
    sky, lampless, ground, lamped = places_of(plate)
    line = skyline(plate, render, sky)
    return Compared(
        portrait,
        structure_kept(*small),
        invented_lights(plate, render, lamped),
        _known(halos(plate, render, sky)),
        _known(seams(render, plate, *_borders(plate, tile_px))),
        *(
            _known(line.darker),
            _known(line.fringe),
            misplaced_lights(plate, render, lampless, ground),
        ),
        float(torch.cdist(_layout(portrait)[None], real.layouts).min()),
    )


def summarise(
    name: str,
    portraits: Sequence[Portrait],
    real: Real,
    compared: Sequence[Compared] = (),
    flickers: Sequence[float] = (),
) -> FigureRow:
    """One line of the table of pictures against real ones."""
    weights = _weights_of(portraits)
    both = weights, _weights_of(real.portraits)
    d = pyramid_distance([x.sample for x in portraits], [x.sample for x in real.portraits], both)
    mean = Mean(weights)
    nights = _called(portraits, mean)
    found = FigureRow(
        *(name, len(portraits), d.whole, d.colours, sum(d.layout), sum(d.bands)),
        min(nights) if wants_night(real) else max(nights),
        mean([x.brightness for x in portraits]) or 0.0,
        mean([x.lights for x in portraits]) or 0.0,
        *_inception(portraits, real.portraits),
        flicker=float(np.mean(flickers)) if flickers else None,
        by_colours=nights.colours,
        by_structure=nights.structure,
    )
    return found if not compared else _beside_plates(found, compared, mean)


def wants_night(real: Real) -> bool:
    """Whether real pictures are nights, as far as both judges together can tell."""
    nights = _called(real.portraits, Mean(_weights_of(real.portraits)))
    return sum(nights) > 1


class Mean:
    """A mean over pictures by their weights, of those that have the figure."""

    def __init__(self, weights: Sequence[float]) -> None:
        self.weights = weights

    def __call__(self, values: Sequence[float | None]) -> float | None:
        """The mean; None where no picture has the figure."""
        pairs = [(v, w) for v, w in zip(values, self.weights, strict=True) if v is not None]
        total = sum(w for _, w in pairs)
        return sum(v * w for v, w in pairs) / total if total else None


def _called(portraits: Sequence[Portrait], mean: Mean) -> Called:
    """The shares of pictures that each judge calls night."""
    shares = ([float(x.called[i] > 0.5) for x in portraits] for i in range(len(Called._fields)))
    return Called(*(mean(share) or 0.0 for share in shares))


def _beside_plates(row: FigureRow, compared: Sequence[Compared], mean: Mean) -> FigureRow:
    return replace(
        row,
        structure=mean([x.structure for x in compared]),
        invented=mean([10.0 * x.invented for x in compared]),
        halo=mean([x.halo for x in compared]),
        seams=mean([x.seams for x in compared]),
        darker=mean([x.darker for x in compared]),
        fringe=mean([x.fringe for x in compared]),
        misplaced=mean([10.0 * x.misplaced for x in compared]),
    )


def _weights_of(portraits: Sequence[Portrait]) -> list[float]:
    """How much each picture counts, so that every source counts alike."""
    totals: dict[str, float] = {}
    for each in portraits:
        totals[each.source] = totals.get(each.source, 0.0) + each.share
    return [x.share / totals[x.source] for x in portraits]


def faults(each: Compared, ranges: Range) -> dict[str, float]:
    """The figures of one render in units of what is worth a look: 1 and above is."""
    found = {
        "unlike real ones": each.apart / max(ranges.apart, 1e-6),
        "structure lost": (1 - each.structure) / (1 - STRUCTURE),
        "lights invented": each.invented / INVENTED,
        "halo": (each.halo or 0.0) / HALO_STOPS,
        "seams": ((each.seams or 1.0) - 1) / (SEAM - 1),
        "walls darker at the sky": (each.darker or 0.0) / DARKER_STOPS,
        "fringe": (each.fringe or 0.0) / FRINGE_STOPS,
        "lights misplaced": each.misplaced / MISPLACED,
    }
    return {name: round(float(value), 3) for name, value in found.items()}


def facts_of(each: Compared, ranges: Range) -> dict[str, Any]:
    """A render's figures for JSON."""
    alone = {k: getattr(each.render, k) for k in ("name", "source", "brightness", "lights")}
    nights = {f"night_by_{k}": v for k, v in each.render.called._asdict().items()}
    names = ("structure", "invented", "halo", "seams", "darker", "fringe", "misplaced", "apart")
    beside = {k: getattr(each, k) for k in names}
    return alone | nights | beside | {"faults": faults(each, ranges)}


def _range(portraits: Sequence[Portrait], layouts: Tensor) -> Range:
    weights = _weights_of(portraits)
    middle = [
        _quantiles([getattr(x, name) for x in portraits], weights, (0.1, 0.9))
        for name in ("brightness", "lights")
    ]
    others = torch.cdist(layouts, layouts).fill_diagonal_(torch.inf).min(1).values
    return Range(middle[0], middle[1], _quantiles(others.tolist(), weights, (0.9, 0.9))[0])


def _quantiles(
    values: Sequence[float], weights: Sequence[float], at: tuple[float, float]
) -> tuple[float, float]:
    order = np.argsort(values)
    shares = np.cumsum(np.array(weights)[order])
    found = np.interp(
        np.array(at) * shares[-1], shares - np.array(weights)[order] / 2, np.array(values)[order]
    )
    return float(found[0]), float(found[1])


def _layout(portrait: Portrait) -> Tensor:
    """A layout whose distance from another is the RMS difference of 8×8 mean colours: its parts are orthogonal (Haar)."""
    return torch.cat([part[0] / math.sqrt(len(part[0])) for part in portrait.sample.layout])


def _inception(a: Sequence[Portrait], b: Sequence[Portrait]) -> tuple[float | None, float | None]:
    features = [torch.stack([x.features for x in _alike(side)]) for side in (a, b)]
    try:
        return _known(kid(*features)), _known(fid(*features))
    except UsageError:  # torchmetrics is an extra
        return None, None


def _alike(portraits: Sequence[Portrait]) -> list[Portrait]:
    by_source: dict[str, list[Portrait]] = {}
    for each in portraits:
        by_source.setdefault(each.source, []).append(each)
    count = min(_DRAWN_PER_SOURCE, max(len(own) for own in by_source.values()))
    return [own[i * len(own) // count] for own in by_source.values() for i in range(count)]


def _borders(plate: Tensor, tile_px: int) -> tuple[list[int], list[int]]:
    height, width = (-(-side // _GRID_PX) * _GRID_PX for side in plate.shape[1:])
    tiles = plan_tiles(height, width, tile_px)
    rows, columns = ({tile.core[i].start for tile in tiles} - {0} for i in (0, 1))
    return sorted(rows), sorted(columns)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
