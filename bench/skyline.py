"""What renders do along skylines whose truth is known, and where they put lights that cannot be there.

    python -m bench.skyline --photos DATA --preset night [--every 2]        # the photographs with skies drawn by hand
    python -m bench.skyline --town TOWN/held-out --preset night             # drawn streets; the true night beside it

Figures are means of `nightfx.metrics.skylines` (walls darker near the sky, and the fringe, in stops of luma) over pictures
that have them, and lights in impossible places per 10 pictures. On photographs the sky alone is known to be without lights.
The plate, the hand grade and, of drawn streets, the true night say what figure has no fault in it.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from bench.grades import hand_grade
from bench.mattes import SKY, UNSURE, load_mattes, load_photo
from bench.quality import Renderer, render_whole
from nightfx import load_preset
from nightfx.metrics import misplaced_lights, skyline
from nightfx.metrics.pictures import to_lines
from nightfx.scene.kinds import KINDS
from nightfx.scene.places import LAMPLESS
from nightfx.training.data.decode import load_picture
from nightfx.training.data.pictures import to_tensor

LINES = 272  # as bench.quality renders


class Truth(NamedTuple):
    """A plate (3, H, W), maps of it (h, w) in [0, 1], and its true night where there is one."""

    plate: Tensor
    sky: Tensor
    lampless: Tensor
    ground: Tensor
    night: Tensor | None


def main() -> None:
    """Read the arguments, render, measure, print a row for each way."""
    args = _parse()
    truths = list(of_town(args.town) if args.town else of_photos(args.photos))[:: args.every]
    ways: dict[str, Renderer] = {"plate": lambda x: x, "hand grade": hand_grade}
    ways |= {name: partial(render_whole, load_preset(name)) for name in args.preset}
    print(f"{'':24} pictures  darker  over 1 stop %  fringe  misplaced per 10")
    for name, render in ways.items():
        print(_row(name, [measure(x, render(x.plate)) for x in truths]), flush=True)
    nights = [measure(x, x.night) for x in truths if x.night is not None]
    if nights:
        print(_row("true night", nights))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, help="the folder above photos/ and facades/")
    parser.add_argument("--town", type=Path, help="a folder of drawn views")
    parser.add_argument("--preset", nargs="*", default=[], help="names or folders")
    parser.add_argument("--every", type=int, default=1, help="take every so many pictures alone")
    args = parser.parse_args()
    if (args.photos is None) == (args.town is None):
        parser.error("give one of --photos and --town")
    return args


def of_photos(photos: Path) -> Iterator[Truth]:
    """The photographs whose sky was drawn by hand; what is unsure is no sky to either figure."""
    for hand in load_mattes():
        sky = torch.from_numpy((hand.sky == SKY).astype(np.float32))
        maybe = torch.from_numpy((hand.sky == UNSURE).astype(np.float32))
        # an edge that nobody could draw is none to measure along: it goes to the sky
        plate = to_lines(to_tensor(load_photo(hand, photos)), LINES)
        yield Truth(plate, (sky + maybe).clamp(0, 1), sky, torch.zeros_like(sky), None)


def of_town(folder: Path) -> Iterator[Truth]:
    """Drawn views by sun (`tools/town`), of which every pixel is known."""
    for path in sorted(x for x in folder.glob("*") if x.suffix != ".part"):
        codes = cv2.imread(str(path / "kinds.png"), cv2.IMREAD_GRAYSCALE)
        maps = torch.from_numpy(np.asarray(codes, np.float32)) / 255
        of = dict(zip(KINDS, maps.view(len(KINDS), -1, maps.shape[1]), strict=True))
        sun, night = (to_tensor(load_picture(path / f"{x}.webp")) for x in ("sun", "night"))
        lampless = torch.stack([of[kind] for kind in LAMPLESS]).sum(0)
        yield Truth(sun, of["sky"], lampless, of["ground"], night)


def measure(truth: Truth, render: Tensor) -> tuple[float, float, int]:
    """Walls darker near the sky, fringe, lights in impossible places."""
    found = skyline(truth.plate, render, truth.sky)
    return (
        found.darker,
        found.fringe,
        misplaced_lights(truth.plate, render, truth.lampless, truth.ground),
    )


def _row(name: str, found: list[tuple[float, float, int]]) -> str:
    darker, fringe = ([x[i] for x in found if not math.isnan(x[i])] for i in (0, 1))
    worse = 100 * _mean([float(x > 1) for x in darker])
    lights = 10 * _mean([float(x[2]) for x in found])
    return f"{name:24} {len(found):8} {_mean(darker):7.3f} {worse:13.0f} {_mean(fringe):7.3f} {lights:17.1f}"


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan


if __name__ == "__main__":
    main()
