"""Sources whose times begin anew are held to their renders on one clock, sound with the picture."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest
from media import Clip, make_clip
from remux import Copied, remux

import nightfx
from nightfx.check.verification import verify
from nightfx.network.presets import Preset

PLAIN = Clip(sound=True)


def verdicts(source: Path, render: Path) -> dict[str, str]:
    return {row.what: row.verdict for row in verify(source, render)}


def move(copied: Copied, seconds: int) -> None:
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
