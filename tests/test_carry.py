"""What stands beside the picture: cut with it within a millisecond, converted where the container demands."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import pytest
from media import Clip, make_clip
from remux import Copied, remux
from streams import RATE, click_times, make_sound, make_subtitles
from test_writer import rewrite
from typer.testing import CliRunner

import nightfx
from nightfx.check.verdict import failures
from nightfx.check.verification import verify
from nightfx.cli import app
from nightfx.job.source_target import open_shot, plan_target, predict_shot_losses
from nightfx.network.presets import Preset
from nightfx.options import EncodeOptions, SourceOptions

PLATE = Clip(count=24)
START, END = 0.2, 0.8  # the first picture from 0.2 s on is the sixth
FIRST = 5 / 24
KINDS = {"pcm": ("pcm_s16le", ".wav"), "pcm24": ("pcm_s24le", ".wav"), "aac": ("aac", ".m4a")}


@pytest.mark.parametrize("suffix", [".mov", ".mp4", ".mkv"])
@pytest.mark.parametrize("kind", KINDS)
def test_clicks_keep_their_place_when_picture_and_sound_are_cut(
    tmp_path: Path, kind: str, suffix: str
) -> None:
    codec, ending = KINDS[kind]
    sound = make_sound(tmp_path / f"sound{ending}", codec, clicks=[0.25, 0.5, 0.75])
    source = make_clip(tmp_path / f"a{suffix}", replace(PLATE, tracks=((sound, "ita"),)))
    target = tmp_path / f"b{suffix}"
    rewrite(source, target, start_seconds=START, end_seconds=END)
    wanted = [click - FIRST for click in (0.25, 0.5, 0.75)]
    assert click_times(target) == pytest.approx(wanted, abs=0.001)
    assert not failures(verify(source, target, start_seconds=START, end_seconds=END))


@pytest.mark.parametrize("suffix", [".mov", ".mkv"])
def test_pcm_is_cut_at_the_sample(tmp_path: Path, suffix: str) -> None:
    sound = make_sound(tmp_path / "sound.wav", clicks=[0.25])
    source = make_clip(tmp_path / f"a{suffix}", replace(PLATE, tracks=((sound, "ita"),)))
    target = tmp_path / f"b{suffix}"
    rewrite(source, target, start_seconds=START, end_seconds=0.5)
    with av.open(target) as container:
        got = b"".join(bytes(p) for p in container.demux(audio=0) if p.size)
    with av.open(source) as container:
        whole = b"".join(bytes(p) for p in container.demux(audio=0) if p.size)
    first = round((FIRST if suffix == ".mov" else 0.208) * RATE)
    assert got == whole[2 * first : 2 * round(0.5 * RATE)]


@pytest.mark.parametrize(
    ("made", "written", "codec"), [("a.mkv", "b.mp4", "mov_text"), ("a.mp4", "b.mkv", "subrip")]
)
def test_subtitles_become_what_the_container_takes(
    tmp_path: Path, made: str, written: str, codec: str
) -> None:
    text = make_subtitles(tmp_path / "s.srt")
    first = make_clip(tmp_path / "first.mkv", replace(PLATE, tracks=((text, "ita"),)))
    source = first
    if made == "a.mp4":  # by way of our own first conversion
        source = tmp_path / made
        rewrite(first, source)
    target = tmp_path / written
    rewrite(source, target)
    with av.open(target) as container:
        assert container.streams.subtitles[0].name == ("mov_text" if codec == "mov_text" else "srt")
    rows = {row.what: row for row in verify(source, target)}
    assert rows["subtitles #1"].verdict == "changed"
    assert "2 texts" in rows["subtitles #1"].render


def test_styled_text_keeps_its_style_in_mp4(tmp_path: Path) -> None:
    text = make_subtitles(tmp_path / "s.srt")
    source = make_clip(tmp_path / "a.mkv", replace(PLATE, tracks=((text, "ita"),)))
    target = tmp_path / "b.mp4"
    rewrite(source, target)
    with av.open(target) as container:
        shown = [bytes(p) for p in container.demux(subtitles=0) if p.size > 2]
    assert b"Blue hour" in shown[0]
    assert b"styl" in shown[0]


OVERLAPPING = """1
00:00:00,100 --> 00:00:00,900
Blaue Stunde über

