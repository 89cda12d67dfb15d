"""A sheet of views to look at: by sun, by overcast, by night, and what is what in colours.

python -m tools.town.sheet TOWN --views 24 --out sheet.png
"""

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.town.labels import LIGHTS, SURFACES

Picture = NDArray[np.uint8]
COLORS = {  # RGB of each kind
    "sky": (60, 160, 255), "ground": (95, 95, 95), "wall": (180, 90, 60), "leaves": (40, 170, 40),
    "vehicle": (200, 50, 200), "person": (240, 220, 90), "window": (255, 255, 0), "sign": (255, 0, 255),
    "lamp": (255, 255, 255), "front-lamp": (0, 255, 255), "rear-lamp": (255, 0, 0),
}  # fmt: skip


def main() -> None:
    """Read the command line and write the sheet."""
    parser = argparse.ArgumentParser(description="Show views of a town side by side.")
    parser.add_argument("town", type=Path, help="folder with train and held-out")
    parser.add_argument("--views", type=int, default=24, help="how many, spread over all there are")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    found = sorted(
        path.parent for path in args.town.glob("*/*/facts.json") if path.parent.suffix != ".part"
    )
    if not found:
        raise SystemExit(
            f"{args.town}: no views: draw some by `python -m tools.town --out {args.town}`"
        )
    places = np.linspace(0, len(found) - 1, min(args.views, len(found))).round().astype(int)
    sheet = np.vstack([row(found[place]) for place in places])
    cv2.imwrite(str(args.out), sheet[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, 80])


def row(folder: Path) -> Picture:
    """The three frames of a view and its kinds, side by side."""
    frames = [_read(folder / f"{name}.webp")[..., ::-1] for name in ("sun", "overcast", "night")]
    return np.hstack([*frames, in_colors(_read(folder / "kinds.png")[..., 0])])


def in_colors(kinds: NDArray[Any]) -> Picture:
    """Maps one below the other, as `kinds.png` has them, as one picture: lights over surfaces."""
    names = SURFACES + LIGHTS
    maps = kinds.reshape(len(names), -1, kinds.shape[1]).astype(np.float32)[..., None] / 255
    colors = np.array([COLORS[name] for name in names], np.float32)[:, None, None]
    under, over = (maps * colors)[: len(SURFACES)].sum(0), (maps * colors)[len(SURFACES) :].sum(0)
    lit = maps[len(SURFACES) :].sum(0)
    return np.asarray(np.clip(under * (1 - lit) + over, 0, 255), np.uint8)


def _read(path: Path) -> NDArray[Any]:
    picture = cv2.imread(str(path))
    if picture is None:
        raise SystemExit(f"{path}: cannot be read: delete the view's folder, and draw it again")
    return np.asarray(picture)


if __name__ == "__main__":
    main()
