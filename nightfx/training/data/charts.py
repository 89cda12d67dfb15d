"""Charts of a training run and of its data: curves over steps, brightness of a set; drawn with Pillow alone.

An axis of curves is one of decades where their values span more than one. Losses are of the order of 1, but those of a run
that goes wrong can reach 1e20: an axis shows a few decades around the curve that is nearest to 1, and the legend says
what lies beyond.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from nightfx.training.data.drawings import font, save_image, under_caption

Point = tuple[float, float]
Curves = Mapping[str, Sequence[Point]]
"""Curves by name; a point is (step, value), or whatever runs along."""

COLOURS = (
    *("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b"),
    *("#e377c2", "#7f7f7f", "#bcbd22", "#17becf", "#000000", "#aec7e8"),
)
WIDTH_PX, HEIGHT_PX = 1200, 460
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 300, 40, 56  # margins in px; the legend is on the right
_FEW = 40  # points of a curve that are marked each
_ABOVE, _BELOW = 1e3, 1e4  # of values that an axis shows above and below the curve nearest to 1
_LOG_FROM = 10.0  # largest to smallest value
_BEYOND = 1.001  # times an axis's end: rounding is none
_PALE = 0.7  # of the way to white, of a curve that is drawn smoothed too
_WINDOWS = 40  # of a curve, that a mean is taken over


@dataclass(frozen=True)
class Axis:
    """The values that an axis shows, and where its lines are."""

    low: float
    high: float
    is_log: bool = False
    """Whether it is one of decades."""

    def at(self, value: float) -> float:
        """Where a value stands, 0 to 1; what lies beyond an end stands at it."""
        low, high, value = (self._scaled(x) for x in (self.low, self.high, value))
        return min(max((value - low) / (high - low), 0.0), 1.0)

    def ticks(self) -> list[float]:
        """Round values between its ends."""
        if not self.is_log:
            step = _round_step((self.high - self.low) / 7)
            first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
            return [index * step for index in range(first, last + 1)]
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        parts = (1, 2, 5) if math.log10(self.high / self.low) < 4 else (1,)
        values = [part * 10.0**decade for decade in decades for part in parts]
        return [x for x in values if self.low * 0.999 <= x <= self.high * 1.001]

    def _scaled(self, value: float) -> float:
        if not self.is_log:
            return value
        return math.log10(max(value, self.low))


def axis_of(curves: Iterable[Sequence[float]]) -> Axis:
    """The axis that shows these curves' values; decades where they span more than one and all are above 0."""
    finite = [[value for value in curve if math.isfinite(value)] for curve in curves]
    known = [value for curve in finite for value in curve]
    above = [value for value in known if value > 0]
    if len(above) < len(known) or not above or max(above) < _LOG_FROM * min(above):
        low, high = min(known, default=0.0), max(known, default=1.0)
        step = _round_step(max(high - min(low, 0.0), 1e-9) / 5)
        return Axis(math.floor(min(low, 0.0) / step) * step, math.ceil(high / step) * step or step)
    middle = min((float(np.median(x)) for x in finite if x), key=lambda x: abs(math.log10(x)))
    low, high = max(min(above), middle / _BELOW), min(max(above), middle * _ABOVE)
    return Axis(_rounded(low, up=False), _rounded(high, up=True), is_log=True)


def _round_step(step: float) -> float:
    """The next of 1, 2 and 5 times a power of ten."""
    decade: float = 10.0 ** math.floor(math.log10(step))
    return next((part * decade for part in (1, 2, 5) if part * decade >= step * 0.999), 10 * decade)


def _rounded(value: float, *, up: bool) -> float:
    decade = 10.0 ** math.floor(math.log10(value))
    parts = [part * decade for part in (1, 2, 5, 10)]
    if up:
        return next(x for x in parts if x >= value * 0.999)
    return next(x for x in reversed(parts) if x <= value * 1.001)


def save_curves(
    curves: Curves, path: Path, *, along: str = "steps", upwards: str = "", caption: str = ""
) -> None:
    """Draw one chart of `curves` into a PNG; `along` is what runs along, `upwards` what a value is."""
    save_charts({"": curves}, path, along=along, upwards=(upwards,), caption=caption)


def save_charts(
    charts: Mapping[str, Curves],
    path: Path,
    *,
    along: str = "steps",
    upwards: Sequence[str] = (),
    caption: str = "",
) -> None:
    """Draw charts below each other into one PNG, each under its title; they share what runs along."""
    named = dict(zip(charts, upwards, strict=False))
    farthest = max(
        (x for curves in charts.values() for curve in curves.values() for x, _ in curve), default=1
    )
    image = Image.new("RGB", (WIDTH_PX, HEIGHT_PX * len(charts)), "white")
    for index, (title, curves) in enumerate(charts.items()):
        image.paste(
            _chart(title, curves, Axis(0, max(farthest, 1e-9)), (along, named.get(title, ""))),
            (0, HEIGHT_PX * index),
        )
    save_image(under_caption(image, caption), path)


