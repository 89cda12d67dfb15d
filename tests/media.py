"""Makers of small clips, with pictures and times known by construction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import av
import cv2
import numpy as np
from av.stream import Disposition, Stream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from nightfx.picture.coding import coding_of, fill, planar_name
from nightfx.picture.frame import Planes
from nightfx.target.writer import AVX_512F

T = TypeVar("T")

TICKS = Fraction(1, 24000)
STEP = 1000  # ticks of a frame at 24 fps
VFR = [0, 1000, 1500, 4000, 4100, 9000, 10000, 11111, 12000, 15000]
LATE = [5003 + STEP * i for i in range(10)]


@dataclass(frozen=True)
class Clip:
    """What to make; the defaults are a plain H.264 clip at 24 fps."""

    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    size: tuple[int, int] = (48, 64)
    count: int = 12
    times: Sequence[int] = ()
    options: dict[str, str] = field(default_factory=dict)
    tags: tuple[int, int, int, int] = (1, 1, 1, 1)
    container: str | None = None
    container_options: dict[str, str] = field(default_factory=dict)
    timecode: str | None = None
    rate: Fraction = Fraction(24)
    """Frames a second that the header claims; where it is not 24, frames are that far apart."""
    rotation: int = 0
    aspect: Fraction = Fraction(1)
    sound: bool = False
    cover: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    chapters: bool = False
    language: str | None = None
    tracks: Sequence[tuple[Path, str]] = ()
    """Files whose streams are copied in, each with a language."""

    @property
    def pts(self) -> list[int]:
        step = STEP if self.rate == 24 else 1
        return list(self.times) or [step * i for i in range(self.count)]

    @property
    def tick(self) -> Fraction:
        return TICKS if self.rate == 24 else 1 / self.rate


def pattern(index: int, pix_fmt: str, size: tuple[int, int]) -> Planes:
    """Planes of a moving ramp with a little noise, all codes legal."""
    coding = coding_of(av.VideoFrame(size[1], size[0], pix_fmt))
    rng = np.random.default_rng(index)
    planes = []
    for plane in range(coding.plane_count):
        rows, columns = coding.plane_size(plane, *size)
        y, x = np.mgrid[:rows, :columns]
        ramp = (x * 2 + y + index * 3 + plane * 20) % 150 + 40 + rng.integers(0, 3, x.shape)
        planes.append((ramp << (coding.depth - 8)).astype(coding.dtype))
    return tuple(planes)


def image(planes: Planes, pix_fmt: str, pts: int = 0) -> av.VideoFrame:
    """An FFmpeg picture with these planes (R, G, B order for RGB)."""
    made = av.VideoFrame(planes[0].shape[1], planes[0].shape[0], planar_name(pix_fmt))
    fill(made, planes, coding_of(made))
    made = made.reformat(format=pix_fmt, threads=1)
    made.pts, made.time_base = pts, TICKS
    return made


def make_reel(path: Path, timecode: str, reel: str, count: int = 4) -> Path:
    """Write a black clip of ProRes, 24 frames a second, whose timecode names a reel."""
    with av.open(path, "w") as out:
        video = out.add_stream("prores", rate=24)
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = 32, 32, "yuv422p10le"
        video.metadata.update(timecode=timecode, reel_name=reel)
        for index in range(count):
            picture = av.VideoFrame(32, 32, "yuv422p10le")
            for plane in picture.planes:
                plane.update(bytes(plane.buffer_size))
            picture.pts, picture.time_base = index, Fraction(1, 24)
            out.mux(video.encode(picture))
        out.mux(video.encode(None))
    return path


def make_clip(path: Path, clip: Clip = Clip()) -> Path:
    """Write a clip with PyAV alone."""
    ticks = str(clip.tick.denominator)
    options = {"video_track_timescale": ticks, "movie_timescale": ticks}
    options = (options if path.suffix in (".mp4", ".mov") else {}) | clip.container_options
    with av.open(path, "w", format=clip.container, container_options=options) as out:
        out.metadata.update(clip.metadata)
        if clip.chapters:
            out.set_chapters([chapter(0, 0, 250, "one"), chapter(1, 250, 500, "two")])
        video = _add_video(out, clip)
        sound = out.add_stream("aac", rate=48000) if clip.sound else None
        cover = _add_cover(out) if clip.cover else None
        copies = [_add_track(out, path, language) for path, language in clip.tracks]
        for index, pts in enumerate(clip.pts):
            out.mux(video.encode(_tagged(index, pts, clip)))
        out.mux(video.encode(None))
        if isinstance(sound, av.AudioStream):
            for samples in _samples(clip):
                out.mux(sound.encode(samples))
            out.mux(sound.encode(None))
        if cover is not None:
            out.mux(cover.encode(av.VideoFrame(16, 16, "rgb24")))
            out.mux(cover.encode(None))
        for track, packets in copies:
            for packet in packets:
                packet.stream = track
                out.mux(packet)
    return path


def _add_track(
    out: av.container.OutputContainer, path: Path, language: str
) -> tuple[Stream, list[av.Packet[Stream]]]:
    with av.open(path) as source:
        track = out.add_stream_from_template(source.streams[0], opaque=True)
        track.metadata["language"] = language
        return track, [packet for packet in source.demux(0) if packet.dts is not None]


def apart(function: Callable[..., T], *args: object) -> T:
    """Call a function of a module in a process of its own.

    Where SVT-AV1 has run, training later in the same process was seen to spin for ever in torch's backward.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *args).result()


