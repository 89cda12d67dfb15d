"""Headers: what is inserted into them is read, and what is broken says nothing."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import pytest
from media import Clip, make_clip

from nightfx.errors import SourceError
from nightfx.options.encode import EncodeOptions
from nightfx.source.header import Header, read_header
from nightfx.source.reader import Reader
from nightfx.target.codecs import plan_output

MOVIE = [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"]
SKIPPED = {b"stsd": 8, b"avc1": 78}
SEGMENT, TRACKS, TRACK, VIDEO = (bytes.fromhex(x) for x in ("18538067", "1654ae6b", "ae", "e0"))


def with_box(data: bytes, names: list[bytes], box: bytes) -> bytes:
    """The boxes of a file, another one inside the innermost of those named."""
    out, at = b"", 0
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        inner, skip = data[at + 8 : at + size], SKIPPED.get(name, 0)
        if names and name == names[0]:
            rest = inner[skip:]
            inner = inner[:skip] + (with_box(rest, names[1:], box) if names[1:] else box + rest)
        out += struct.pack(">I4s", len(inner) + 8, name) + inner
        at += size
    return out


def length(data: bytes, at: int) -> int:
    return 9 - data[at].bit_length()


def element(name: bytes, inner: bytes) -> bytes:
    return name + (len(inner) | 1 << 56).to_bytes(8) + inner


def with_element(data: bytes, names: list[bytes], new: bytes) -> bytes:
    """The elements of a file, another one inside the innermost of those named."""
    out, at = b"", 0
    while at < len(data):
        begin = at + length(data, at)
        end = begin + length(data, begin)
        size = int.from_bytes(data[begin:end]) - (1 << 7 * (end - begin))
        name, inner = data[at:begin], data[end : end + size]
        if names and name == names[0]:
            inner = with_element(inner, names[1:], new) if names[1:] else inner + new
        out += element(name, inner)
        at = end + size
    return out


def dolby_vision(profile: int, compatible_with: int) -> bytes:
    return bytes([1, 0, profile << 1, 0x25, compatible_with << 4]) + bytes(19)


def movie(tmp_path: Path, name: bytes, payload: bytes) -> Path:
    path = make_clip(tmp_path / "a.mov", Clip(count=2))
    box = struct.pack(">I4s", len(payload) + 8, name) + payload
    path.write_bytes(with_box(path.read_bytes(), MOVIE, box))
    return path


def matroska(tmp_path: Path, within: list[bytes], new: bytes) -> Path:
    path = make_clip(tmp_path / "a.mkv", Clip(count=2))
    path.write_bytes(with_element(path.read_bytes(), [SEGMENT, TRACKS, TRACK, *within], new))
    return path


def clip_of(tmp_path: Path, suffix: str, profile: int, compatible_with: int) -> Path:
    record = dolby_vision(profile, compatible_with)
    name = b"dvcC" if profile < 8 else b"dvvC"
    if suffix == ".mov":
        return movie(tmp_path, name, record)
    mapping = element(b"\x41\xe7", name) + element(b"\x41\xed", record)
    return matroska(tmp_path, [], element(b"\x41\xe4", mapping))


@pytest.mark.parametrize("suffix", [".mov", ".mkv"])
@pytest.mark.parametrize(("profile", "compatible_with"), [(5, 0), (10, 0)])
def test_dolby_vision_without_a_picture_in_ycbcr_is_refused(
    tmp_path: Path, suffix: str, profile: int, compatible_with: int
) -> None:
    with pytest.raises(SourceError, match=f"Dolby Vision profile {profile} is IPT and not YCbCr"):
        Reader(clip_of(tmp_path, suffix, profile, compatible_with))


@pytest.mark.parametrize("suffix", [".mov", ".mkv"])
@pytest.mark.parametrize(("profile", "compatible_with"), [(7, 6), (8, 1), (8, 4), (10, 4)])
def test_dolby_vision_over_another_picture_is_read(
    tmp_path: Path, suffix: str, profile: int, compatible_with: int
) -> None:
    path = clip_of(tmp_path, suffix, profile, compatible_with)
    assert read_header(path, suffix.replace("mkv", "matroska"), 0).dolby_vision == (
        profile,
        compatible_with,
    )
    with Reader(path) as reader:
        assert len(list(reader.frames())) == 2


def test_a_crop_is_said_and_pixels_keep_their_own_aspect(tmp_path: Path) -> None:
    crop = element(b"\x54\xbb", b"\x06") + element(b"\x54\xaa", b"\x0a")
    apertures = [(64, 1), (24, 1), (0, 1), (-4, 1)]
    numbers = [number for pair in apertures for number in pair]
    clap = movie(tmp_path, b"clap", struct.pack(">IIIIiIiI", *numbers))
    for path, words in ((matroska(tmp_path, [VIDEO], crop), "64x32+0+6"), (clap, "64x24+0+8")):
        with Reader(path) as reader:
            info = reader.info
        assert (info.crop, info.sample_aspect, info.height) == (words, Fraction(1), 48)
        line = f"the crop to {words} is not written: all 64x48 pixels are, in their own aspect"
        assert line in plan_output(info, None, EncodeOptions()).notes


def test_what_lies_behind_a_file_hides_nothing(tmp_path: Path) -> None:
    for suffix in (".mov", ".mkv"):
        path = clip_of(tmp_path, suffix, 5, 0)
        path.write_bytes(path.read_bytes() + bytes(100))
        found = read_header(path, suffix.replace("mkv", "matroska"), 0)
        assert found.dolby_vision == (5, 0)


@pytest.mark.parametrize("suffix", [".mov", ".mkv"])
def test_a_broken_header_says_nothing(tmp_path: Path, suffix: str) -> None:
    whole = clip_of(tmp_path, suffix, 8, 1).read_bytes()
    for cut in range(0, len(whole), 97):
        (tmp_path / "cut").write_bytes(whole[:cut])
        found = read_header(tmp_path / "cut", suffix.replace("mkv", "matroska"), 0)
        assert found in (Header(), Header(dolby_vision=(8, 1)))
    assert read_header(tmp_path / "cut", "avi", 0) == Header()
