"""What `night-neon` and `blue-hour` are trained towards, out of the split that `night` is trained on.

    python -m bench.split --photos DIR --out SPLIT
    python -m bench.targets --split SPLIT --out DIR

writes `DIR/neon/PART/SOURCE`, links to the nights of Pexels that are lit violet and pink; `DIR/dusk/PART/SOURCE`, the days
under a grade that makes a blue hour of them, for none of the sources has enough real ones; and `DIR/blue/PART/SOURCE`,
links to the few real ones that there are, which are for measuring alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

from bench.grades import to_linear, to_shown
from bench.split import link
from nightfx.picture.frame import Float32
from nightfx.training.data.decode import load_picture
from nightfx.training.data.folders import list_pictures

SIDE_PX = 96  # pictures are judged at this size
COLOURED = 15.0  # chroma in CIE Lab, below which a pixel counts as grey
NEON, PINK = (
    (190.0, 380.0),
    (285.0, 385.0),
)  # hues in degrees: cyan to red, and of them violet to red
LEAST_PINK = 1.5  # mean chroma of those hues
TOP = 0.25  # of a picture's height: its sky
BLUE = (235.0, 300.0)  # hue of a sky in the blue hour; lightness and least chroma below
LIGHTNESS, LEAST_BLUE = (12.0, 50.0), 12.0

STOPS, CONTRAST = -1.2, 1.25  # in light: the sky is the brightest thing left
SKYLIGHT = (0.46, 0.92, 2.2)  # of linear Rec.709: the light of a sky without a sun


def main() -> None:
    """Read the arguments, make the three sets, print how many."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    for part in ("train", "validation", "held-out"):
        nights, days = args.split / part / "night", args.split / part / "day"
        found = {
            "neon": choose(nights, args.out / "neon" / part, is_neon),
            "dusk": write_dusks(days, args.out / "dusk" / part),
            "blue": choose(nights, args.out / "blue" / part, is_blue_hour),
        }
        for name, count in found.items():
            print(f"{count:5} {name}/{part}")


def choose(nights: Path, out: Path, wanted: Callable[[Float32], bool]) -> int:
    """Link those of Pexels' nights that are `wanted`, a function of (96, 96, 3) in Lab; returns how many."""
    chosen = [p for p in list_pictures(nights / "pexels") if wanted(_to_lab(load_picture(p)))]
    for path in chosen:
        link(path, out / "pexels" / path.name)
    return len(chosen)


def _to_lab(rgb: np.ndarray) -> Float32:
    small = cv2.resize(rgb, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2Lab), np.float32)


def is_neon(lab: Float32) -> bool:
    """Whether most colour of a picture lies from cyan over violet to red, and enough of it from violet on."""
    chroma, hue = _polar(lab)
    colour = chroma * (chroma > COLOURED)
    pink = float((colour * _within(hue, PINK)).mean())
    neon, most = float((colour * _within(hue, NEON)).sum()), float(colour.sum()) / 2
    return pink >= LEAST_PINK and neon >= most


def is_blue_hour(lab: Float32) -> bool:
    """Whether the top of a picture is a blue sky, neither by day nor black."""
    middle = np.median(lab[: round(TOP * len(lab))].reshape(-1, 3), axis=0)[None].astype(np.float32)
    chroma, hue = _polar(middle)
    dim = LIGHTNESS[0] <= middle[0, 0] <= LIGHTNESS[1]
    return bool(dim and chroma[0] >= LEAST_BLUE and _within(hue, BLUE)[0])


def _polar(lab: Float32) -> tuple[Float32, Float32]:
    a, b = lab[..., 1], lab[..., 2]
    return np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360


def _within(hue: Float32, span: tuple[float, float]) -> np.ndarray:
    return np.asarray((hue - span[0]) % 360 <= span[1] - span[0])


def write_dusks(days: Path, out: Path) -> int:
    """Write each day of each source under the grade, as PNG; returns how many."""
    pictures = list_pictures(days)
    for path in pictures:
        target = (out / path.relative_to(days)).with_suffix(".png")
        target.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(target), to_dusk(load_picture(path))[..., ::-1])
    return len(pictures)


def to_dusk(rgb: np.ndarray) -> np.ndarray:
    """A day (H, W, 3) uint8 in a blue hour: less light by 1.2 stops, by more in the shadows, and of the sky alone."""
    codes = torch.arange(256) / 255
    light = to_linear(codes) ** CONTRAST * 2**STOPS
    curves = torch.stack([to_shown(light * gain) for gain in SKYLIGHT], dim=1)
    table = (curves * 255).round().byte().numpy()
    return np.dstack([table[rgb[..., channel], channel] for channel in range(3)])


if __name__ == "__main__":
    main()
