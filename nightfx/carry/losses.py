"""Name what a render cannot keep of its source, a line each, with the codec that would keep it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from nightfx.carry.ebml import Spoken
from nightfx.carry.formats import CONTAINERS, FORMATS, Format, holds
from nightfx.options import Codec
from nightfx.picture import SUBSAMPLING, TRANSFER_PQ, Coding
from nightfx.source import FALLBACK_RATE, ClipInfo

_DYNAMIC_TITLES = {
    "DYNAMIC_HDR_PLUS": "HDR10+",
    "DYNAMIC_HDR_VIVID": "HDR Vivid",
    "DOVI_RPU_BUFFER": "Dolby Vision",
}
_CARRIED_TITLES = {
    "AFD": "active format description",
    "S12M_TIMECODE": "timecode of single pictures",
    "SPHERICAL": "projection of a sphere",
    "STEREO3D": "arrangement of two eyes",
    "ICC_PROFILE": "ICC profile",
}
_EYES = "STEREO3D"
_NAMED: tuple[Codec, ...] = (
    "h265",
    "prores-4444",
    "ffv1",
)  # those worth naming, the smallest files first


def lines_of(source: ClipInfo, form: Format, coding: Coding, suffix: str) -> tuple[str, ...]:
    """Return the lines for a source that is written in `form` and `coding`, to a `suffix`."""
    return (
        *_of_depth(source, form, coding),
        *_of_chroma(source, form, coding),
        *_of_colour(source, form, coding),
        *_of_profile(source, form),
        *_of_side_data(source, form, suffix),
        *_of_crop(source),
        *_of_container(source, suffix),
    )


def captions_line(form: Format) -> str:
    """Return the line for captions that are carried in the pictures, where `form` cannot."""
    captioned = [codec for codec, each in FORMATS.items() if each.captions]
    return f"closed captions are not written by {form.title} ({either(captioned)} keeps them)"


def either(choices: Iterable[object]) -> str:
    """Return `8, 10 or 12`."""
    return _listed(choices, "or")


def _of_depth(source: ClipInfo, form: Format, coding: Coding) -> Iterator[str]:
    own = source.coding
    if own.has_alpha and not coding.has_alpha:
        keepers = _keepers(lambda f: f.alpha)
        yield f"{form.title} has no alpha: it is dropped ({keepers} keep it)"
    if source.alpha_beside and not own.has_alpha:
        yield "alpha beside the pictures does not decode: it is dropped"
    if coding.depth < own.depth:
        chosen = coding.depth < form.depths[-1]
        why = "as asked" if chosen else f"as FFmpeg writes {form.title}"
        keepers = _keepers(lambda f: f.depths[-1] >= own.depth)
        keep = "keeps" if " and " not in keepers else "keep"
        yield f"{own.depth} bits are written as {coding.depth}, {why} ({keepers} {keep} them)"
    if form.family == "h264" and coding.depth > 8:
        yield "10-bit H.264 plays in few players (h265 in more; --depth 8 plays everywhere)"


def _of_chroma(source: ClipInfo, form: Format, coding: Coding) -> Iterator[str]:
    own, written = source.coding, _chroma(coding)
    if own.matrix != "gray" and (coding.sub_x > own.sub_x or coding.sub_y > own.sub_y):
        keepers = _keepers(lambda f: any(x <= own.sub_x and y <= own.sub_y for x, y in f.chroma))
        yield f"{_chroma(own)} is written as {written}, as FFmpeg writes {form.title} ({keepers} keep it)"
    odd = source.width % 2 or source.height % 2
    if odd and coding.sub_x < own.sub_x:
        size = f"{source.width}x{source.height}"
        yield f"{size} is odd: chroma is written at full size ({coding.pix_fmt})"


def _of_colour(source: ClipInfo, form: Format, coding: Coding) -> Iterator[str]:
    own = source.coding
    if own.matrix == "rgb" and coding.matrix != "rgb":
        yield f"RGB is written as {coding.pix_fmt}, BT.709 (ffv1 and dnxhr-444 keep RGB)"
    elif own.matrix == "gray" and coding.matrix != "gray":
        yield f"grey is written as {coding.pix_fmt}, since light has a colour"
    elif own.matrix not in ("gray", coding.matrix):
        yield f"matrix {own.matrix} is written as {coding.matrix}: {form.title} cannot name it"
    if own.full_range and not coding.full_range and own.matrix not in ("rgb", "gray"):
        yield f"full range is written as limited, as {form.title} is (h265 and ffv1 keep it)"


def _of_profile(source: ClipInfo, form: Format) -> Iterator[str]:
    if source.codec == "dnxhd" and form.family == "dnxhr" and source.profile == "DNXHD":
        yield f"DNxHD is written as {form.title}"


def _of_side_data(source: ClipInfo, form: Format, suffix: str) -> Iterator[str]:
    names, movie = source.side_data, form.hdr10
    for kind, title in _DYNAMIC_TITLES.items():
        if kind in names:
            yield f"{title} metadata is left out: it was made for the source's light"
    if "MASTERING_DISPLAY_METADATA" in names and not movie:
        yield f"HDR10 mastering display is not written by {form.title} (h265 and av1 keep it)"
    if "CONTENT_LIGHT_LEVEL" in names and (not movie or source.tags.transfer != TRANSFER_PQ):
        yield "HDR10 content light is left out: it is measured anew for PQ in h264, h265 and av1"
    if "A53_CC" in names and not form.captions:
        yield captions_line(form)
    unsaid = {_EYES} if _may_say_eyes(source, CONTAINERS[suffix]) else set()
    for kind in sorted((_CARRIED_TITLES.keys() & set(names)) - unsaid):
        yield _carried_line(kind)


def _carried_line(kind: str) -> str:
    return f"{_CARRIED_TITLES[kind]}, which the pictures carry, is left out"


def _may_say_eyes(source: ClipInfo, container: str) -> bool:
    return container == "matroska" and "matroska" in source.container


def eyes_line(source: ClipInfo, container: str, metadata: Mapping[str, str]) -> str | None:
    """Return the line for two eyes in a picture that only its pictures tell of, and not Matroska's `metadata`, which is kept."""
    told = "stereo_mode" in metadata or _EYES not in source.side_data
    return None if told or not _may_say_eyes(source, container) else _carried_line(_EYES)


