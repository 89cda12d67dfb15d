"""Split a labelled set of photographs into training and held-out folders, so that no view is in both.

    python -m bench.split --photos DIR --out DIR

DIR holds `manifest.csv` (path, class, content, source, original, width, height). The result is folders of links,
`{train,held-out}/{day,night}/SOURCE/`, which `nightfx train` and `bench.nights` take.
"""

from __future__ import annotations

import argparse
import csv
import re
import zlib
from pathlib import Path

HELD_OUT_PART = 6  # one view of so many is held out
SALT = 39  # of the first 60, one that holds out three webcam views, a drive and a few walks
CONTENT = ("street", "road")


def main() -> None:
    """Read the arguments, link the pictures, print how many."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    counts: dict[str, int] = {}
    for row in csv.DictReader((args.photos / "manifest.csv").open(encoding="utf-8")):
        if row["class"] in ("day", "night") and row["content"] in CONTENT:
            part = Path("held-out" if is_held_out(row) else "train", row["class"], row["source"])
            link(args.photos / row["path"], args.out / part / Path(row["path"]).name)
            counts[str(part)] = counts.get(str(part), 0) + 1
    for name in sorted(counts):
        print(f"{counts[name]:5} {name}")


def link(photo: Path, target: Path) -> None:
    """Make `target` a link to `photo`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    target.symlink_to(photo.resolve())


def is_held_out(row: dict[str, str]) -> bool:
    """Whether the view that `row` shows is kept out of training; by day and by night alike."""
    view = view_of(row)
    if view is None:  # the only night drive: all of it is needed for training
        return False
    return zlib.crc32(f"{SALT} {view}".encode()) % HELD_OUT_PART == 0


def view_of(row: dict[str, str]) -> str | None:
    """What pictures that look alike share: a webcam's frame size, a drive, ten pictures of one walk, else the picture."""
    name = row["original"]
    if row["source"] == "webcams":
        return f"{row['width']}x{row['height']}"
    if row["source"] == "dashcam":
        return None if row["class"] == "night" else re.split(r"[_.]\d*\.?(?:png|mp4)", name)[0]
    if row["source"] == "campus":
        return f"walk {int(re.findall(r'[0-9]+', name)[0]) // 10}"
    return name


if __name__ == "__main__":
    main()
