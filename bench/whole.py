"""How long whole renders take as a user waits for them: processes from their start to their end, in turns.

    python -m bench.whole [--seconds 1 8] [--sizes 1080] [--rounds 5] [--preset night] [--naive] [--first] [--json OUT]

Every row is a process of its own on the same clip: the example street there and back at 24 frames a second, H.264. The
null transcode decodes and encodes it (PyAV, x264 veryfast, crf 18, as all rows), so what is above it is nightfx. Each round
runs every row once; medians of wall-clock and of processor seconds, and ratios of the medians to the null. `--naive` adds
what one would write oneself (`naive.py`), for which a second of film takes a minute; `--first` the time of a first
frame, warm and with no kernel compiled on this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, cycle, islice
from pathlib import Path

import av
from av.video.frame import PictureType

ROOT = Path(__file__).parents[1]
STREET = ROOT / "examples" / "street.mp4"
SIZES = {720: (1280, 720), 1080: (1920, 1080), 2160: (3840, 2160)}
RATE = 24
NIGHTFX = {
    "every frame": [],
    "every frame, no lamps": ["--lights", "off"],
    "fields of every 2nd": ["--field-every", "2"],
    "--draft, every 4th": ["--draft", "--field-every", "4"],
}
INT8 = {"int8, every frame": ["--backend", "openvino-int8"]}
NULL = "null transcode"
NULL_RUN = """
import sys, av
with av.open(sys.argv[1]) as source, av.open(sys.argv[2], "w") as target:
    shown = source.streams.video[0]
    shown.thread_type = "AUTO"
    out = target.add_stream("libx264", rate=24, options={"preset": "veryfast", "crf": "18"})
    out.width, out.height, out.pix_fmt = shown.width, shown.height, "yuv420p"
    for frame in source.decode(shown):
        frame.pict_type = 0  # or each frame would be of the kind that it was in the source
        target.mux(out.encode(frame))
    target.mux(out.encode(None))
"""
NAIVE_RUN = """
import sys
from pathlib import Path
from bench.naive import naive_render
from nightfx import load_preset
naive_render(load_preset(sys.argv[3]).generator, Path(sys.argv[1]), Path(sys.argv[2]), 1 << 30)
"""


@dataclass(frozen=True)
class Row:
    """One way to render a clip."""

    clip: str
    name: str
    wall_seconds: float
    cpu_seconds: float
    ratio: float
    """Of the wall-clock medians, to the null's."""


def main() -> None:
    """Read the arguments, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, nargs="+", default=[1, 8])
    parser.add_argument("--sizes", type=int, nargs="+", choices=list(SIZES), default=[1080])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--preset", default="night")
    parser.add_argument("--naive", action="store_true")
    parser.add_argument("--int8", action="store_true", help="OpenVINO's too")
    parser.add_argument("--first", action="store_true", help="a first frame, warm and cold")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for lines in args.sizes:
            for seconds in args.seconds:
                clip = write_clip(Path(name, f"{lines}p {seconds:g} s.mp4"), lines, seconds)
                ways = commands(clip, args.preset, naive=args.naive, int8=args.int8)
                for row in measured(clip.stem, ways, args.rounds):
                    print(told(row), flush=True)
                    rows.append(row)
        if args.first:
            for row in first_frames(Path(name), args.preset, args.rounds):
                print(told(row), flush=True)
                rows.append(row)
    if args.json:
        args.json.write_text(json.dumps([asdict(x) for x in rows], indent=1) + "\n", "utf-8")


def commands(clip: Path, preset: str, *, naive: bool, int8: bool) -> dict[str, list[str]]:
    """The processes, by the names of their rows; the null comes first."""
    out = str(clip.with_suffix(".out.mp4"))
    ways = {NULL: [sys.executable, "-c", NULL_RUN, str(clip), out]}
    for name, options in (NIGHTFX | (INT8 if int8 else {})).items():
        ways[name] = render(clip, out, preset, options)
    if naive:
        ways["naive tiles"] = [sys.executable, "-c", NAIVE_RUN, str(clip), out, preset]
    return ways


def render(clip: Path, out: str, preset: str, options: Sequence[str]) -> list[str]:
    """Return the command of a render."""
    coded = ["--speed", "veryfast", "--crf", "18", "--overwrite", "--fresh"]
    command = [sys.executable, "-m", "nightfx", "render", str(clip), "-o", out, "--to", preset]
    return [*command, *coded, *options]


def measured(clip: str, ways: dict[str, list[str]], rounds: int) -> Iterator[Row]:
    """Run all in turns, and yield a row each."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, command in ways.items():
            found[name].append(run(command))
    null = statistics.median(wall for wall, _ in found[NULL]) if NULL in found else None
    for name, times in found.items():
        wall, cpu = (statistics.median(x) for x in zip(*times, strict=True))
        yield Row(clip, name, wall, cpu, wall / null if null else 1.0)


def first_frames(folder: Path, preset: str, rounds: int) -> Iterator[Row]:
    """The whole process of one lit frame, with compiled kernels and without any."""
    clip = write_clip(folder / "one frame.mp4", 1080, 1 / RATE)
    command = render(clip, str(folder / "one.out.mp4"), preset, ["--lights", "off"])
    yield from measured("one frame", {"warm": command}, rounds)
    with tempfile.TemporaryDirectory() as empty:
        wall, cpu = run(command, {"NUMBA_CACHE_DIR": empty})
    yield Row("one frame", "first on a machine", wall, cpu, 1.0)


def run(command: Sequence[str], more: dict[str, str] | None = None) -> tuple[float, float]:
    """Wall-clock and processor seconds of a process and all of its children."""
    before, started = os.times(), time.monotonic()
    subprocess.run(
        command, check=True, capture_output=True, cwd=ROOT, env=os.environ | (more or {})
    )
    wall, after = time.monotonic() - started, os.times()
    cpu = sum(after[i] - before[i] for i in (2, 3))  # of children
    return wall, cpu


def write_clip(path: Path, lines: int, seconds: float) -> Path:
    """Write the street there and back, so that it never cuts, as long and as large as asked."""
    width, height = SIZES[lines]
    with av.open(str(STREET)) as source, av.open(str(path), "w") as target:
        there = [frame.reformat(1280, 720, "yuv420p") for frame in source.decode(video=0)]
        stream = target.add_stream(
            "libx264", rate=RATE, options={"preset": "veryfast", "crf": "18"}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        count = max(round(seconds * RATE), 1)
        for index, frame in enumerate(islice(cycle(chain(there, there[-2:0:-1])), count)):
            scaled = frame.reformat(width, height, "yuv420p")
            scaled.pts, scaled.time_base = index, 1 / stream.codec_context.framerate
            scaled.pict_type = PictureType.NONE  # the encoder decides, not the source
            target.mux(stream.encode(scaled))
        target.mux(stream.encode(None))
    return path


def told(row: Row) -> str:
    """A line of the table."""
    times = f"{row.wall_seconds:8.2f} s {row.cpu_seconds:8.2f} s of cores"
    return f"{row.clip:14} {row.name:26} {times} {row.ratio:6.2f}"


if __name__ == "__main__":
    main()
