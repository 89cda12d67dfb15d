"""Pictures of a training run and of its data: samples, loss curves, brightness; drawn with Pillow alone."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from nightfx.disk import partial_file

_Point = tuple[float, float]
_COLOURS = (
    *("#d62728", "#1f77b4", "#2ca02c", "#ff7f0e", "#9467bd", "#8c564b"),
    *("#e377c2", "#7f7f7f", "#bcbd22", "#17becf", "#000000", "#aec7e8"),
)
WIDTH_PX, HEIGHT_PX, MARGIN_PX = 960, 540, 60
GAP_PX, HEAD_PX, NAME_PX = 4, 28, 120  # of panels: between, above, beside


def save_grid(rows: Sequence[Tensor], path: Path) -> None:
    """Write rows of pictures, each (N, 3, H, W) in about [0, 1] (clipped), as one PNG."""
    joined = torch.cat([torch.cat(list(row.float().clamp(0, 1)), dim=2) for row in rows], dim=1)
    pixels = (joined * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    _save(Image.fromarray(pixels), path)


def save_curves(
    curves: Mapping[str, Sequence[_Point]], path: Path, *, along: str = "steps", caption: str = ""
) -> None:
    """Draw each curve, its points being (step, value), or whatever runs `along`, into one PNG with a legend."""
    image = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), "white")
    draw = ImageDraw.Draw(image)
    points = np.array([point for curve in curves.values() for point in curve] or [(1.0, 1.0)])
    right, top = np.maximum(points.max(axis=0), 1e-9)
    top *= 1 + 16 * len(curves) / (HEIGHT_PX - 2 * MARGIN_PX)  # the legend's lines have room above
    _draw_axes(draw, right, top, along)
    for index, (name, curve) in enumerate(curves.items()):
        colour = _COLOURS[index % len(_COLOURS)]
        draw.line([_place(point, right, top) for point in curve], fill=colour, width=2)
        draw.text((WIDTH_PX - 3 * MARGIN_PX, MARGIN_PX + 16 * index), name, fill=colour)
    _save(_under_caption(image, caption), path)


def save_panels(
    rows: Mapping[str, Sequence[Tensor | str]], heads: Sequence[str], path: Path, *, caption: str
) -> None:
    """Draw rows of panels into one PNG, names beside the rows and `heads` above the columns.

    A panel is a picture (3, H, W) in about [0, 1] (clipped), all of one size, or words where there is none.
    """
    panels = [panel for row in rows.values() for panel in row]
    side_px = next((panel.shape[-1] for panel in panels if isinstance(panel, Tensor)), 256)
    columns, step_px = max(len(row) for row in rows.values()), side_px + GAP_PX
    size = NAME_PX + columns * step_px, HEAD_PX + len(rows) * step_px
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for column, head in enumerate(heads):
        at = NAME_PX + column * step_px + side_px / 2, HEAD_PX / 2
        draw.text(at, head, fill="black", anchor="mm", font=_font())
    for index, (name, row) in enumerate(rows.items()):
        top_px = HEAD_PX + index * step_px
        words = textwrap.fill(name, NAME_PX // 9)
        draw.multiline_text((8, top_px + 8), words, fill="black", font=_font())
        for column, panel in enumerate(row):
            image.paste(_panel(panel, side_px), (NAME_PX + column * step_px, top_px))
    _save(_under_caption(image, caption), path)


def _panel(panel: Tensor | str, side_px: int) -> Image.Image:
    if isinstance(panel, Tensor):
        pixels = (panel.float().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
        return Image.fromarray(pixels)
    image = Image.new("RGB", (side_px, side_px), "#eeeeee")
    words = textwrap.fill(panel, max(side_px // 9, 8))
    ImageDraw.Draw(image).multiline_text((8, 8), words, fill="black", font=_font())
    return image


def _save(image: Image.Image, path: Path) -> None:
    with partial_file(path) as part:
        image.save(part, "PNG")


def _under_caption(image: Image.Image, caption: str) -> Image.Image:
    """`image` under a strip with `caption`, as wide as it; without one, `image` itself."""
    if not caption:
        return image
    words = textwrap.fill(caption, max(image.width // 8, 20))
    height_px = 16 + 20 * (words.count("\n") + 1)
    whole = Image.new("RGB", (image.width, image.height + height_px), "white")
    ImageDraw.Draw(whole).multiline_text((8, 8), words, fill="black", font=_font())
    whole.paste(image, (0, height_px))
    return whole


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=14)


def save_brightness(night: Sequence[float], day: Sequence[float], path: Path) -> None:
    """Draw the paper's Figure 1: normalised brightness in [0, 1], sorted, and the gap between the classes."""
    image = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), "white")
    draw = ImageDraw.Draw(image)
    right = max(len(night) + len(day), 1)
    dots = sorted(
        [(value, _COLOURS[1]) for value in night] + [(value, _COLOURS[3]) for value in day]
    )
    _draw_gap(draw, max(night, default=0.0), min(day, default=1.0), right)
    _draw_axes(draw, right, 1.0, "pictures, sorted by normalised brightness")
    for index, (value, colour) in enumerate(dots, start=1):
        x, y = _place((index, value), right, 1.0)
        draw.ellipse([x - 3, y - 3, x + 3, y + 3], fill=colour)
    for row, (name, values) in enumerate((("night", night), ("day", day))):
        words, colour = f"{name}, {len(values)} pictures", _COLOURS[1 + 2 * row]
        draw.text((MARGIN_PX + 12, MARGIN_PX + 16 * row), words, fill=colour)
    _save(image, path)


def _draw_gap(draw: ImageDraw.ImageDraw, low: float, high: float, right: float) -> None:
    name, tint = ("gap", "#d9f0d3") if low <= high else ("overlap", "#fddbc7")
    low, high = sorted((low, high))
    (left_px, top_px), (right_px, bottom_px) = (
        _place(point, right, 1.0) for point in ((0, high), (right, low))
    )
    draw.rectangle([left_px, top_px, right_px, bottom_px], fill=tint)
    words = f"{name} {low:.2f} to {high:.2f}"
    draw.text((right_px - 8, (top_px + bottom_px) / 2), words, fill="black", anchor="rm")


def _draw_axes(draw: ImageDraw.ImageDraw, right: float, top: float, label: str) -> None:
    for part in np.linspace(0, 1, 6):
        x, y = _place((part * right, part * top), right, top)
        draw.line(
            [_place((0, part * top), right, top), _place((right, part * top), right, top)],
            fill="#dddddd",
        )
        draw.text((8, y - 6), f"{top * part:.3g}", fill="black")
        draw.text((x - 10, HEIGHT_PX - MARGIN_PX + 8), f"{right * part:.6g}", fill="black")
    draw.text((WIDTH_PX // 2, HEIGHT_PX - 24), label, fill="black", anchor="ma")


def _place(point: _Point, right: float, top: float) -> tuple[float, float]:
    x = MARGIN_PX + point[0] / right * (WIDTH_PX - 2 * MARGIN_PX)
    return x, HEIGHT_PX - MARGIN_PX - point[1] / top * (HEIGHT_PX - 2 * MARGIN_PX)
