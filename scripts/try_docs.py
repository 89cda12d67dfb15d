"""Run every command that README and docs/ print, in the order of each page, on small media made here.

    python scripts/try_docs.py [--pages README.md docs/farm.md] [--keep FOLDER]

A page has a folder of its own with the files that its commands name. Two commands of a page that write the same file are
given --overwrite, and trainings --steps 4. What cannot be tried here is listed with the reason; anything else that ends with an error fails.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
STREET = ROOT / "examples/street.mp4"
SIZE, FRAMES = (320, 176), 14
GENERATED = {"reference.md", "python.md"}
UNTRIED = {
    "--address": "asks for a cluster that runs",
    "pip install": "made by CI, in an empty environment",
    "python3 -m venv": "made by CI, in an empty environment",
    "python3.11 -m venv": "Blender's own environment",
    "torchrun": "several GPUs",
    "mkdocs serve": "a server",
    "nightfx studio": "a server; tests/test_studio_page.py opens it",
}
SHORTER = {"nightfx train ": " --steps 4"}
"""What is put behind commands that take hours otherwise."""
EDL = """TITLE: cut
FCM: NON-DROP FRAME
001  SHOT V C 01:00:00:02 01:00:00:10 00:00:00:00 00:00:00:08
* FROM CLIP NAME: shot.mov
"""


def main() -> int:
    """Run what was asked for; returns 1 where a command failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    found = sorted(x for x in (ROOT / "docs").rglob("*.md") if x.name not in GENERATED)
    parser.add_argument("--pages", type=Path, nargs="+", default=[ROOT / "README.md", *found])
    parser.add_argument("--keep", type=Path, help="leave what was written here")
    args = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        for page in args.pages:
            folder = Path(args.keep or name, page.stem)
            commands = list(commands_of(page.read_text("utf-8")))
            if commands:
                shutil.rmtree(folder, ignore_errors=True)
                make_media(folder, page.stem)
            failed += sum(not try_command(page, folder, command) for command in commands)
    print(f"{failed} failed" if failed else "all commands ran")
    return int(failed > 0)


def commands_of(text: str) -> Iterator[str]:
    """Yield the commands in a page's blocks, without what is said beside them; a line may go on behind a backslash."""
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.S | re.M):
        if language in ("", "sh", "bash"):
            for line in block.replace("\\\n", " ").splitlines():
                command = re.sub(r"\s+#.*", "", line).strip()
                if re.match(r"(nightfx|python[\d.]*|pip|torchrun|mkdocs|ffmpeg) ", command):
                    yield command


def try_command(page: Path, folder: Path, command: str) -> bool:
    """Run a command and tell how it went; returns whether it may be printed."""
    why = next((reason for words, reason in UNTRIED.items() if words in command), "")
    if why:
        print(f"not tried  {page.name}: {command} ({why})", flush=True)
        return True
    begun = time.monotonic()
    command += next((more for words, more in SHORTER.items() if command.startswith(words)), "")
    done = run(command, folder)
    if done.returncode and "--overwrite" in done.stderr and "--overwrite" not in command:
        done = run(f"{command} --overwrite", folder)
    word = "failed" if done.returncode else "ran"
    print(f"{word:9}  {page.name}: {command} ({time.monotonic() - begun:.0f} s)", flush=True)
    if done.returncode:
        print("\n".join(f"           {x}" for x in done.stderr.splitlines()[-4:]), flush=True)
    return not done.returncode


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a shell does, by this Python."""
    here = f"{sys.executable} -m nightfx "
    words = re.sub(r"(?<!\S)nightfx (?=[a-z])", lambda _: here, command)
    somebody = os.environ | {"LOGNAME": "artist"}  # cuebot takes no job of root
    return subprocess.run(
        words, shell=True, cwd=folder, capture_output=True, text=True, check=False, env=somebody
    )


def make_media(folder: Path, page: str) -> None:
    """Write the files that the commands of a page name."""
    folder.mkdir(parents=True)
    (folder / "examples").mkdir()
    pictures = list(street_frames())
    write_clip(folder / "examples/street.mp4", pictures, "libx264", "yuv420p")
    for name in ("shot.mov", "tests.mov", "shots/a.mov", "shots/sh020/b.mov", "rushes/shot.mov"):
        write_clip(folder / name, pictures, "prores_ks", "yuv422p10le")
    write_clip(folder / "A001.mov", pictures, "prores_ks", "yuv422p10le")
    write_clip(folder / "shot.mp4", pictures, "libx264", "yuv420p")
    dark = [(x * 0.3).astype(np.uint8) for x in pictures]
    write_clip(folder / "night_drive.mp4", dark, "libx264", "yuv420p")
    (folder / "cut.edl").write_text(EDL)
    stills = {"stills/day": pictures, "stills/night": dark, "real_nights": dark}
    if page == "training":
        stills |= {"plates": pictures[:5], "graded": [x // 2 for x in pictures[:5]]}
    for name, shown in stills.items():
        write_stills(folder / name, shown)
    matte = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    matte[:, : SIZE[0] // 2] = 255
    for number in range(1001, 1001 + FRAMES):
        Image.fromarray(matte).save(folder / f"left.{number}.png")
    if page != "training":
        write_sequences(folder, pictures[:4])


def street_frames() -> Iterator[np.ndarray]:
    """The first frames of the example, small, (H, W, 3) uint8."""
    with av.open(STREET) as source:
        for _, frame in zip(range(FRAMES), source.decode(video=0), strict=False):
            yield frame.reformat(*SIZE, format="rgb24").to_ndarray()


def write_clip(path: Path, pictures: list[np.ndarray], codec: str, pix_fmt: str) -> None:
    """Write a clip of 24 frames a second; a mov has a timecode from 01:00:00:00 on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(path, "w") as out:
        if path.suffix == ".mov":
            out.metadata["timecode"] = "01:00:00:00"
        video: Any = out.add_stream(codec, rate=24)
        video.width, video.height, video.pix_fmt = *SIZE, pix_fmt
        for picture in pictures:
            out.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(video.encode(None))


def write_stills(folder: Path, pictures: list[np.ndarray]) -> None:
    """Write PNG files by their numbers."""
    folder.mkdir(parents=True)
    for number, picture in enumerate(pictures, start=1):
        Image.fromarray(picture).save(folder / f"{number:03}.png")


def write_sequences(folder: Path, pictures: list[np.ndarray]) -> None:
    """Write an EXR sequence, in a folder and beside it, and a DPX sequence."""
    import OpenImageIO as oiio

    for number, picture in enumerate(pictures, start=1001):
        linear = (picture / np.float32(255)) ** np.float32(2.2)
        names = ("plates/shot.{}.exr", "plate.{}.exr", "plates/shot.{}.dpx")
        for path in (folder / name.format(number) for name in names):
            path.parent.mkdir(parents=True, exist_ok=True)
            kind = oiio.HALF if path.suffix == ".exr" else oiio.UINT16
            spec = oiio.ImageSpec(*SIZE, 3, kind)
            out: Any = oiio.ImageOutput.create(str(path))
            out.open(str(path), spec)
            shown = linear if path.suffix == ".exr" else picture / np.float32(255)
            out.write_image(np.ascontiguousarray(shown, np.float32))
            out.close()


if __name__ == "__main__":
    sys.exit(main())
