"""Probe a clip: all that is known of it before it is decoded in full.

Two sources, kept apart: what the header claims (`*_claimed`, rate, duration) and what the first
decoded picture shows (coding, size, tags, first pts). A frame count from a header is a claim.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from nightfx.errors import SourceError
from nightfx.options import MAX_PIXELS
from nightfx.picture import Coding, ColorTags, coding_of, encoding_by_tags, planar_name
from nightfx.source import header, image, still
from nightfx.source.joined import behind

FALLBACK_RATE = Fraction(25)  # for streams that say nothing at all
_MOVIES = (
    "mp4 mov m4v mkv mk3d webm avi divx mxf gxf flv f4v qt mqv 3gp 3gpp 3g2 asf wmv dvr-ms wtv nut"
)
_MOVIES += " rm rmvb ogv ogm amv gif apng lrv lrf insv 360 osv"  # those of action cameras are mp4
_STREAMS = "ts m2ts mts m2t tp trp mpg mpeg mpe m2p vob vro evo mod tod dv dif y4m ivf obu drc vc1"
_STREAMS += " m1v m2v mpv mp2v h264 264 avc h265 265 hevc h266 266 vvc mjpg mjpeg"
CLIP_SUFFIXES = {f".{name}" for name in f"{_MOVIES} {_STREAMS}".split()}
# what nightfx itself is told by, and tells
_OWN_SUFFIXES = {
    ".toml",
    ".json",
    ".csv",
    ".html",
    ".otio",
    ".edl",
    ".xml",
    ".fcpxml",
    ".aaf",
    ".nfx",
}
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:")


@dataclass(frozen=True)
class ClipInfo:
    """Facts of a clip that has been opened, and whose first picture has been decoded."""

    path: Path
    """The file."""
    container: str
    """FFmpeg's name of the container's reader, such as `mov,mp4,m4a,3gp,3g2,mj2`."""
    codec: str
    """Name of the video codec, such as `h264`."""
    profile: str
    """Profile of the codec, such as `HQ` for ProRes; empty if unknown."""
    stream_index: int
    """Index of the video stream in the container."""
    width: int
    """Width of the first picture in pixels, before any rotation."""
    height: int
    """Height of the first picture in pixels, before any rotation."""
    coding: Coding
    """The coding of the first picture."""
    tags: ColorTags
    """Colour tags of the first picture."""
    rate: Fraction | None
    """Average frames a second by the header; None if it does not say."""
    time_base: Fraction
    """Seconds in one tick of the video stream."""
    start_pts: int
    """pts of the first shown picture (measured), in ticks."""
    duration_seconds: float | None
    """Shown length of the video by the header, edit list included."""
    frames_claimed: int | None
    """Coded frames by the header or index; more than are shown where an edit list cuts."""
    frames_estimate: int | None
    """Best guess of the shown frames, for a progress bar."""
    rotation: int
    """Degrees counter-clockwise by which a player turns the picture."""
    display_matrix: tuple[int, ...] | None
    """The nine numbers behind `rotation`, flips included; None if there are none."""
    sample_aspect: Fraction
    """Width of a pixel over its height; 1 if unknown."""
    timecode: str | None
    """Start timecode, from the stream, a timecode track or the container."""
    interlaced: bool
    """The first picture is made of two fields."""
    field_order: int
    """FFmpeg's number of the field order: 0 unknown, 1 progressive, 2 top first, 3 bottom first."""
    audio_streams: int
    """Number of sound streams."""
    subtitle_streams: int
    """Number of subtitle streams."""
    side_data: tuple[str, ...] = ()
    """Side data of the first picture, by FFmpeg's names, such as `A53_CC`."""
    by_dts: bool = False
    """Pictures are shown when they leave the decoder: the container has no times of showing, as AVI and raw streams."""
    lead: int = 0
    """Ticks that the decoder needs before its first picture, where the container counts from that one."""
    alpha_beside: bool = False
    """Its alpha is a second stream beside the pictures, as of VP8 and VP9."""
    crop: str | None = None
    """The part of the picture that the container lets players show, such as `1920x800+0+140`."""
    reel: str = ""
    """Name of the reel or tape, as a timecode track says it."""
    is_raw: bool = False
    """A stream without container: times are counted from its frame rate."""

    def shown_at(self, picture: av.VideoFrame) -> int | None:
        """When a decoded picture is shown, in ticks; None where nothing says it."""
        if not self.by_dts:
            return picture.pts
        return None if picture.dts is None else picture.dts - self.lead

    @property
    def has_aspect_by_picture(self) -> bool:
        """Whether the pictures alone say how wide a pixel is, and may say another thing later."""
        return self.is_raw or self.container in ("mpeg", "mpegts")

    @property
    def frame_seconds(self) -> Fraction:
        """Usual time between two pictures."""
        return 1 / (self.rate or FALLBACK_RATE)


