"""The table of all that a file can carry: how each thing is compared, and which fact of the render's container or codec excuses it.

Every row of a verdict is of a thing that stands here, and what a source holds that no thing here stands for is itself a
row, *not examined*. `docs/verify.md` is this table in a page.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from nightfx.carry import FORMATS, PROFILES, Container, Format, holds

Owner = Literal[
    "clip", "picture", "frame", "track", "packet", "chapter", "timecode", "files", "part"
]


@dataclass(frozen=True)
class Held:
    """What a render's container and codec hold."""

    container: Container
    """The container's facts."""
    forms: tuple[Format, ...]
    """What nightfx may have written a codec of this name and profile as."""


Excused = Callable[[Held], bool]


def held_by(container: str, codec: str, profile: str = "") -> Held:
    """Return what a container and a codec, by FFmpeg's names, hold."""
    if profile in PROFILES:
        return Held(holds(container), (FORMATS[PROFILES[profile]],))
    forms = [form for form in FORMATS.values() if codec == (form.read_as or form.family)]
    return Held(holds(container), tuple(forms))


def _never(_: Held) -> bool:
    return False


def _always(_: Held) -> bool:
    return True


def _bare(held: Held) -> bool:
    return held.container.is_bare


def _not_a_movie(held: Held) -> bool:
    return not held.container.is_movie


def _one_chapter_name(held: Held) -> bool:
    return not held.container.chapter_names


@dataclass(frozen=True)
class Thing:
    """One thing that a file can carry."""

    name: str
    """Its name in a row."""
    of: Owner
    """What has it: the clip, its picture, each frame, each track …"""
    how: str
    """How it is compared, in words for users."""
    excuse: str = ""
    """What excuses its loss, in words; empty where nothing does."""
    excused: Excused = _never
    """Whether container or codec have no place for it: then it is left out, which `probe` says."""
    said: str = ""
    """A word by which a line for users before a render is known to tell it; by default its row's name."""