def _chart(title: str, curves: Curves, across: Axis, titles: tuple[str, str]) -> Image.Image:
    image = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), "white")
    draw = ImageDraw.Draw(image)
    values = axis_of([value for _, value in curve] for curve in curves.values())
    _draw_axes(draw, across, values, titles[0])
    _draw_upwards(image, titles[1], values)
    draw.text((_LEFT, _TOP - 12), title, fill="black", font=font(16), anchor="ls")
    for index, curve in enumerate(curves.values()):
        known = [point for point in curve if math.isfinite(point[1])]
        _draw_curve(draw, known, (across, values), COLOURS[index % len(COLOURS)])
    _draw_legend(draw, [(name, _told(curve, values)) for name, curve in curves.items()])
    return image


def _told(curve: Sequence[Point], values: Axis) -> str:
    """The legend's second line: a curve's last value, and what of it lies beyond the axis."""
    known = [value for _, value in curve if math.isfinite(value)]
    if not known:
        return "no values"
    above, below = max(known) > values.high * _BEYOND, min(known) < values.low / _BEYOND
    beyond = f"; up to {_number(max(known))}" if above else ""
    return f"last {_number(known[-1])}{beyond}" + (
        f"; down to {_number(min(known))}" if below else ""
    )


def _draw_legend(draw: ImageDraw.ImageDraw, lines: Sequence[tuple[str, str]]) -> None:
    """Write names, and a line below each, beside the plot in the order of colours."""
    left, step = WIDTH_PX - _RIGHT + 20, min(44, (HEIGHT_PX - _TOP) / max(len(lines), 1))
    for index, (name, told) in enumerate(lines):
        top, colour = _TOP + step * index, COLOURS[index % len(COLOURS)]
        draw.rectangle([left, top + 5, left + 18, top + 9], fill=colour)
        draw.text((left + 26, top - 2), name, fill="black", font=font())
        draw.text((left + 26, top + 15), told, fill="#666666", font=font(13))


def _draw_curve(
    draw: ImageDraw.ImageDraw, curve: Sequence[Point], axes: tuple[Axis, Axis], colour: str
) -> None:
    """Draw a curve: each point where they are few, else its mean over neighbours before the pale whole."""
    places = [_place(point, axes) for point in curve]
    if len(curve) <= _FEW:
        draw.line(places, fill=colour, width=2)
        for point, (x, y) in zip(curve, places, strict=True):
            _draw_mark(draw, (x, y), colour, point[1], axes[1])
        return
    draw.line(places, fill=_paled(colour), width=1)
    draw.line([_place(point, axes) for point in _smoothed(curve)], fill=colour, width=2)


def _draw_mark(
    draw: ImageDraw.ImageDraw, at: Point, colour: str, value: float, values: Axis
) -> None:
    x, y = at
    beyond = (value > values.high * _BEYOND) - (value < values.low / _BEYOND)
    if beyond:
        draw.polygon(
            [(x, y - 6 * beyond), (x - 5, y + 4 * beyond), (x + 5, y + 4 * beyond)], fill=colour
        )
    else:
        draw.ellipse([x - 3, y - 3, x + 3, y + 3], fill=colour)