def chapter(number: int, start: int, end: int, title: str) -> av.container.core.Chapter:
    base = Fraction(1, 1000)
    return {
        "id": number,
        "start": start,
        "end": end,
        "time_base": base,
        "metadata": {"title": title},
    }


def _add_video(out: av.container.OutputContainer, clip: Clip) -> VideoStream:
    video = out.add_stream(clip.codec, rate=clip.rate, options=_same_again(clip) | clip.options)
    assert isinstance(video, VideoStream)
    context = video.codec_context
    context.height, context.width = clip.size
    context.pix_fmt, context.time_base = clip.pix_fmt, clip.tick
    context.sample_aspect_ratio = clip.aspect
    context.color_primaries, context.color_trc, context.colorspace, context.color_range = clip.tags
    if clip.rotation:
        video.set_display_rotation(clip.rotation)
    if clip.timecode:
        video.metadata["timecode"] = clip.timecode
    if clip.language:
        video.metadata["language"] = clip.language
    return video


def _same_again(clip: Clip) -> dict[str, str]:
    # with AVX-512, x264 gives small pictures other packets each time (`nightfx.target.writer.same_again`)
    modern = clip.codec == "libx264" and cv2.checkHardwareSupport(AVX_512F)
    return {"x264-params": "asm=avx2"} if modern else {}


def _add_cover(out: av.container.OutputContainer) -> VideoStream:
    cover = out.add_stream("png", rate=1)
    assert isinstance(cover, VideoStream)
    cover.width, cover.height, cover.pix_fmt = 16, 16, "rgb24"
    cover.disposition = Disposition.attached_pic
    return cover


def _tagged(index: int, pts: int, clip: Clip) -> av.VideoFrame:
    made = image(pattern(index, clip.pix_fmt, clip.size), clip.pix_fmt, pts)
    made.time_base = clip.tick
    made.color_primaries, made.color_trc, made.colorspace, made.color_range = clip.tags
    return made


def _samples(clip: Clip) -> list[av.AudioFrame]:
    seconds = float((clip.pts[-1] + STEP) * clip.tick)
    wave = 0.2 * np.sin(np.arange(int(seconds * 48000)) * 0.05)
    frames = []
    for start in range(0, len(wave) - 1023, 1024):
        block: NDArray[np.float32] = np.tile(wave[start : start + 1024], (2, 1)).astype(np.float32)
        made = av.AudioFrame.from_ndarray(block, "fltp", "stereo")
        made.pts, made.rate, made.time_base = start, 48000, Fraction(1, 48000)
        frames.append(made)
    return frames
