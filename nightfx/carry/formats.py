"""Facts of codecs and containers, by which a render is planned: what each can hold, and where."""

from __future__ import annotations

from dataclasses import dataclass, field

from nightfx.options import Codec, Family
from nightfx.picture import Matrix

CONTAINERS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mxf": "mxf",
    ".mkv": "matroska",
}
_DATE = "creation_time"  # FFmpeg writes that of the file alone, nightfx those of QuickTime's tracks
_ANY_DEPTH = tuple(range(8, 17))


@dataclass(frozen=True)
class Container:
    """What a container holds beside the picture, as far as containers differ."""

    pcm: bool = False
    """It takes PCM."""
    sound_rate: int | None = None
    """Samples a second of the only sound that it takes; None takes any."""
    text: str | None = None
    """The kind of text that it takes for subtitles that it cannot hold as they are."""
    cover_files: bool = False
    """A cover is a file attached to it, and no stream."""
    flags: int = ~0
    """FFmpeg's dispositions that it has a place for."""
    ticks_a_second: int | None = None
    """Its only clock, to which times are rounded and where none is below 0; None keeps the source's."""
    mirrors: bool = True
    """It can say that a picture is shown mirrored."""
    is_movie: bool = False
    """Of QuickTime's kind: the last packet's duration counts in coding order, a stream has two keys of metadata."""
    names_reels: bool = True
    """It has a place for the reel that a timecode is of."""
    names_channels: bool = False
    """PCM has a name for each channel in it."""
    forgets_channels: bool = False
    """FFmpeg writes no names for the channels of PCM."""
    numbers_languages: bool = False
    """Languages are numbers in it, for which it knows them by their older names."""
    is_bare: bool = False
    """It has no times, languages, chapters or titles, wants a picture, and begins and ends its sound with it."""
    stream_keys: frozenset[str] | None = None
    """Metadata of a stream that it has a place for; None is any."""
    regions: bool = False
    """FFmpeg writes a language with its region: `pt-BR` and not only `por`."""
    chapter_names: bool = False
    """FFmpeg writes chapters with a name for each language, with nesting and flags."""

    def has_place_for(self, key: str) -> bool:
        """Say whether metadata of a stream is written under this name, in small letters."""
        if key == _DATE:
            return self.is_movie
        return self.stream_keys is None or key in self.stream_keys


DEFAULT_FLAG, COVER_FLAG = 1, 1024
# default, dub, comment, forced, for those who hear or see little, cover, descriptions; not the original, nor captions
_MARKS = 1 | 2 | 8 | 64 | 128 | 256 | COVER_FLAG | 1 << 17
_ORIGINAL, _CAPTIONS = 4, 1 << 16
_MOVIE_KEYS = frozenset({"handler_name", "language", "title"})
HOLDS: dict[str, Container] = {
    "mp4": Container(
        True,
        text="mov_text",
        flags=_MARKS | _CAPTIONS,
        is_movie=True,
        names_reels=False,
        names_channels=True,
        stream_keys=_MOVIE_KEYS,
    ),
    "mov": Container(
        True,
        text="mov_text",
        flags=DEFAULT_FLAG,
        is_movie=True,
        stream_keys=_MOVIE_KEYS,
        numbers_languages=True,
    ),
    "matroska": Container(
        True,
        text="subrip",
        flags=_MARKS | _ORIGINAL,
        ticks_a_second=1000,
        mirrors=False,
        cover_files=True,
        forgets_channels=True,
        regions=True,
        chapter_names=True,
    ),
    "mxf": Container(
        True, sound_rate=48000, flags=0, is_bare=True, names_reels=False, stream_keys=frozenset()
    ),
}
"""By FFmpeg's names."""


def holds(container: str) -> Container:
    """Return what a container holds, by FFmpeg's name; of one that no render is written to the least is known."""
    return HOLDS.get(container, Container())