def _smoothed(curve: Sequence[Point]) -> list[Point]:
    half = max(len(curve) // _WINDOWS // 2, 1)
    windows = ((at, curve[max(at - half, 0) : at + half + 1]) for at in range(len(curve)))
    # the median: a single wild value is none of the course
    return [(curve[at][0], float(np.median([value for _, value in near]))) for at, near in windows]


def _paled(colour: str) -> tuple[int, ...]:
    channels = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return tuple(round(x + (255 - x) * _PALE) for x in channels)


def _draw_upwards(image: Image.Image, words: str, values: Axis) -> None:
    """Write what a value is beside its axis, from below upwards."""
    words += " (log axis)" if words and values.is_log else ""
    strip = Image.new("RGB", (HEIGHT_PX - _TOP - _BOTTOM, 20), "white")
    ImageDraw.Draw(strip).text((strip.width / 2, 10), words, fill="black", font=font(), anchor="mm")
    image.paste(strip.rotate(90, expand=True), (2, _TOP))


def _number(value: float) -> str:
    """A value as a chart writes it, to three digits: `1,000`, `0.05`, `4 x 10^19`."""
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        return f"{float(f'{value:.3g}'):,.6g}"
    decade = math.floor(math.log10(abs(value)) + 1e-9)
    part = f"{value / 10.0**decade:.3g}"
    return f"10^{decade}" if part == "1" else f"{part} x 10^{decade}"


def _draw_axes(draw: ImageDraw.ImageDraw, across: Axis, values: Axis, along: str) -> None:
    right, bottom = WIDTH_PX - _RIGHT, HEIGHT_PX - _BOTTOM
    for tick in values.ticks():
        _, y = _place((across.low, tick), (across, values))
        draw.line([(_LEFT, y), (right, y)], fill="#dddddd")
        draw.text((_LEFT - 8, y), _number(tick), fill="black", font=font(), anchor="rm")
    for tick in across.ticks() if along else ():
        x, _ = _place((tick, values.low), (across, values))
        draw.line([(x, _TOP), (x, bottom)], fill="#eeeeee")
        draw.text((x, bottom + 6), f"{tick:,.6g}", fill="black", font=font(), anchor="ma")
    draw.line([(_LEFT, _TOP), (_LEFT, bottom), (right, bottom)], fill="#888888")
    draw.text(((_LEFT + right) / 2, HEIGHT_PX - 6), along, fill="black", font=font(), anchor="mb")


def _place(point: Point, axes: tuple[Axis, Axis]) -> Point:
    across, values = axes
    x = _LEFT + across.at(point[0]) * (WIDTH_PX - _RIGHT - _LEFT)
    return x, HEIGHT_PX - _BOTTOM - values.at(point[1]) * (HEIGHT_PX - _TOP - _BOTTOM)


def save_dots(
    groups: Mapping[str, Sequence[float]],
    path: Path,
    *,
    upwards: str,
    lines: Mapping[str, float] | None = None,
    caption: str = "",
) -> None:
    """Draw a column of points for each group, its mean and spread beside them, and level `lines` by name, into a PNG."""
    image = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), "white")
    draw, lines = ImageDraw.Draw(image), lines or {}
    known = [[x for x in group if math.isfinite(x)] for group in groups.values()]
    axes = Axis(0, max(len(groups), 1)), axis_of([*known, list(lines.values())])
    _draw_axes(draw, *axes, "")
    _draw_upwards(image, upwards, axes[1])
    for index, level in enumerate(lines.values(), start=len(groups)):
        ends = [_place((x, level), axes) for x in (0, len(groups))]
        draw.line(ends, fill=COLOURS[index % len(COLOURS)], width=2)
    for index, (name, values) in enumerate(zip(groups, known, strict=True)):
        _draw_group(draw, index, name, values, axes)
    told = [(name, _spread(values)) for name, values in zip(groups, known, strict=True)]
    _draw_legend(draw, [*told, *((name, f"{level:.3g}") for name, level in lines.items())])
    save_image(under_caption(image, caption), path)


def _draw_group(
    draw: ImageDraw.ImageDraw,
    index: int,
    name: str,
    values: Sequence[float],
    axes: tuple[Axis, Axis],
) -> None:
    colour = COLOURS[index % len(COLOURS)]
    x, _ = _place((index + 0.5, axes[1].low), axes)
    draw.text((x, HEIGHT_PX - _BOTTOM + 6), name, fill="black", font=font(), anchor="ma")
    for value in values:
        _draw_mark(draw, (x - 12, _place((0, value), axes)[1]), colour, value, axes[1])
    if len(values) > 1:
        off = float(np.std(values, ddof=1))
        low, middle, high = (
            _place((0, float(np.mean(values)) + part * off), axes)[1] for part in (-1, 0, 1)
        )
        draw.line([(x + 12, low), (x + 12, high)], fill=colour, width=2)
        draw.line([(x + 2, middle), (x + 22, middle)], fill=colour, width=2)


def _spread(values: Sequence[float]) -> str:
    if len(values) < 2:
        return f"{values[0]:.3g}, one seed" if values else "no values"
    return f"{np.mean(values):.3g} ± {np.std(values, ddof=1):.2g}, {len(values)} seeds"


def save_brightness(
    night: Sequence[float], day: Sequence[float], path: Path, *, caption: str = ""
) -> None:
    """Draw the paper's Figure 1: normalised brightness in [0, 1], sorted, and the gap between the classes."""
    image = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), "white")
    draw = ImageDraw.Draw(image)
    axes = Axis(0, max(len(night) + len(day), 1)), Axis(0, 1)
    parts = {"night": (night, COLOURS[0]), "day": (day, COLOURS[1])}
    dots = sorted((value, colour) for values, colour in parts.values() for value in values)
    _draw_gap(draw, max(night, default=0.0), min(day, default=1.0), axes)
    _draw_axes(draw, *axes, "pictures, sorted by normalised brightness")
    _draw_upwards(image, "normalised brightness", axes[1])
    for index, (value, colour) in enumerate(dots, start=1):
        x, y = _place((index, value), axes)
        draw.ellipse([x - 3, y - 3, x + 3, y + 3], fill=colour)
    _draw_legend(draw, [(name, f"{len(values)} pictures") for name, (values, _) in parts.items()])
    save_image(under_caption(image, caption), path)


def _draw_gap(draw: ImageDraw.ImageDraw, low: float, high: float, axes: tuple[Axis, Axis]) -> None:
    name, tint = ("gap", "#d9f0d3") if low <= high else ("overlap", "#fddbc7")
    low, high = sorted((low, high))
    (left_px, top_px), (right_px, bottom_px) = (
        _place(point, axes) for point in ((0, high), (axes[0].high, low))
    )
    draw.rectangle([left_px, top_px, right_px, bottom_px], fill=tint)
    words = f"{name} {low:.2f} to {high:.2f}"
    draw.text(
        (right_px - 8, (top_px + bottom_px) / 2), words, fill="black", font=font(), anchor="rm"
    )