@contextmanager
def open_source(path: Path, max_pixels: int = MAX_PIXELS) -> Iterator[av.container.InputContainer]:
    """Open a media file for reading; raises SourceError where FFmpeg cannot.

    Whatever looks into its pictures on the way is held to `max_pixels`.
    """
    if path.is_dir():
        raise SourceError(f"{path}: is a folder, not a clip: name a file in it")
    check_file(path)
    try:
        options = {"max_pixels": str(max_pixels)}
        # absolute: the beginning of a name such as `file:x.mp4` would be taken for a protocol
        container = av.open(path.absolute(), metadata_errors="replace", options=options)
    except (av.FFmpegError, ValueError, OSError) as error:
        reason = _second_file(path) or getattr(error, "strerror", None) or error
        raise SourceError(f"{path}: not readable as a clip ({reason})") from error
    with container:
        yield container


def _second_file(path: Path) -> str:
    """Say where a second movie begins: of a plain one before fragments FFmpeg reads neither."""
    try:
        at = behind.file_behind(path, "mov")
    except OSError:
        return ""
    return f"a second file begins at byte {at}, behind the first: split it there" if at else ""


def check_file(path: Path) -> None:
    """Raise SourceError where there is no file, or one that can be read but once."""
    if not path.exists():
        said = _ADDRESS.match(str(path))
        hint = f": name a file by its path alone, without {said[0]}" if said else ""
        raise SourceError(f"{path}: no such file{hint}")
    if not path.is_file() and not path.is_dir():
        words = "is a pipe or a device: save it as a file, since it is read more than once"
        raise SourceError(f"{path}: {words}")


def unknown_line(files: Iterable[Path]) -> str | None:
    """Return a line that counts the files that are neither clips nor pictures nor nightfx's own; None where all are."""
    known = CLIP_SUFFIXES | {*image.SUFFIXES, *still.FORMATS} | _OWN_SUFFIXES
    unknown = [path for path in files if path.suffix.lower() not in known]
    if not unknown:
        return None
    suffixes = sorted({path.suffix.lower() or "no suffix" for path in unknown})
    words = (
        "1 file is not known as a clip"
        if len(unknown) == 1
        else f"{len(unknown)} files are not known as clips"
    )
    return f"{words} ({', '.join(suffixes[:8])}{', …' if len(suffixes) > 8 else ''})"


def pick_stream(
    container: av.container.InputContainer, path: Path, max_pixels: int = MAX_PIXELS
) -> VideoStream:
    """Return the first video stream that is not a cover picture, its decoder held to `max_pixels`.

    Raises SourceError if there is none, and where its header claims larger pictures.
    """
    streams = real_streams(container)
    if not streams:
        raise SourceError(f"{path}: has no video stream")
    if streams[0].codec_context is None:
        raise SourceError(f"{path}: no decoder for its video stream: convert it to H.264 or ProRes")
    context = streams[0].codec_context
    if context.width * context.height > max_pixels:
        size = f"{context.width}x{context.height}"
        raise SourceError(f"{path}: {size} is more than {max_pixels} pixels: see --max-pixels")
    context.options = {"max_pixels": str(max_pixels)}
    return streams[0]


def real_streams(container: av.container.InputContainer) -> list[VideoStream]:
    """Return the video streams that are not cover pictures or thumbnails."""
    return [s for s in container.streams.video if not is_cover(s)]