@dataclass(frozen=True)
class Format:
    """One codec as FFmpeg encodes it, and what it can hold."""

    family: Family
    """Which codecs it is one of."""
    title: str
    """Its name in a line for the user."""
    encoder: str
    """FFmpeg's name of the encoder."""
    homes: tuple[str, ...]
    """Suffixes of the containers it is written to; the first where the source's does not do."""
    depths: tuple[int, ...]
    """Bits of a code value that can be written, in order."""
    chroma: tuple[tuple[int, int], ...]
    """log2 of the chroma subsampling across and down, finest last; (0, 0) is full chroma."""
    alpha: bool = False
    """An alpha plane is kept."""
    rgb: bool = False
    """RGB is kept as RGB."""
    least: int = 8
    """Bits that are written at least, unless told: more cost nothing in size or players."""
    own_matrices: tuple[Matrix, ...] | None = None
    """Matrices that its own header can name, which then outweighs the container's; None is any."""
    limited: bool = False
    """Codes are of limited range by its definition."""
    odd_sizes: bool = False
    """Halved chroma is written at odd sizes too; where not, chroma is written at full size there."""
    aspect: bool = True
    """The pixel aspect is written."""
    options: dict[str, str] = field(default_factory=dict)
    """Options of the encoder that make it this codec; those of quality and speed are added."""
    captions: bool = False
    """Captions of the pictures are written."""
    hdr10: bool = False
    """A mastering display and content light are written; `HDR_NAMES` of `target/tags.py` says how."""
    fields: bool = False
    """The two fields of a picture are kept."""
    looks_ahead: bool = False
    """The encoder decides by pictures to come, so that a segment's end is shown to it again."""
    read_as: str = ""
    """FFmpeg's name of the codec, where it is not the family's."""


HALF, WIDE, FULL = (1, 1), (1, 0), (0, 0)
_MOVIES = (".mp4", ".m4v", ".mov", ".mkv")
_MASTERS = (".mov", ".mxf")


def _prores(title: str, profile: int) -> Format:
    wide = profile >= 4
    return Format(
        "prores",
        f"ProRes {title}",
        # `prores` is 2.4 times as fast and 1 dB better in the 422 profiles; in 4444 it is 8 dB worse
        "prores_ks" if wide else "prores",
        _MASTERS,
        depths=(10,),
        chroma=(FULL,) if wide else (WIDE,),
        alpha=wide,
        own_matrices=("bt709", "bt601", "bt2020"),
        limited=True,
        options={"profile": str(profile)},
        fields=True,
    )


def _dnxhr(title: str, depth: int, *, wide: bool = False) -> Format:
    return Format(
        "dnxhr",
        f"DNxHR {title}",
        "dnxhd",
        _MASTERS,
        depths=(depth,),
        chroma=(FULL,) if wide else (WIDE,),
        rgb=wide,
        own_matrices=("bt709", "bt601", "bt2020"),
        limited=True,
        options={"profile": f"dnxhr_{title.lower()}"},
    )


FORMATS: dict[Codec, Format] = {
    "h264": Format(
        *("h264", "H.264", "libx264", _MOVIES, (8, 10), (HALF, WIDE, FULL)),
        captions=True,
        hdr10=True,
        fields=True,
        looks_ahead=True,
    ),
    "h265": Format(
        *("h265", "H.265", "libx265", _MOVIES, (8, 10, 12), (HALF, WIDE, FULL)),
        least=10,
        captions=True,
        hdr10=True,
        looks_ahead=True,
        read_as="hevc",
    ),
    # SVT is the fast one, and knows 4:2:0 alone
    "av1": Format(
        *("av1", "AV1", "libsvtav1", (".mp4", ".m4v", ".mkv"), (8, 10), (HALF,)),
        least=10,
        odd_sizes=True,
        hdr10=True,
    ),
    "prores-proxy": _prores("Proxy", 0),
    "prores-lt": _prores("LT", 1),
    "prores-422": _prores("422", 2),
    "prores-hq": _prores("HQ", 3),
    "prores-4444": _prores("4444", 4),
    "prores-xq": _prores("4444 XQ", 5),
    "dnxhr-lb": _dnxhr("LB", 8),
    "dnxhr-sq": _dnxhr("SQ", 8),
    "dnxhr-hq": _dnxhr("HQ", 8),
    "dnxhr-hqx": _dnxhr("HQX", 10),
    "dnxhr-444": _dnxhr("444", 10, wide=True),
    # level 3: every slice carries a checksum; how many suit the size, the encoder knows
    "ffv1": Format(
        "ffv1",
        "FFV1",
        "ffv1",
        (".mkv",),
        _ANY_DEPTH,
        (HALF, WIDE, FULL),
        alpha=True,
        rgb=True,
        options={"level": "3", "g": "1", "slicecrc": "1"},
        fields=True,
    ),
}

# names of the profiles in FFmpeg's decoders
PROFILES: dict[str, Codec] = {
    "Proxy": "prores-proxy",
    "LT": "prores-lt",
    "Standard": "prores-422",
    "HQ": "prores-hq",
    "4444": "prores-4444",
    "XQ": "prores-xq",
    "DNXHR LB": "dnxhr-lb",
    "DNXHR SQ": "dnxhr-sq",
    "DNXHR HQ": "dnxhr-hq",
    "DNXHR HQX": "dnxhr-hqx",
    "DNXHR 444": "dnxhr-444",
}
DNXHR_LEAST = (256, 120)
"""Smallest width and height that FFmpeg's DNxHR encoder takes."""
