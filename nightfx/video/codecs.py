"""Choose how a render is written: codec and container follow the source, and nothing is resized.

ProRes stays ProRes (mov) and FFV1 stays FFV1 (mkv, the very pixel format). Everything else turns
into H.264 at 8 bits, or H.265 at 10 bits where the source is deeper.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from nightfx.errors import TargetError, UsageError
from nightfx.video.coding import SUBSAMPLING
from nightfx.video.frame import Coding
from nightfx.video.probe import ClipInfo, ColorTags

Codec = Literal["h264", "h265", "prores", "ffv1"]
Speed = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"
]

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
HOMES: dict[Codec, tuple[str, ...]] = {  # the first is the default where the source's does not do
    "h264": (".mp4", ".m4v", ".mov", ".mkv"),
    "h265": (".mp4", ".m4v", ".mov", ".mkv"),
    "prores": (".mov",),
    "ffv1": (".mkv",),
}
TITLES: dict[Codec, str] = {"h264": "H.264", "h265": "H.265", "prores": "ProRes", "ffv1": "FFV1"}
ENCODERS: dict[Codec, str] = {
    "h264": "libx264",
    "h265": "libx265",
    "prores": "prores",  # 5 times as fast as prores_ks, and 0.6 dB better at the HQ profile
    "ffv1": "ffv1",
}
PRORES_PROFILES = {"Proxy": 0, "LT": 1, "Standard": 2, "HQ": 3, "4444": 4, "XQ": 5}
FFV1_PACKED = {"gbrp": "bgr0", "gbrap": "bgra"}  # how FFV1 takes 8-bit RGB; only it gets RGB
MATRIX_TAGS = {"bt709": 1, "fcc": 4, "bt601": 6, "smpte240m": 7, "bt2020": 9}


@dataclass(frozen=True)
class EncodeOptions:
    """What a user may ask of the encoder."""

    codec: Codec | None = None
    """Codec to write; None follows the source."""
    crf: int | None = None
    """Quality of H.264 and H.265, 0 (best) to 51; None is 16."""
    speed: Speed = "fast"
    """Effort of H.264 and H.265: slower makes smaller files."""

    def __post_init__(self) -> None:
        if self.codec is not None and self.codec not in HOMES:
            raise UsageError(f"codec must be one of {', '.join(HOMES)}, got {self.codec}")
        if self.crf is not None and not 0 <= self.crf <= 51:
            raise UsageError(f"crf must be 0 to 51, got {self.crf}")
        if self.crf is not None and self.codec in ("prores", "ffv1"):
            raise UsageError(f"crf does not apply to {self.codec}: leave it out")


@dataclass(frozen=True)
class OutputPlan:
    """How a render of one source is written."""

    suffix: str
    """Suffix of the file, such as `.mov`."""
    container: str
    """FFmpeg's name of the container's writer."""
    codec: Codec
    """Codec family."""
    encoder: str
    """FFmpeg's name of the encoder."""
    encoder_options: dict[str, str]
    """Options of the encoder."""
    coding: Coding
    """What the writer takes: frames are converted to it where the source's differs."""
    tags: ColorTags
    """Colour tags that every frame is written with."""
    notes: tuple[str, ...] = ()
    """What changes from source to render, a line each, for the user."""

    @property
    def pix_fmt(self) -> str:
        """Pixel format that is encoded: the coding's, or one that holds its very samples."""
        return FFV1_PACKED.get(self.coding.pix_fmt, self.coding.pix_fmt)


def plan_output(source: ClipInfo, suffix: str | None, options: EncodeOptions) -> OutputPlan:
    """Decide codec, container and coding; a `suffix` such as `.mov` is obeyed.

    Raises TargetError for a suffix that cannot hold the codec.
    """
    codec = options.codec or _follow(source)
    suffix = _suffix(codec, source, suffix)
    coding = _coding(codec, source)
    return OutputPlan(
        suffix=suffix,
        container=CONTAINERS[suffix],
        codec=codec,
        encoder=ENCODERS[codec],
        encoder_options=_encoder_options(codec, source, coding, options),
        coding=coding,
        tags=_tags(source, coding),
        notes=_notes(codec, source, coding) + _time_note(source, suffix),
    )


def _follow(source: ClipInfo) -> Codec:
    if source.codec in ("prores", "ffv1"):
        return "prores" if source.codec == "prores" else "ffv1"
    return "h265" if source.coding.depth > 8 else "h264"


def _suffix(codec: Codec, source: ClipInfo, wanted: str | None) -> str:
    if wanted is None:
        own = source.path.suffix.lower()
        own = ".mkv" if "matroska" in source.container else own
        return own if own in HOMES[codec] else HOMES[codec][0]
    if wanted.lower() not in HOMES[codec]:
        homes = " or ".join(HOMES[codec])
        raise TargetError(f"{TITLES[codec]} is not written to {wanted or 'no suffix'}: use {homes}")
    return wanted.lower()


