"""The table of what a file can carry: in the page for users, in every row, and what is in no line of it is not examined."""

from __future__ import annotations

from pathlib import Path

import pytest
from media import Clip, make_clip
from remux import with_bytes
from streams import make_subtitles
from test_hdr import captioned, hdr10
from typer.testing import CliRunner

import nightfx
from nightfx.check import TABLE, VERDICTS, verify
from nightfx.cli import app

PAGE = Path(nightfx.__file__).parents[1] / "docs" / "verify.md"


def test_the_page_has_a_line_for_each_thing() -> None:
    words = PAGE.read_text(encoding="utf-8")
    for thing in TABLE:
        assert f"| {thing.name} | {thing.how} | {thing.excuse or '–'} |\n" in words
    assert words.count("\n| ") == len(TABLE) + len(VERDICTS) + 4  # and the heads of four tables
    for verdict in VERDICTS:
        assert f"\n| {verdict} |" in words


def with_box(path: Path, data: bytes) -> Path:
    """Add a box that nobody knows to the end of a movie."""
    path.write_bytes(path.read_bytes() + (8 + len(data)).to_bytes(4, "big") + b"zzzz" + data)
    return path


def test_what_nobody_knows_is_not_examined_unless_it_is_the_same(tmp_path: Path) -> None:
    clip = Clip("prores", "yuv422p10le", count=3)
    source = with_box(make_clip(tmp_path / "a.mov", clip), b"what is it")
    render = make_clip(tmp_path / "b.mov", clip)
    rows = {row.what: row.verdict for row in verify(source, render)}
    assert {what for what, verdict in rows.items() if verdict != "kept"} == {"element (zzzz)"}
    assert rows["element (zzzz)"] == "not examined"
    for words, code in (([], 0), (["--strict"], 1)):
        answer = CliRunner().invoke(app, ["verify", str(source), str(render), *words])
        assert answer.exit_code == code
        assert "1 not examined" in answer.output
    assert {row.verdict for row in verify(source, with_box(render, b"what is it"))} == {"kept"}
    answer = CliRunner().invoke(app, ["probe", str(source)])
    assert (
        "not kept: element (zzzz) is not known to nightfx, which may leave it out" in answer.output
    )


def test_the_same_boxes_of_another_file_are_no_change(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(count=3, chapters=True, timecode="01:00:00:00"))
    assert {row.verdict for row in verify(source, source)} == {"kept"}


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"\x94\x23\xff", b"\x94\x24\xff"), (b"GA94", b"GA95"), (b"\x94\x27", b"\x95\x27")],
)
def test_captions_are_compared_byte_for_byte(tmp_path: Path, old: bytes, new: bytes) -> None:
    source = captioned(tmp_path / "a.mp4")
    assert {row.verdict for row in verify(source, source)} == {"kept"}
    other = with_bytes(source, tmp_path / "b.mp4", old, new)
    bad = {row.what: row.verdict for row in verify(source, other) if row.verdict != "kept"}
    assert bad == {"captions": "lost"}


def test_a_mastering_display_is_compared_by_its_numbers(tmp_path: Path) -> None:
    source = hdr10(tmp_path)
    assert {row.verdict for row in verify(source, source)} == {"kept"}
    nits = (10_000_000).to_bytes(4, "big"), (40_000_000).to_bytes(4, "big")
    other = tmp_path / "b.mp4"
    other.write_bytes(source.read_bytes().replace(*nits))
    found = {row.what: row for row in verify(source, other)}
    assert found["mastering display"].verdict == "lost"
    assert found["mastering display"].render == "0.0001 to 4000 nits"


OVER = "1\n00:00:00,100 --> 00:00:00,900\nlong\n\n2\n00:00:00,300 --> 00:00:00,500\nshort\n"
PIECES = (
    "1\n00:00:00,100 --> 00:00:00,300\nlong\n\n2\n00:00:00,300 --> 00:00:00,500\nlong\nshort\n\n"
    "3\n00:00:00,500 --> 00:00:00,{end}\nlong\n"
)


@pytest.mark.parametrize(("end", "verdict"), [("900", "changed"), ("700", "lost")])
def test_subtitles_in_pieces_must_show_the_same_at_each_time(
    tmp_path: Path, end: str, verdict: str
) -> None:
    texts = {"a": OVER, "b": PIECES.replace("{end}", end)}
    a, b = (
        make_clip(
            tmp_path / f"{name}.mkv",
            Clip(count=24, tracks=((make_subtitles(tmp_path / f"{name}.srt", text), "deu"),)),
        )
        for name, text in texts.items()
    )
    assert {row.what: row.verdict for row in verify(a, b)}["subtitles #1"] == verdict
