"""Pictures of a training run: samples, and panels of a figure; drawn with Pillow alone."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from nightfx.disk import partial_file

_BLANK = 0.93  # where a row has no picture
GAP_PX, HEAD_PX, NAME_PX = 4, 28, 120  # of panels: between, above, beside


def save_grid(rows: Sequence[Tensor], path: Path) -> None:
    """Write rows of pictures, each (N, 3, H, W) in about [0, 1] (clipped), as one PNG; shorter rows end in grey."""
    columns = max(len(row) for row in rows)
    lines = [torch.cat(list(_filled(row.float().clamp(0, 1), columns)), dim=2) for row in rows]
    pixels = (torch.cat(lines, dim=1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    save_image(Image.fromarray(pixels), path)


def _filled(row: Tensor, columns: int) -> Tensor:
    return torch.cat([row, row.new_full((columns - len(row), *row.shape[1:]), _BLANK)])


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
        draw.text(at, head, fill="black", anchor="mm", font=font())
    for index, (name, row) in enumerate(rows.items()):
        top_px = HEAD_PX + index * step_px
        words = textwrap.fill(name, NAME_PX // 9)
        draw.multiline_text((8, top_px + 8), words, fill="black", font=font())
        for column, panel in enumerate(row):
            image.paste(_panel(panel, side_px), (NAME_PX + column * step_px, top_px))
    save_image(under_caption(image, caption), path)


def _panel(panel: Tensor | str, side_px: int) -> Image.Image:
    if isinstance(panel, Tensor):
        pixels = (panel.float().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
        return Image.fromarray(pixels)
    image = Image.new("RGB", (side_px, side_px), "#eeeeee")
    words = textwrap.fill(panel, max(side_px // 9, 8))
    ImageDraw.Draw(image).multiline_text((8, 8), words, fill="black", font=font())
    return image


def save_image(image: Image.Image, path: Path) -> None:
    """Write `image` as PNG; several processes may."""
    with partial_file(path, path.parent) as part:
        image.save(part, "PNG")


def under_caption(image: Image.Image, caption: str) -> Image.Image:
    """`image` under a strip with `caption`, as wide as it; without one, `image` itself."""
    if not caption:
        return image
    words = textwrap.fill(caption, max(image.width // 8, 20))
    height_px = 16 + 20 * (words.count("\n") + 1)
    whole = Image.new("RGB", (image.width, image.height + height_px), "white")
    ImageDraw.Draw(whole).multiline_text((8, 8), words, fill="black", font=font())
    whole.paste(image, (0, height_px))
    return whole


@functools.cache
def font(size: int = 14) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that comes with Pillow."""
    return ImageFont.load_default(size=size)
