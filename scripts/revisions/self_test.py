"""Pairs of results of which it is known whether they differ, and in what: a comparison that cannot fail shows nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from revisions.inputs import Clip, frames_of, scene, write_clip, write_film
from revisions.kinds import SMALL, Kind, Step
from revisions.results import Verdict, compare_folders

CLIP = Clip("a.mkv", "ffv1", sound="pcm_s16le", count=4)
SAME = "yes"


@dataclass(frozen=True)
class Change:
    """What is changed in a folder of results, and what must be said of it."""

    name: str
    make: Callable[[Path], None]
    said: str
    """In the difference, or `yes` where there is none that counts."""


def changed_pairs(scratch: Path) -> Iterator[tuple[Change, Verdict]]:
    """Each change, with what is found of it."""
    for number, change in enumerate(CHANGES):
        one, other = scratch / f"{number}/one", scratch / f"{number}/other"
        one.mkdir(parents=True)
        write_clip(one / CLIP.file, CLIP)
        write_film(one / "b.exr", scene(0, 16, 24), "half")
        write_film(one / "c.png", scene(0, 16, 24)[..., :3], "uint16")
        (one / "a.lock.json").write_text("{}\n", encoding="utf-8")
        shutil.copytree(one, other)
        change.make(other)
        yield change, compare_folders(one, other)


def exposures() -> Kind:
    """A render that is told another exposure by the newer revision."""
    words = ("render", "in/plain.mp4", "-o", "out/a.mp4", *SMALL, "--exposure")
    return Kind("exposure 0.1 for 0", (Step((*words, "0.1")),), (Step((*words, "0")),))


def _nothing(_: Path) -> None:
    """Leave all as it is."""


def _one_code(folder: Path) -> None:
    frames = list(frames_of(CLIP))
    codes = bytearray(frames[2].planes[1])
    codes[0] += 1
    frames[2].planes[1].update(bytes(codes))
    write_clip(folder / CLIP.file, CLIP, frames)


def _one_time(folder: Path) -> None:
    frames = list(frames_of(CLIP))
    frames[3].pts = 3048  # two ms: Matroska has no less
    write_clip(folder / CLIP.file, CLIP, frames)


def _one_frame_less(folder: Path) -> None:
    write_clip(folder / CLIP.file, CLIP, list(frames_of(CLIP))[:3])


def _one_tag(folder: Path) -> None:
    write_clip(folder / CLIP.file, Clip(**vars(CLIP) | {"tags": (1, 1, 1, 2)}))


def _one_sample(folder: Path) -> None:
    path = folder / CLIP.file
    with av.open(path) as container:
        at = next(packet.pos or 0 for packet in container.demux(audio=0) if packet.size)
    data = bytearray(path.read_bytes())
    data[at + 100] ^= 1
    path.write_bytes(data)


def _one_pixel(folder: Path) -> None:
    pixels = scene(0, 16, 24)
    pixels[5, 7, 0] += 0.01
    write_film(folder / "b.exr", pixels, "half")


def _one_deep_code(folder: Path) -> None:
    pixels = scene(0, 16, 24)[..., :3]
    pixels[5, 7, 0] += np.float32(1 / 65535)
    write_film(folder / "c.png", pixels, "uint16")


def _one_word(folder: Path) -> None:
    path = folder / "b.exr"
    path.write_bytes(path.read_bytes().replace(b"a post house", b"a lost house"))


def _new_date(folder: Path) -> None:
    import OpenImageIO

    buffer = OpenImageIO.ImageBuf(str(folder / "b.exr"))
    buffer.specmod().attribute("DateTime", "2001:01:01 01:01:01")
    buffer.write(str(folder / "b.exr"))


def _one_file_less(folder: Path) -> None:
    (folder / "c.png").unlink()


def _one_number(folder: Path) -> None:
    (folder / "a.lock.json").write_text("[]\n", encoding="utf-8")


CHANGES = (
    Change("nothing", _nothing, SAME),
    Change("one code of a frame", _one_code, "frame 2, plane 1: 1 of"),
    Change("a frame's time", _one_time, "frame 3, its time"),
    Change("a frame less", _one_frame_less, "frame 3, its time stands where"),
    Change("a tag of the pictures", _one_tag, "its form"),
    Change("a sample of sound", _one_sample, "packet"),
    Change("a pixel of EXR", _one_pixel, "its pixels: 1 of"),
    Change("a code of 16-bit PNG", _one_deep_code, "its pixels: 1 of"),
    Change("a word in EXR", _one_word, "its metadata"),
    Change("a date in EXR", _new_date, SAME),
    Change("a file less", _one_file_less, "not written by the second"),
    Change("a number of a lock", _one_number, "its bytes differ"),
)
