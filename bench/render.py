"""How long a whole render takes and how much memory, beside decoding and encoding the same clip alone.

    python -m bench.render [--clip examples/street.mp4] [--size 1920x1080] [--frames 60 600] [--method relight] [--speed fast] [--json OUT]

The input is made from the clip, scaled and repeated. Each render is a process of its own; memory is its peak resident
set by the operating system's account (not on Windows). The null transcode uses the same decoder, encoder and settings.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path

import av
from av.video.frame import PictureType

from nightfx.options.encode import EncodeOptions
from nightfx.source.decoding import VARIABLE, cores

NULL = """
import sys
from pathlib import Path
from nightfx.target.codecs import EncodeOptions, plan_output
from nightfx.source.reader import Reader
from nightfx.target.writer import write_clip
source, target = map(Path, sys.argv[1:3])
with Reader(source) as reader:
    plan = plan_output(reader.info, None, EncodeOptions(speed=sys.argv[3]))
    write_clip(reader.frames(), target, source=source, info=reader.info, plan=plan, on_note=print)
"""


@dataclass(frozen=True)
class Row:
    """One process, measured."""

    what: str
    size: str
    frames: int
    seconds_a_frame: float
    peak_mib: float


def main() -> None:
    """Read the arguments, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, default=Path("examples/street.mp4"))
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--frames", type=int, nargs="+", default=[60])
    parser.add_argument("--method", choices=["relight", "tiles"], default="relight")
    parser.add_argument("--speed", default=EncodeOptions().speed, help="of the encoder")
    parser.add_argument("--field-every", default="auto", help="as of nightfx render")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    flags = ["--method", args.method, "--field-every", args.field_every, "--speed", args.speed]
    rows = [row for count in args.frames for row in measure(args.clip, args.size, count, flags)]
    for row in rows:
        print(format_memory(row))
    if args.json:
        args.json.write_text(
            json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8"
        )


def format_memory(row: Row) -> str:
    """One line of the table."""
    return f"{row.what:8} {row.size} {row.frames:5} frames {row.seconds_a_frame:7.3f} s a frame {row.peak_mib:6.0f} MiB"


def measure(clip: Path, size: str, count: int, flags: Sequence[str]) -> Iterator[Row]:
    """Time the null transcode and the render of `count` frames of `clip` at `size` (WIDTHxHEIGHT).

    `flags` are those of `nightfx render`: first `--method METHOD`, last `--speed SPEED`.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = make_input(clip, Path(folder, "input.mp4"), size, count)
        files = str(source), str(Path(folder, "output.mp4"))
        render = ["nightfx", "render", files[0], "-o", files[1], "--overwrite", *flags]
        commands = {
            "null": [sys.executable, "-c", NULL, *files, flags[-1]],
            flags[1]: [sys.executable, "-m", *render],
        }
        for what, command in commands.items():
            # alone, a decoder has all cores
            seconds, peak_mib = run(command, {VARIABLE: str(cores())} if what == "null" else {})
            yield Row(what, size, count, seconds / count, peak_mib)


def make_input(clip: Path, target: Path, size: str, count: int) -> Path:
    """Write `count` frames of `clip`, repeated and scaled to `size`, as H.264."""
    width, height = map(int, size.split("x"))
    with av.open(clip) as source, av.open(target, "w") as out:
        frames = list(source.decode(source.streams.video[0]))
        video = out.add_stream("libx264", rate=24, options={"preset": "veryfast", "crf": "20"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        for index, frame in enumerate(islice(cycle(frames), count)):
            scaled = frame.reformat(width, height, "yuv420p", threads=1)
            scaled.pts, scaled.time_base = index, 1 / video.codec_context.framerate
            scaled.pict_type = PictureType.NONE  # the encoder decides, not the source
            out.mux(video.encode(scaled))
        out.mux(video.encode(None))
    return target


RUNNER = """
import resource, subprocess, sys
quiet = subprocess.DEVNULL
subprocess.run(sys.argv[1:], check=True, stdout=quiet, stderr=quiet)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def run(command: list[str], variables: dict[str, str] | None = None) -> tuple[float, float]:
    """Wall-clock seconds and peak resident set in MiB of a process, in this environment and `variables`."""
    started = time.monotonic()
    runner = [sys.executable, "-c", RUNNER, *command]
    env = os.environ | (variables or {})
    answer = subprocess.run(runner, check=True, capture_output=True, text=True, env=env)
    unit = 1024 if sys.platform == "darwin" else 1  # macOS counts bytes, Linux KiB
    return time.monotonic() - started, float(answer.stdout) / unit / 1024


if __name__ == "__main__":
    main()
