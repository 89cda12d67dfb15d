"""Fit the judge of towns to the scene network that comes along, on photographs that were told by eye.

    python tools/teach_town.py --photos DIR [--out scene/town.json] [--seen FILE.npz]

`tools/towns.json` says which photographs below DIR show a town (houses, streets or roads whose lamps would be lit by night) and
which do not (landscapes, plants, faces, rooms); what is both or neither is in none of the lists. Sources count alike. What is
printed was measured on photographs that the judge was not fitted to, in six parts, pictures of one view in the same part.
`--seen` keeps what the network said of each photograph, and a later run takes it from there.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nightfx.network import load_scene_network
from nightfx.scene import TownJudge, pooled, see_finely
from nightfx.training.data.decode import load_picture

LINES, SMALL_LINES = 512, 256  # as renders look
PARTS = 6
RIDGE = 3.0  # chosen among 3, 10, 30 by the parts left out
ROUNDS = 30
DIGITS = 5

Numbers = NDArray[np.float64]


class Told(NamedTuple):
    """Photographs, and what was said of them."""

    paths: list[str]
    numbers: Numbers
    """(N, 66)."""
    towns: NDArray[np.bool_]

    def sources(self) -> list[str]:
        """The folder of each photograph."""
        return [str(Path(path).parent) for path in self.paths]


def main() -> None:
    """Read the arguments, look, measure, fit, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("scene/town.json"))
    parser.add_argument("--seen", type=Path)
    args = parser.parse_args()
    told = look(args.photos, args.seen)
    print("\n".join(lines_of(told, odds_left_out(told))))
    judge = fit(told.numbers, told.towns, weights_of(told))
    facts = {"weights": [round(float(x), DIGITS) for x in judge.weights], "bias": judge.bias}
    args.out.write_text(json.dumps(facts) + "\n", encoding="utf-8")


def look(photos: Path, kept: Path | None) -> Told:
    """What the network says of every photograph that was told."""
    lists = json.loads(Path(__file__).with_name("towns.json").read_text(encoding="utf-8"))
    paths = [*lists["town"], *lists["none"]]
    towns = np.array([True] * len(lists["town"]) + [False] * len(lists["none"]))
    if kept and kept.is_file():
        return Told(paths, np.load(kept)["numbers"], towns)
    numbers = np.stack(list(_looked(photos, paths))).astype(np.float64)
    if kept:
        np.savez(kept, numbers=numbers)
    return Told(paths, numbers, towns)


def _looked(photos: Path, paths: list[str]) -> Iterator[NDArray[np.float32]]:
    network = load_scene_network()
    for path in paths:
        pixels = load_picture(photos / path)
        fine, small = (_sized(pixels, lines) for lines in (LINES, SMALL_LINES))
        yield pooled(see_finely(network, fine, small))


def _sized(pixels: NDArray[np.uint8], lines: int) -> NDArray[np.float32]:
    scale = lines / min(pixels.shape[:2])
    size = [round(side * scale) for side in pixels.shape[1::-1]]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = cv2.resize(pixels, size, interpolation=how).astype(np.float32) / 255
    return np.asarray(small.transpose(2, 0, 1), np.float32)


def weights_of(told: Told) -> Numbers:
    """What each photograph counts: towns as much as all others together, a source by the root of its pictures."""
    keys = list(zip(told.sources(), told.towns, strict=True))
    counts = Counter(keys)
    weights = np.array([counts[key] ** -0.5 for key in keys])
    for kind in (True, False):
        weights[told.towns == kind] /= weights[told.towns == kind].sum()
    return weights * len(weights) / 2


def fit(numbers: Numbers, towns: NDArray[np.bool_], weights: Numbers) -> TownJudge:
    """Logistic regression with a ridge on standardised numbers, by Newton's method."""
    middle, spread = np.average(numbers, axis=0, weights=weights), numbers.std(0) + 1e-6
    known = np.c_[(numbers - middle) / spread, np.ones(len(numbers))]
    slopes, ridge = np.zeros(known.shape[1]), np.diag([RIDGE] * numbers.shape[1] + [1e-6])
    for _ in range(ROUNDS):
        said = 1 / (1 + np.exp(-np.clip(known @ slopes, -30, 30)))
        gradient = known.T @ (weights * (said - towns)) + ridge @ slopes
        curve = (known * (weights * said * (1 - said) + 1e-9)[:, None]).T @ known + ridge
        slopes -= np.linalg.solve(curve, gradient)
    plain = slopes[:-1] / spread
    return TownJudge(plain.astype(np.float32), round(float(slopes[-1] - plain @ middle), DIGITS))


def odds_left_out(told: Told) -> Numbers:
    """Log odds of each photograph, by a judge that was not fitted to it nor to those of its view."""
    views = _views(told.paths)
    part_of = dict(zip(sorted(set(views)), _dealt(len(set(views))), strict=True))
    parts = np.array([part_of[view] for view in views])
    odds, weights = np.zeros(len(parts)), weights_of(told)
    for part in range(PARTS):
        rest = parts != part
        judge = fit(told.numbers[rest], told.towns[rest], weights[rest])
        odds[~rest] = told.numbers[~rest] @ judge.weights + judge.bias
    return odds


def _dealt(count: int) -> NDArray[np.int64]:
    return np.random.default_rng(0).integers(0, PARTS, count)


def _views(paths: list[str]) -> list[str]:
    """Pictures of one webcam lie together, twenty numbers long on the average; frames of a clip share all but their number."""
    views = []
    for path in map(Path, paths):
        name, dash, number = path.stem.rpartition("-")
        apart = str(int(number) // 20) if not dash and "webcams" in path.parent.name else number
        views.append(f"{path.parent}/{name if dash else apart}")
    return views


def lines_of(told: Told, odds: Numbers, least: float = 0.0) -> Iterator[str]:
    """Of each source how many photographs are called towns."""
    keys = list(zip(told.sources(), told.towns, strict=True))
    for key in sorted(set(keys)):
        called = odds[[one == key for one in keys]] > least
        what = "towns" if key[1] else "none "
        yield f"{what} {key[0]:32}{called.mean():7.1%} of {len(called)} called towns"


if __name__ == "__main__":
    main()
