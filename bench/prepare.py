"""How long `nightfx dataset prepare` takes for a data set of the paper's size.

    python -m bench.prepare [--clip examples/street.mp4] [--pictures 10000] [--size 1280x720]

The pictures are frames of the clip, scaled and relit at random, as JPEG; half of them dark. Writing them is not measured.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av
import cv2
import numpy as np

QUALITY = 88  # of the JPEGs: about 200 KB each at 720p


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, default=Path("examples/street.mp4"))
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--size", default="1280x720")
    args = parser.parse_args()
    width, height = map(int, args.size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "pictures")
        write_pictures(args.clip, source, args.pictures, (width, height))
        seconds = measure(source, Path(folder, "set"))
    print(f"{args.pictures} pictures of {args.size}: {seconds:.1f} s")


def write_pictures(clip: Path, folder: Path, count: int, size: tuple[int, int]) -> None:
    """Write `count` pictures, no two alike."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    with av.open(clip) as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    for index in range(count):
        scaled = cv2.resize(frames[index % len(frames)], size)
        gain = rng.uniform(0.1, 0.5) if index % 2 else rng.uniform(1.2, 2.2)
        lit = cv2.convertScaleAbs(scaled, alpha=gain, beta=rng.uniform(-20, 20))
        path = folder / f"{index:06}.jpg"
        if not cv2.imwrite(str(path), lit, [cv2.IMWRITE_JPEG_QUALITY, QUALITY]):
            raise OSError(f"{path}: not written")


def measure(source: Path, out: Path) -> float:
    """Wall-clock seconds of a whole process."""
    command = [
        sys.executable,
        "-m",
        "nightfx",
        "dataset",
        "prepare",
        str(source),
        "--out",
        str(out),
    ]
    started = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - started


if __name__ == "__main__":
    main()