TABLE: tuple[Thing, ...] = (
    # the picture
    Thing("frames", "picture", "exactly as many as the source shows, or as the part of it does"),
    Thing(
        "order of frames",
        "frame",
        "each frame's detail and motion must be its own plate's rather than a neighbour's;"
        " a still shot cannot tell, and the row says so",
    ),
    Thing(
        "timestamps",
        "frame",
        "exactly, or rounded to the coarser clock; bridged where the source's begin anew",
    ),
    Thing("start", "picture", "exactly; Matroska begins late where sound is to be heard before"),
    Thing("duration", "picture", "the last frame ends when it did, to a tick"),
    Thing(
        "picture",
        "frame",
        "size of every frame exactly; fewer bits, coarser chroma and YUV for RGB are changed",
    ),
    Thing(
        "alpha",
        "picture",
        "there, decoded: a tag alone is none",
        "the codec has none",
        lambda held: not any(form.alpha for form in held.forms),
    ),
    Thing(
        "pixel aspect",
        "frame",
        "exactly, and each change of it",
        "the codec does not carry it",
        lambda held: not any(form.aspect for form in held.forms),
    ),
    Thing(
        "rotation",
        "frame",
        "exactly, mirrored or not, of every frame",
        "Matroska cannot say that a picture is mirrored",
        lambda held: not held.container.mirrors,
    ),
    Thing(
        "crop",
        "picture",
        "Matroska's PixelCrop and QuickTime's clean aperture exactly, or the picture cut to it",
        "all pixels are written, in their own aspect",
        _always,
    ),
    Thing("shown size", "picture", "exactly, from Matroska to Matroska"),
    Thing(
        "colour tags",
        "frame",
        "primaries, transfer, matrix, range of every frame exactly, and the container must say the same;"
        " a range not said is limited",
    ),
    Thing(
        "scan",
        "frame",
        "interlaced or not, and which field is first, of every frame; the container must say the same",
    ),
    Thing(
        "mastering display",
        "frame",
        "each number near, to the codec's own step",
        "the codec does not write it",
        lambda held: not any(form.hdr10 for form in held.forms),
    ),
    Thing(
        "content light",
        "frame",
        "there: it is measured anew, since light is what changes",
        "it is written for PQ, in h264, h265 and av1 alone",
        lambda held: not any(form.hdr10 for form in held.forms),
    ),
    Thing(
        "captions",
        "frame",
        "the bytes of every frame exactly",
        "the codec does not write them",
        lambda held: not any(form.captions for form in held.forms),
    ),
    Thing(
        "dynamic HDR",
        "frame",
        "not at all: it was made for the source's light",
        "it was made for the source's light",
        _always,
        said="made for the source's light",
    ),
    Thing(
        "side data",
        "frame",
        "each kind that any frame has, a row each; an encoder's own notes do not count",
        "FFmpeg's encoders do not write it",
        _always,
    ),
    Thing(
        "frame metadata",
        "frame",
        "values exactly",
        "FFmpeg's encoders do not write it",
        _always,
    ),
    Thing(
        "picture's metadata",
        "picture",
        "values exactly, all but the encoder's own",
        "the container has no place for it",
    ),
    Thing(
        "picture's language",
        "picture",
        "exactly; `deu` and `ger` are one",
        "MXF names none",
        _bare,
        said="names no languages",
    ),
    Thing(
        "picture's region",
        "picture",
        "exactly: `pt-BR` and not only `por`",
        "FFmpeg writes languages without region",
        lambda held: not held.container.regions,
    ),
    Thing("picture's flags", "picture", "those that the container has a place for exactly"),
    # the clip
    Thing(
        "metadata",
        "clip",
        "values exactly, all but the muxer's own; of files every attribute, chunk and tag",
        "MXF has no place for it",
        _bare,
        said="chapters or titles",
    ),
    Thing(
        "programs",
        "clip",
        "not at all: PyAV does not show them",
        "no container that is written has them",
        _always,
    ),
    Thing(
        "chapters",
        "chapter",
        "count, start and title exactly, ends near",
        "MXF has none",
        _bare,
        said="chapters or titles",
    ),
    Thing(
        "chapters' names",
        "chapter",
        "each in each language exactly",
        "FFmpeg writes one name, of no language",
        _one_chapter_name,
    ),
    Thing(
        "chapters' order",
        "chapter",
        "nesting, editions, hidden and enabled flags exactly",
        "FFmpeg writes a plain list",
        _one_chapter_name,
    ),
    Thing("timecode", "timecode", "exactly, that of the first frame of the part"),
    Thing(
        "other timecodes",
        "timecode",
        "what streams and file say beside it, exactly",
        "one is written, that of the picture",
        said="says timecode",
    ),
    Thing(
        "timecode's rate",
        "timecode",
        "how many numbers its track counts a second, and whether it drops some, exactly",
        "the container has no timecode track",
        _not_a_movie,
    ),
    Thing(
        "timecode track",
        "timecode",
        "all of its metadata, such as the reel's name, exactly",
        "the container has no place for it",
        lambda held: not (held.container.is_movie and held.container.names_reels),
    ),
    Thing(
        "element",
        "clip",
        "what is not known here of Matroska's and QuickTime's headers: kept byte for byte, or not examined",
    ),
    # the streams beside the picture
    Thing(
        "sound",
        "packet",
        "packet for packet, else sample for sample; 60 dB away is changed",
        "the container does not take it",
        said="cannot be copied",
    ),
    Thing(
        "subtitles",
        "packet",
        "packet for packet, else word for word; each start and end near",
        "the container does not take it",
        said="cannot be copied",
    ),
    Thing(
        "other picture",
        "packet",
        "packet for packet; a cover stays a cover",
        "the container does not take it, or it cannot be cut",
        said="cannot be",
    ),
    Thing(
        "attachment",
        "packet",
        "bytes, name and type exactly",
        "the container has no attachments",
        said="cannot be copied",
    ),
    Thing("data", "packet", "packet for packet", "FFmpeg cannot copy it", said="cannot be copied"),
    Thing(
        "unknown", "packet", "packet for packet", "FFmpeg cannot copy it", said="cannot be copied"
    ),
    Thing(
        "stream's language",
        "track",
        "exactly; `deu` and `ger` are one",
        "MXF names none",
        _bare,
        said="names no languages",
    ),
    Thing(
        "stream's region",
        "track",
        "exactly: `pt-BR` and not only `por`",
        "FFmpeg writes languages without region",
        lambda held: not held.container.regions,
    ),
    Thing(
        "stream's flags",
        "track",
        "default, forced, cover and all others exactly",
        "the container has no place for them",
        said="is marked",
    ),
    Thing(
        "stream's metadata",
        "track",
        "values exactly, all but the encoder's own",
        "the container has no place for it",
    ),
    Thing(
        "stream's shape",
        "track",
        "sound's channels, their places, samples a second, and their type; more bits are changed",
        "FFmpeg writes no names for the channels of PCM",
        lambda held: held.container.forgets_channels,
        said="names of its channels",
    ),
    # files
    Thing("frame rate", "files", "exactly", "files whose header has no place for it"),
    Thing("parts", "part", "as many, of the same names and views, in order"),
    Thing("windows", "part", "data and display window of every file exactly"),
    Thing("channels", "part", "names, and types half, float or uint, exactly"),
    Thing("layers", "part", "pixels of every channel that is not lit exactly"),
    Thing(
        "lit layers",
        "part",
        "the beauty, or the layer and view that were asked for",
        "other views have renders of their own: --view",
        said="view",
    ),
    Thing("transparency", "part", "alpha exactly; nothing where there was nothing"),
    Thing(
        "levels",
        "part",
        "as many mip levels, each lit, or the largest alone",
        "smaller levels are made anew: maketx",
    ),
    Thing("tiles", "part", "size exactly"),
    Thing("compression", "part", "exactly"),
    Thing("pages", "files", "as many pictures in a file, each lit"),
)

_BY_NAME = {thing.name: thing for thing in TABLE}
_OF_STREAM = re.compile(r"(\w+) of .* #\d+")
_NUMBERED = re.compile(r" #\d+| \(.*\)")


def thing_of(what: str) -> Thing:
    """Return the thing that a row is of: `sound #1` is sound, `flags of sound #1` a stream's flags."""
    of_stream = _OF_STREAM.fullmatch(what)
    name = f"stream's {of_stream[1]}" if of_stream else _NUMBERED.sub("", what)
    return _BY_NAME[name]
