"""Pictures of a training run: a grid of samples and the loss curves, drawn with Pillow alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

COLOURS = ("#d62728", "#1f77b4", "#2ca02c", "#ff7f0e", "#9467bd", "#8c564b", "#e377c2")
WIDTH_PX, HEIGHT_PX, MARGIN_PX = 960, 540, 60


def save_grid(rows: Sequence[Tensor], path: Path) -> None:
    """Write rows of pictures, each (N, 3, H, W) in about [0, 1] (clipped), as one PNG."""
    joined = torch.cat([torch.cat(list(row.float().clamp(0, 1)), dim=2) for row in rows], dim=1)
    pixels = (joined * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    Image.fromarray(pixels).save(path)


def save_curves(history: Mapping[str, Sequence[float]], steps: Sequence[int], path: Path) -> None:
    """Draw each of `history`'s curves over `steps` into one PNG with a legend."""
    image = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), "white")
    draw = ImageDraw.Draw(image)
    top = max((max(values) for values in history.values() if values), default=1.0) or 1.0
    _draw_axes(draw, steps, top)
    for index, (name, values) in enumerate(history.items()):
        colour = COLOURS[index % len(COLOURS)]
        draw.line(_to_points(steps, values, top), fill=colour, width=2)
        draw.text((WIDTH_PX - 3 * MARGIN_PX, MARGIN_PX + 16 * index), name, fill=colour)
    image.save(path)


def _draw_axes(draw: ImageDraw.ImageDraw, steps: Sequence[int], top: float) -> None:
    left, bottom = MARGIN_PX, HEIGHT_PX - MARGIN_PX
    draw.line([(left, MARGIN_PX), (left, bottom), (WIDTH_PX - MARGIN_PX, bottom)], fill="black")
    for part in np.linspace(0, 1, 6):
        y = bottom - part * (bottom - MARGIN_PX)
        draw.text((8, y - 6), f"{top * part:.3g}", fill="black")
        draw.line([(left, y), (WIDTH_PX - MARGIN_PX, y)], fill="#dddddd")
        x = left + part * (WIDTH_PX - 2 * MARGIN_PX)
        draw.text((x - 10, bottom + 8), f"{part * (steps[-1] if steps else 0):.0f}", fill="black")
    draw.text((WIDTH_PX // 2 - 15, HEIGHT_PX - 24), "steps", fill="black")


def _to_points(
    steps: Sequence[int], values: Sequence[float], top: float
) -> list[tuple[float, float]]:
    x = MARGIN_PX + np.asarray(steps) / max(steps[-1], 1) * (WIDTH_PX - 2 * MARGIN_PX)
    y = HEIGHT_PX - MARGIN_PX - np.asarray(values) / top * (HEIGHT_PX - 2 * MARGIN_PX)
    return list(zip(x.tolist(), y.tolist(), strict=True))
