"""Light pictures that are in memory: arrays in, arrays out.

python examples/python/numpy_frames.py FOLDER OUT
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import nightfx


def light_folder(folder: Path, out: Path) -> list[Path]:
    """Light the PNG files of one shot, in the order of their names, and write them under the same ones."""
    paths = sorted(folder.glob("*.png"))
    plates = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for path, night in zip(paths, nightfx.light_pictures(plates, preset="night"), strict=True):
        Image.fromarray(night).save(out / path.name)
        written.append(out / path.name)
    return written


if __name__ == "__main__":
    print(*light_folder(Path(sys.argv[1]), Path(sys.argv[2])), sep="\n")
