"""What FFmpeg's muxers do not say is in the files all the same: pixel aspect, covers, chapters by language, regions."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.stream import Disposition
from media import Clip, make_clip
from streams import make_sound, make_subtitles
from test_writer import rewrite

from nightfx.carry.formats import FORMATS
from nightfx.options import Codec
from nightfx.options.encode import EncodeOptions
from nightfx.source.reader import Reader
from nightfx.target.codecs import plan_output
from nightfx.target.prediction import predict_losses
from nightfx.target.trial import try_target

ASPECT = Fraction(16, 15)
HOMES = [(c, home) for c, form in FORMATS.items() for home in form.homes if c != "av1"]


# Matroska's elements, written by their own rules


def element(id: int, *inside: bytes) -> bytes:
    data = b"".join(inside)
    return id.to_bytes((id.bit_length() + 7) // 8) + (len(data) | 1 << 56).to_bytes(8) + data


def name(text: str, language: str) -> bytes:
    return element(0x80, element(0x85, text.encode()), element(0x437C, language.encode()))


def time(id: int, ms: int) -> bytes:
    return element(id, (ms * 1_000_000).to_bytes(8))


def chapter(uid: int, start: int, end: int, *inside: bytes) -> bytes:
    return element(0xB6, element(0x73C4, bytes([uid])), time(0x91, start), time(0x92, end), *inside)


HIDDEN = element(0x98, b"\1")
NESTED = chapter(9, 100, 300, name("Sub", "eng"))
FIRST = chapter(7, 0, 500, name("One", "eng"), name("Eins", "ger"), NESTED)
SECOND = chapter(8, 500, 900, name("Two", "eng"), HIDDEN)


def with_chapters(path: Path, *chapters: bytes) -> Path:
    """Append chapters to a Matroska file whose segment ends with it."""
    data = path.read_bytes()
    segment = data.index(b"\x18\x53\x80\x67") + 4
    size = int.from_bytes(data[segment + 1 : segment + 8])
    assert segment + 8 + size == len(data)
    more = element(0x1043A770, element(0x45B9, *chapters))
    whole = b"\1" + (size + len(more)).to_bytes(7)
    path.write_bytes(data[:segment] + whole + data[segment + 8 :] + more)
    return path


def elements(data: bytes) -> list[tuple[int, bytes]]:
    """Kinds and contents, one level deep."""
    found, at = [], 0
    while at < len(data):
        length = 9 - data[at].bit_length()
        id, at = int.from_bytes(data[at : at + length]), at + length
        length = 9 - data[at].bit_length()
        size = int.from_bytes(data[at : at + length]) - (1 << 7 * length)
        at += length
        found.append((id, data[at : at + size]))
        at += size
    return found


def inside(data: bytes, *way: int) -> list[bytes]:
    """The contents that a way of kinds leads to."""
    if not way:
        return [data]
    return [last for id, one in elements(data) if id == way[0] for last in inside(one, *way[1:])]


SEGMENT, CHAPTERS, EDITION, ATOM = 0x18538067, 0x1043A770, 0x45B9, 0xB6


def chapters_of(path: Path) -> list[tuple[int, list[str]]]:
    """Start in ms and names of all chapters, the nested ones behind their own."""
    (edition,) = inside(path.read_bytes(), SEGMENT, CHAPTERS, EDITION)
    found = []
    for atom in inside(edition, ATOM):
        for each in (atom, *inside(atom, ATOM)):
            (start,) = inside(each, 0x91)
            names = [text.decode() for text in inside(each, 0x80, 0x85)]
            found.append((int.from_bytes(start) // 1_000_000, names))
    return found


# pixel aspect


@pytest.mark.parametrize(("codec", "home"), HOMES)
def test_the_pixel_aspect_stays_with_every_codec_in_every_container(
    codec: Codec, home: str, tmp_path: Path
) -> None:
    clip = Clip("prores", "yuv422p10le", size=(128, 256), count=2, aspect=ASPECT)
    source = make_clip(tmp_path / "a.mov", clip)
    with Reader(source) as reader:
        plan = plan_output(reader.info, home, EncodeOptions(codec=codec, speed="ultrafast"))
        assert not any("aspect" in line for line in predict_losses(source, reader.info, plan))
    rewrite(source, tmp_path / f"b{home}", plan)
    with av.open(tmp_path / f"b{home}") as container:
        assert container.streams.video[0].sample_aspect_ratio == ASPECT


@pytest.mark.parametrize(
    ("eyes", "shown"), [("left_right", (32, 48)), ("top_bottom", (64, 24)), ("mono", None)]
)
def test_two_eyes_in_a_picture_are_shown_at_the_size_of_one(
    eyes: str, shown: tuple[int, int] | None, tmp_path: Path
) -> None:
    source = tmp_path / "a.mkv"
    plain = make_clip(tmp_path / "plain.mkv", Clip(count=2))
    with av.open(plain) as old, av.open(source, "w") as new:
        video = new.add_stream_from_template(old.streams.video[0], opaque=True)
        video.metadata["stereo_mode"] = eyes
        for packet in old.demux(video=0):
            if packet.size:
                packet.stream = video
                new.mux(packet)
    rewrite(source, tmp_path / "b.mkv")
    (video_of,) = inside((tmp_path / "b.mkv").read_bytes(), SEGMENT, 0x1654AE6B, 0xAE, 0xE0)
    sides = [int.from_bytes(one) for id in (0x54B0, 0x54BA) for one in inside(video_of, id)]
    assert sides == list(shown or ())


# chapters


def test_chapters_keep_their_names_levels_and_flags(tmp_path: Path) -> None:
    source = with_chapters(make_clip(tmp_path / "a.mkv", Clip(count=24)), FIRST, SECOND)
    target = tmp_path / "b.mkv"
    rewrite(source, target)
    assert inside(target.read_bytes(), SEGMENT, CHAPTERS, EDITION, ATOM) == [
        data for _, data in elements(FIRST + SECOND)
    ]
    with av.open(target) as container:
        assert [c["metadata"]["title"] for c in container.chapters()] == ["Eins", "Two"]
        assert sum(1 for _ in container.decode(video=0)) == 24


@pytest.mark.parametrize(
    ("window", "wanted"),
    [
        (("1/4", None), [(0, ["One", "Eins"]), (0, ["Sub"]), (250, ["Two"])]),
        ((None, "2/5"), [(0, ["One", "Eins"]), (100, ["Sub"])]),
        (("3/8", None), [(0, ["One", "Eins"]), (125, ["Two"])]),
    ],
)
def test_chapters_are_cut_with_the_picture(
    window: tuple[str | None, str | None], wanted: list[tuple[int, list[str]]], tmp_path: Path
) -> None:
    source = with_chapters(make_clip(tmp_path / "a.mkv", Clip(count=24)), FIRST, SECOND)
    start, end = (Fraction(text) if text else None for text in window)
    rewrite(source, tmp_path / "b.mkv", start_seconds=start, end_seconds=end)
    assert chapters_of(tmp_path / "b.mkv") == wanted


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_what_another_container_leaves_out_of_matroska_is_said(suffix: str, tmp_path: Path) -> None:
    source = with_chapters(make_clip(tmp_path / "a.mkv", Clip(count=24)), FIRST, SECOND)
    line = f"chapters keep one name each, of the first level: {suffix[1:]} has no more (mkv keeps them)"
    with Reader(source) as reader:
        plan = plan_output(reader.info, suffix, EncodeOptions())
        assert line in list(predict_losses(source, reader.info, plan))
        assert line in try_target(tmp_path / f"b{suffix}", source, reader.info, plan)
    plain = with_chapters(
        make_clip(tmp_path / "p.mkv", Clip(count=24)), chapter(1, 0, 500, name("A", "eng"))
    )
    with Reader(plain) as reader:
        plan = plan_output(reader.info, suffix, EncodeOptions())
        assert not any("chapters" in line for line in predict_losses(plain, reader.info, plan))


# languages


def with_region(path: Path, language: bytes, region: bytes) -> Path:
    """Let a track of a language have a region, in room that nothing needs."""
    data = path.read_bytes()
    tracks = data.index(b"\x16\x54\xae\x6b")
    was = data.index(b"\x22\xb5\x9c\x83" + language, tracks)
    uid = data.rindex(b"\x73\xc5\x88", tracks, was)  # eight bytes that only tags refer to
    told = b"\x22\xb5\x9d" + bytes([0x80 | len(region)]) + region
    assert len(told) < 11
    left = b"\xec" + bytes([0x80 | 11 - len(told) - 2]) + bytes(11 - len(told) - 2)
    path.write_bytes(data[:uid] + told + left + data[uid + 11 :])
    return path


def regions_of(path: Path) -> list[str]:
    tracks = inside(path.read_bytes(), SEGMENT, 0x1654AE6B, 0xAE)
    return ["".join(one.decode() for one in inside(track, 0x22B59D)) for track in tracks]


def test_a_language_keeps_its_region(tmp_path: Path) -> None:
    sound = make_sound(tmp_path / "s.wav", seconds=0.2)
    text = make_subtitles(tmp_path / "s.srt")
    clip = Clip(count=24, tracks=((text, "ger"), (sound, "por")))
    source = with_region(make_clip(tmp_path / "a.mkv", clip), b"por", b"pt-BR")
    assert regions_of(source) == ["", "", "pt-BR"]
    rewrite(source, tmp_path / "b.mkv")
    assert regions_of(tmp_path / "b.mkv") == ["", "", "pt-BR"]
    for suffix in (".mp4", ".mov"):
        rewrite(source, tmp_path / f"c{suffix}")
        assert b"\0\0\0\x12elng\0\0\0\0pt-BR\0" in (tmp_path / f"c{suffix}").read_bytes()
        for written in (".mkv", ".mov"):  # from there again
            rewrite(tmp_path / f"c{suffix}", tmp_path / f"d{written}")
            with av.open(tmp_path / f"d{written}") as container:
                assert sum(1 for _ in container.decode(video=0)) == 24
            with av.open(tmp_path / f"d{written}") as container:
                assert any(packet.size for packet in container.demux(audio=0))
        assert regions_of(tmp_path / "d.mkv") == ["", "", "pt-BR"]
        assert b"elng\0\0\0\0pt-BR\0" in (tmp_path / "d.mov").read_bytes()


# flags


@pytest.mark.parametrize(("suffix", "lines"), [(".mkv", 0), (".mp4", 0), (".mov", 1)])
def test_a_mark_of_a_stream_stays_or_is_told_of(suffix: str, lines: int, tmp_path: Path) -> None:
    source, text = tmp_path / "a.mkv", make_subtitles(tmp_path / "s.srt")
    plain = make_clip(tmp_path / "plain.mkv", Clip(count=24, tracks=((text, "ger"),)))
    with av.open(plain) as old, av.open(source, "w") as new:
        copies = [new.add_stream_from_template(s, opaque=True) for s in old.streams]
        copies[1].disposition = Disposition.forced | Disposition.hearing_impaired
        for packet in old.demux():
            if packet.size:
                packet.stream = copies[packet.stream.index]
                new.mux(packet)
    line = f"stream 1 is marked forced and hearing impaired, which {suffix[1:]} does not say (mp4 and mkv can)"
    notes = rewrite(source, tmp_path / f"b{suffix}")
    assert notes.count(line) == lines
    with Reader(source) as reader:
        plan = plan_output(reader.info, suffix, EncodeOptions())
        assert list(predict_losses(source, reader.info, plan)).count(line) == lines
    with av.open(tmp_path / f"b{suffix}") as container:
        kept = container.streams[1].disposition & (
            Disposition.forced | Disposition.hearing_impaired
        )
        assert bool(kept) == (not lines)


# covers


@pytest.mark.parametrize("made", [".mp4", ".mkv"])
@pytest.mark.parametrize("written", [".mp4", ".mkv", ".mov"])
def test_a_cover_stays_a_cover_or_is_told_of(made: str, written: str, tmp_path: Path) -> None:
    source = make_clip(tmp_path / "first.mp4", Clip(count=4, cover=True))
    if made == ".mkv":  # by way of our own first writing
        rewrite(source, tmp_path / "a.mkv")
        source = tmp_path / "a.mkv"
    notes = rewrite(source, tmp_path / f"b{written}")
    left_out = [line for line in notes if line.startswith("cover") and line.endswith("left out")]
    assert len(left_out) == (written == ".mov")
    pictures = []
    for path in (source, tmp_path / f"b{written}"):
        with av.open(path) as container:
            covers = [s for s in container.streams.video if int(s.disposition) == 1024]
            assert len(container.streams.video) == 1 + len(covers)
            pictures.append([bytes(next(p for p in container.demux(c) if p.size)) for c in covers])
    assert pictures[1] == ([] if written == ".mov" else pictures[0])
    assert len(pictures[0]) == 1


def test_files_attached_stay_where_the_picture_comes_after_them(tmp_path: Path) -> None:
    source = tmp_path / "a.mkv"
    plain = make_clip(tmp_path / "plain.mkv", Clip(count=4, aspect=ASPECT))
    with av.open(plain) as old, av.open(source, "w") as new:
        new.add_attachment("a.txt", "text/plain", b"day for night")
        video = new.add_stream_from_template(old.streams.video[0], opaque=True)
        for packet in old.demux(video=0):
            if packet.size:
                packet.stream = video
                new.mux(packet)
    rewrite(source, tmp_path / "b.mkv")
    with av.open(tmp_path / "b.mkv") as container:
        assert container.streams.video[0].sample_aspect_ratio == ASPECT
        assert [bytes(s.data) for s in container.streams.attachments] == [b"day for night"]
