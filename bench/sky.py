"""How good mattes of skies are, on sixty photographs whose skies were drawn by hand.

    python -m bench.sky --photos DIR [--weights FILE] [--mattes NAME=DIR …] [--each] [--json OUT]

`--photos` is the folder that the paths in `bench/mattes/sky.json` start from. A folder of `--mattes` has a grey picture of
any size for each photograph, white where there is sky: `PATH.png` or `PATH.sky.png` for `PATH.webp`. Beside them
stand the scene network's own answer at working height, and what a render makes of it on the plate's edges. All is measured at
512 lines, and every picture counts alike:

- IoU: intersection over union with the sky drawn by hand, at an alpha of 0.5; over pictures with sky;
- edge: mean error of alpha 2 to 8 px from the true edge (the pixels at the edge itself are mixed in the photograph too);
- false sky: mean alpha of what is none, farther than 8 px from any; and the same on pictures that have no sky at all.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.mattes import NOT_SKY, SKY, UNSURE, Byte, HandMatte, load_mattes, load_photo
from nightfx.errors import UsageError
from nightfx.light.fit import FieldPlan
from nightfx.light.see import see
from nightfx.network import SceneNetwork, load_scene_network
from nightfx.picture.frame import Frame, rgb_coding
from nightfx.scene import refine, see_scene

EDGE_PX = 8
MIXED_PX = 1.5  # nearer than this to the other side, a pixel is of both
WORST = 6  # pictures that are named

Alpha = NDArray[np.float32]
Way = Callable[[HandMatte, Byte], Alpha]
"""From a photograph (H, W, 3) to the alpha (h, w) of its sky, of any size."""


@dataclass(frozen=True)
class Figures:
    """One matte beside the truth."""

    path: str
    holds: str
    iou: float
    """Not a number where there is no sky."""
    edge: float
    """Mean error within 8 px of the edge; not a number where no edge is sure."""
    false_sky: float
    """Mean alpha of what is no sky, farther than 8 px from any."""


@dataclass(frozen=True)
class Row:
    """Means over pictures."""

    name: str
    iou: float
    edge: float
    false_sky: float
    """On pictures with sky."""
    without: float
    """On pictures that have none."""


def main() -> None:
    """Read the arguments, measure, print the table."""
    args = _parse()
    network = load_scene_network(args.weights)
    ways: dict[str, Way] = {
        "network": lambda _, photo: see_sky(network, photo)[0],
        "network, refined": lambda _, photo: refine(*see_sky(network, photo)).alpha,
        **{name: in_folder(Path(folder)) for name, folder in map(_named, args.mattes)},
    }
    found = measure_all(ways, args.photos)
    print(f"{'':24}{'IoU':>8}{'edge':>8}{'false %':>9}{'none %':>8}")
    for name, figures in found.items():
        print(format_row(row_of(name, figures)))
    for name, figures in found.items():
        print("\n".join([f"\n{name}", *lines_of(figures, WORST if not args.each else None)]))
    if args.json:
        facts = {name: [asdict(x) for x in figures] for name, figures in found.items()}
        args.json.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--weights", type=Path, help="by default those that come along")
    parser.add_argument("--mattes", nargs="+", default=[], metavar="NAME=DIR")
    parser.add_argument("--each", action="store_true", help="name all pictures, not the worst")
    parser.add_argument("--json", type=Path, help="write every picture's figures")
    return parser.parse_args()


def _named(text: str) -> tuple[str, str]:
    name, equals, folder = text.partition("=")
    if not (name and equals and folder):
        raise UsageError(f"--mattes {text}: not NAME=DIR")
    return name, folder


def measure_all(ways: dict[str, Way], photos: Path) -> dict[str, list[Figures]]:
    """The figures of every way, a photograph after another."""
    found: dict[str, list[Figures]] = {name: [] for name in ways}
    for hand in load_mattes():
        photo = load_photo(hand, photos)
        for name, way in ways.items():
            found[name].append(figures_of(way(hand, photo), hand))
    return found


def see_sky(network: SceneNetwork, photo: Byte) -> tuple[Alpha, Alpha, Frame]:
    """The sky (h, w) that the network sees, the picture (3, h, w) that it saw, and the photograph as a frame."""
    planes = tuple(np.ascontiguousarray(photo[..., c]) for c in range(3))
    frame = Frame(planes, rgb_coding(8, alpha=False), 0, Fraction(1, 24))
    small = see(frame, FieldPlan().height).small
    return see_scene(network, small).of("sky"), small, frame


def in_folder(folder: Path) -> Way:
    """Mattes that lie in a folder, as pictures."""

    def read(hand: HandMatte, _: Byte) -> Alpha:
        tries = [folder / Path(hand.path).with_suffix(end) for end in (".png", ".sky.png")]
        for path in tries:
            if (matte := cv2.imread(str(path), cv2.IMREAD_UNCHANGED)) is not None:
                grey = matte if matte.ndim == 2 else matte[..., 0]
                return np.asarray(grey / np.float32(np.iinfo(grey.dtype).max), np.float32)
        raise UsageError(f"{tries[0]}: no such matte; it wants a grey PNG for each photograph")

    return read


def figures_of(alpha: Alpha, hand: HandMatte) -> Figures:
    """Measure the alpha (h, w) of a sky, of any size."""
    truth = hand.sky
    alpha = cv2.resize(alpha, truth.shape[::-1], interpolation=_kind(alpha, truth)).clip(0, 1)
    sky, land = truth == SKY, truth == NOT_SKY
    if not sky.any():
        return Figures(hand.path, hand.holds, np.nan, np.nan, float(alpha[land].mean()))
    to_sky, to_land = _distance(sky), _distance(land)
    across = np.where(sky, to_land, to_sky)
    band = (truth != UNSURE) & (across > MIXED_PX) & (across <= EDGE_PX)
    edge, far = _mean(np.abs(alpha - sky)[band]), _mean(alpha[land & (to_sky > EDGE_PX)])
    return Figures(hand.path, hand.holds, iou(alpha, sky, land), edge, far)


def _mean(values: Alpha) -> float:
    return float(values.mean()) if values.size else np.nan


def _kind(alpha: Alpha, truth: Byte) -> int:
    return cv2.INTER_AREA if alpha.shape[0] > truth.shape[0] else cv2.INTER_LINEAR


def _distance(mask: NDArray[np.bool_]) -> Alpha:
    """How far each pixel is from the nearest one in `mask`, in px."""
    outside = (~mask).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE))


def iou(alpha: Alpha, sky: NDArray[np.bool_], land: NDArray[np.bool_]) -> float:
    """Intersection over union at 0.5, where the truth is sure."""
    found = alpha >= 0.5
    return float((found & sky).sum() / (sky.sum() + (found & land).sum()))


def row_of(name: str, figures: Sequence[Figures]) -> Row:
    """Means over pictures, those with and those without a sky apart."""
    with_sky = [x for x in figures if not np.isnan(x.iou)]
    without = [x.false_sky for x in figures if np.isnan(x.iou)]

    def mean(key: str) -> float:
        return float(np.nanmean([getattr(x, key) for x in with_sky]))

    return Row(name, mean("iou"), mean("edge"), mean("false_sky"), float(np.mean(without)))


def format_row(row: Row) -> str:
    """One line of the table."""
    return f"{row.name:24}{row.iou:8.3f}{row.edge:8.3f}{100 * row.false_sky:9.2f}{100 * row.without:8.2f}"


def lines_of(figures: Sequence[Figures], most: int | None) -> list[str]:
    """The worst pictures with sky by IoU, and without by false sky."""
    with_sky = sorted((x for x in figures if not np.isnan(x.iou)), key=lambda x: x.iou)
    without = sorted((x for x in figures if np.isnan(x.iou)), key=lambda x: -x.false_sky)
    return [
        *(f"  {x.iou:6.3f} IoU, {x.edge:5.3f} edge  {x.path}: {x.holds}" for x in with_sky[:most]),
        *(f"  {100 * x.false_sky:6.2f} % false sky   {x.path}: {x.holds}" for x in without[:most]),
    ]


if __name__ == "__main__":
    main()
