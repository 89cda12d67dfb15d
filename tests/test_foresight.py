"""What `verify` will call left out is said by `probe` before the render, for every kind of source and every container."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from media import Clip, make_clip
from remux import Copied, remux
from streams import make_sound, make_subtitles
from test_fields import interlaced
from test_writer import rewrite

from nightfx.carry.formats import CONTAINERS
from nightfx.check import TABLE, VerdictRow, lines_of_rows, verify
from nightfx.errors import NightfxError
from nightfx.job.source_target import open_shot, plan_target, predict_shot_losses
from nightfx.options import EncodeOptions, SourceOptions

RICH = Clip(
    count=6,
    timecode="01:02:03:04",
    chapters=True,
    metadata={"title": "Day", "comment": "roll 12"},
    language="deu",
)


def _tracks(folder: Path) -> tuple[tuple[Path, str], ...]:
    sound = make_sound(folder / "a.wav", clicks=[0.1], seconds=0.25)
    return (sound, "ita"), (make_subtitles(folder / "a.srt"), "deu")


def _plain(folder: Path) -> Path:
    return make_clip(folder / "a.mp4", Clip(count=6))


def _rich_mov(folder: Path) -> Path:
    sound = _tracks(folder)[:1]
    prores = replace(RICH, codec="prores", pix_fmt="yuv422p10le", tracks=sound)
    return make_clip(folder / "a.mov", replace(prores, aspect=Fraction(64, 45), rotation=90))


def _rich_mkv(folder: Path) -> Path:
    ffv1 = replace(RICH, codec="ffv1", pix_fmt="yuv422p10le", tracks=_tracks(folder))

    def enrich(copied: Copied) -> None:
        copied.streams[1]["metadata"]["title"] = "Boom"
        copied.streams[2]["disposition"] |= 64 | 128
        copied.streams[0]["metadata"].update(title="Cam A", stereo_mode="left_right")
        copied.attachments.append(("font.ttf", "application/x-truetype-font", b"a font" * 9))

    return remux(make_clip(folder / "plain.mkv", ffv1), folder / "a.mkv", enrich)


def _mxf(folder: Path) -> Path:
    clip = replace(RICH, codec="prores", pix_fmt="yuv422p10le", metadata={}, chapters=False)
    return make_clip(folder / "a.mxf", replace(clip, tracks=_tracks(folder)[:1], language=None))


def _alpha(folder: Path) -> Path:
    clip = Clip("prores_ks", "yuva444p10le", count=6, options={"profile": "4444"})
    return make_clip(folder / "a.mov", clip)


def _fields(folder: Path) -> Path:
    return interlaced(folder / "a.mov", "prores", "yuv422p10le", "tff")


def _stream(folder: Path) -> Path:
    return make_clip(folder / "a.ts", Clip(count=6, sound=True, language="deu"))


def _named_twice(folder: Path) -> Path:
    """Matroska with a name of a chapter in a language, and a region: what FFmpeg does not show."""
    source = make_clip(folder / "plain.mkv", replace(RICH, codec="ffv1", count=6))
    data, before = source.read_bytes(), b"\x43\x7c\x83und"
    assert before in data
    target = folder / "a.mkv"
    target.write_bytes(data.replace(before, b"\x43\x7c\x83fre", 1))
    return target


SOURCES: dict[str, Callable[[Path], Path]] = {
    "plain": _plain,
    "rich mov": _rich_mov,
    "rich mkv": _rich_mkv,
    "mxf": _mxf,
    "alpha": _alpha,
    "fields": _fields,
    "stream": _stream,
    "chapters by language": _named_twice,
}


@pytest.mark.parametrize("suffix", [suffix for suffix in CONTAINERS if suffix != ".m4v"])
@pytest.mark.parametrize("kind", SOURCES)
def test_what_is_left_out_was_said_before(tmp_path: Path, kind: str, suffix: str) -> None:
    source, target = SOURCES[kind](tmp_path), tmp_path / f"render{suffix}"
    with open_shot(source, SourceOptions()) as shot:
        info = shot.info
    try:
        plan = plan_target(info, target, EncodeOptions())
    except NightfxError:
        return  # refused, which is said as well
    said = [*plan.notes, *predict_shot_losses(source, info, plan, SourceOptions())]
    rewrite(source, target)
    rows = verify(source, target)
    gone = [row for row in rows if row.verdict == "left out"]
    assert list(lines_of_rows(gone, said)) == []
    assert not gone or said


def test_a_row_is_told_once() -> None:
    row = VerdictRow("chapters' names", "Un (fr)", "Un (und)", "left out")
    line = "chapters' names (Un (fr)) is left out: FFmpeg writes one name, of no language"
    assert list(lines_of_rows([row], [])) == [line]
    assert list(lines_of_rows([row], [line])) == []


def test_a_row_of_nothing_in_the_table_cannot_be() -> None:
    with pytest.raises(KeyError):
        VerdictRow("weather", "sun", "rain", "lost")


def test_every_thing_that_may_be_excused_says_why() -> None:
    for thing in TABLE:
        assert thing.how
        assert thing.said == "" or thing.excuse, thing
