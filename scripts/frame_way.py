"""The way of a frame: how often control passes from one file of nightfx to another for each frame that is rendered.

What is counted: a call of a Python function, or the resuming of a generator, that lies in one file of the package `nightfx`
while the nearest function of the package below it on the stack (whatever of other packages is between) lies in another file.
That is one entry. Calls within a file, calls of compiled kernels, and what a thread begins with are none; that a function
returns or a generator yields is not counted again. Properties and methods are functions.

How it is counted: a generated clip of H.264, 64x48, is rendered by `python -m nightfx render` in a process of its own, under
`sys.setprofile` and `threading.setprofile`, with a few frames and with some more. What the longer render has more, divided by
the frames it has more, is the share of a frame in the middle: what begins and ends a render is in both and falls out.
A file is on the way where it is entered at least once for every second of these frames.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from inspect import CO_GENERATOR
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

from revisions.inputs import Clip, write_clip

WHOLE_FRAMES = (8, 24)
SEGMENTS_FRAMES = (304, 320)  # a segment has 300 at most: the frames counted are in the second
SIZE = (48, 64)
FLAGS = ("--method", "relight", "--working-height", "64", "--speed", "ultrafast")
FIXED = {"OMP_NUM_THREADS": "1", "NIGHTFX_CODEC_THREADS": "1"}

Pair = tuple[str, str, bool]
"""The file that is left, the file that is entered, and whether by resuming a generator."""


@dataclass(frozen=True)
class Way:
    """What one frame adds to the entries of a render."""

    pairs: dict[Pair, float]
    """Entries a frame."""

    @property
    def entries(self) -> float:
        """Entries a frame of any file."""
        return sum(self.pairs.values())

    @property
    def resumes(self) -> float:
        """Those by resuming a generator."""
        return sum(count for (*_, resumes), count in self.pairs.items() if resumes)

    @property
    def files(self) -> list[str]:
        """The files on the way, by name."""
        entered: Counter[str] = Counter()
        for (_, file, _), count in self.pairs.items():
            entered[file] += count  # type: ignore[assignment]  # a share of a frame
        return sorted(file for file, count in entered.items() if count >= 0.5)

    @property
    def returns(self) -> float:
        """Entries a frame of a file on the way beyond the first of each."""
        return self.entries - len(self.files)


def way_of(checkout: Path, frames: tuple[int, int] = WHOLE_FRAMES) -> Way:
    """Measure the way through a checkout, by renders of these numbers of frames."""
    with TemporaryDirectory() as folder:
        fewer, more = (_entries(checkout, Path(folder), count) for count in frames)
    more.subtract(fewer)
    step = frames[1] - frames[0]
    return Way({pair: count / step for pair, count in more.items() if count})


def _entries(checkout: Path, folder: Path, count: int) -> Counter[Pair]:
    clip, counts = folder / f"{count}.mp4", folder / f"{count}.json"
    write_clip(clip, Clip(clip.name, size=SIZE, count=count))
    words = ["render", str(clip), "-o", str(folder / f"{count}.night.mp4"), *FLAGS]
    env = os.environ | FIXED | {"PYTHONPATH": str(checkout)}
    call = [sys.executable, __file__, str(checkout / "nightfx"), str(counts), *words]
    done = subprocess.run(
        call, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise SystemExit(f"{checkout}: the render failed: {done.stderr}")
    rows = json.loads(counts.read_text(encoding="utf-8"))
    return Counter({(left, entered, bool(resumes)): n for left, entered, resumes, n in rows})


class Watcher:
    """Notes every entry, in any thread."""

    def __init__(self, package: str) -> None:
        self.package = f"{package}/"
        self.entries: list[Pair] = []  # appending is safe in threads, counting would not be

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        """Look at what the interpreter tells of calls."""
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(self.package):
            return
        caller = frame.f_back
        while caller and not caller.f_code.co_filename.startswith(self.package):
            caller = caller.f_back
        if caller and caller.f_code.co_filename != code.co_filename:
            left, entered = (self._name(each.f_code.co_filename) for each in (caller, frame))
            self.entries.append((left, entered, bool(code.co_flags & CO_GENERATOR)))

    def _name(self, path: str) -> str:
        return path.removeprefix(self.package)


def watch(package: str, counts: Path, words: list[str]) -> None:
    """Run `nightfx` with these words in this process, and write what is counted of `package` as JSON."""
    watcher, sys.argv = Watcher(package), ["nightfx", *words]
    threading.setprofile(watcher)
    sys.setprofile(watcher)
    try:
        runpy.run_module("nightfx", run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise
    finally:
        sys.setprofile(None)
    rows = [[*pair, count] for pair, count in Counter(watcher.entries).items()]
    counts.write_text(json.dumps(rows), encoding="utf-8")


if __name__ == "__main__":
    watch(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
