"""Small clips, sequences and pictures to render, each of a kind that takes another way through a render."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

TICKS = Fraction(1, 24000)
STEP = 1000  # ticks of a frame at 24 frames a second
HOUR = 3600 * 24  # frames
RATE = 48000  # samples of sound a second
BT709, PQ, HLG = (1, 1, 1, 1), (9, 16, 9, 1), (9, 18, 9, 1)  # primaries, transfer, matrix, range
UNTAGGED, FULL = (2, 2, 2, 1), (1, 1, 1, 2)
MASTERING = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
HDR10 = f"log-level=none:hdr10=1:repeat-headers=1:master-display={MASTERING}:max-cll=1000,400"
QUIET = {"x265-params": "log-level=none"}
FIELDS = {"flags": "+ilme+ildct", "x264-params": "tff=1"}
SUBTITLES = "1\n00:00:00,000 --> 00:00:00,200\nBlue hour\n"
BATCH_SETTINGS = "exposure = 0.25\n\n['b*']\nfield-every = 2\n"
FULL_CODE = 65535

Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class Clip:
    """A clip to make; the defaults are plain H.264 at 24 frames a second."""

    file: str
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    size: tuple[int, int] = (96, 128)
    """Height and width in px."""
    count: int = 8
    tags: tuple[int, int, int, int] = BT709
    """Primaries, transfer, matrix and range, as FFmpeg numbers them."""
    options: dict[str, str] = field(default_factory=dict)
    times: Sequence[int] = ()
    """In ticks; by default all frames are equally far apart."""
    cut_at: int = 0
    """Another shot begins at this frame."""
    sound: str = ""
    """The codec of a track of sound."""
    timecode: str = ""
    rotation: int = 0
    """In degrees, as a camera on its side notes it."""
    aspect: Fraction = Fraction(1)
    """Width of a pixel by its height."""
    has_chapters: bool = False
    subtitles: Path | None = None

    @property
    def pts(self) -> list[int]:
        """The time of each frame, in ticks."""
        return list(self.times) or [STEP * index for index in range(self.count)]


PRORES = {"codec": "prores_ks", "pix_fmt": "yuv422p10le"}
FFV1 = {"codec": "ffv1"}
CLIPS = (
    Clip("plain.mp4", sound="aac"),
    Clip("wide.mp4", size=(136, 200), count=3),
    Clip("long.mp4", size=(48, 64), count=320, cut_at=250, sound="aac"),
    Clip("vfr.mkv", times=[0, 1000, 1500, 4000, 4125, 9000, 10000, 11125]),
    Clip("full.mp4", pix_fmt="yuv444p", tags=FULL),
    Clip("untagged.mp4", tags=UNTAGGED, aspect=Fraction(4, 3)),
    Clip("turned.mp4", rotation=90, count=4),
    Clip("fields.mov", options=FIELDS, count=6),
    Clip("ten.mov", **PRORES, sound="pcm_s24le", timecode="01:02:03:04"),  # type: ignore[arg-type]  # texts all
    Clip("log.mov", **PRORES, count=4),  # type: ignore[arg-type]  # texts all
    Clip("alpha.mov", "prores_ks", "yuva444p10le", count=4),
    Clip("alpha.mkv", "ffv1", "yuva420p", count=4),
    Clip("twelve.mkv", "ffv1", "yuv422p12le", count=4),
    Clip("sixteen.mkv", "ffv1", "yuv444p16le", count=4),
    Clip("rgb.mkv", "ffv1", "gbrp10le", count=4, tags=(1, 1, 0, 2)),
    Clip("rgb8.mkv", "ffv1", "bgr0", count=4, tags=(1, 1, 0, 2)),
    Clip("grey.mkv", "ffv1", "gray", count=4),
    Clip("grey16.mkv", "ffv1", "gray16le", count=4),
    Clip("matte.mkv", "ffv1", "gray", tags=FULL),
    Clip("pq.mp4", "libx265", "yuv420p10le", tags=PQ, options={"x265-params": HDR10}),
    Clip("hlg.mp4", "libx265", "yuv420p10le", tags=HLG, options=QUIET),
    Clip("big.mxf", "dnxhd", "yuv422p10le", (144, 256), 4, options={"profile": "dnxhr_hqx"},
         sound="pcm_s16le", timecode="10:00:00:00"),
    Clip("shots/a.mp4", sound="aac"),
    Clip("shots/day1/b.mkv", "ffv1"),
    Clip("media/A001C002.mov", **PRORES, count=24, timecode="01:00:00:00"),  # type: ignore[arg-type]  # texts all
    Clip("media/plain.mov", **PRORES, count=24),  # type: ignore[arg-type]  # texts all
)  # fmt: skip


def make_inputs(folder: Path, street: Path) -> Path:
    """Write all inputs into `folder`, of `street` a link or a copy; returns the folder."""
    for clip in CLIPS:
        (folder / clip.file).parent.mkdir(parents=True, exist_ok=True)
        write_clip(folder / clip.file, clip)
    (folder / "street.mp4").write_bytes(street.read_bytes())
    (folder / "box.srt").write_text(SUBTITLES, encoding="utf-8")
    box = Clip("box.mkv", sound="flac", has_chapters=True, subtitles=folder / "box.srt")
    write_clip(folder / box.file, box)
    (folder / "shots/day1/nightfx.toml").write_text(BATCH_SETTINGS, encoding="utf-8")
    whole = (folder / "shots/day1/b.mkv").read_bytes()
    (folder / "damaged.mkv").write_bytes(whole[: len(whole) * 2 // 3])
    write_sequences(folder)
    write_stills(folder)
    write_cut(folder / "cut.otio")
    return folder


def scene(index: int, height: int, width: int, *, cut_at: int = 0) -> Pixels:
    """A street by day in a few strokes, RGBA (H, W, 4) in [0, 1]: sky, ground, a car that drives, its lamp, and noise."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    y, x = y / height, x / width
    if cut_at and index >= cut_at:  # the other way round, and darker
        x, y = 1 - x, 0.4 + 0.6 * y
    sky = np.stack([0.45 + 0.3 * y, 0.65 + 0.2 * y, 0.95 - 0.1 * y], -1)
    ground = np.stack([0.25 + 0.3 * x, 0.3 + 0.2 * x * y, 0.3 - 0.1 * x], -1)
    picture = np.where((y < 0.45 + 0.08 * np.sin(9 * x))[..., None], sky, ground)
    picture[_box(x, y, 0.1 + 0.02 * index, 0.6, 0.25, 0.2)] = 0.12, 0.1, 0.16
    picture[_box(x, y, 0.3 + 0.02 * index, 0.65, 0.06, 0.06)] = 0.98, 0.96, 0.85
    picture += np.random.default_rng(index).normal(0, 0.01, picture.shape)
    return np.dstack([picture.clip(0.02, 0.98), 0.25 + 0.75 * x]).astype(np.float32)


