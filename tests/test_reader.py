"""Reading clips: every shown frame, exact times, damage told, nothing foreign raised."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.video import format as pixel_formats
from av.video.stream import VideoStream
from media import STEP, TICKS, VFR, Clip, image, make_clip, pattern

from nightfx.errors import DamagedSourceError, SourceError
from nightfx.options.encode import EncodeOptions
from nightfx.picture.coding import coding_of, frame_of, planar_name
from nightfx.picture.frame import Frame
from nightfx.source.probe import tags_of
from nightfx.source.reader import Reader, early_words
from nightfx.target.codecs import plan_output


def read(path: Path, **window: float) -> list[Frame]:
    with Reader(path) as reader:
        return list(reader.frames(**window))


def times(frames: list[Frame]) -> list[tuple[int, int]]:
    return [(frame.pts, frame.duration) for frame in frames]


PLANAR = ["yuv420p", "yuv422p", "yuv444p", "yuv411p", "yuv420p10le", "yuv422p12le", "yuva444p10le"]
PLANAR += ["gray", "gray10le", "gbrp10le", "gbrp12le", "gbrp16le", "gbrap16le"]


@pytest.mark.parametrize("pix_fmt", PLANAR)
@pytest.mark.parametrize("size", [(48, 64), (31, 45)])
def test_lossless_clip_gives_back_the_very_codes(
    tmp_path: Path, pix_fmt: str, size: tuple[int, int]
) -> None:
    size = (31, 44) if pix_fmt == "yuv411p" and size[0] == 31 else size  # FFV1 wants whole fours
    tags = (1, 1, 0, 2) if "gb" in pix_fmt else (1, 1, 1, 1)
    clip = Clip(codec="ffv1", pix_fmt=pix_fmt, size=size, count=2, tags=tags)
    for index, frame in enumerate(read(make_clip(tmp_path / "a.mkv", clip))):
        assert frame.coding.pix_fmt == pix_fmt
        for got, made in zip(frame.planes, pattern(index, pix_fmt, size), strict=True):
            np.testing.assert_array_equal(got, made)
            assert got.flags.c_contiguous


def test_times_of_a_variable_rate_clip_are_exact(tmp_path: Path) -> None:
    frames = read(make_clip(tmp_path / "a.mp4", Clip(times=VFR)))
    assert [frame.pts for frame in frames] == VFR
    assert [frame.duration for frame in frames[:-1]] == np.diff(VFR).tolist()
    assert {frame.time_base for frame in frames} == {TICKS}


def test_first_frame_may_start_late(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", Clip(times=[5000 + STEP * i for i in range(6)]))
    with Reader(path) as reader:
        assert reader.info.start_pts == 5000
        assert [f.pts for f in reader.frames(start_seconds=2 / 24)] == [7000, 8000, 9000, 10000]


@pytest.mark.parametrize("options", [{"g": "5"}, {"x264-params": "keyint=7:open-gop=1:bframes=3"}])
def test_every_window_equals_the_slice_of_the_whole(
    tmp_path: Path, options: dict[str, str]
) -> None:
    path = make_clip(tmp_path / "a.mp4", Clip(count=40, options=options))
    whole = read(path)
    with Reader(path) as reader:
        for first in range(0, 40, 3):
            start, end = Fraction(first, 24), Fraction(first + 4, 24)
            got = list(reader.frames(start, end))
            assert times(got) == times(whole[first : first + 4])
            for a, b in zip(got, whole[first:], strict=False):
                np.testing.assert_array_equal(a.planes[0], b.planes[0])


def test_seconds_as_typed_mean_the_frame_shown_then(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mkv", Clip(codec="ffv1", times=[2400 * i for i in range(10)]))
    assert [f.pts for f in read(path, start_seconds=0.3, end_seconds=0.7)] == [300, 400, 500, 600]


def test_an_edit_list_hides_frames(tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "whole.mp4", Clip(count=30, options={"g": "30"}))
    cut = tmp_path / "cut.mp4"
    options = {"video_track_timescale": "24000"}
    with av.open(whole) as source, av.open(cut, "w", container_options=options) as out:
        stream = source.streams.video[0]
        copy = out.add_stream_from_template(stream, opaque=True)
        for packet in source.demux(stream):
            if packet.dts is not None and packet.pts is not None:
                packet.pts, packet.dts = packet.pts - 10 * STEP, packet.dts - 10 * STEP
                packet.stream = copy
                out.mux(packet)
    with Reader(cut) as reader:
        assert [f.pts for f in reader.frames()] == [STEP * i for i in range(20)]
        assert (reader.info.frames_claimed, reader.info.frames_estimate) == (30, 20)
        assert reader.notes == []


def test_missing_times_are_counted_on_from_the_rate(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.h264", Clip(container="h264", options={"bf": "0"}))
    with Reader(path) as reader:
        frames = list(reader.frames())
    steps = {b.pts - a.pts for a, b in pairwise(frames)}
    assert len(frames) == 12
    assert len(steps) == 1


def test_a_cover_picture_is_not_the_clip(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", Clip(cover=True))
    with Reader(path) as reader:
        assert len(list(reader.frames())) == 12
        assert reader.notes == ["the cover picture is not rendered"]


def test_the_first_of_two_video_streams_is_read_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(path, "w") as out:
        streams = [out.add_stream("ffv1", rate=24, width=w, height=16) for w in (32, 64)]
        for stream, width in zip(streams, (32, 64), strict=True):
            out.mux(stream.encode(image(pattern(0, "yuv420p", (16, width)), "yuv420p")))
            out.mux(stream.encode(None))
    with Reader(path) as reader:
        assert reader.info.width == 32
        assert reader.notes == ["2 video streams: rendering the first, 32x16 ffv1"]


def cut_short(path: Path, share: float = 0.6) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


TRUNCATED = {
    "a.mp4": Clip(count=48, container_options={"movflags": "faststart"}),
    "b.mp4": Clip(
        count=48, options={"g": "8"}, container_options={"movflags": "frag_keyframe+empty_moov"}
    ),
    "a.mkv": Clip(count=48),
    "b.mkv": Clip(count=48, codec="ffv1"),
    "a.mov": Clip(
        count=48,
        codec="prores_ks",
        pix_fmt="yuv422p10le",
        container_options={"movflags": "faststart"},
    ),
    "a.avi": Clip(count=48, codec="mpeg4", size=(240, 320)),
}


@pytest.mark.parametrize("name", TRUNCATED)
def test_a_truncated_clip_is_refused_and_its_frames_counted(tmp_path: Path, name: str) -> None:
    path = cut_short(make_clip(tmp_path / name, TRUNCATED[name]))
    with pytest.raises(
        DamagedSourceError, match=r"damaged: \d+ of about \d+ frames.* --keep-going"
    ) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    with Reader(path, keep_going=True) as reader:
        count = len(list(reader.frames()))
    assert 0 < count < 48
    assert f"damaged: {count} of about" in str(caught.value)
    assert any(note.startswith("damaged") and f"{count} of about" in note for note in reader.notes)


def test_a_broken_packet_inside_is_noticed(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", Clip(count=24, options={"g": "4", "bf": "0", "crf": "5"}))
    with av.open(path) as container:
        entry = list(container.streams.video[0].index_entries)[10]
    data = bytearray(path.read_bytes())
    data[entry.pos : entry.pos + entry.size] = b"\xff" * entry.size
    path.write_bytes(data)
    with pytest.raises(DamagedSourceError, match="--keep-going"):
        read(path)


@pytest.mark.parametrize("sound", [False, True])
def test_sound_files_are_never_called_damaged(tmp_path: Path, sound: bool) -> None:
    for name in ("a.mp4", "a.mov", "a.mkv", "a.ts"):
        clip = Clip(count=30, sound=sound)
        with Reader(make_clip(tmp_path / name, clip)) as reader:
            assert len(list(reader.frames())) == 30, name
            assert reader.notes == []


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: p.with_name("none.mp4"), "no such file"),
        (lambda p: p.parent, "is a folder"),
        (lambda p: p.write_text("hello, I am no film") and p, "not readable as a clip"),
        (lambda p: p.write_bytes(b"") is not None and p, "not readable as a clip"),
    ],
)
def test_what_is_no_clip_is_refused_in_one_line(tmp_path: Path, make, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SourceError, match=words) as caught:
        Reader(make(tmp_path / "a.mp4"))
    assert "\n" not in str(caught.value)


def test_a_file_with_sound_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with av.open(path, "w") as out:
        stream = out.add_stream("pcm_s16le", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.int16), "s16", "stereo")
        frame.rate = 48000
        out.mux(stream.encode(frame))
    with pytest.raises(SourceError, match="no video stream"):
        Reader(path)


def test_a_picture_that_changes_its_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.h264"
    parts = [Clip(size=(48, 64), container="h264"), Clip(size=(32, 64), container="h264")]
    data = [make_clip(tmp_path / f"{i}.h264", part).read_bytes() for i, part in enumerate(parts)]
    path.write_bytes(b"".join(data))
    with pytest.raises(SourceError, match="changes from 64x48 yuv420p to 64x32 yuv420p at"):
        read(path)


def test_a_reader_works_from_another_thread(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", Clip())
    found: list[Frame] = []
    worker = threading.Thread(target=lambda: found.extend(read(path)))
    worker.start()
    worker.join()
    assert len(found) == 12


def test_a_frame_that_says_nothing_more_is_held_once(tmp_path: Path) -> None:
    plain = make_clip(tmp_path / "plain.mkv", Clip(codec="ffv1"))
    assert {frame.origin for frame in read(plain)} == {None}
    flags = {"flags": "+ilme+ildct", "x264-params": "tff=1:asm=avx2"}
    woven = make_clip(tmp_path / "woven.mp4", Clip(codec="libx264", size=(96, 128), options=flags))
    assert None not in {frame.origin for frame in read(woven)}


def test_closing_a_reader_stops_its_frames(tmp_path: Path) -> None:
    with Reader(make_clip(tmp_path / "a.mp4", Clip())) as reader:
        frames = reader.frames()
        next(frames)
    assert list(frames) == []


SIBLINGS = {
    "nv12": "yuv420p",
    "nv21": "yuv420p",
    "nv16": "yuv422p",
    "nv24": "yuv444p",
    "p010le": "yuv420p10le",
    "p016le": "yuv420p16le",
    "p210le": "yuv422p10le",
    "uyvy422": "yuv422p",
    "yuyv422": "yuv422p",
    "y210le": "yuv422p10le",
    "rgb24": "gbrp",
    "bgr24": "gbrp",
    "rgb0": "gbrp",
    "rgba": "gbrap",
    "argb": "gbrap",
    "rgb48le": "gbrp16le",
    "rgb48be": "gbrp16le",
    "rgba64le": "gbrap16le",
    "x2rgb10le": "gbrp10le",
    "gray16be": "gray16le",
    "yuv420p10be": "yuv420p10le",
    "gbrp10be": "gbrp10le",
    "pal8": "gbrap",
}


@pytest.mark.parametrize("pix_fmt", [name for name in SIBLINGS if name != "pal8"])
@pytest.mark.parametrize("color_range", [1, 2])
def test_other_formats_are_laid_out_without_changing_a_sample(
    pix_fmt: str, color_range: int
) -> None:
    packed = av.VideoFrame(36, 22, pix_fmt)
    packed.color_range = color_range
    rng = np.random.default_rng(3)
    for plane in packed.planes:
        plane.update(rng.integers(0, 256, plane.buffer_size, np.uint8).tobytes())
    if pix_fmt in ("p010le", "p210le", "y210le", "yuv420p10be", "gbrp10be", "gray16be"):
        clear_padding(packed, pix_fmt)
    frame = frame_of(packed)
    assert frame.coding.pix_fmt == SIBLINGS[pix_fmt]
    for got, made in zip(frame.planes, unpacked(packed, pix_fmt), strict=True):
        np.testing.assert_array_equal(got, made)


def words(plane: av.video.plane.VideoPlane, kind: str) -> np.ndarray:
    return np.frombuffer(bytes(plane), kind).reshape(plane.height, -1)


def clear_padding(packed: av.VideoFrame, pix_fmt: str) -> None:
    """Ten-bit formats keep their other six bits zero."""
    kind = ">u2" if pix_fmt.endswith("be") else "<u2"
    mask = (
        {"p": 0xFFC0, "y": 0xFFC0}[pix_fmt[0]]
        if pix_fmt[0] in "p" or pix_fmt == "y210le"
        else 0x03FF
    )
    mask = 0xFFFF if pix_fmt == "gray16be" else mask
    for plane in packed.planes:
        plane.update((words(plane, kind) & mask).astype(kind).tobytes())


def unpacked(packed: av.VideoFrame, pix_fmt: str) -> list[np.ndarray]:
    """The same samples by definition of the format (our order), in plain numpy."""
    w, h = packed.width, packed.height
    if pix_fmt[0] in "np":  # luma, then chroma interleaved
        kind, shift = ("u1", 0) if pix_fmt[0] == "n" else ("<u2", 0 if "16" in pix_fmt else 6)
        luma, chroma = (words(plane, kind) >> shift for plane in packed.planes)
        cw = w if pix_fmt == "nv24" else w // 2
        both = [chroma[:, 0 : 2 * cw : 2], chroma[:, 1 : 2 * cw : 2]]
        return [luma[:, :w], *(both[::-1] if pix_fmt == "nv21" else both)]
    if pix_fmt in ("uyvy422", "yuyv422", "y210le"):
        samples = (
            words(packed.planes[0], "<u2")[:, : 2 * w] >> 6
            if pix_fmt == "y210le"
            else words(packed.planes[0], "u1")[:, : 2 * w]
        )
        first = 1 if pix_fmt == "uyvy422" else 0
        return [samples[:, first::2], samples[:, 1 - first :: 4], samples[:, 3 - first :: 4]]
    if pix_fmt in ("gray16be", "yuv420p10be", "gbrp10be"):
        planes = [words(plane, ">u2")[:, : plane.width] for plane in packed.planes]
        return (
            [planes[2], planes[0], planes[1]] if pix_fmt[0] == "g" and len(planes) == 3 else planes
        )
    if pix_fmt == "x2rgb10le":
        word = words(packed.planes[0], "<u4")[:, :w]
        return [word >> shift & 1023 for shift in (20, 10, 0)]
    kind = {"rgb48le": "<u2", "rgb48be": ">u2", "rgba64le": "<u2"}.get(pix_fmt, "u1")
    count = 3 if pix_fmt in ("rgb24", "bgr24", "rgb48le", "rgb48be") else 4
    samples = words(packed.planes[0], kind)[:, : count * w].reshape(h, w, count)
    order = {"bgr24": [2, 1, 0], "argb": [1, 2, 3, 0], "rgb0": [0, 1, 2]}.get(pix_fmt, range(count))
    return [samples[..., i] for i in order]


def test_a_palette_is_looked_up() -> None:
    packed = av.VideoFrame(8, 4, "pal8")
    table = np.arange(1024, dtype=np.uint32).astype(np.uint8).reshape(256, 4)  # B, G, R, A
    packed.planes[0].update(bytes(range(packed.planes[0].buffer_size)))
    packed.planes[1].update(table.tobytes())
    index = words(packed.planes[0], "u1")[:, :8]
    frame = frame_of(packed)
    for got, column in zip(frame.planes, (2, 1, 0, 3), strict=True):
        np.testing.assert_array_equal(got, table[index, column])


@pytest.mark.parametrize("pix_fmt", ["gbrpf32le", "grayf32le", "bayer_rggb8", "ya8", "yuv410p"])
def test_float_formats_are_refused_by_name(pix_fmt: str) -> None:
    with pytest.raises(SourceError, match=pix_fmt):
        planar_name(pix_fmt)


def test_every_pixel_format_is_laid_out_as_planes_or_refused_in_a_line() -> None:
    for pix_fmt in sorted(vars(pixel_formats)["names"]):
        try:
            made = av.VideoFrame(64, 48, pix_fmt)
        except av.FFmpegError:
            continue  # of graphics cards: no decoder gives it
        with suppress(SourceError):
            frame = frame_of(made)
            sizes = [frame.coding.plane_size(i, 48, 64) for i in range(frame.coding.plane_count)]
            assert [plane.shape for plane in frame.planes] == sizes


def test_untagged_means_bt709_from_720_lines_and_bt601_below() -> None:
    big, small = (coding_of(av.VideoFrame(64, rows, "yuv420p")) for rows in (720, 576))
    assert (big.matrix, small.matrix, big.full_range) == ("bt709", "bt601", False)
    assert coding_of(av.VideoFrame(64, 64, "yuvj420p")).full_range
    assert coding_of(av.VideoFrame(64, 64, "gbrp")).full_range


def test_a_matrix_that_is_not_linear_is_refused_by_name() -> None:
    strange = av.VideoFrame(64, 64, "yuv420p")
    strange.colorspace = 14
    with pytest.raises(SourceError, match="ICtCp"):
        coding_of(strange)


B_FRAMES = Clip(
    count=12, rate=Fraction(25), options={"x264-params": "bframes=2:scenecut=0:asm=avx2"}
)


@pytest.mark.parametrize(("name", "late"), [("a.avi", 2), ("a.asf", 2), ("a.mxf", 0)])
def test_where_a_container_has_no_times_of_showing_pictures_are_shown_as_they_leave_the_decoder(
    tmp_path: Path, name: str, late: int
) -> None:
    known = read(make_clip(tmp_path / "a.mp4", B_FRAMES))
    with Reader(make_clip(tmp_path / name, B_FRAMES)) as reader:
        frames = list(reader.frames())
        some = list(reader.frames(*reader.times_of(1003, 1006)))
    seconds = [frame.pts * frame.time_base for frame in frames]
    assert seconds == [Fraction(late + index, 25) for index in range(12)]
    assert [frame.pts for frame in some] == [frame.pts for frame in frames[2:6]]
    for frame, same in zip([*frames, *some], [*known, *known[2:6]], strict=True):
        np.testing.assert_array_equal(frame.planes[0], same.planes[0])
    assert not reader.notes


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(50)])
@pytest.mark.parametrize(("form", "codec"), [("h264", "libx264"), ("mpeg2video", "mpeg2video")])
def test_a_stream_without_container_has_the_rate_of_its_pictures(
    tmp_path: Path, rate: Fraction, form: str, codec: str
) -> None:
    clip = Clip(codec=codec, container=form, count=6, rate=rate)
    with Reader(make_clip(tmp_path / "a.bin", replace(clip, times=range(6)))) as reader:
        frames = list(reader.frames())
    steps = {(b.pts - a.pts) * a.time_base for a, b in pairwise(frames)}
    assert (reader.info.rate, steps, len(frames)) == (rate, {1 / rate}, 6)
    words = f"a stream without times: its frames are counted at {float(rate):.3f} fps"
    assert reader.notes == [words]


@pytest.mark.parametrize(
    ("rate", "size", "pix_fmt"),
    [(Fraction(25), (576, 720), "yuv420p"), (Fraction(30000, 1001), (480, 720), "yuv411p")],
)
def test_dv_has_the_rate_of_its_pictures_and_not_of_its_clock(
    tmp_path: Path, rate: Fraction, size: tuple[int, int], pix_fmt: str
) -> None:
    clip = Clip("dvvideo", pix_fmt, size, count=3, rate=rate, container="dv")
    with Reader(make_clip(tmp_path / "a.dv", clip)) as reader:
        times = [frame.pts * frame.time_base for frame in reader.frames()]
    assert (reader.info.rate, reader.info.frames_estimate) == (rate, 3)
    assert times == [0, 1 / rate, 2 / rate]


def joined(tmp_path: Path, *clips: Clip) -> Path:
    """One stream after another, as `cat` joins them; each begins where the one before ends."""
    whole = b""
    for index, clip in enumerate(clips):
        first = sum(each.count for each in clips[:index])
        timed = replace(clip, times=range(first, first + clip.count), container="mpegts")
        whole += make_clip(tmp_path / f"{index}.ts", timed).read_bytes()
    path = tmp_path / "joined.ts"
    path.write_bytes(whole)
    return path


PLAIN = Clip(count=4, rate=Fraction(25))
CHANGES: list[tuple[Clip, str]] = [
    (replace(PLAIN, tags=(9, 16, 9, 1)), "from colour 1/1/1 .bt709, limited. to 9/16/9 .bt2020, limited."),
    (replace(PLAIN, tags=(1, 1, 1, 2)), "from colour 1/1/1 .bt709, limited. to 1/1/1 .bt709, full."),
    (replace(PLAIN, tags=(9, 1, 1, 1)), "to 9/1/1"),
    (replace(PLAIN, aspect=Fraction(64, 45)), "the pixel aspect changes from 1 to 64/45"),
]  # fmt: skip


@pytest.mark.parametrize(("other", "words"), CHANGES)
def test_a_clip_that_changes_what_its_codes_mean_is_refused(
    tmp_path: Path, other: Clip, words: str
) -> None:
    path = joined(tmp_path, PLAIN, other)
    with Reader(path, keep_going=True) as reader, pytest.raises(SourceError, match=words):
        list(reader.frames())
    assert any("split the clip there" in line for line in early_words(path))


def test_what_is_said_later_or_no_more_changes_nothing(tmp_path: Path) -> None:
    path = joined(tmp_path, replace(PLAIN, tags=(1, 1, 6, 1)), replace(PLAIN, tags=(2, 2, 2, 0)))
    with Reader(path, keep_going=True) as reader:
        assert len(list(reader.frames())) == 8


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
@pytest.mark.parametrize("name", ["a.webm", "a.mkv"])
def test_alpha_beside_pictures_is_decoded(tmp_path: Path, codec: str, name: str) -> None:
    alphas = [np.full((48, 64), 40 + 60 * index, np.uint8) for index in range(4)]
    with av.open(tmp_path / name, "w") as out:
        options = {"auto-alt-ref": "0", "crf": "4", "b": "2M"}
        video = out.add_stream(codec, rate=25, options=options, pix_fmt="yuva420p")
        assert isinstance(video, VideoStream)
        video.width, video.height, video.metadata["alpha_mode"] = 64, 48, "1"
        for index, alpha in enumerate(alphas):
            made = image((*pattern(0, "yuva420p", (48, 64))[:3], alpha), "yuva420p")
            made.pts, made.time_base = index, Fraction(1, 25)
            out.mux(video.encode(made))
        out.mux(video.encode(None))
    with Reader(tmp_path / name) as reader:
        frames = [*reader.frames(), *reader.frames(0.08)]
        plan = plan_output(reader.info, None, EncodeOptions())
    assert (plan.codec, plan.coding.has_alpha, plan.notes) == ("ffv1", True, ())
    for frame, alpha in zip(frames, [*alphas, *alphas[2:]], strict=True):
        assert frame.alpha is not None
        assert np.abs(frame.alpha.astype(int) - alpha).max() <= 2


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
@pytest.mark.parametrize("tags", [(2, 2, 2, 0), (9, 14, 9, 1)])
def test_a_picture_with_alpha_beside_it_says_the_colour_of_one_without(
    tmp_path: Path, codec: str, tags: tuple[int, int, int, int]
) -> None:
    clip = Clip(codec, "yuva420p", count=2, tags=tags, options={"auto-alt-ref": "0"})
    path = make_clip(tmp_path / "a.webm", clip)
    with av.open(path) as container:
        plain = tags_of(next(container.decode(video=0)))
    with Reader(path) as reader:
        assert reader.info.coding.has_alpha
        assert reader.info.tags == plain


def test_alpha_that_does_not_decode_is_said_to_be_dropped(tmp_path: Path) -> None:
    with Reader(make_clip(tmp_path / "a.mkv", Clip(count=2))) as reader:
        info = replace(reader.info, alpha_beside=True)
    (line,) = plan_output(info, None, EncodeOptions()).notes
    assert line == "alpha beside the pictures does not decode: it is dropped"


def begun_anew(tmp_path: Path, suffix: str, count: int = 2) -> Path:
    """The same second of picture and sound several times, as `cat` joins it."""
    part = tmp_path / f"part{suffix}"
    clip = Clip(codec="mpeg2video", count=10, rate=Fraction(25), options={"bf": "2", "g": "10"})
    make_clip(part, clip)
    path = tmp_path / f"joined{suffix}"
    path.write_bytes(part.read_bytes() * count)
    return path


@pytest.mark.parametrize("suffix", [".ts", ".mpg", ".vob"])
def test_times_that_begin_anew_go_on(tmp_path: Path, suffix: str) -> None:
    path = begun_anew(tmp_path, suffix, 3)
    part = read(tmp_path / f"part{suffix}")
    with Reader(path) as reader:
        frames = list(reader.frames())
        later = list(reader.frames(*reader.times_of(1013, 1022)))
    assert {(b.pts - a.pts) * a.time_base for a, b in pairwise(frames)} == {Fraction(1, 25)}
    assert [frame.pts for frame in later] == [frame.pts for frame in frames[12:22]]
    for frame, same in zip(frames, [*part, *part, *part], strict=True):
        np.testing.assert_array_equal(frame.planes[0], same.planes[0])
    words = [
        f"times begin anew at {at} s: picture and sound go on there" for at in ("0.40", "0.80")
    ]
    assert (reader.notes, early_words(path)) == (words, words)


def test_a_joint_excuses_no_damage(tmp_path: Path) -> None:
    path = begun_anew(tmp_path, ".ts")
    data = bytearray(path.read_bytes())
    place = len(data) // 4 // 188 * 188
    del data[place : place + 188 * 3]
    path.write_bytes(bytes(data))
    with pytest.raises(DamagedSourceError, match="damaged"), Reader(path) as reader:
        list(reader.frames())


def test_what_nobody_reads_any_more_is_closed_while_the_reader_stays_open(tmp_path: Path) -> None:
    path, held = make_clip(tmp_path / "clip.mkv"), Path("/proc/self/fd")
    if not held.is_dir():
        pytest.skip("open files are counted by Linux")
    with Reader(path) as reader:
        before = len(list(held.iterdir()))
        for _ in range(8):
            next(reader.frames())
        assert len(list(held.iterdir())) <= before + 1
