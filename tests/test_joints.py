"""Sources whose times begin anew are held to their renders on one clock, sound with the picture."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest
from media import Clip, make_clip
from remux import Copied, remux

import nightfx
from nightfx.check.verification import verify
from nightfx.errors import DamagedSourceError, SourceError
from nightfx.network.presets import Preset
from nightfx.source.joined.behind import file_behind
from nightfx.source.joined.splices import splices_of
from nightfx.source.reader import Reader

PLAIN = Clip(sound=True)


def verdicts(source: Path, render: Path) -> dict[str, str]:
    return {row.what: row.verdict for row in verify(source, render)}


def move(copied: Copied, seconds: float) -> None:
    for packet in (packet for packets in copied.packets.values() for packet in packets):
        if packet.pts is not None and packet.dts is not None:
            ticks = round(seconds / packet.time_base)
            packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks


def late(copied: Copied) -> None:
    """The second half of the sound, a tenth of a second late."""
    (sound,) = (i for i, stream in copied.streams.items() if stream["name"] == "aac")
    for packet in copied.packets[sound]:
        if packet.pts is not None and packet.pts * packet.time_base > Fraction(1, 2):
            packet.pts = packet.dts = packet.pts + round(Fraction(1, 10) / packet.time_base)


@pytest.mark.parametrize("begins", [0, 100])
def test_sound_is_held_to_the_picture_where_times_begin_anew(
    tmp_path: Path, identity: Preset, begins: int
) -> None:
    first = make_clip(tmp_path / "a.ts", PLAIN)
    second = remux(first, tmp_path / "b.ts", lambda copied: move(copied, begins))
    source = tmp_path / "joined.ts"
    source.write_bytes(first.read_bytes() + second.read_bytes())
    target = nightfx.render(source, tmp_path / "c.mp4", preset=identity)
    found = verdicts(source, target)
    assert (found["timestamps"], found["sound #1"]) == ("changed", "kept")
    assert "lost" not in found.values()
    moved = remux(target, tmp_path / "d.mp4", late)
    assert verdicts(source, moved)["sound #1"] == "lost"


def going_on(folder: Path, other: Clip = PLAIN) -> Path:
    """A second of picture and sound, and another behind it whose times go on and whose packets count anew."""
    first = make_clip(folder / "a.ts", replace(PLAIN, count=24))
    alone = make_clip(folder / "b.ts", replace(other, count=24))
    second = remux(alone, folder / "c.ts", lambda copied: move(copied, 1))
    path = folder / "joined.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    return path


def test_packets_that_count_anew_where_times_go_on_are_no_damage(
    tmp_path: Path, identity: Preset
) -> None:
    source = going_on(tmp_path)
    with Reader(source) as reader:
        times = [frame.pts * frame.time_base for frame in reader.frames()]
        assert {b - a for a, b in pairwise(times)} == {Fraction(1, 24)}
        assert (len(times), reader.notes) == (48, [])
        assert len(list(reader.frames(0.5))) == 36
    found = verdicts(source, nightfx.render(source, tmp_path / "d.mp4", preset=identity))
    assert (found["frames"], found["timestamps"], found["sound #1"]) == ("kept", "kept", "kept")


@pytest.mark.parametrize("first", [-40, -10, -2, 4, 6])
def test_packets_that_are_lost_beside_a_joint_are_damage(tmp_path: Path, first: int) -> None:
    source = going_on(tmp_path)
    data, size = source.read_bytes(), 188
    joint = (tmp_path / "a.ts").stat().st_size // size
    at = (joint + first) * size
    source.write_bytes(data[:at] + data[at + 4 * size :])
    with pytest.raises(DamagedSourceError, match="damaged"), Reader(source) as reader:
        list(reader.frames())


def test_of_a_stream_without_a_joint_any_lost_packets_are_damage(tmp_path: Path) -> None:
    make_clip(tmp_path / "a.ts", replace(PLAIN, count=24))
    data, size, path = (tmp_path / "a.ts").read_bytes(), 188, tmp_path / "b.ts"
    for first in range(1, len(data) // size, 7):
        for count in (1, 16, 48):
            path.write_bytes(data[: first * size] + data[(first + count) * size :])
            assert splices_of(path) == []


def test_pixels_of_another_shape_behind_a_joint_are_told(tmp_path: Path) -> None:
    source = going_on(tmp_path, replace(PLAIN, aspect=Fraction(4, 3)))
    words = "the pixel aspect changes from 1 to 4/3 near"
    with pytest.raises(SourceError, match=words), Reader(source) as reader:
        list(reader.frames())


@pytest.mark.parametrize("suffix", [".flv", ".mp4", ".mov", ".mkv", ".wmv"])
def test_a_file_behind_another_is_told_before_a_render(tmp_path: Path, suffix: str) -> None:
    codec = "wmv2" if suffix == ".wmv" else "libx264"
    first = make_clip(tmp_path / f"a{suffix}", Clip(codec, rate=Fraction(25), count=6))
    with Reader(first) as reader:
        assert reader.notes == []
    source = tmp_path / f"joined{suffix}"
    source.write_bytes(first.read_bytes() * 2)
    words = f"a second file begins at byte {first.stat().st_size}, behind the first"
    with pytest.raises(SourceError, match=f"{words}: split it there"):
        Reader(source)
    with Reader(source, keep_going=True) as reader:
        assert reader.notes[0].startswith(words)


def test_fragments_and_an_index_in_front_are_one_file(tmp_path: Path) -> None:
    for flags in ("frag_keyframe+empty_moov+default_base_moof", "faststart", "dash"):
        clip = Clip(options={"g": "4"}, container_options={"movflags": flags})
        with Reader(make_clip(tmp_path / "a.mp4", clip)) as reader:
            assert (len(list(reader.frames())), reader.notes) == (12, [])


FRAGMENTS = {"movflags": "frag_keyframe+empty_moov"}


@pytest.mark.parametrize(
    ("first", "second"), [(FRAGMENTS, FRAGMENTS), (FRAGMENTS, {}), ({}, FRAGMENTS)]
)
def test_a_file_behind_fragments_is_told(
    first: dict[str, str], second: dict[str, str], tmp_path: Path
) -> None:
    one, two = (
        make_clip(tmp_path / f"{name}.mp4", Clip(options={"g": "4"}, container_options=told))
        for name, told in (("one", first), ("two", second))
    )
    (source := tmp_path / "joined.mp4").write_bytes(one.read_bytes() + two.read_bytes())
    with pytest.raises(SourceError, match=f"begins at byte {one.stat().st_size}, behind"):
        Reader(source)


def test_segments_behind_their_head_are_one_file_and_behind_two_heads_are_not(
    tmp_path: Path,
) -> None:
    clip = Clip(options={"g": "4"}, container_options=FRAGMENTS)
    whole = make_clip(tmp_path / "whole.mp4", clip).read_bytes()
    at = whole.index(b"moof") - 4
    next_at = whole.index(b"moof", at + 8) - 4
    head, first, rest = whole[:at], whole[at:next_at], whole[next_at:]
    kind = head[: head.index(b"moov") - 4]

    def behind(*parts: bytes) -> int | None:
        (path := tmp_path / "joined.mp4").write_bytes(b"".join(parts))
        return file_behind(path, "mov")

    assert behind(head, first, rest) is None
    assert behind(head, first, kind, rest) is None  # a segment may say what it is
    assert behind(head, first, head, rest) == len(head + first)
    assert behind(head, head, first, rest) == len(head)


def test_matroska_begins_late_in_step_and_repeats_no_date(tmp_path: Path, identity: Preset) -> None:
    clip = Clip(sound=True, metadata={"creation_time": "2026-01-02T03:04:05.000000Z"})
    source = make_clip(tmp_path / "a.mp4", clip)
    target = nightfx.render(source, tmp_path / "b.mkv", preset=identity)
    found = verdicts(source, target)
    assert (found["start"], found["timestamps"]) == ("changed", "kept")
    assert not {"lost", "left out"} & set(found.values())


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_the_name_of_a_track_stays_its_name(tmp_path: Path, identity: Preset, suffix: str) -> None:
    def name(copied: Copied) -> None:
        copied.streams[0]["metadata"]["title"] = "Cam A"

    plain = make_clip(tmp_path / "a.mkv", Clip())
    source = remux(plain, tmp_path / "b.mkv", name)
    target = nightfx.render(source, tmp_path / f"c{suffix}", preset=identity)
    back = nightfx.render(target, tmp_path / "d.mkv", preset=identity)
    assert "lost" not in {**verdicts(source, target), **verdicts(target, back)}.values()
    with av.open(back) as container:
        assert container.streams.video[0].metadata["title"] == "Cam A"
