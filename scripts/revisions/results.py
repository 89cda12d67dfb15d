"""Two folders of results are the same where each file of one is the same as that of its name in the other.

A file whose bytes differ is decoded, as some containers and EXR carry the date at which they were made: a clip is the
same where its pictures (all planes, pts, tags, side data) and the packets of its other streams are, a picture where
its pixels and all it says of them but dates are. Of records, plans and reports it is asked that they are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from hashlib import md5
from itertools import zip_longest
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

CLIPS = {".mp4", ".mov", ".mxf", ".mkv", ".nut"}
PICTURES = {".exr", ".dpx", ".png", ".tif", ".jpg", ".webp"}
# they say versions, machines and times
SAID_OF_RUNS = {"report.html", "plan.json", ".nightfx"}
DATES = {"creation_time", "modification_date", "DateTime", "capDate"}
MXF_OWN = {"uid", "generation_uid", "file_package_umid", "material_package_umid"}  # new each time


@dataclass(frozen=True)
class Verdict:
    """Whether two results are the same."""

    frames: int
    """In all clips and pictures of the first; 0 where they were not counted."""
    difference: str = ""
    """The first one found; empty where they are the same."""
    same_bytes: bool = True
    """Whether every file is, byte for byte."""


def compare_folders(one: Path, other: Path) -> Verdict:
    """Compare all files of two folders, in order of their names, up to the first difference."""
    names = sorted({*_files(one), *_files(other)})
    if not names:
        return Verdict(0, "nothing was written")
    frames, same_bytes = 0, True
    for name in names:
        verdict = compare_files(one / name, other / name)
        frames += verdict.frames
        same_bytes &= verdict.same_bytes
        if verdict.difference:
            return Verdict(frames, f"{name}: {verdict.difference}", same_bytes=False)
    return Verdict(frames, same_bytes=same_bytes)


def _files(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.relative_to(folder).as_posix()


def compare_files(one: Path, other: Path) -> Verdict:
    """Compare two files, by their bytes and then by what they hold."""
    for path, name in ((one, "the first"), (other, "the second")):
        if not path.exists():
            return Verdict(0, f"not written by {name} revision")
    frames = _count(one)
    if one.read_bytes() == other.read_bytes():
        return Verdict(frames)
    if SAID_OF_RUNS & {*one.parts}:
        return Verdict(frames, same_bytes=False)
    if one.suffix not in CLIPS | PICTURES:
        return Verdict(frames, "its bytes differ", same_bytes=False)
    return Verdict(frames, first_difference(one, other), same_bytes=False)


def _count(path: Path) -> int:
    if path.suffix not in CLIPS:
        return int(path.suffix in PICTURES)
    with av.open(path) as container:
        return sum(packet.size > 0 for packet in container.demux(video=0))


def first_difference(one: Path, other: Path) -> str:
    """Say what of two clips or two pictures differs first; empty where nothing does."""
    facts = _facts_of_clip if one.suffix in CLIPS else _facts_of_picture
    for a, b in zip_longest(facts(one), facts(other)):
        if a is None or b is None:
            return f"one ends before {(a or b)[0]}"
        if difference := _difference(a, b):
            return difference
    return ""


Fact = tuple[str, Any]
"""What is said of, and what: an array of codes, or anything that equals itself."""


def _difference(a: Fact, b: Fact) -> str:
    if a[0] != b[0]:
        return f"{a[0]} stands where the other has {b[0]}"
    if isinstance(a[1], np.ndarray):
        return _of_codes(a[0], a[1], b[1])
    if isinstance(a[1], dict):
        return _of_names(a[0], a[1], b[1])
    return "" if a[1] == b[1] else f"{a[0]}: {a[1]} and {b[1]}"


def _of_names(name: str, a: dict[str, Any], b: dict[str, Any]) -> str:
    for key in sorted(a.keys() | b.keys()):
        if a.get(key) != b.get(key):
            return f"{name}, {key}: {a.get(key)} and {b.get(key)}"
    return ""


def _of_codes(name: str, a: NDArray[Any], b: NDArray[Any]) -> str:
    if a.shape != b.shape or a.dtype != b.dtype:
        return f"{name}: {a.dtype} {a.shape} and {b.dtype} {b.shape}"
    if a.tobytes() == b.tobytes():  # also where both are not a number
        return ""
    apart = np.abs(a.astype(np.float64) - b.astype(np.float64))
    unit = "" if a.dtype.kind == "f" else " codes"
    return f"{name}: {np.count_nonzero(apart)} of {apart.size} differ, by {np.nanmax(apart):g}{unit} at most"


def _facts_of_clip(path: Path) -> Iterator[Fact]:
    """The pictures first: what is seen says more than what follows from it."""
    with av.open(path) as container:
        for index, frame in enumerate(container.decode(video=0)):
            yield from _facts_of_frame(f"frame {index}", frame)
    with av.open(path) as container:
        yield from _packets(container)
    with av.open(path) as container:
        for stream in container.streams:
            yield f"stream {stream.index}", _of_stream(stream)
        yield "chapters", [{**chapter} for chapter in container.chapters()]
        yield "the file's metadata", _undated(container.metadata)


def _undated(metadata: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in metadata.items() if key not in DATES | MXF_OWN}


def _of_stream(stream: Any) -> dict[str, Any]:
    context = stream.codec_context
    names = ("name", "format", "sample_aspect_ratio", "sample_rate", "layout", "profile")
    said = {name: str(getattr(context, name, None)) for name in names}
    rates = {name: str(getattr(stream, name, None)) for name in ("average_rate", "disposition")}
    return said | rates | {"type": stream.type, **_undated(stream.metadata)}


def _packets(container: av.container.InputContainer) -> Iterator[Fact]:
    """Times of all packets, and a hash of those that are not pictures."""
    for index, packet in enumerate(container.demux()):
        times = [None if at is None else at * _base(packet) for at in (packet.pts, packet.dts)]
        said = [packet.stream_index, *map(str, times), packet.duration, packet.is_keyframe]
        if packet.stream.type != "video":
            said.append(md5(bytes(packet)).hexdigest())
        yield f"packet {index}", said


def _base(packet: av.Packet[Any]) -> Fraction:
    return Fraction(packet.time_base or 0)


def _facts_of_frame(name: str, frame: av.VideoFrame) -> Iterator[Fact]:
    yield f"{name}, its time", str(Fraction(frame.pts or 0) * Fraction(frame.time_base or 0))
    tags = (frame.color_primaries, frame.color_trc, frame.colorspace, frame.color_range)
    yield f"{name}, its form", (frame.format.name, *map(int, tags), frame.interlaced_frame)
    yield f"{name}, its side data", _of_side_data(frame)
    for plane in range(len(frame.planes)):
        yield f"{name}, plane {plane}", plane_of(frame, plane)


def _of_side_data(frame: Any) -> list[tuple[str, str]]:
    try:
        return [(data.type.name, md5(bytes(data)).hexdigest()) for data in frame.side_data]
    except ValueError as error:  # PyAV knows no name for one, and tells of none then
        return [(str(error), "")]


def plane_of(frame: av.VideoFrame, index: int) -> NDArray[Any]:
    """The codes of one plane (H, W), or of all channels (H, W, bytes a pixel) where they lie in one plane."""
    plane, (one, *others) = frame.planes[index], frame.format.components
    rows = np.frombuffer(bytes(plane), np.uint8).reshape(plane.height, plane.line_size)
    if len(frame.planes) == 1 and others:
        size = frame.format.padded_bits_per_pixel // 8
        return rows[:, : plane.width * size].reshape(plane.height, plane.width, size)
    size = 1 if one.bits <= 8 else 2 if one.bits <= 16 else 4
    codes = np.ascontiguousarray(rows[:, : plane.width * size])
    return codes.view({1: np.uint8, 2: np.uint16, 4: np.float32}[size])


def _facts_of_picture(path: Path) -> Iterator[Fact]:
    import OpenImageIO

    source = OpenImageIO.ImageInput.open(str(path))
    if source is None:
        raise ValueError(f"{path}: {OpenImageIO.geterror()}")
    part = 0
    while source.seek_subimage(part, 0):
        spec = source.spec()
        said = {each.name: str(each.value) for each in spec.extra_attribs}
        form = (str(spec.format), spec.channelnames, str(spec.roi), str(spec.roi_full))
        yield f"part {part}, its form", form
        yield f"part {part}, its metadata", _undated(said)
        yield f"part {part}, its pixels", np.asarray(source.read_image(part, 0, 0, -1, spec.format))
        part += 1
    source.close()
