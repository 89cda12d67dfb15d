"""Interlaced clips: no combs by default, the very fields where they are kept, and always a frame for a frame."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from media import STEP, TICKS, image, pattern
from test_render import frames_of

import nightfx
from nightfx.errors import SourceError, TargetError, UsageError
from nightfx.network.presets import Preset
from nightfx.options.encode import CodecChoice, EncodeOptions
from nightfx.picture.coding import ColorTags
from nightfx.picture.color import to_rgb
from nightfx.picture.encoding import hdr, to_working
from nightfx.picture.frame import Planes
from nightfx.source.interlace import deinterlaced, split, woven
from nightfx.source.reader import Reader
from nightfx.target.tags import tag_encoder

SIZE = (48, 64)
KEPT = nightfx.RenderOptions.of(interlaced="keep")


def combed(index: int, pix_fmt: str, size: tuple[int, int]) -> Planes:
    """Two moments in one picture: grey 60 in the even lines, and a bright bar that moves in the odd ones."""
    planes = pattern(0, pix_fmt, size)
    for plane in planes:
        plane[:] = 60 if plane is planes[0] else 128
    planes[0][1::2, 4 * index : 4 * index + 8] = 200
    return planes


def interlaced(
    path: Path,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    order: str = "tff",
    transfer: int = 1,
) -> Path:
    options = {"flags": "+ilme+ildct"}
    if codec == "libx264":
        options |= {"x264-params": f"{order}=1", "crf": "1"}
    with av.open(path, "w", container_options={"video_track_timescale": "24000"}) as out:
        video = out.add_stream(codec, rate=24, options=options)
        assert isinstance(video, VideoStream)
        video.height, video.width, video.pix_fmt = *SIZE, pix_fmt
        video.codec_context.time_base = TICKS
        tags = (1, 1, 1) if transfer == 1 else (9, transfer, 9)
        tag_encoder(video.codec_context, ColorTags(*tags, 1))
        for index in range(6):
            planes = combed(index, pix_fmt, SIZE)
            if pix_fmt.endswith("10le"):
                planes = tuple(plane << 2 for plane in planes)
            out.mux(video.encode(image(planes, pix_fmt, STEP * index)))
        out.mux(video.encode(None))
    return path


def comb(luma: np.ndarray) -> float:
    """How much each line differs from the mean of its neighbours."""
    rows = luma.astype(float)
    return float(np.abs(rows[1:-1] - (rows[:-2] + rows[2:]) / 2).mean())


def test_combs_go_and_frames_stay(
    tmp_path: Path, identity: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    source = interlaced(tmp_path / "a.mov", "prores", "yuv422p10le")
    with caplog.at_level(logging.WARNING):
        target = nightfx.render(source, preset=identity)
    assert "interlaced: deinterlaced, a frame for a frame (--interlaced keep" in caplog.text
    before, after = frames_of(source), frames_of(target)
    assert [f.pts for f in after] == [f.pts for f in before]
    for a, b in zip(before, after, strict=True):
        assert comb(b.planes[0]) < 0.55 * comb(a.planes[0])
        assert np.abs(b.planes[0][2:-2:2].astype(float) - 240).mean() < 4  # the first field stays
    with Reader(target) as reader:
        assert not reader.info.interlaced


def changing(tmp_path: Path) -> Path:
    """Three progressive frames, and interlaced ones behind them."""
    parts: list[bytes] = []
    for name, options in (("a.ts", {}), ("b.ts", {"flags": "+ilme+ildct", "x264-params": "tff=1"})):
        with av.open(tmp_path / name, "w") as out:
            video = out.add_stream("libx264", rate=25, options=options | {"crf": "1", "bf": "0"})
            assert isinstance(video, VideoStream)
            video.height, video.width, video.pix_fmt = *SIZE, "yuv420p"
            video.codec_context.time_base = Fraction(1, 25)
            for index in range(3):
                made = image(combed(index, "yuv420p", SIZE), "yuv420p")
                made.pts, made.time_base = index + 3 * len(parts), Fraction(1, 25)
                out.mux(video.encode(made))
            out.mux(video.encode(None))
        parts.append((tmp_path / name).read_bytes())
    path = tmp_path / "changing.ts"
    path.write_bytes(b"".join(parts))
    return path


def test_each_frame_is_filled_up_by_its_own_flag(tmp_path: Path) -> None:
    with Reader(changing(tmp_path), keep_going=True) as reader:
        plain = list(reader.frames())
        filled = list(deinterlaced(reader.frames()))
        later = list(deinterlaced(plain[2:]))
    assert not reader.info.interlaced
    assert "turns interlaced at 0.12 s: each frame is read by its own flag" in reader.notes
    assert [frame.pts for frame in filled] == [frame.pts for frame in plain]
    for index, (own, shown) in enumerate(zip(plain, filled, strict=True)):
        assert np.array_equal(own.planes[0], shown.planes[0]) == (index < 3)
        assert (comb(shown.planes[0]) > 10) == (index < 3)
    for whole, part in zip(filled[2:], later, strict=True):  # a seek shows the frame before alone
        np.testing.assert_array_equal(whole.planes[0], part.planes[0])


def test_fields_are_not_kept_of_a_clip_that_turns_interlaced(
    tmp_path: Path, identity: Preset
) -> None:
    options = nightfx.RenderOptions.of(interlaced="keep", keep_going=True)
    with pytest.raises(SourceError, match=r"turns interlaced at 0.12 s: split the clip there"):
        nightfx.render(changing(tmp_path), tmp_path / "b.mov", preset=identity, options=options)


@pytest.mark.parametrize(
    ("file", "codec", "pix_fmt", "order"),
    [
        ("a.mp4", "libx264", "yuv420p", "tff"),
        ("a.mkv", "libx264", "yuv420p", "bff"),
        ("a.mov", "prores", "yuv422p10le", "tff"),
    ],
)
def test_fields_are_kept_one_by_one(
    tmp_path: Path, file: str, codec: str, pix_fmt: str, order: str, halving: Preset
) -> None:
    source = interlaced(tmp_path / file, codec, pix_fmt, order)
    target = nightfx.render(source, preset=halving, options=KEPT)
    with Reader(source) as old, Reader(target) as new:
        assert (new.info.interlaced, new.info.field_order) == (True, old.info.field_order)
    before, after = frames_of(source), frames_of(target)
    assert [f.pts for f in after] == [f.pts for f in before]
    unit = 1 << (before[0].coding.depth - 8)
    for a, b in zip(before, after, strict=True):
        wanted = (a.planes[0].astype(float) - 16 * unit) / 2 + 16 * unit
        assert np.abs(b.planes[0] - wanted).mean() < 2 * unit
        assert comb(b.planes[0]) > 0.4 * comb(a.planes[0])


@pytest.mark.parametrize("transfer", [16, 18], ids=["pq", "hlg"])
def test_fields_of_hdr_are_kept_in_hdr(
    tmp_path: Path, transfer: int, identity: Preset, halving: Preset
) -> None:
    source = interlaced(tmp_path / "a.mp4", pix_fmt="yuv420p10le", transfer=transfer)
    options = nightfx.RenderOptions.of(interlaced="keep", encode=EncodeOptions(codec="ffv1"))
    before = frames_of(source)
    for preset in (identity, halving):
        target = nightfx.render(
            source, tmp_path / f"{preset.name}.mkv", preset=preset, options=options
        )
        with Reader(target) as reader:
            assert (reader.info.interlaced, reader.info.tags.transfer) == (True, transfer)
        after = frames_of(target)
        encoding = hdr("pq" if transfer == 16 else "hlg", 9)
        for a, b in zip(before, after, strict=True):
            if preset is identity:
                assert all(np.array_equal(x, y) for x, y in zip(a.planes, b.planes, strict=True))
            else:
                seen, lit = (to_working(to_rgb(f), encoding)[1, 8:-8, 8:-8] for f in (a, b))
                assert np.abs(lit - seen / 2).mean() < 0.01
                assert comb(b.planes[0]) > 0.4 * comb(a.planes[0])


@pytest.mark.parametrize("order", ["tff", "bff"])
def test_splitting_and_weaving_is_nothing(tmp_path: Path, order: str) -> None:
    with Reader(interlaced(tmp_path / "a.mp4", order=order)) as reader:
        frames = list(reader.frames())
        fields = list(split(frames, reader.info))
        first = 1 if order == "bff" else 0
        np.testing.assert_array_equal(fields[0].planes[0], frames[0].planes[0][first::2])
        times = [field.pts * field.time_base for field in fields]
        assert times == sorted(set(times))
        for a, b in zip(frames, woven(fields, reader.info), strict=True):
            assert (a.pts, a.duration, a.time_base) == (b.pts, b.duration, b.time_base)
            assert all(np.array_equal(x, y) for x, y in zip(a.planes, b.planes, strict=True))


@pytest.mark.parametrize("codec", ["h265", "av1", "prores-4444"])
def test_a_codec_without_fields_is_refused_for_them(
    tmp_path: Path, codec: CodecChoice, identity: Preset
) -> None:
    source = interlaced(tmp_path / "a.mp4")
    options = nightfx.RenderOptions.of(interlaced="keep", encode=EncodeOptions(codec=codec))
    if codec == "prores-4444":
        with Reader(nightfx.render(source, preset=identity, options=options)) as reader:
            assert reader.info.interlaced
        return
    with pytest.raises(TargetError, match=f"fields cannot be kept in {codec}: use --codec h264"):
        nightfx.render(source, preset=identity, options=options)


def test_fields_and_passes_do_not_go_together(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="leave out --interlaced keep"):
        nightfx.RenderOptions.of(interlaced="keep", passes=tmp_path)
    with pytest.raises(UsageError, match="must be deinterlace or keep, got 'weave'"):
        nightfx.RenderOptions.of(interlaced="weave")