def spoken_lines(spoken: Spoken, container: str) -> Iterator[str]:
    """Yield a line for each thing that Matroska says and another container has no place for."""
    if container == "matroska" or holds(container).is_bare:
        return
    if spoken.chapters:
        yield f"chapters keep one name each, of the first level: {container} has no more (mkv keeps them)"


def _of_crop(source: ClipInfo) -> Iterator[str]:
    if source.crop:
        size = f"{source.width}x{source.height}"
        yield f"the crop to {source.crop} is not written: all {size} pixels are, in their own aspect"


def _of_container(source: ClipInfo, suffix: str) -> Iterator[str]:
    container = CONTAINERS[suffix]
    held = holds(container)
    if held.ticks_a_second and held.ticks_a_second % source.time_base.denominator:
        yield "Matroska rounds times to milliseconds (mov and mp4 keep them)"
    if held.is_bare and source.container != container:
        rate = float(source.rate or FALLBACK_RATE)
        yield f"MXF has no times of its own: frames are counted at {rate:.3f} fps (mov keeps them)"
        yield "MXF names no languages, chapters or titles (mov does), and its sound ends with the picture"
    if held.is_bare and source.interlaced:
        yield "MXF calls the clip progressive: only its pictures say their field order (mov says it too)"


def _keepers(keeps: Callable[[Format], bool]) -> str:
    names = [name for name in _NAMED if keeps(FORMATS[name])]
    return _listed(names, "and")


def _listed(choices: Iterable[object], word: str) -> str:
    *first, last = map(str, choices)
    return f"{', '.join(first)} {word} {last}" if first else last


def _chroma(coding: Coding) -> str:
    if coding.matrix == "rgb":
        return "RGB"
    return ":".join(SUBSAMPLING[coding.sub_x, coding.sub_y])
