"""A timecode track counts in its own rate, on pictures of any, and keeps what it says besides."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from media import Clip, make_clip, make_reel
from remux import Copied, remux, with_bytes

import nightfx
from nightfx.check.verification import verify
from nightfx.light import borders
from nightfx.network.presets import Preset
from nightfx.options import RenderOptions

NTSC = Fraction(1000, 1001)
REEL = "A001C003_221103_R1AB"


@dataclass(frozen=True)
class Track:
    """A timecode track of QuickTime, as its bytes have it."""

    number: int
    fps: int
    rate: Fraction
    drops: bool


def tracks_of(path: Path) -> list[Track]:
    """All timecode tracks, found by the names of their bytes."""
    data, found = path.read_bytes(), []
    at = data.find(b"tmcd\0\0\0\0\0\0\0\1")
    while at >= 0:
        flags, ticks, frame, fps = struct.unpack_from(">3IB", data, at + 16)
        chunks = data.index(b"stco", at)
        (place,) = struct.unpack_from(">I", data, chunks + 12)
        (number,) = struct.unpack_from(">I", data, place)
        found.append(Track(number, fps, Fraction(ticks, frame), bool(flags & 1)))
        at = data.find(b"tmcd\0\0\0\0\0\0\0\1", at + 1)
    return found


def counting(path: Path, fps: int, rate: Fraction) -> Path:
    """Let the timecode track of a clip count half as fast as its pictures, by changing its bytes."""
    data = bytearray(path.read_bytes())
    (own,) = tracks_of(path)
    at = data.index(b"tmcd\0\0\0\0\0\0\0\1")
    struct.pack_into(">3IB", data, at + 16, own.drops, rate.numerator, rate.denominator, fps)
    (place,) = struct.unpack_from(">I", data, data.index(b"stco", at) + 12)
    struct.pack_into(">I", data, place, own.number * fps // own.fps)
    path.write_bytes(data)
    return path


def timecodes(path: Path) -> set[str]:
    with av.open(path) as container:
        places = [container.metadata, *(s.metadata for s in container.streams)]
        return {
            value for place in places for key, value in place.items() if key.lower() == "timecode"
        }


def made(path: Path, timecode: str, pictures: Fraction, counted: Fraction, **more: Any) -> Path:
    """A clip of pictures at a rate, with the timecode counted at another."""
    hours, _, frames = timecode.rpartition(timecode[8])
    ratio = round(pictures) // round(counted)
    whole = f"{hours}{timecode[8]}{int(frames) * ratio:02d}"
    clip = Clip(count=36, rate=pictures, timecode=whole, size=(32, 32), **more)
    return counting(make_clip(path, clip), round(counted), counted)


RATES = {
    "30 drop on 59.94": ("01:00:00;14", 60 * NTSC, 30 * NTSC, "01:00:00;29"),
    "30 on 59.94": ("01:00:59:29", 60 * NTSC, 30 * NTSC, "01:01:00:14"),
    "30 drop at a minute": ("01:00:59;29", 60 * NTSC, 30 * NTSC, "01:01:00;16"),
    "25 on 50": ("10:00:00:20", Fraction(50), Fraction(25), "10:00:01:07"),
    "24 on 47.952": ("10:00:00:20", 48 * NTSC, 24 * NTSC, "10:00:01:08"),
    "60 on 59.94": ("01:00:00;14", 60 * NTSC, 60 * NTSC, "01:00:00;44"),
}


@pytest.mark.parametrize("suffix", [".mov", ".mp4"])
@pytest.mark.parametrize("name", RATES)
def test_a_track_keeps_its_rate_and_moves_by_its_own_frames(
    name: str, suffix: str, tmp_path: Path, identity: Preset
) -> None:
    timecode, pictures, counted, later = RATES[name]
    source = made(tmp_path / "a.mov", timecode, pictures, counted)
    (own,) = tracks_of(source)
    assert timecodes(source) == {timecode}
    target = nightfx.render(source, tmp_path / f"b{suffix}", preset=identity)
    assert tracks_of(target) == [own]
    assert timecodes(target) == {timecode}
    options = RenderOptions.of(start_seconds=0.5)
    cut = nightfx.render(source, tmp_path / f"c{suffix}", preset=identity, options=options)
    assert timecodes(cut) == {later}
    (moved,) = tracks_of(cut)
    assert (moved.fps, moved.rate, moved.drops) == (own.fps, own.rate, own.drops)


def test_a_track_may_count_what_is_no_multiple_of_the_pictures(
    tmp_path: Path, identity: Preset
) -> None:
    clip = Clip(count=36, rate=24 * NTSC, timecode="01:00:00:12", size=(32, 32))
    source = counting(make_clip(tmp_path / "a.mov", clip), 30, 30 * NTSC)
    (own,) = tracks_of(source)
    target = nightfx.render(source, tmp_path / "b.mov", preset=identity)
    assert (timecodes(target), tracks_of(target)) == ({"01:00:00:15"}, [own])
    options = RenderOptions.of(start_seconds=0.5)  # twelve pictures, fifteen numbers
    cut = nightfx.render(source, tmp_path / "c.mov", preset=identity, options=options)
    assert timecodes(cut) == {"01:00:01:00"}


@pytest.mark.parametrize(("fps", "said"), [(24, 23), (30, 29), (60, 59)])
def test_a_number_that_rounds_its_own_rate_down_is_written_as_it_was_meant(
    fps: int, said: int, tmp_path: Path, identity: Preset
) -> None:
    rate = fps * NTSC
    clip = Clip(count=24, rate=rate, timecode="01:00:00:12", size=(32, 32))
    source = make_clip(tmp_path / "a.mov", clip)
    with_bytes(source, source, clock(rate, fps), clock(rate, said))
    (own,) = tracks_of(source)
    assert (own.fps, own.rate) == (said, rate)
    target = tmp_path / "b.mov"
    rows = timecode_rows(source, target, identity)
    assert rows == {"timecode": "kept", "timecode's rate": "changed"}
    (mended,) = tracks_of(target)
    assert (mended.fps, timecodes(target)) == (fps, {"01:00:00:12"})
    assert timecode_rows(source, tmp_path / "b.mkv", identity) == {"timecode": "kept"}
    other = with_bytes(target, tmp_path / "c.mov", clock(rate, fps), clock(rate, said + 2))
    assert {row.what: row.verdict for row in verify(source, other)}["timecode's rate"] == "lost"


def clock(rate: Fraction, fps: int) -> bytes:
    """How a timecode track says its rate, and the numbers of a second."""
    return struct.pack(">2IB", rate.numerator, rate.denominator, fps)


def timecode_rows(source: Path, target: Path, preset: Preset) -> dict[str, str]:
    nightfx.render(source, target, preset=preset)
    rows = verify(source, target)
    return {row.what: row.verdict for row in rows if row.what.startswith("timecode")}


@pytest.mark.parametrize(("start", "written"), [(0.0, "01:00:00;28"), (0.5, "01:00:00;58")])
def test_a_timecode_that_mxf_recounts_names_the_same_moment(
    start: float, written: str, tmp_path: Path, identity: Preset
) -> None:
    source = made(tmp_path / "a.mov", "01:00:00;14", 60 * NTSC, 30 * NTSC)
    options = RenderOptions.of(start_seconds=start, codec="prores")
    target = nightfx.render(source, tmp_path / "b.mxf", preset=identity, options=options)
    assert timecodes(target) == {written}
    (row,) = (row for row in verify(source, target, start_seconds=start) if row.what == "timecode")
    assert row.verdict == "changed"
    rows = verify(source, target, start_seconds=start + 0.1)
    assert next(row.verdict for row in rows if row.what == "timecode") == "lost"


def test_a_picture_between_two_numbers_has_the_first(tmp_path: Path, identity: Preset) -> None:
    source = made(tmp_path / "a.mov", "01:00:00:10", Fraction(50), Fraction(25))
    for frame, timecode in ((1, "01:00:00:10"), (2, "01:00:00:11"), (3, "01:00:00:11")):
        options = RenderOptions.of(frames=f"{1001 + frame}-{1005 + frame}")
        target = nightfx.render(source, tmp_path / f"{frame}.mov", preset=identity, options=options)
        assert timecodes(target) == {timecode}


def test_segments_are_joined_with_the_track_of_their_source(
    tmp_path: Path, identity: Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(borders, "MOST_FRAMES", 12)
    timecode, pictures, counted, _ = RATES["30 drop on 59.94"]
    source = made(tmp_path / "a.mov", timecode, pictures, counted)
    options = RenderOptions.of(start_seconds=0.1)
    target = nightfx.render(source, tmp_path / "b.mov", preset=identity, options=options)
    assert timecodes(target) == {"01:00:00;17"}
    assert tracks_of(target)[0].rate == 30 * NTSC


@pytest.mark.parametrize(
    ("suffix", "written", "words"),
    [
        (".mkv", "01:00:00;14", "the pictures 60: Matroska does not say so (mov and mp4 do)"),
        (".mxf", "01:00:00;28", "as MXF has to: written as 01:00:00;28 (mov and mp4 keep it)"),
    ],
)
def test_where_a_container_says_no_rate_a_line_does(
    suffix: str,
    written: str,
    words: str,
    tmp_path: Path,
    identity: Preset,
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = made(tmp_path / "a.mov", "01:00:00;14", 60 * NTSC, 30 * NTSC)
    codec = "prores" if suffix == ".mxf" else "h264"
    options = RenderOptions.of(codec=codec)
    target = nightfx.render(source, tmp_path / f"b{suffix}", preset=identity, options=options)
    assert timecodes(target) == {written}
    assert f"timecode 01:00:00;14 counts 30 a second, {words}"[:40] in caplog.text
    assert words in caplog.text


@pytest.mark.parametrize("suffix", [".mov", ".mkv", ".mp4", ".mxf"])
def test_the_reel_of_a_timecode_stays_or_is_told_of(
    suffix: str, tmp_path: Path, identity: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    source = tmp_path / "a.mov"
    make_reel(source, "01:02:03:04", REEL)
    assert reels(source) == {REEL}
    options = RenderOptions.of(codec="prores" if suffix in (".mov", ".mxf") else "h265")
    target = nightfx.render(source, tmp_path / f"b{suffix}", preset=identity, options=options)
    kept = reels(target) == {REEL}
    assert kept == (suffix in (".mov", ".mkv"))
    assert kept != (f"reel_name {REEL} of the timecode is left out (mov keeps it)" in caplog.text)


def test_another_timecode_of_the_file_is_told_of_and_counted_as_lost(
    tmp_path: Path, identity: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    def with_two(copied: Copied) -> None:
        copied.metadata["timecode"] = "02:00:00:00"
        copied.streams[0]["metadata"]["timecode"] = "01:00:00:00"

    plain = make_clip(tmp_path / "a.mkv", Clip("ffv1", "yuv420p", count=3))
    source = remux(plain, tmp_path / "b.mkv", with_two)
    target = nightfx.render(source, tmp_path / "c.mkv", preset=identity)
    assert caplog.text.count("02:00:00:00") == 1
    assert "the file says timecode 02:00:00:00 too, beside 01:00:00:00: left out" in caplog.text
    verdicts = {row.what: row.verdict for row in verify(source, target)}
    assert (verdicts["timecode"], verdicts["other timecodes"]) == ("kept", "lost")


def reels(path: Path) -> set[str]:
    with av.open(path) as container:
        places = [stream.metadata for stream in container.streams]
        return {
            value for place in places for key, value in place.items() if key.lower() == "reel_name"
        }


def test_the_timecode_of_dv_counts_its_pictures_and_not_its_clock(
    tmp_path: Path, identity: Preset
) -> None:
    clip = Clip("dvvideo", "yuv420p", (576, 720), count=6, rate=Fraction(25), container="dv")
    source = make_clip(tmp_path / "a.dv", clip)
    options = RenderOptions.of(frames="1003-1006")
    target = nightfx.render(source, tmp_path / "b.mov", preset=identity, options=options)
    assert (timecodes(source), timecodes(target)) == ({"00:00:00:00"}, {"00:00:00:02"})
    rows = {row.what: row.verdict for row in verify(source, target, start_seconds=0.08)}
    assert rows["timecode"] == "kept"