def is_cover(stream: Stream) -> bool:
    """Say whether a stream is a picture attached to the file."""
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def side_data_of(image: av.VideoFrame) -> dict[str, bytes]:
    """Return a picture's side data by FFmpeg's names, such as `DISPLAYMATRIX`."""
    try:  # a container of our own: that of `image.side_data` and the picture would keep each other alive
        items = list(cast(Any, SideDataContainer)(image))
    except ValueError:  # one kind that PyAV 18 has no name for hides all the others
        return {}
    return {item.type.name: bytes(item) for item in items}


def has_alpha_beside(stream: VideoStream) -> bool:
    """Say whether a stream of VP8 or VP9 has alpha, which Matroska and WebM keep beside each picture."""
    said = {key.lower(): value for key, value in stream.metadata.items()}
    return stream.codec_context.name in ("vp8", "vp9") and said.get("alpha_mode") == "1"


def tags_of(image: av.VideoFrame) -> ColorTags:
    """Return the colour tags of a picture."""
    return ColorTags(
        int(image.color_primaries),
        int(image.color_trc),
        int(image.colorspace),
        int(image.color_range),
    )


def change_of(info: ClipInfo, picture: av.VideoFrame) -> str | None:
    """Return how a picture is of another kind than the clip's first, `from … to …`; None where it is not."""
    name = planar_name(picture.format.name).replace("yuvj", "yuv")
    found = f"{picture.width}x{picture.height} {name}"
    expected = f"{info.width}x{info.height} {info.coding.pix_fmt}"
    if found != expected:
        return f"from {expected} to {found}"
    tags = tags_of(picture)
    if tags == info.tags or ((coding := coding_of(picture)) == info.coding and _alike(tags, info)):
        return None
    return f"from colour {_colour(info.tags, info.coding)} to {_colour(tags, coding)}"


def _alike(tags: ColorTags, info: ClipInfo) -> bool:
    """Whether other tags mean the same: what is unsaid is what it was, but the curve of HDR and of light."""
    own, primaries = info.tags, {tags.primaries, info.tags.primaries} - {ColorTags().primaries}
    curves = (encoding_by_tags(each, info.coding) for each in (tags, own))
    return len(primaries) < 2 and len({curve.name for curve in curves}) == 1


def _colour(tags: ColorTags, coding: Coding) -> str:
    words = "full" if coding.full_range else "limited"
    return f"{tags.primaries}/{tags.transfer}/{tags.matrix} ({coding.matrix}, {words})"


def says_more(image: av.VideoFrame) -> bool:
    """Whether a picture has more than its pixels and time: side data, or two fields."""
    try:
        return image.interlaced_frame or len(cast(Any, SideDataContainer)(image)) > 0
    except ValueError:
        return True


def has_no_times(container: av.container.InputContainer) -> bool:
    """Say whether a file is a stream without container, such as `.264` and `.m2v`."""
    return has_flag(container, "no_timestamps") or container.format.name.endswith("_pipe")


def has_flag(container: av.container.InputContainer, name: str) -> bool:
    """Say whether FFmpeg flags a format so, by PyAV's name."""
    flags: Any = av.format.Flags
    return bool(container.format.flags & flags[name].value)


