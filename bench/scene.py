"""Say how well the scene network sees, on what it never learnt from.

    python -m bench.scene --photos DIR --labels LABELS [--town DIR] [--keep-out FILE] [--weights FILE] [--sheet PNG] [--json OUT]

`LABELS` is what `tools/teach_scene.py` wrote, `--keep-out` the list that the run was given. Judged are the photographs
of that list and those that every run leaves out, and the town's held-out views. Sky: intersection over union at 0.5,
mean over pictures with more than 2 % of sky, against the teacher, which is not the truth; of the others the share that is
called sky. Windows and signs: pieces of what is found that meet a box at an IoU of 0.5, of all boxes (recall) and of all
pieces (precision; some windows have no box), of the network's maps, and of what a render could light. Town: IoU of each kind, over all pixels of all views.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from nightfx.light.lamps.search import Search, search_shot
from nightfx.network import SceneNetwork, load_scene_network
from nightfx.picture.frame import Frame, rgb_coding
from nightfx.scene import KINDS, SURFACES, Scene, see_scene
from nightfx.training.data.decode import load_picture
from nightfx.training.scene.gather import is_in, is_kept_out, read_keep_out
from nightfx.training.scene.labelled import Labelled
from nightfx.training.scene.photographs import (
    SIGNS,
    WINDOWS,
    boxes_of,
    find_labelled,
    read_boxes,
    read_labelled,
    sky_of,
)
from nightfx.training.scene.town import DAYS, read_maps

LINES = 256  # of the shorter side: the working height
MULTIPLE_PX = 8
LEAST_SKY = 0.02
LEAST_BOX = 1e-3  # of the picture: smaller ones are some pixels at working height
_COLOURS = np.array(
    [[90, 160, 255], [110, 110, 110], [210, 180, 140], [40, 160, 60], [255, 60, 60], [255, 0, 255]]
)
_LIT = np.array([[255, 230, 0], [0, 255, 255], [255, 255, 255], [255, 255, 200], [255, 0, 0]])

_BOXED = {
    "window": WINDOWS,
    "sign": SIGNS,
    "lit window": WINDOWS,
    "lit sign": SIGNS,
}

Kept = tuple[Path, Path, Labelled]


def main() -> None:
    """Read the arguments, look at all pictures, print figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--town", type=Path)
    parser.add_argument("--keep-out", type=Path)
    parser.add_argument("--windowless", nargs="*", default=[])
    parser.add_argument("--weights", type=Path, help="by default those that come along")
    parser.add_argument("--sheet", type=Path, help="draw what is seen in 48 of them")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    network = load_scene_network(args.weights)
    kept = list(kept_out(args.photos, args.labels, args.keep_out, args.windowless))
    found = judge_skies(network, args.labels, kept) | judge_boxes(network, kept)
    if args.town:
        found |= judge_town(network, args.town)
    for name, value in found.items():
        print(f"{name:44}{value:8.3f}")
    if args.sheet:
        pictures = [item.picture for _, _, item in kept[:: max(len(kept) // 48, 1)]]
        draw_sheet(network, pictures, args.sheet)
    if args.json:
        args.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def kept_out(
    photos: Path, labels: Path, keep_out: Path | None, windowless: list[str]
) -> Iterator[Kept]:
    """The photographs that no run learnt from, with their labels."""
    names = {str(Path(name).with_suffix("")) for name in read_keep_out(keep_out)}
    for path, place in find_labelled(photos, labels):
        if is_kept_out(place, names):
            bare = is_in(place, windowless)
            item = read_labelled(path, place, labels, windowless=bare)
            if item is not None:
                yield path, place, item


def look(network: SceneNetwork, picture: np.ndarray) -> Scene:
    """What the network sees in a picture (H, W, 3) uint8 at working height."""
    scale = min(LINES / min(picture.shape[:2]), 1)
    height, width = (
        max(round(v * scale / MULTIPLE_PX), 1) * MULTIPLE_PX for v in picture.shape[:2]
    )
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return see_scene(network, np.moveaxis(small, -1, 0).astype(np.float32) / 255)


def judge_skies(network: SceneNetwork, labels: Path, kept: list[Kept]) -> dict[str, float]:
    """IoU of the sky by folder and in all, and how much is called sky where there is none."""
    overlaps: dict[str, list[float]] = {}
    false = []
    for _, place, item in kept:
        if not sky_of(place, labels).exists():
            continue
        sky = look(network, item.picture).of("sky")
        wanted = cv2.resize(item.sky, sky.shape[::-1], interpolation=cv2.INTER_AREA) > 127
        if wanted.mean() > LEAST_SKY:
            overlaps.setdefault(str(place.parent), []).append(_overlap(sky > 0.5, wanted))
        else:
            false.append(float((sky > 0.5).mean()))
    each = [v for values in overlaps.values() for v in values]
    found = {f"sky IoU, {name} ({len(v)})": float(np.mean(v)) for name, v in overlaps.items()}
    found[f"sky IoU, all ({len(each)})"] = float(np.mean(each)) if each else 0.0
    found[f"called sky where none is ({len(false)})"] = float(np.mean(false)) if false else 0.0
    return found


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))


def judge_boxes(network: SceneNetwork, kept: list[Kept]) -> dict[str, float]:
    """How many boxes of windows and signs are found, and how many pieces of what is found are such."""
    counts = {name: np.zeros(3) for name in _BOXED}
    for path, _, item in kept:
        if not boxes_of(path).exists():
            continue
        scene = look(network, item.picture)
        seen = {light: _pieces(scene.of(light) > 0.5) for light in ("window", "sign")}
        seen |= _found(network, item.picture)
        for name, classes in _BOXED.items():
            boxes, pieces = _boxes(boxes_of(path), classes), seen[name]
            met = [[_box_overlap(box, piece) >= 0.5 for piece in pieces] for box in boxes]
            table = np.array(met, bool).reshape(len(boxes), len(pieces))
            counts[name] += table.any(1).sum(), len(boxes), len(pieces)
    found = {}
    for name, (right, wanted, count) in counts.items():
        found[f"{name}s found"] = float(right / max(wanted, 1))
        found[f"{name}s, precision"] = float(right / max(count, 1))
    return found


def _found(network: SceneNetwork, picture: np.ndarray) -> dict[str, list[tuple[float, ...]]]:
    """The boxes around the windows and signs that a render could light, in parts of the picture."""
    planes = tuple(np.ascontiguousarray(picture[..., c]) for c in range(3))
    frame = Frame(planes, rgb_coding(8, alpha=False), 0, Fraction(1, 24))
    lights = search_shot([frame], Search(network)).lights
    size = np.array(picture.shape[1::-1])
    boxes: dict[str, list[tuple[float, ...]]] = {"lit window": [], "lit sign": []}
    for light in lights:
        quad = light.track.quads[0] / size
        low, high = quad.min(0), quad.max(0)
        if f"lit {light.kind}" in boxes and np.prod(high - low) > LEAST_BOX:
            boxes[f"lit {light.kind}"].append((*low, *high))
    return boxes


def _boxes(path: Path, classes: tuple[int, ...]) -> list[tuple[float, ...]]:
    """Left, top, right, bottom of boxes, in parts of the picture."""
    return [
        (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        for kind, (x, y, w, h) in read_boxes(path)
        if kind in classes and w * h > LEAST_BOX
    ]


def _pieces(mask: np.ndarray) -> list[tuple[float, ...]]:
    """The boxes around the connected pieces of a mask, in parts of the picture."""
    height, width = mask.shape
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return [
        (x / width, y / height, (x + w) / width, (y + h) / height)
        for x, y, w, h, _ in stats[1:]
        if w * h > LEAST_BOX * height * width
    ]


def _box_overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(width, 0) * max(height, 0)
    areas = [(x[2] - x[0]) * (x[3] - x[1]) for x in (one, other)]
    return both / (sum(areas) - both)


def judge_town(network: SceneNetwork, town: Path) -> dict[str, float]:
    """IoU of each kind over all held-out views, by all skies of the day."""
    both, either = np.zeros(len(KINDS)), np.zeros(len(KINDS))
    for view in sorted(path for path in (town / "held-out").glob("*") if path.suffix != ".part"):
        wanted = read_maps(view)
        for day in DAYS:
            surfaces, lights = see_scene(network, _shown(load_picture(view / f"{day}.webp")))
            here = np.arange(len(SURFACES))[:, None, None] == surfaces.argmax(0)
            there = np.arange(len(SURFACES))[:, None, None] == wanted[: len(SURFACES)].argmax(0)
            found = np.concatenate([here, lights > 0.5])
            true = np.concatenate([there, wanted[len(SURFACES) :] > 127])
            both += (found & true).sum((1, 2))
            either += (found | true).sum((1, 2))
    return {
        f"town, {kind} IoU": float(b / max(e, 1))
        for kind, b, e in zip(KINDS, both, either, strict=True)
    }


def _shown(picture: np.ndarray) -> np.ndarray:
    shown: np.ndarray = np.moveaxis(picture, -1, 0).astype(np.float32) / 255
    return shown


def draw_sheet(
    network: SceneNetwork, pictures: list[np.ndarray], path: Path, columns: int = 6
) -> None:
    """Draw pictures beside what is seen in them: surfaces in colours, lights over them."""
    cells = []
    for picture in pictures:
        surfaces, lights = look(network, picture)
        colours = np.tensordot(surfaces, _COLOURS, (0, 0)) * 0.75
        for light, colour in zip(lights, _LIT, strict=True):
            colours += (light * np.float32(0.8))[..., None] * (colour - colours)
        size = surfaces.shape[:0:-1]
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        cells.append(_fitted(np.hstack([small, colours.astype(np.uint8)])))
    cells += [np.zeros_like(cells[0])] * (-len(cells) % columns)
    rows = [np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)]
    cv2.imwrite(str(path), np.vstack(rows)[..., ::-1])


def _fitted(pair: np.ndarray, height: int = 120, width: int = 300) -> np.ndarray:
    scale = min(height / pair.shape[0], width / pair.shape[1])
    small = cv2.resize(pair, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    cell = np.zeros((height, width, 3), np.uint8)
    cell[: small.shape[0], : small.shape[1]] = small[:height, :width]
    return cell


if __name__ == "__main__":
    main()