def _box(x: Pixels, y: Pixels, left: float, top: float, width: float, height: float) -> Any:
    left %= 1
    return (x >= left) & (x < left + width) & (y >= top) & (y < top + height)


def write_clip(path: Path, clip: Clip, frames: Iterable[av.VideoFrame] | None = None) -> None:
    """Write a clip with its sound, subtitles and chapters; by default with its own frames."""
    ticks = {"video_track_timescale": "24000", "movie_timescale": "24000"}
    ticks = ticks if path.suffix in (".mp4", ".mov") else {}
    with av.open(path, "w", container_options=ticks) as out:
        out.metadata["title"] = path.stem
        if clip.has_chapters:
            out.set_chapters([_chapter(0, 0, 100), _chapter(1, 100, 300)])
        video = _add_video(out, clip)
        sound = out.add_stream(clip.sound, rate=RATE, layout="stereo") if clip.sound else None
        words = list(_subtitles(out, clip.subtitles)) if clip.subtitles else []
        for frame in frames or frames_of(clip):
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        if isinstance(sound, av.AudioStream):
            for samples in _samples(clip):
                out.mux(sound.encode(samples))
            out.mux(sound.encode(None))
        for packet in words:
            out.mux(packet)


def _add_video(out: av.container.OutputContainer, clip: Clip) -> VideoStream:
    video = out.add_stream(clip.codec, rate=24, options=clip.options)
    assert isinstance(video, VideoStream)
    context = video.codec_context
    context.height, context.width = clip.size
    context.pix_fmt = clip.pix_fmt
    context.time_base = (
        Fraction(1, 24) if clip.file.endswith(".mxf") else TICKS
    )  # MXF counts frames
    context.sample_aspect_ratio = clip.aspect
    context.color_primaries, context.color_trc, context.colorspace, context.color_range = clip.tags
    if clip.rotation:
        video.set_display_rotation(clip.rotation)
    if clip.timecode:
        video.metadata["timecode"] = clip.timecode
    return video


def frames_of(clip: Clip) -> Iterator[av.VideoFrame]:
    """The frames of a clip, with its times and tags."""
    for index, pts in enumerate(clip.pts):
        codes = (scene(index, *clip.size, cut_at=clip.cut_at) * FULL_CODE).astype(np.uint16)
        made = av.VideoFrame.from_ndarray(np.ascontiguousarray(codes), "rgba64le")
        made = made.reformat(format=clip.pix_fmt, threads=1)
        made.pts, made.time_base = pts, TICKS
        made.color_primaries, made.color_trc, made.colorspace, made.color_range = clip.tags
        yield made


