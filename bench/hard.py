"""Thirty photographs that are hard to turn to night, on sheets to look at: plate, matte, night, and a grade of one minute.

    python -m bench.hard --photos DIR --out SHEET.png [--preset night] [--weights FILE]

`--photos` is the folder that the paths in `bench/mattes/hard.txt` start from. Six photographs make a sheet: SHEET-1.png and
so on. The grade is what anybody makes by four sliders; a night that is not better than it is not worth having.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from bench.grades import minute_grade
from bench.mattes import Byte, find_photo, load_hard
from bench.quality import render_whole
from bench.sky import see_sky
from nightfx import load_preset
from nightfx.network import load_scene_network
from nightfx.preview.sheet import Cell, draw_sheet
from nightfx.scene import refine
from nightfx.training.data.decode import load_picture
from nightfx.training.data.pictures import to_tensor

ROWS = 6
HIGH, WIDE = 240, 320
GREY = 27

Way = Callable[[Byte], Byte]
"""From a photograph (H, W, 3) to what is shown of it."""


def main() -> None:
    """Read the arguments, draw the sheets, print their names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--preset", default="night")
    parser.add_argument("--weights", type=Path, help="the scene network's")
    args = parser.parse_args()
    ways = ways_of(args.preset, args.weights)
    for sheet in draw(args.photos, args.out, ways):
        print(sheet, flush=True)


def ways_of(preset_name: str, weights: Path | None) -> dict[str, Way]:
    """The columns of a sheet."""
    preset, network = load_preset(preset_name), load_scene_network(weights)

    def matte(photo: Byte) -> Byte:
        alpha = refine(*see_sky(network, photo)).alpha
        return np.repeat(np.rint(alpha * 255).astype(np.uint8)[..., None], 3, 2)

    def night(photo: Byte) -> Byte:
        lit = render_whole(preset, to_tensor(photo.copy())).clamp(0, 1)
        return (lit.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()

    return {"plate": lambda photo: photo, "matte": matte, preset_name: night, "grade": minute_grade}


def draw(photos: Path, out: Path, ways: dict[str, Way]) -> Iterator[Path]:
    """Write the sheets, and yield the path of each."""
    hard = list(load_hard().items())
    for first in range(0, len(hard), ROWS):
        rows = [list(row_of(*each, photos, ways)) for each in hard[first : first + ROWS]]
        path = out.with_stem(f"{out.stem}-{first // ROWS + 1}")
        Image.fromarray(draw_sheet("hard photographs", ", ".join(ways), rows)).save(path)
        yield path


def row_of(name: str, why: str, photos: Path, ways: dict[str, Way]) -> Iterator[Cell]:
    """The cells of one photograph; the first says what is hard."""
    photo = load_picture(find_photo(name, photos))
    for i, (title, way) in enumerate(ways.items()):
        yield Cell(_boxed(way(photo)), title if i else why)


def _boxed(pixels: Byte) -> Byte:
    """The picture within a cell of one size, so that columns stand."""
    scale = min(WIDE / pixels.shape[1], HIGH / pixels.shape[0])
    height, width = (max(round(side * scale), 1) for side in pixels.shape[:2])
    cell = np.full((HIGH, WIDE, 3), GREY, np.uint8)
    top, left = (HIGH - height) // 2, (WIDE - width) // 2
    small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    cell[top : top + height, left : left + width] = small
    return cell


if __name__ == "__main__":
    main()
