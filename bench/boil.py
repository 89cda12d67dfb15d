"""Whether mattes boil: how much they change from frame to frame along the motion of the plate, beside the plate itself.

    python -m bench.boil CLIP… [--kinds sky,window,vehicle] [--seconds 3] [--steady 0.8] [--sheet DIR] [--json OUT]

A matte at an edge is (plate − rest) / (sky − rest): where the plate's luma changes by d, a true matte changes by d over the
step in luma from one side of the edge to the other. So both are told in percent of that step, within 8 px of the edge of
the matte (of this frame or of the one before, warped): `matte` is the mean change of alpha, `plate` that of luma over the
step near by. A step below 0.1 counts as 0.1, which makes the plate's change smaller, never larger. 1.00 is as steady as the plate.
`elsewhere` is the mean change of alpha, in percent, farther from any edge, where it should be none.

Motion is by optical flow of OpenCV (DIS, medium) on the plate at its own size; what is not found again there and back within
a pixel counts for nobody. Mattes steady themselves by another one, at working height.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import pairwise, takewhile
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from nightfx.light import MattePlan, Steadying, mattes_of_shot
from nightfx.mattes.targets import kinds_of
from nightfx.metrics.motion import find_back, warp
from nightfx.network import load_scene_network
from nightfx.picture import Float32, Frame, luma, to_rgb
from nightfx.source import Reader

EDGE_PX = 8
SIDE_PX = 16  # from the edge, where the luma of either side is taken
LEAST_STEP = 0.1
SURE = 0.9  # alpha of what counts as one side


class Change(NamedTuple):
    """Sums over pixels of one pair of frames."""

    matte: float
    """Change of alpha near edges."""
    plate: float
    """Change of luma near edges, over the step there."""
    near_px: int
    elsewhere: float
    """Change of alpha farther away."""
    far_px: int


class Boil(NamedTuple):
    """How a matte changes along motion, in percent."""

    matte: float
    plate: float
    elsewhere: float

    @property
    def ratio(self) -> float:
        """1 is as steady as the plate."""
        return self.matte / self.plate


def main() -> None:
    """Read the arguments, measure, print a line a clip and kind."""
    args = _parse()
    kinds, found = kinds_of(args.kinds), dict[str, dict[str, Boil]]()
    print(f"{'':36}{'matte %':>9}{'plate %':>9}{'ratio':>7}{'elsewhere %':>13}")
    for clip in args.clips:
        found[clip.name] = measure(clip, kinds, args.seconds, args.steady, args.sheet)
        for kind, boil in found[clip.name].items():
            told = f"{boil.matte:9.2f}{boil.plate:9.2f}{boil.ratio:7.2f}{boil.elsewhere:13.3f}"
            print(f"{clip.name + ' ' + kind:36}{told}")
    if args.json:
        facts = {clip: {k: x._asdict() for k, x in of.items()} for clip, of in found.items()}
        args.json.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--kinds", default="sky,window,vehicle")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--steady", type=float, default=Steadying().amount)
    parser.add_argument("--sheet", type=Path, help="folder for the worst pair of frames of each")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def measure(
    clip: Path, kinds: tuple[str, ...], seconds: float, steady: float, sheet: Path | None = None
) -> dict[str, Boil]:
    """The boil of each kind over the first `seconds` of a clip; nothing of those that have no edge there."""
    plan = MattePlan(load_scene_network(), kinds, steadying=Steadying(steady))
    changes: dict[str, list[Change]] = {kind: [] for kind in kinds}
    worst: dict[str, float] = {}
    with Reader(clip) as reader:
        for before, now in pairwise(_seen(mattes_of_shot(_first(reader, seconds), plan))):
            back, is_found = find_back(before[0], now[0])
            for kind, old, new in zip(kinds, before[1], now[1], strict=True):
                changes[kind].append(change_of(before[0], now[0], old, new, back, is_found))
                if (
                    sheet
                    and (boil := _boil_of(changes[kind][-1:]))
                    and boil.matte > worst.get(kind, 0)
                ):
                    worst[kind] = boil.matte
                    _draw(sheet / f"{clip.stem}.{kind}.png", now[0], warp(old, back), new)
    boils = {kind: _boil_of(of) for kind, of in changes.items()}
    return {kind: boil for kind, boil in boils.items() if boil}


def _first(reader: Reader, seconds: float) -> Iterator[Frame]:
    frames = reader.frames()
    first = next(frames)
    yield first
    yield from takewhile(lambda x: (x.pts - first.pts) * x.time_base < seconds, frames)


def _seen(
    shot: Iterator[tuple[Frame, tuple[Float32, ...]]],
) -> Iterator[tuple[Float32, tuple[Float32, ...]]]:
    for frame, mattes in shot:
        yield luma(to_rgb(frame)).clip(0, 1).astype(np.float32), mattes


def change_of(
    plate_before: Float32,
    plate: Float32,
    before: Float32,
    matte: Float32,
    back: np.ndarray,
    is_found: np.ndarray,
) -> Change:
    """Change of a matte and of its plate (H, W) along the flow `back` (H, W, 2), where the picture `is_found` again."""
    old = warp(before, back)
    near = _near_edge(matte) | _near_edge(old)
    of_matte = np.abs(matte - old)
    of_plate = np.abs(plate - warp(plate_before, back)) / step_at(plate, matte)
    at, far = near & is_found, ~near & is_found
    return Change(
        *(float(of_matte[at].sum()), float(of_plate[at].sum()), int(at.sum())),
        *(float(of_matte[far].sum()), int(far.sum())),
    )


def _near_edge(matte: Float32) -> np.ndarray:
    inside = (matte > 0.5).astype(np.uint8)
    square = np.ones((2 * EDGE_PX + 1, 2 * EDGE_PX + 1), np.uint8)
    near: np.ndarray = cv2.dilate(inside, square) != cv2.erode(inside, square)
    return near


def step_at(plate: Float32, matte: Float32) -> Float32:
    """The step in luma (H, W) from one side of the edge near by to the other, 0.1 at least."""
    sides = [_mean_near(plate, side > SURE) for side in (matte, 1 - matte)]
    step: Float32 = np.maximum(np.abs(sides[0] - sides[1]), LEAST_STEP)
    return step


def _mean_near(plate: Float32, where: np.ndarray) -> Float32:
    """The mean luma of a side around each pixel; where it is nowhere near, that of all of it."""
    box, weight = (2 * SIDE_PX + 1,) * 2, where.astype(np.float32)
    share = cv2.blur(weight, box) + np.float32(1e-6)
    everywhere = float((plate * weight).sum() / max(weight.sum(), 1.0))
    mean: Float32 = (cv2.blur(plate * weight, box) + np.float32(1e-6 * everywhere)) / share
    return mean


def _boil_of(changes: list[Change]) -> Boil | None:
    matte, plate, near, elsewhere, far = (sum(x) for x in zip(*changes, strict=True))
    if not near or not plate:
        return None
    return Boil(100 * matte / near, 100 * plate / near, 100 * elsewhere / max(far, 1))


def _draw(path: Path, plate: Float32, old: Float32, new: Float32) -> None:
    """A plate, its matte, and how that changed, side by side."""
    path.parent.mkdir(parents=True, exist_ok=True)
    row = np.concatenate([plate, new, np.abs(new - old) * 4], axis=1)
    cv2.imwrite(str(path), np.rint(row.clip(0, 1) * 255).astype(np.uint8))


if __name__ == "__main__":
    main()