2
00:00:00,300 --> 00:00:00,500
<i>night</i>

3
00:00:00,300 --> 00:00:00,700
day
"""


def shown_texts(path: Path) -> list[tuple[int, int, bytes]]:
    """When each text is read, in ms, and what QuickTime has of it."""
    found = []
    with av.open(path) as container:
        for packet in container.demux(subtitles=0):
            if packet.size > 2:
                start = Fraction(packet.pts or 0) * packet.time_base * 1000
                last = (packet.duration or 0) * packet.time_base * 1000
                found.append((round(start), round(start + last), bytes(packet)))
    return found


@pytest.mark.parametrize("suffix", [".mov", ".mp4"])
def test_texts_that_overlap_are_read_together(suffix: str, tmp_path: Path) -> None:
    text = make_subtitles(tmp_path / "s.srt", OVERLAPPING)
    source = make_clip(tmp_path / "a.mkv", replace(PLATE, tracks=((text, "deu"),)))
    target = tmp_path / f"b{suffix}"
    rewrite(source, target)
    long, night, day = "Blaue Stunde über", "night", "day"
    wanted = [
        (100, 300, [long]),
        (300, 500, [long, night, day]),
        (500, 700, [long, day]),
        (700, 900, [long]),
    ]
    found = shown_texts(target)
    for (start, end, lines), (began, ended, data) in zip(wanted, found, strict=True):
        words = "\n".join(lines).encode()
        assert (began, ended) == (start, end)
        assert data[2 : 2 + int.from_bytes(data[:2])] == words
    styles = found[1][2].partition(b"styl")[2]
    first, last = (int.from_bytes(styles[at : at + 2]) for at in (2, 4))
    assert "\n".join([long, night, day])[first:last] == night


def test_a_text_that_is_read_over_the_cut_is_read_from_there(tmp_path: Path) -> None:
    text = make_subtitles(tmp_path / "s.srt", OVERLAPPING)
    source = make_clip(tmp_path / "a.mkv", replace(PLATE, tracks=((text, "deu"),)))
    rewrite(source, tmp_path / "b.mp4", start_seconds=Fraction(6, 10), end_seconds=Fraction(8, 10))
    words = [data[2 : 2 + int.from_bytes(data[:2])] for *_, data in shown_texts(tmp_path / "b.mp4")]
    assert words == ["Blaue Stunde über\nday".encode(), "Blaue Stunde über".encode()]


@pytest.mark.parametrize("suffix", [".mov", ".mp4", ".mkv"])
@pytest.mark.parametrize("language", ["deu", "swe", "ita", "zho"])
def test_languages_survive_each_container(tmp_path: Path, suffix: str, language: str) -> None:
    sound = make_sound(tmp_path / "sound.wav", seconds=0.2)
    source = make_clip(tmp_path / "a.mkv", Clip(count=4, tracks=((sound, language),)))
    target = tmp_path / f"b{suffix}"
    rewrite(source, target)
    rows = {row.what: row.verdict for row in verify(source, target)}
    assert rows["sound #1"] == "kept"


FILE_DATE, PICTURE_DATE, SOUND_DATE = (
    f"20{year}-02-03T04:05:06.000000Z" for year in ("20", "21", "22")
)


def dated(path: Path) -> Path:
    """A clip whose file, picture and sound were made in other years."""
    make_clip(path, replace(PLATE, sound=True, metadata={"creation_time": FILE_DATE}))
    data, at = bytearray(path.read_bytes()), 0
    for date in (PICTURE_DATE, SOUND_DATE):
        at = data.index(b"mdhd", at) + 8  # behind its version and flags
        seconds = datetime.fromisoformat(date) - datetime(1904, 1, 1, tzinfo=UTC)
        data[at : at + 4] = int(seconds.total_seconds()).to_bytes(4)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("suffix", [".mov", ".mp4", ".mkv"])
def test_a_track_keeps_its_own_date_or_a_line_says_so(tmp_path: Path, suffix: str) -> None:
    source, target = dated(tmp_path / "a.mp4"), tmp_path / f"b{suffix}"
    rewrite(source, target)
    with av.open(target) as container:
        assert container.metadata["creation_time"] == FILE_DATE
        dates = [stream.metadata.get("creation_time") for stream in container.streams]
    kept = suffix != ".mkv"
    assert dates == ([PICTURE_DATE, SOUND_DATE] if kept else [None, None])
    rows = [row for row in verify(source, target) if "metadata" in row.what]
    assert {row.verdict for row in rows} == ({"kept"} if kept else {"kept", "left out"})
    words = "picture's metadata (its own date of creation) is left out"
    assert any(words in line for line in said_before(source, target)) != kept


def said_before(source: Path, target: Path) -> list[str]:
    with open_shot(source, SourceOptions()) as shot:
        plan = plan_target(shot.info, target.with_stem("other"), EncodeOptions())
        return list(predict_shot_losses(source, shot.info, plan, SourceOptions()))


def test_another_picture_is_copied(tmp_path: Path) -> None:
    other = make_clip(tmp_path / "other.mp4", Clip(size=(32, 32), count=24))
    source = make_clip(tmp_path / "a.mp4", replace(PLATE, tracks=((other, "und"),)))
    target = tmp_path / "b.mp4"
    rewrite(source, target)
    rows = {row.what: row.verdict for row in verify(source, target)}
    assert rows["other picture #1"] == "kept"
    assert not failures(verify(source, target))


def test_what_a_container_cannot_hold_is_left_out_with_a_line(tmp_path: Path) -> None:
    sound = make_sound(tmp_path / "sound.mp3", "mp3", seconds=0.2, rate=44100)
    source = make_clip(
        tmp_path / "a.mkv", Clip("prores", "yuv422p10le", count=4, tracks=((sound, "ita"),))
    )
    target = tmp_path / "b.mxf"
    line = "sound stream 1 (mp3float) cannot be copied into mxf: left out"
    assert rewrite(source, target) == [line]
    assert {row.what: row.verdict for row in verify(source, target)}["sound #1"] == "left out"
    answer = CliRunner().invoke(app, ["probe", str(source), "--to", ".mxf"])
    assert answer.exit_code == 0
    assert line in answer.output.splitlines()[-1]


def test_probe_says_what_a_clip_is(tmp_path: Path) -> None:
    clip = Clip("prores", "yuv422p10le", timecode="01:02:03:04", rotation=90, chapters=True)
    answer = CliRunner().invoke(app, ["probe", str(make_clip(tmp_path / "a.mov", clip))])
    words = answer.output.split()
    for word in ("64x48", "yuv422p10le", "01:02:03:04", "24.000", "prores"):
        assert word in words
    assert answer.output.splitlines()[-1] == "not kept: nothing"


def test_what_was_counted_of_packets_is_not_said_of_a_render(
    tmp_path: Path, identity: Preset
) -> None:
    plain, source = (
        make_clip(tmp_path / "plain.mkv", replace(PLATE, sound=True)),
        tmp_path / "a.mkv",
    )
    counted = {"BPS": "9", "NUMBER_OF_FRAMES": "12", "_STATISTICS_WRITING_APP": "a program"}

    def count(copied: Copied) -> None:
        for stream in copied.streams.values():
            stream["metadata"].update(counted)

    remux(plain, source, count)
    target = nightfx.render(source, tmp_path / "b.mkv", preset=identity)
    with av.open(str(target)) as container:
        picture, sound = (stream.metadata for stream in container.streams)
    assert not counted.keys() & (picture.keys() | sound.keys())
