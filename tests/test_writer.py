"""Writing clips: what goes in comes out, in every codec and container, or nothing is left."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from media import LATE, STEP, TICKS, VFR, Clip, make_clip

from nightfx.check.verification import verify
from nightfx.errors import RetryError, TargetError, UsageError
from nightfx.options.encode import EncodeOptions
from nightfx.picture.color import from_rgb, to_rgb
from nightfx.picture.frame import Frame
from nightfx.source.probe import ClipInfo
from nightfx.source.reader import Reader
from nightfx.source.timecode import shift_timecode
from nightfx.target.codecs import OutputPlan, plan_output
from nightfx.target.writer import write_clip

CONTRACT = {
    "h264-mp4": ("a.mp4", Clip()),
    "h264-mkv": ("a.mkv", Clip()),
    "h264-mov": ("a.mov", Clip(pix_fmt="yuv422p")),
    "h264-full-range": ("a.mp4", Clip(pix_fmt="yuvj420p", tags=(1, 1, 1, 2))),
    "h264-odd": ("a.mp4", Clip(pix_fmt="yuv444p", size=(47, 63))),
    "h265-mp4": ("a.mp4", Clip("libx265", "yuv420p10le", tags=(9, 16, 9, 1), options={"x265-params": "log-level=none"})),
    "prores-mov": ("a.mov", Clip("prores", "yuv422p10le", options={"profile": "2"})),
    "prores-4444": ("a.mov", Clip("prores_ks", "yuva444p10le", options={"profile": "4444", "alpha_bits": "16"})),
    "ffv1-mkv": ("a.mkv", Clip("ffv1", "yuv420p10le")),
    "ffv1-rgb": ("a.mkv", Clip("ffv1", "gbrp16le", tags=(1, 1, 0, 2))),
    "vfr": ("a.mp4", Clip(times=VFR)),
    "vfr-mkv": ("a.mkv", Clip(times=[24 * t for t in VFR])),
    "late": ("a.mp4", Clip(times=LATE)),
    "rotated": ("a.mp4", Clip(rotation=90)),
    "anamorphic": ("a.mp4", Clip(aspect=Fraction(64, 45))),
    "timecode": ("a.mov", Clip("prores", "yuv422p10le", timecode="01:02:03:04")),
    "sound": ("a.mp4", Clip(sound=True)),
    "sound-mkv": ("a.mkv", Clip(sound=True)),
    "sound-late": ("a.mov", Clip(times=LATE, sound=True)),
    "untagged": ("a.mp4", Clip(tags=(2, 2, 2, 0))),
    "one-frame": ("a.mp4", Clip(count=1)),
    "h265-one-frame": ("a.mp4", Clip("libx265", "yuv420p10le", count=1, options={"x265-params": "log-level=none:bframes=0"})),
    "h265-two-frames": ("a.mp4", Clip("libx265", "yuv420p10le", count=2, options={"x265-params": "log-level=none:bframes=0"})),
}  # fmt: skip


def rewrite(source: Path, target: Path, plan: OutputPlan | None = None, **window: Any) -> list[str]:
    """Read and write unchanged; return all notes."""
    notes: list[str] = []
    with Reader(source) as reader:
        plan = plan or plan_output(reader.info, target.suffix, EncodeOptions(crf=4))
        frames = converted(reader.frames(**window), plan)
        write_clip(
            frames,
            target,
            source=source,
            info=reader.info,
            plan=plan,
            on_note=notes.append,
            **window,
        )
        return notes + reader.notes


def converted(frames: Iterator[Frame], plan: OutputPlan) -> Iterator[Frame]:
    for frame in frames:
        if frame.coding == plan.coding:
            yield frame
        else:
            planes = from_rgb(to_rgb(frame), plan.coding, frame.alpha)
            yield frame.with_planes(planes, plan.coding)


def describe(path: Path) -> tuple[ClipInfo, list[Frame]]:
    with Reader(path) as reader:
        return reader.info, list(reader.frames())


def packets(path: Path, kind: str = "audio") -> list[tuple[Any, ...]]:
    with av.open(path) as container:
        streams = [s for s in container.streams if s.type == kind]
        return [
            (p.stream.type, p.pts, p.time_base, bytes(p))
            for p in (container.demux(streams) if streams else ())
            if p.size and not p.is_discard
        ]


def psnr(a: Frame, b: Frame) -> float:
    errors = [
        np.mean((x.astype(float) - y) ** 2) for x, y in zip(a.planes[:3], b.planes[:3], strict=True)
    ]
    return float(10 * np.log10(a.coding.peak**2 / max(np.mean(errors), 1e-9)))


@pytest.mark.parametrize("name", CONTRACT)
def test_a_rewritten_clip_is_the_same_clip(tmp_path: Path, name: str) -> None:
    file, clip = CONTRACT[name]
    source = make_clip(tmp_path / file, clip)
    target = tmp_path / f"out{source.suffix}"
    rewrite(source, target)
    (info, frames), (new, written) = describe(source), describe(target)
    assert [(f.pts * f.time_base, f.duration * f.time_base) for f in written] == [
        (f.pts * f.time_base, f.duration * f.time_base) for f in frames
    ]
    assert same(new) == same(info)
    assert packets(target) == packets(source)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([source.name, target.name])
    # ProRes and H.26x lose a little; FFV1 nothing
    worst = min(psnr(a, b) for a, b in zip(frames, written, strict=True))
    assert worst > (100 if clip.codec == "ffv1" else 38)


def same(info: ClipInfo) -> tuple[Any, ...]:
    shape = (info.width, info.height, info.codec, info.coding, info.tags)
    place = (
        info.rotation,
        info.display_matrix,
        info.sample_aspect,
        info.timecode,
        info.profile if info.codec == "prores" else "",
    )
    return (*shape, *place, info.audio_streams)


@pytest.mark.parametrize("times", [VFR, ()], ids=["variable", "constant"])
def test_the_last_frame_keeps_its_own_duration(tmp_path: Path, times: tuple[int, ...]) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(times=times))
    with Reader(source) as reader:
        frames = list(reader.frames())
        frames[-1] = replace(frames[-1], duration=7777)
        plan = plan_output(reader.info, ".mp4", EncodeOptions())
        target = tmp_path / "b.mp4"
        write_clip(frames, target, source=source, info=reader.info, plan=plan, on_note=print)
    with av.open(target) as container:
        assert container.streams.video[0].duration == frames[-1].pts + 7777
    _, written = describe(target)
    assert written[-1].duration == 7777


def test_a_window_is_shifted_with_its_sound_and_timecode(tmp_path: Path) -> None:
    clip = Clip("prores", "yuv422p10le", times=LATE, timecode="10:00:00:00", sound=True)
    source = make_clip(tmp_path / "a.mov", clip)
    target = tmp_path / "b.mov"
    rewrite(source, target, start_seconds=Fraction(4, 24), end_seconds=Fraction(8, 24))
    (info, frames), (new, written) = describe(source), describe(target)
    assert [f.pts for f in written] == [f.pts for f in frames[:4]]
    assert new.timecode == "10:00:00:04"
    for a, b in zip(frames[4:8], written, strict=True):
        assert psnr(a, b) > 50
    shift = Fraction(4 * STEP) * TICKS
    moved = {data: pts * base for _, pts, base, data in packets(target)}
    original = {data: pts * base for _, pts, base, data in packets(source)}
    assert (
        7 <= len(moved) <= 10
    )  # 4/24 s of 1024 samples at 48 kHz, and the packets cut at the ends
    assert all(original[data] - at == pytest.approx(shift, abs=1e-4) for data, at in moved.items())
    assert info.start_pts == new.start_pts


def test_metadata_chapters_language_and_cover_come_along(tmp_path: Path) -> None:
    clip = Clip(
        metadata={"title": "Day", "firmware": "HD5"},
        chapters=True,
        language="deu",
        cover=True,
        sound=True,
    )
    source = make_clip(tmp_path / "a.mp4", clip)
    target = tmp_path / "b.mp4"
    notes = rewrite(source, target)
    with av.open(source) as a, av.open(target) as b:
        assert b.metadata["title"] == "Day"
        assert [c["metadata"] for c in b.chapters()] == [c["metadata"] for c in a.chapters()]
        assert [c["end"] * Fraction(c["time_base"] or 0) for c in b.chapters()] == [
            Fraction(1, 4),
            Fraction(1, 2),
        ]
        assert b.streams.video[0].language == "deu"
        kinds = [(s.type, s.disposition) for s in a.streams if s.type != "data"]
        assert [(s.type, s.disposition) for s in b.streams if s.type != "data"] == kinds
    (cover,) = (data for *_, data in packets(source, "video") if data.startswith(b"\x89PNG"))
    assert cover in [data for *_, data in packets(target, "video")]
    assert notes == ["the cover picture is not rendered"]


def test_unusual_metadata_is_kept_in_mp4(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mkv", Clip(metadata={"FIRMWARE": "HD5"}))
    target = tmp_path / "b.mp4"
    rewrite(source, target)
    with av.open(target) as container:
        assert container.metadata["FIRMWARE"] == "HD5"


def test_subtitles_of_another_kind_are_noted(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip())
    with_text = tmp_path / "b.mkv"
    subtitles = tmp_path / "s.ass"
    subtitles.write_text(
        "[Events]\nFormat: Layer, Start, End, Style, Text\nDialogue: 0,0:00:00.00,0:00:00.20,Default,Hi\n"
    )
    with av.open(source) as a, av.open(subtitles) as s, av.open(with_text, "w") as out:
        pairs = [
            (container, out.add_stream_from_template(stream, opaque=True))
            for container, stream in ((a, a.streams.video[0]), (s, s.streams.subtitles[0]))
        ]
        for container, copy in pairs:
            for packet in container.demux():
                if packet.dts is not None:
                    packet.stream = copy
                    out.mux(packet)
    assert rewrite(with_text, tmp_path / "c.mkv") == []
    assert packets(tmp_path / "c.mkv", "subtitle") == packets(with_text, "subtitle")
    notes = rewrite(with_text, tmp_path / "c.mp4")
    assert notes == ["subtitle stream 1 (srt) is written as mov_text"]


def fail_after(frames: Iterator[Frame], count: int, error: BaseException) -> Iterator[Frame]:
    for index, frame in enumerate(frames):
        if index == count:
            raise error
        yield frame


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GeneratorExit(), RuntimeError("no memory")])
@pytest.mark.parametrize("count", [1, 7])
def test_nothing_is_left_when_a_render_stops(
    tmp_path: Path, error: BaseException, count: int
) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip(sound=True))
    with Reader(source) as reader:
        plan = plan_output(reader.info, None, EncodeOptions())
        frames = fail_after(reader.frames(), count, error)
        with pytest.raises(type(error)):
            write_clip(
                frames,
                tmp_path / "b.mp4",
                source=source,
                info=reader.info,
                plan=plan,
                on_note=print,
            )
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_an_older_render_survives_a_failed_one(tmp_path: Path) -> None:
    source, target = make_clip(tmp_path / "a.mp4", Clip()), tmp_path / "b.mp4"
    target.write_bytes(b"older")
    with Reader(source) as reader:
        plan = plan_output(reader.info, None, EncodeOptions())
        frames = fail_after(reader.frames(), 3, RuntimeError())
        with pytest.raises(RuntimeError):
            write_clip(frames, target, source=source, info=reader.info, plan=plan, on_note=print)
    assert target.read_bytes() == b"older"


def test_a_full_disk_is_worth_a_retry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    source = make_clip(tmp_path / "a.mp4", Clip())
    with pytest.raises(RetryError, match=r"b\.mp4: disk full"):
        rewrite(source, tmp_path / "b.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_targets_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", Clip())
    with pytest.raises(TargetError, match="no such folder"):
        rewrite(source, tmp_path / "none" / "b.mp4")
    with pytest.raises(TargetError, match="the source itself"):
        rewrite(source, source)
    (tmp_path / "dir.mp4").mkdir()
    with pytest.raises(TargetError, match="is a folder"):
        rewrite(source, tmp_path / "dir.mp4")
    if os.geteuid() != 0:
        tmp_path.chmod(0o500)
        with pytest.raises(TargetError, match="may not be written"):
            rewrite(source, tmp_path / "b.mp4")


def info_of(tmp_path: Path, **changes: Any) -> ClipInfo:
    with Reader(make_clip(tmp_path / "plan.mp4", Clip(count=1))) as reader:
        return replace(reader.info, **changes)


@pytest.mark.parametrize(
    ("codec", "depth", "file", "planned"),
    [
        ("h264", 8, "a.mp4", (".mp4", "libx264", "yuv420p")),
        ("vp9", 8, "a.webm", (".mkv", "libx264", "yuv420p")),
        ("mpeg4", 8, "a.avi", (".mp4", "libx264", "yuv420p")),
        ("hevc", 10, "a.mov", (".mov", "libx265", "yuv420p10le")),
        ("hevc", 12, "a.mkv", (".mkv", "libx265", "yuv420p12le")),
        ("prores", 10, "a.mov", (".mov", "prores", "yuv422p10le")),
        ("prores", 10, "a.mxf", (".mxf", "prores", "yuv422p10le")),
        ("prores", 10, "a.avi", (".mov", "prores", "yuv422p10le")),
        ("ffv1", 8, "a.mkv", (".mkv", "ffv1", "yuv420p")),
        ("ffv1", 8, "a.avi", (".mkv", "ffv1", "yuv420p")),
    ],
)
def test_codec_and_container_follow_the_source(
    tmp_path: Path, codec: str, depth: int, file: str, planned: tuple[str, str, str]
) -> None:
    info = info_of(tmp_path)
    info = replace(
        info,
        codec=codec,
        path=Path(file),
        container="matroska,webm" if file.endswith(("mkv", "webm")) else file[2:],
        coding=replace(info.coding, depth=depth),
    )
    plan = plan_output(info, None, EncodeOptions())
    assert (plan.suffix, plan.encoder, plan.pix_fmt) == planned


def test_odd_sizes_are_written_with_full_chroma_and_never_resized(tmp_path: Path) -> None:
    info = info_of(tmp_path, width=63)
    plan = plan_output(info, None, EncodeOptions())
    assert plan.coding.pix_fmt == "yuv444p"
    assert "63x48 is odd" in plan.notes[0]
    assert plan_output(info, None, EncodeOptions(codec="ffv1")).coding == info.coding


def test_rgb_is_written_as_bt709_with_full_chroma(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mov", Clip("png", "rgb24", tags=(1, 13, 0, 2)))
    target = tmp_path / "b.mp4"
    rewrite(source, target)
    info, written = describe(target)
    assert (info.coding.pix_fmt, info.coding.matrix, info.tags.matrix) == ("yuv444p", "bt709", 1)
    _, frames = describe(source)
    assert np.abs(to_rgb(written[5]) - to_rgb(frames[5])).mean() < 0.01


def test_eight_bit_rgb_stays_the_same_in_ffv1(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mov", Clip("png", "rgba", tags=(1, 13, 0, 2), count=3))
    target = tmp_path / "b.mkv"
    with Reader(source) as reader:
        plan = plan_output(reader.info, None, EncodeOptions(codec="ffv1"))
    rewrite(source, target, plan)
    for a, b in zip(describe(source)[1], describe(target)[1], strict=True):
        for x, y in zip(a.planes, b.planes, strict=True):
            np.testing.assert_array_equal(x, y)


def test_h265_in_mp4_carries_the_name_apple_looks_for(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", CONTRACT["h265-mp4"][1])
    rewrite(source, tmp_path / "b.mp4")
    assert b"hvc1" in (tmp_path / "b.mp4").read_bytes()


@pytest.mark.parametrize(
    ("suffix", "codec", "words"),
    [
        (".avi", None, "H.264 is not written to .avi"),
        (".mp4", "prores", "ProRes HQ is not written"),
    ],
)
def test_a_suffix_that_cannot_hold_the_codec_is_refused(
    tmp_path: Path, suffix: str, codec: Any, words: str
) -> None:
    with pytest.raises(TargetError, match=words):
        plan_output(info_of(tmp_path), suffix, EncodeOptions(codec=codec))


@pytest.mark.parametrize("options", [{"crf": 52}, {"codec": "vp9"}, {"codec": "ffv1", "crf": 3}])
def test_contradictory_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        EncodeOptions(**options)


@pytest.mark.parametrize(
    ("start", "frames", "rate", "moved"),
    [
        ("01:00:00:00", 25, Fraction(25), "01:00:01:00"),
        ("23:59:59:23", 1, Fraction(24000, 1001), "00:00:00:00"),
        ("00:00:59;29", 1, Fraction(30000, 1001), "00:01:00;02"),
        ("00:09:59;29", 1, Fraction(30000, 1001), "00:10:00;00"),
        ("00:00:00;00", 107892, Fraction(30000, 1001), "01:00:00;00"),
        ("00:00:59;59", 1, Fraction(60000, 1001), "00:01:00;04"),
        ("00:01:00;02", -1, Fraction(30000, 1001), "00:00:59;29"),
        ("00:00:01:00", 0, Fraction(120), "00:00:01:000"),
        ("00:00:01;00", 0, Fraction(25), None),
        ("now", 0, Fraction(25), None),
    ],
)
def test_timecode_is_counted_as_editors_count(
    start: str, frames: int, rate: Fraction, moved: str | None
) -> None:
    assert shift_timecode(start, frames, rate) == moved


DROP_FRAME = Fraction(30000, 1001)
PLATES = {"a.mov": "prores", "a.mxf": "prores", "a.mkv": "ffv1", "a.mp4": "libx264"}


@pytest.mark.parametrize("made", PLATES)
@pytest.mark.parametrize("written", ["b.mov", "b.mxf", "b.mkv", "b.mp4"])
def test_drop_frame_timecode_goes_from_any_container_to_any(
    tmp_path: Path, made: str, written: str
) -> None:
    pix_fmt = {"prores": "yuv422p10le", "ffv1": "yuv422p"}.get(PLATES[made], "yuv420p")
    clip = Clip(PLATES[made], pix_fmt, count=6, timecode="01:00:59;28", rate=DROP_FRAME)
    source = make_clip(tmp_path / made, clip)
    for start, timecode in ((None, "01:00:59;28"), (Fraction(3, 30), "01:01:00;03")):
        window: dict[str, Any] = {} if start is None else {"start_seconds": start}
        rewrite(source, tmp_path / written, **window)
        with Reader(tmp_path / written) as reader:
            assert reader.info.timecode == timecode
        rows = {row.what: row.verdict for row in verify(source, tmp_path / written, **window)}
        assert rows["timecode"] == rows["frames"] == "kept"
