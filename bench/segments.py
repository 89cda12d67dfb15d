"""What segments cost: a render that can go on where it is stopped, beside one in a single go.

    python -m bench.segments [--clip examples/street.mp4] [--size 1280x720] [--frames 900] [--rounds 2] [--method relight]
    python -m bench.segments --borders [--clip examples/street.mp4] [--codec h264] [--speed fast]

Both in turns, each a process of its own; 3 % is the most that is allowed. The rounds differ by more than that on a busy machine.
With --borders it is their quality instead: PSNR of luma against a lossless render, of the frames at borders and of those
between, in segments of 40 frames, less that of the same frames rendered in one go. None should be below 0.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.render import make_input, run
from nightfx.source.reader import Reader

MOST = 0.03  # of the time of a render in one go
SHORT = 40  # frames of a segment, where borders are measured
AT_BORDERS = 8  # frames before a border, and after it

CALL = """
import sys
from nightfx import RenderOptions, render
from nightfx.light import borders as module
from nightfx.job import render as module
from nightfx.target.codecs import EncodeOptions
source, target, how, method, codec, speed, *short = sys.argv[1:]
if how == "whole":
    module.is_long = lambda work: False
if short:
    borders.LEAST_FRAMES = borders.MOST_FRAMES = int(short[0])
encode = EncodeOptions() if codec == "-" else EncodeOptions(codec=codec, speed=speed, depth=None if codec == "ffv1" else 8)
render(source, target, options=RenderOptions.of(method=method, overwrite=True, encode=encode))
"""


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, default=Path("examples/street.mp4"))
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--frames", type=int, default=900)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--method", choices=["relight", "tiles"], default="relight")
    parser.add_argument("--borders", action="store_true", help="measure quality, not time")
    parser.add_argument("--codec", choices=["h264", "h265", "av1"], default="h264")
    parser.add_argument("--speed", default="fast", help="of the encoder")
    args = parser.parse_args()
    if args.borders:
        for where, decibels in measure_borders(args.clip, args.codec, args.speed).items():
            print(f"{args.codec} {args.speed} {where:15} {decibels:+.2f} dB")
        return
    seconds = measure(args.clip, args.size, args.frames, args.rounds, args.method)
    for what, times in seconds.items():
        listed = ", ".join(f"{time:.1f}" for time in times)
        print(f"{what:9} {args.size} {args.frames} frames {min(times):7.1f} s ({listed})")
    ratios = [a / b - 1 for a, b in zip(seconds["segments"], seconds["whole"], strict=True)]
    words = ", ".join(f"{ratio:+.1%}" for ratio in ratios)
    print(
        f"segments cost {statistics.median(ratios):+.1%} of the time ({words}); {MOST:.0%} allowed"
    )


def measure(clip: Path, size: str, count: int, rounds: int, method: str) -> dict[str, list[float]]:
    """Seconds of each round, in segments and in one go."""
    seconds: dict[str, list[float]] = {"whole": [], "segments": []}
    with tempfile.TemporaryDirectory() as folder:
        source = make_input(clip, Path(folder, "input.mp4"), size, count)
        for _ in range(rounds):
            for what, times in seconds.items():
                target = Path(folder, f"{what}.mp4")
                words = [str(source), str(target), what, method, "-", "-"]
                times.append(run([sys.executable, "-c", CALL, *words])[0])
    return seconds


def measure_borders(clip: Path, codec: str, speed: str) -> dict[str, float]:
    """What segments gain or lose in dB before borders, after them, and between."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for how in ("whole", "segments"):
            lossless, coded = Path(folder, f"{how}.mkv"), Path(folder, f"{how}.mp4")
            for target, what in ((lossless, "ffv1"), (coded, codec)):
                words = [str(clip), str(target), how, "relight", what, speed, str(SHORT)]
                run([sys.executable, "-c", CALL, *words])
            found[how] = psnr_of(coded, lossless)
    gain = found["segments"] - found["whole"]
    index = np.arange(len(gain))
    last = index // SHORT == (len(gain) - 1) // SHORT  # which no border follows
    before = ~last & (index % SHORT >= SHORT - AT_BORDERS)
    after = (index >= SHORT) & (index % SHORT < AT_BORDERS)
    places = {"before a border": before, "after a border": after, "between": ~before & ~after}
    return {where: float(gain[chosen].mean()) for where, chosen in places.items()}


def psnr_of(coded: Path, lossless: Path) -> NDArray[np.float64]:
    """PSNR of luma in dB of each frame."""
    with Reader(coded) as found, Reader(lossless) as wanted:
        pairs = zip(found.frames(), wanted.frames(), strict=True)
        errors = [np.square(a.planes[0].astype(float) - b.planes[0]).mean() for a, b in pairs]
    return 10 * np.log10(255**2 / np.array(errors))


if __name__ == "__main__":
    main()
