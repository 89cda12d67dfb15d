"""Split a labelled set of photographs into three parts, so that no view is in two of them.

    python -m bench.split --photos DIR --out DIR

DIR holds `manifest.csv` (path, class, content, source, original, width, height). The result is folders of links,
`{train,validation,held-out}/{day,night}/SOURCE/`: training sees the first, chooses its checkpoint by the second, and
figures are taken on the third, which nothing else looks at.
"""

from __future__ import annotations

import argparse
import csv
import re
import zlib
from pathlib import Path

PARTS = {0: "held-out", 1: "validation"}  # of six, by hash of the view; the rest is for training
# of the first 200, the one whose parts are nearest to the training part by colour (sliced Wasserstein on thumbnails;
# 0.018 at most, 0.041 in the median): a part that happens to hold the darkest views measures little else
SALT = 38
CONTENT = ("street", "road")
# campus pictures that show one place, by number; found by matching SIFT features between all pairs, checked by eye
CAMPUS_SCENES = {
    "day": (
        *((9, 12, 22, 29, 38, 39, 44, 45, 60, 73, 100), (1, 52, 65, 67, 71, 106, 108)),
        *((41, 58, 102, 107, 120), (77, 86, 110, 114), (15, 16, 48), (76, 87, 115), (63, 68, 78)),
        *((96, 111), (43, 82), (21, 119), (36, 94), (55, 56), (75, 88)),
    ),
    "night": ((4, 30, 79), (8, 55, 112), (28, 37), (70, 76), (115, 119), (116, 118)),
}


def main() -> None:
    """Read the arguments, link the pictures, print how many."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    counts: dict[str, int] = {}
    for row in csv.DictReader((args.photos / "manifest.csv").open(encoding="utf-8")):
        if is_used(row):
            part = Path(part_of(row), row["class"], row["source"])
            link(args.photos / row["path"], args.out / part / Path(row["path"]).name)
            counts[str(part)] = counts.get(str(part), 0) + 1
    for name in sorted(counts):
        print(f"{counts[name]:5} {name}")


def link(photo: Path, target: Path) -> None:
    """Make `target` a link to `photo`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    target.symlink_to(photo.resolve())


def is_used(row: dict[str, str]) -> bool:
    """Whether `row` is a street or a road by day or by night; not the one night drive, which has no like to judge it by."""
    only_night_drive = (row["class"], row["source"]) == ("night", "dashcam")
    return row["class"] in ("day", "night") and row["content"] in CONTENT and not only_night_drive


def part_of(row: dict[str, str]) -> str:
    """The part of the set that `row` belongs to: that of the view it shows, by day and by night alike."""
    view = view_of(row)
    if view is None:
        return "train"
    return PARTS.get(zlib.crc32(f"{SALT} {view}".encode()) % 6, "train")


def view_of(row: dict[str, str]) -> str | None:
    """What pictures that look alike share: a webcam's frame size, a scene, else the picture itself.

    None for the dashcam: its days are one drive, which training needs.
    """
    if row["source"] == "webcams":
        return f"{row['width']}x{row['height']}"
    if row["source"] == "dashcam":
        return None
    return _campus_scene(row) if row["source"] == "campus" else row["original"]


def _campus_scene(row: dict[str, str]) -> str:
    number = int(re.findall(r"[0-9]+", row["original"])[0])
    scenes = CAMPUS_SCENES[row["class"]]
    scene = next((scene for scene in scenes if number in scene), None)
    return f"{row['class']} scene {scene[0]}" if scene else row["original"]


if __name__ == "__main__":
    main()
