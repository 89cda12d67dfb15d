"""Sound in a container that does not take its codec: PCM of the same samples, in step with the picture."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from media import LATE, STEP, Clip, make_clip
from streams import click_times, make_sound
from test_writer import rewrite

from nightfx.check.verdict import VerdictRow
from nightfx.check.verification import verify

PLATE = Clip("prores", "yuv422p10le", count=24)
CLICKS = [0.25, 0.5, 0.75]
PART = {"start_seconds": 0.2, "end_seconds": 0.8}
FIRST = 5 / 24  # of the part, in seconds


def plate(path: Path, codec: str, suffix: str, **changes: Any) -> Path:
    sound = make_sound(path.with_name(f"sound{suffix}"), codec, clicks=CLICKS)
    return make_clip(path, replace(PLATE, tracks=((sound, "ita"),), **changes))


def row_of_sound(source: Path, target: Path, **part: Any) -> VerdictRow:
    return {row.what: row for row in verify(source, target, **part)}["sound #1"]


@pytest.mark.parametrize("part", [{}, PART], ids=["whole", "part"])
@pytest.mark.parametrize(
    ("codec", "suffix", "home", "target", "written"),
    [
        ("libopus", ".ogg", "a.mkv", "b.mov", "pcm_s24le"),
        ("flac", ".flac", "a.mkv", "b.mov", "pcm_s16le"),
        ("pcm_mulaw", ".wav", "a.mov", "b.mkv", "pcm_s16le"),
        ("pcm_mulaw", ".wav", "a.mov", "b.mp4", "pcm_s16le"),
        ("pcm_f32le", ".wav", "a.mov", "b.mxf", "pcm_s24le"),
        ("flac", ".flac", "a.mkv", "b.mxf", "pcm_s16le"),
    ],
)
def test_sound_becomes_the_pcm_of_its_samples(
    tmp_path: Path, codec: str, suffix: str, home: str, target: str, written: str, part: Any
) -> None:
    source = plate(tmp_path / home, codec, suffix)
    notes = rewrite(source, tmp_path / target, **part)
    assert f"sound stream 1 ({codec.removeprefix('lib')}) is written as {written}" in notes
    with av.open(tmp_path / target) as container:
        assert container.streams.audio[0].name == written
    row = row_of_sound(source, tmp_path / target, **part)
    exact = codec in ("flac", "pcm_mulaw")
    assert ("the same samples" if exact else "10") in row.render  # 24 bits are 100 dB below it
    assert row.verdict == ("kept" if exact else "changed")
    at = FIRST if part else 0
    assert click_times(tmp_path / target) == pytest.approx([c - at for c in CLICKS], abs=1e-3)


@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_s24le"])
@pytest.mark.parametrize("part", [{}, {"start_seconds": 0.1}], ids=["whole", "part"])
def test_mxf_begins_with_the_picture_and_so_does_its_sound(
    tmp_path: Path, codec: str, part: Any
) -> None:
    late = [LATE[0] + STEP * i for i in range(24)]
    source = plate(tmp_path / "a.mov", codec, ".wav", times=late, timecode="10:00:00:00")
    target = tmp_path / "b.mxf"
    rewrite(source, target, **part)
    rows = {row.what: row for row in verify(source, target, **part)}
    kept = ("frames", "timestamps", "duration", "timecode", "colour tags")
    assert [rows[what].verdict for what in kept] == ["kept"] * len(kept)
    assert "the same samples" in rows["sound #1"].render
    moved = [click - (3 / 24 if part else 0) for click in click_times(source)]
    assert click_times(target) == pytest.approx([c for c in moved if c >= 0], abs=1e-4)


def test_mxf_keeps_pictures_that_have_no_sound(tmp_path: Path) -> None:
    sound = make_sound(tmp_path / "short.wav", seconds=0.3)
    source = make_clip(tmp_path / "a.mov", replace(PLATE, tracks=((sound, "ita"),)))
    target = tmp_path / "b.mxf"
    rewrite(source, target)
    rows = {row.what: row for row in verify(source, target)}
    assert rows["frames"].render == "24"
    assert "the same samples" in rows["sound #1"].render


def test_a_gap_in_the_sound_is_silent(tmp_path: Path) -> None:
    sound = make_sound(tmp_path / "sound.flac", "flac", clicks=CLICKS)
    source = tmp_path / "a.mkv"
    picture = make_clip(tmp_path / "p.mkv", PLATE)
    with av.open(picture) as seen, av.open(sound) as heard, av.open(source, "w") as out:
        streams = [seen.streams.video[0], heard.streams.audio[0]]
        tracks = [out.add_stream_from_template(stream) for stream in streams]
        for container, track in zip((seen, heard), tracks, strict=True):
            for packet in container.demux():
                gap = track.type == "audio" and 0.3 < (packet.pts or 0) * packet.time_base < 0.6
                if packet.dts is not None and not gap:
                    packet.stream = track
                    out.mux(packet)
    rewrite(source, tmp_path / "b.mov")
    assert click_times(tmp_path / "b.mov") == pytest.approx([0.25, 0.75], abs=1e-3)
    assert row_of_sound(source, tmp_path / "b.mov").verdict == "kept"


def test_what_mxf_has_no_place_for_is_left_out_and_all_else_is_kept(tmp_path: Path) -> None:
    rich: dict[str, Any] = {"timecode": "01:00:00:00", "chapters": True, "language": "deu"}
    rich |= {"metadata": {"title": "Day"}, "aspect": Fraction(64, 45)}
    source = plate(tmp_path / "a.mov", "pcm_s16le", ".wav", **rich)
    rewrite(source, tmp_path / "b.mxf")
    rows = {row.what: row.verdict for row in verify(source, tmp_path / "b.mxf")}
    left = {"chapters", "metadata", "language of sound #1"}
    assert {what for what, verdict in rows.items() if verdict != "kept"} == left
    assert {rows[what] for what in left} == {"left out"}