def describe(
    path: Path,
    container: av.container.InputContainer,
    stream: VideoStream,
    first: av.VideoFrame,
    *,
    by_dts: bool = False,
) -> ClipInfo:
    """Put together what the container claims and what its first picture shows."""
    is_raw = has_no_times(container)
    said = header.read_header(path, container.format.name, stream.index)
    _refuse_dolby_vision(said.dolby_vision or _profile_by_picture(first))
    rate, duration = _rate(stream, is_raw=is_raw), _duration(stream)
    claimed = stream.frames or None
    counts_shown = by_dts and container.format.name == "mxf"  # by its numbers of pictures
    lead = (first.dts or 0) - (stream.start_time or 0) if counts_shown else 0
    start = first.dts if by_dts else first.pts
    return ClipInfo(
        path=path,
        container=container.format.name,
        codec=stream.codec_context.codec.canonical_name,
        profile=stream.profile or "",
        stream_index=stream.index,
        width=first.width,
        height=first.height,
        coding=coding_of(first),
        tags=tags_of(first),
        rate=rate,
        time_base=Fraction(stream.time_base or 1),
        start_pts=(start or 0) - lead,
        duration_seconds=duration,
        frames_claimed=claimed,
        frames_estimate=_estimate(claimed, rate, duration, container.duration),
        rotation=first.rotation,
        display_matrix=_display_matrix(first),
        sample_aspect=Fraction(stream.sample_aspect_ratio or 1)
        if not said.is_square
        else Fraction(1),
        timecode=_said(container, stream, "timecode"),
        reel=_said(container, stream, "reel_name") or "",
        interlaced=first.interlaced_frame,
        field_order=_field_order(stream, first),
        audio_streams=len(container.streams.audio),
        subtitle_streams=len(container.streams.subtitles),
        side_data=tuple(side_data_of(first)),
        by_dts=by_dts,
        lead=lead,
        alpha_beside=has_alpha_beside(stream),
        crop=said.crop,
        is_raw=is_raw,
    )


def _profile_by_picture(first: av.VideoFrame) -> tuple[int, int] | None:
    """Profile 5, as FFmpeg tells it from a picture's own metadata: no VDR profile, and codes of full range."""
    data = side_data_of(first).get("DOVI_METADATA", b"")
    at = int.from_bytes(data[:8], sys.byteorder)  # AVDOVIMetadata, then AVDOVIRpuDataHeader
    return (5, 0) if len(data) > at + 10 and (data[at + 4], data[at + 10]) == (0, 1) else None


def _refuse_dolby_vision(said: tuple[int, int] | None) -> None:
    """Raise SourceError where the codes are IPT, which no tag says: profile 5, and others that nothing else can show."""
    profile, compatible_with = said or (0, 0)
    if profile == 5 or (profile >= 10 and not compatible_with):
        raise SourceError(
            f"Dolby Vision profile {profile} is IPT and not YCbCr: convert it to profile 8.1 or HDR10 first"
        )


def _estimate(
    claimed: int | None, rate: Fraction | None, duration: float | None, container_ticks: int | None
) -> int | None:
    """Frames in the shown duration, if that is fewer than the index holds (an edit list cuts)."""
    if duration is None and claimed is None and container_ticks:
        duration = container_ticks / av.time_base
    by_time = round(duration * rate) if duration and rate else None
    return min((n for n in (claimed, by_time) if n), default=None)


def _rate(stream: VideoStream, *, is_raw: bool) -> Fraction | None:
    rate, ticks = _fraction(stream.average_rate), 1 / Fraction(stream.time_base or 1)
    # FFmpeg says 25 of every stream without container, and of DV its clock; the pictures say their own
    if rate in (None, ticks) or is_raw:
        rate = _fraction(stream.guessed_rate) or rate
    # a thousand a second, in a clock of milliseconds, is how Matroska and FLV say "unknown"
    return None if rate == 1000 == ticks else rate


def _duration(stream: VideoStream) -> float | None:
    if not stream.duration or not stream.time_base:
        return None
    return float(stream.duration * Fraction(stream.time_base))


def _said(container: av.container.InputContainer, stream: VideoStream, wanted: str) -> str | None:
    """What a key of metadata says, of the stream, else of another, else of the container."""
    places = [stream.metadata, *(s.metadata for s in container.streams), container.metadata]
    for place in places:
        for key, value in place.items():
            if key.lower() == wanted:
                return str(value)
    return None


def _field_order(stream: VideoStream, first: av.VideoFrame) -> int:
    """FFmpeg's number of the field order; DV's header has none, and shows the bottom field first."""
    said = int(stream.codec_context.field_order)
    is_dv = stream.codec_context.codec.canonical_name == "dvvideo"
    return 3 if is_dv and not said and first.interlaced_frame else said


def _display_matrix(image: av.VideoFrame) -> tuple[int, ...] | None:
    data = side_data_of(image).get("DISPLAYMATRIX")
    return tuple(int(n) for n in np.frombuffer(data, np.int32)) if data else None


def _fraction(value: Any) -> Fraction | None:
    return Fraction(value) if value else None
