"""Put what people saw into the labels of skies that `tools/teach_scene.py` wrote.

    python -m tools.correct_skies LABELS [--skies tools/skies.txt]

Labels that are unsure are deleted. To run it twice is to run it once.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Row = tuple[str, str, list[float]]
CODES = {"none": 0, "not": 0, "sky": 255}


def main() -> None:
    """Read the arguments, correct what is there, say how many labels that were."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("labels", type=Path)
    parser.add_argument("--skies", type=Path, default=Path(__file__).with_name("skies.txt"))
    args = parser.parse_args()
    done = {row[0] for row in read_rows(args.skies) if correct(args.labels, row)}
    print(f"{len(done)} labels corrected")


def read_rows(path: Path) -> Iterator[Row]:
    """Each row of the list: the photograph, what is said of it, and the box it is said of, all of it where none is given."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            place, word, *box = line.split()
            if word not in (*CODES, "unsure") or len(box) not in (0, 4):
                raise SystemExit(f"{path}: not a row: {line}")
            yield place, word, [float(v) for v in box] or [0, 0, 1, 1]


def correct(labels: Path, row: Row) -> bool:
    """Correct a label; False where there is none."""
    place, word, box = row
    path = (labels / "sky" / place).with_suffix(".png")
    if not path.is_file():
        return False
    sky = np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8)
    if word == "unsure":
        path.unlink()
    else:
        cv2.imwrite(str(path), drawn(sky, CODES[word], box))
    return True


def drawn(sky: NDArray[np.uint8], code: int, box: list[float]) -> NDArray[np.uint8]:
    """The map (H, W) with `code` in a box, which is left, top, right and bottom in parts of it."""
    height, width = sky.shape
    left, right = (round(v * width) for v in box[::2])
    top, bottom = (round(v * height) for v in box[1::2])
    found = sky.copy()
    found[top:bottom, left:right] = code
    return found


if __name__ == "__main__":
    main()