def _samples(clip: Clip) -> Iterator[av.AudioFrame]:
    seconds = float((clip.pts[-1] + STEP) * TICKS)
    wave = 0.2 * np.sin(np.arange(int(seconds * RATE)) * 0.05)
    for start in range(0, len(wave) - 1023, 1024):
        block = np.tile(wave[start : start + 1024], (2, 1)).astype(np.float32)
        made = av.AudioFrame.from_ndarray(block, "fltp", "stereo")
        made.pts, made.rate, made.time_base = start, RATE, Fraction(1, RATE)
        yield made


def _subtitles(out: av.container.OutputContainer, path: Path) -> Iterator[av.Packet[Any]]:
    with av.open(path) as source:
        track = out.add_stream_from_template(source.streams[0], opaque=True)
        for packet in source.demux(0):
            if packet.dts is not None:
                packet.stream = track
                yield packet


def _chapter(number: int, start: int, end: int) -> av.container.core.Chapter:
    times = {"start": start, "end": end, "time_base": Fraction(1, 1000)}
    return {"id": number, **times, "metadata": {"title": f"part {number}"}}  # type: ignore[typeddict-item]  # as PyAV reads it


def write_cut(path: Path) -> None:
    """A timeline of two clips in `media`, one of them used twice; none without OpenTimelineIO."""
    try:
        import opentimelineio as otio
    except ImportError:
        return
    track = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
    for name, start, length in (
        ("A001C002", HOUR + 10, 5),
        ("plain", 4, 6),
        ("A001C002", HOUR + 2, 4),
    ):
        times = [(HOUR if start >= HOUR else 0, 24), (start, length)]
        available, shown = (
            otio.opentime.TimeRange(*(otio.opentime.RationalTime(value, 24) for value in pair))
            for pair in times
        )
        media = otio.schema.ExternalReference(f"{name}.mov", available)
        track.append(otio.schema.Clip(name, media, shown))
    timeline = otio.schema.Timeline("cut")
    timeline.tracks.append(track)
    otio.adapters.write_to_file(timeline, str(path))


def write_sequences(folder: Path) -> None:
    """Sequences of EXR, DPX and PNG; of the last one number is missing, and of the one of many files none."""
    for name in ("exr", "float", "dpx", "png", "many", "shots/plates"):
        (folder / name).mkdir(exist_ok=True)
    for number in range(1001, 1006):
        picture = scene(number - 1001, 96, 128)
        light = 4 * picture**2.2  # linear, to four times white
        write_film(folder / f"exr/shot.{number}.exr", light[..., :3], "half")
        write_film(folder / f"float/shot.{number}.exr", light, "float")
        write_film(folder / f"dpx/shot.{number}.dpx", picture[..., :3], "uint10")
        if number != 1003:
            write_film(folder / f"png/shot.{number}.png", picture[..., :3], "uint16")
    for index in range(64):
        write_film(folder / f"many/f.{1 + index:04}.png", scene(index, 24, 32)[..., :3], "uint8")
    for number in (1001, 1002):
        small = scene(number, 48, 64)[..., :3]
        write_film(folder / f"shots/plates/plate.{number}.png", small, "uint8")


def write_film(path: Path, pixels: Pixels, kind: str) -> None:
    """Write a picture by OpenImageIO, as `half`, `float`, `uint8`, `uint10` or `uint16`."""
    import OpenImageIO

    deep = "uint16" if kind == "uint10" else kind
    spec = OpenImageIO.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], deep)
    if kind == "uint10":
        spec.attribute("oiio:BitsPerSample", 10)
    if path.suffix == ".exr":
        timecode = OpenImageIO.TypeDesc("timecode")
        spec.attribute("smpte:TimeCode", timecode, (0x01020304, 0))
        spec.attribute("owner", "a post house")
    out = OpenImageIO.ImageOutput.create(str(path))
    if out is None or not out.open(str(path), spec):
        raise SystemExit(f"{path}: OpenImageIO cannot write it: {OpenImageIO.geterror()}")
    out.write_image(np.ascontiguousarray(pixels))
    out.close()


def write_stills(folder: Path) -> None:
    """Pictures of 8 and 16 bits, with and without alpha, and a matte."""
    picture = scene(3, 96, 128)
    codes = (picture * 255).astype(np.uint8)
    exif = Image.Exif()
    exif[0x010F] = "Nightcam"
    Image.fromarray(codes).save(folder / "alpha.png", dpi=(300, 300))
    Image.fromarray(codes[..., :3]).save(folder / "still.tif")
    Image.fromarray(codes[..., :3]).save(folder / "still.jpg", quality=95, exif=exif)
    Image.fromarray(codes[..., :3]).save(folder / "still.webp", lossless=True)
    Image.fromarray(codes[..., 0]).save(folder / "matte.png")
    for name in ("deep.png", "deep.tif"):
        write_film(folder / name, picture[..., :3], "uint16")
