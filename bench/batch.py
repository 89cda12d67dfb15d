"""How much faster a folder of shots is done by several workers than by one, on the same cores.

    python -m bench.batch [--clip examples/street.mp4] [--shots 6] [--seconds 2] [--workers 1 2] [--rounds 2] [--json OUT]

Each row is a whole `nightfx batch` in a process of its own, its start and that of its workers included; the workers share the
cores. Rounds take turns, so that a noisy machine is noisy for all rows; the least of them counts.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    """Read the arguments, measure, print a line for each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, default=Path("examples/street.mp4"))
    parser.add_argument("--shots", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rounds = [
        {count: measure(args.clip, args.shots, args.seconds, count) for count in args.workers}
        for _ in range(args.rounds)
    ]
    best = {count: min(each[count] for each in rounds) for count in args.workers}
    for count, seconds in best.items():
        print(f"{count} workers  {seconds:6.1f} s  {best[args.workers[0]] / seconds:.2f} times")
    if args.json:
        args.json.write_text(json.dumps(best, indent=2) + "\n", encoding="utf-8")


def measure(clip: Path, shots: int, seconds: float, workers: int) -> float:
    """Seconds of a batch of so many copies of `clip`, rendered for `seconds` each."""
    with tempfile.TemporaryDirectory() as folder:
        plates = Path(folder) / "plates"
        plates.mkdir()
        for index in range(shots):
            shutil.copy(clip, plates / f"{index}{clip.suffix}")
        words = ["batch", plates, "-o", f"{folder}/out", "--end", seconds, "--workers", workers]
        command = [sys.executable, "-m", "nightfx", *map(str, words)]
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - started


if __name__ == "__main__":
    main()
