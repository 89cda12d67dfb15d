"""What segments cost: a render that can go on where it is stopped, beside one in a single go.

    python -m bench.segments [--clip examples/street.mp4] [--size 1280x720] [--frames 900] [--rounds 2] [--method relight]

Both in turns, each a process of its own; 3 % is the most that is allowed. The rounds differ by more than that on a busy machine.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from bench.render import make_input, run

MOST = 0.03  # of the time of a render in one go

CALL = """
import sys
from nightfx import RenderOptions, render
from nightfx.engine import render as module
if sys.argv[3] == "whole":
    module.is_long = lambda work: False
render(sys.argv[1], sys.argv[2], options=RenderOptions(method=sys.argv[4], overwrite=True))
"""


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, default=Path("examples/street.mp4"))
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--frames", type=int, default=900)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--method", choices=["relight", "tiles"], default="relight")
    args = parser.parse_args()
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
                words = [str(source), str(target), what, method]
                times.append(run([sys.executable, "-c", CALL, *words])[0])
    return seconds


if __name__ == "__main__":
    main()