def _coding(codec: Codec, source: ClipInfo) -> Coding:
    own = source.coding
    if codec == "ffv1":
        return own
    if codec == "prores":
        return _prores_coding(own)
    shift = {(1, 1): (1, 1), (1, 0): (1, 0), (2, 0): (1, 0)}.get((own.sub_x, own.sub_y), (0, 0))
    if own.matrix == "gray":
        shift = (1, 1)
    # the encoders refuse odd sizes where chroma is halved; nothing is ever resized
    if (shift[0] and source.width % 2) or (shift[1] and source.height % 2):
        shift = (0, 0)
    return _yuv(own, shift, depth=10 if codec == "h265" else 8)


def _prores_coding(own: Coding) -> Coding:
    wide = own.has_alpha or own.matrix == "rgb" or (own.sub_x == 0 and own.matrix != "gray")
    coding = _yuv(own, (0, 0) if wide else (1, 0), depth=10, alpha=own.has_alpha)
    # ProRes is limited range by definition, and knows three matrices
    matrix = coding.matrix if coding.matrix in ("bt709", "bt601", "bt2020") else "bt709"
    if coding.matrix in ("bt2020c", "ictcp_pq", "ictcp_hlg"):
        matrix = "bt2020"
    return replace(coding, full_range=False, matrix=matrix)


def _yuv(own: Coding, shift: tuple[int, int], *, depth: int, alpha: bool = False) -> Coding:
    name = f"yuv{'a' if alpha else ''}{SUBSAMPLING[shift]}p{'' if depth == 8 else f'{depth}le'}"
    colourless = own.matrix in ("rgb", "gray")
    return Coding(
        pix_fmt=name,
        depth=depth,
        sub_x=shift[0],
        sub_y=shift[1],
        matrix="bt709" if colourless else own.matrix,
        full_range=own.full_range and not colourless,
        has_alpha=alpha,
    )


def _tags(source: ClipInfo, coding: Coding) -> ColorTags:
    """Keep the source's tags as they are, untagged too, where the meaning of the codes is kept."""
    own, tags = source.coding, source.tags
    if coding.matrix != own.matrix:
        tags = replace(tags, matrix=MATRIX_TAGS[coding.matrix])
    if coding.full_range or own.full_range or own.matrix != coding.matrix:
        tags = replace(tags, range=2 if coding.full_range else 1)
    return tags


def _encoder_options(
    codec: Codec, source: ClipInfo, coding: Coding, options: EncodeOptions
) -> dict[str, str]:
    if codec == "prores":
        return {"profile": str(_prores_profile(source, coding))}
    # level 3: every slice carries a checksum; how many suit the size, the encoder knows
    if codec == "ffv1":
        return {"level": "3", "g": "1", "slicecrc": "1"}
    crf = 16 if options.crf is None else options.crf
    quality = {"crf": str(crf), "preset": options.speed}
    return quality | ({"x265-params": "log-level=none"} if codec == "h265" else {})


def _prores_profile(source: ClipInfo, coding: Coding) -> int:
    """Keep the source's profile where it fits the coding; else HQ or 4444."""
    own = PRORES_PROFILES.get(source.profile, -1) if source.codec == "prores" else -1
    if coding.sub_x == 0:
        return max(own, PRORES_PROFILES["4444"])
    return own if 0 <= own <= PRORES_PROFILES["HQ"] else PRORES_PROFILES["HQ"]


def _notes(codec: Codec, source: ClipInfo, coding: Coding) -> tuple[str, ...]:
    own, notes = source.coding, []
    title = TITLES[codec]
    if own.has_alpha and not coding.has_alpha:
        notes.append(f"{title} has no alpha: it is dropped (prores and ffv1 keep it)")
    if coding.depth < own.depth:
        notes.append(f"{own.depth} bits are written as {coding.depth}, as {title} is")
    odd = source.width % 2 or source.height % 2
    if odd and coding.sub_x < own.sub_x:
        size = f"{source.width}x{source.height}"
        notes.append(f"{size} is odd: chroma is written at full size ({coding.pix_fmt})")
    if own.matrix == "rgb" and coding.matrix != "rgb":
        notes.append(f"RGB is written as {coding.pix_fmt}, BT.709")
    return tuple(notes)


def _time_note(source: ClipInfo, suffix: str) -> tuple[str, ...]:
    if CONTAINERS[suffix] != "matroska" or 1000 % source.time_base.denominator == 0:
        return ()
    return ("Matroska rounds times to milliseconds (mov and mp4 keep them)",)
