"""Choose how a render is written: codec and container follow the source, and nothing is resized.

ProRes and DNxHR keep their profile and FFV1 its very pixel format. Everything else turns into
H.264 at 8 bits, H.265 where it is deeper, FFV1 above 12 bits; alpha goes to ProRes 4444 or FFV1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from nightfx.carry import CONTAINERS, DNXHR_LEAST, FORMATS, PROFILES, Format, either, lines_of
from nightfx.errors import TargetError, UsageError
from nightfx.options import QUALITY_FAMILIES, Codec, CodecChoice, EncodeOptions, Family, Speed
from nightfx.picture import SUBSAMPLING, Coding, ColorTags, Matrix, is_affine
from nightfx.source import ClipInfo

# SVT's presets that take about as long as x265's of these names; above 10 it drops what is fine
_SVT_PRESETS: dict[Speed, int] = {"ultrafast": 10, "superfast": 10, "veryfast": 9, "faster": 9}
_SVT_PRESETS |= {"fast": 8, "medium": 6, "slow": 5, "slower": 4, "veryslow": 3}
_FFV1_PACKED = {"gbrp": "bgr0", "gbrap": "bgra"}  # how FFV1 takes 8-bit RGB
_MATRIX_TAGS = {"bt709": 1, "fcc": 4, "bt601": 6, "smpte240m": 7, "bt2020": 9}


@dataclass(frozen=True)
class OutputPlan:
    """How a render of one source is written."""

    suffix: str
    """Suffix of the file, such as `.mov`."""
    container: str
    """FFmpeg's name of the container's writer."""
    codec: Codec
    """Codec, with its profile."""
    encoder: str
    """FFmpeg's name of the encoder."""
    encoder_options: dict[str, str]
    """Options of the encoder."""
    coding: Coding
    """The coding that the writer takes: frames are converted to it where the source's differs."""
    tags: ColorTags
    """Colour tags that every frame is written with."""
    notes: tuple[str, ...] = ()
    """Lines for the user about what changes from source to render."""

    @property
    def family(self) -> Family:
        """Return the codec's family, such as `prores`."""
        return FORMATS[self.codec].family

    @property
    def pix_fmt(self) -> str:
        """Pixel format that is encoded: the coding's, or one that holds its very samples."""
        packed = _FFV1_PACKED if self.codec == "ffv1" else {}
        return packed.get(self.coding.pix_fmt, self.coding.pix_fmt)


def plan_output(source: ClipInfo, suffix: str | None, options: EncodeOptions) -> OutputPlan:
    """Decide codec, container and coding; a `suffix` such as `.mov` is obeyed.

    Raises TargetError for a suffix that cannot hold the codec, and for a size that the codec does
    not have.
    """
    codec = _codec(source, suffix, options)
    form = FORMATS[codec]
    _check_size(form, source)
    suffix = _suffix(form, source, suffix)
    coding = _coding(form, source, options.depth)
    return OutputPlan(
        suffix=suffix,
        container=CONTAINERS[suffix],
        codec=codec,
        encoder=_encoder(form, source),
        encoder_options=_encoder_options(form, coding, options),
        coding=coding,
        tags=_tags(source, coding),
        notes=lines_of(source, form, coding, suffix),
    )


def _codec(source: ClipInfo, suffix: str | None, options: EncodeOptions) -> Codec:
    choice = options.codec or _follow(source, suffix)
    if choice == "prores":
        return _prores(source)
    return _dnxhr(source) if choice == "dnxhr" else choice


def _follow(source: ClipInfo, suffix: str | None) -> CodecChoice:
    """The codec of a source where none is asked for; a suffix that is asked for has a say."""
    own, coding = {"dnxhd": "dnxhr"}.get(source.codec, source.codec), source.coding
    wanted = suffix.lower() if suffix else None
    masters: tuple[CodecChoice, ...] = ("prores", "dnxhr", "ffv1")
    for master in masters:
        if own == master and wanted in (None, *_homes(master)):
            return master
    if wanted == ".mxf":
        return "prores" if _is_small(source) else "dnxhr"
    # what ProRes 4444 and FFV1 keep, H.264 and H.265 do not
    if wanted in (None, ".mkv"):
        in_mkv = coding.has_alpha and _wants(source, suffix) == ".mkv"
        if in_mkv or coding.depth > (10 if coding.has_alpha else 12):
            return "ffv1"
    if coding.has_alpha and wanted in (None, ".mov"):
        return "prores"
    choice: Codec = "h265" if coding.depth > 8 else "h264"
    if wanted in (None, *FORMATS[choice].homes):
        return choice
    return next((codec for codec, form in FORMATS.items() if wanted in form.homes), choice)


def _homes(family: str) -> tuple[str, ...]:
    return next(form.homes for form in FORMATS.values() if form.family == family)


def _wants(source: ClipInfo, suffix: str | None) -> str:
    if suffix:
        return suffix.lower()
    own = source.path.suffix.lower()
    is_named = CONTAINERS.get(own) in source.container.split(",")  # FFmpeg reads some by one name
    return ".mkv" if "matroska" in source.container and not is_named else own


def _prores(source: ClipInfo) -> Codec:
    """Keep the source's profile where it fits the picture; else HQ or 4444."""
    own, coding = PROFILES.get(source.profile), source.coding
    if coding.has_alpha or coding.matrix == "rgb" or (not coding.sub_x and coding.matrix != "gray"):
        return own if own in ("prores-4444", "prores-xq") else "prores-4444"
    return own if own and FORMATS[own].family == "prores" else "prores-hq"


def _dnxhr(source: ClipInfo) -> Codec:
    """Keep the source's profile; else what holds its depth and chroma."""
    own, coding = PROFILES.get(source.profile), source.coding
    if own and FORMATS[own].family == "dnxhr":
        return own
    if coding.matrix == "rgb" or (not coding.sub_x and coding.matrix != "gray"):
        return "dnxhr-444"
    return "dnxhr-hqx" if coding.depth > 8 else "dnxhr-hq"


def _check_size(form: Format, source: ClipInfo) -> None:
    if form.family == "dnxhr" and _is_small(source):
        least_width, least_height = DNXHR_LEAST
        size = f"{source.width}x{source.height}"
        raise TargetError(
            f"{source.path}: DNxHR begins at {least_width}x{least_height}, this is {size}:"
            " use --codec prores or ffv1"
        )


def _is_small(source: ClipInfo) -> bool:
    least_width, least_height = DNXHR_LEAST
    return source.width < least_width or source.height < least_height


def _suffix(form: Format, source: ClipInfo, wanted: str | None) -> str:
    if wanted is None:
        own = _wants(source, None)
        return own if own in form.homes else form.homes[0]
    if wanted.lower() not in form.homes:
        homes = " or ".join(form.homes)
        raise TargetError(f"{form.title} is not written to {wanted or 'no suffix'}: use {homes}")
    return wanted.lower()


def _coding(form: Format, source: ClipInfo, depth: int | None) -> Coding:
    own = source.coding
    if form.family == "ffv1":
        return own
    bits = _depth(form, own.depth if depth is None else depth, told=depth is not None)
    if own.matrix == "rgb" and form.rgb:
        return replace(own, pix_fmt=f"gbrp{_bits(bits)}", depth=bits, has_alpha=False)
    shift = _shift(form, source)
    coding = _yuv(own, shift, depth=bits, alpha=own.has_alpha and form.alpha)
    full = coding.full_range and not form.limited
    return replace(coding, full_range=full, matrix=_matrix(form, coding))


def _matrix(form: Format, coding: Coding) -> Matrix:
    """Return the coding's matrix where the codec's own header can name it; else BT.709, or BT.2020 as ordinary codes."""
    if form.own_matrices is None:
        return coding.matrix
    if not is_affine(coding):
        return "bt2020"
    return coding.matrix if coding.matrix in form.own_matrices else "bt709"


def _depth(form: Format, wanted: int, *, told: bool) -> int:
    if told and wanted not in form.depths:
        raise UsageError(f"{form.title} is written at {either(form.depths)} bits, not {wanted}")
    wanted = wanted if told else max(wanted, form.least)
    return next((depth for depth in form.depths if depth >= wanted), form.depths[-1])


def _shift(form: Format, source: ClipInfo) -> tuple[int, int]:
    """The coarsest chroma of the codec that loses none of the source's."""
    own = source.coding
    if own.matrix == "gray":
        own = replace(own, sub_x=1, sub_y=1)
    kept = [(x, y) for x, y in form.chroma if x <= own.sub_x and y <= own.sub_y]
    x, y = kept[0] if kept else form.chroma[-1]
    # x264 and x265 refuse odd sizes where chroma is halved; nothing is ever resized
    if not form.odd_sizes and ((x and source.width % 2) or (y and source.height % 2)):
        return form.chroma[-1]
    return x, y


def _yuv(own: Coding, shift: tuple[int, int], *, depth: int, alpha: bool = False) -> Coding:
    name = f"yuv{'a' if alpha else ''}{SUBSAMPLING[shift]}p{_bits(depth)}"
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


def _bits(depth: int) -> str:
    return "" if depth == 8 else f"{depth}le"


def _tags(source: ClipInfo, coding: Coding) -> ColorTags:
    """Keep the source's tags as they are, untagged too, where the meaning of the codes is kept."""
    own, tags = source.coding, source.tags
    if coding.matrix != own.matrix:
        tags = replace(tags, matrix=_MATRIX_TAGS[coding.matrix])
    if coding.full_range or own.full_range or own.matrix != coding.matrix:
        tags = replace(tags, range=2 if coding.full_range else 1)
    return tags


def _encoder(form: Format, source: ClipInfo) -> str:
    # `prores` refuses odd widths
    return "prores_ks" if form.family == "prores" and source.width % 2 else form.encoder


def _encoder_options(form: Format, coding: Coding, options: EncodeOptions) -> dict[str, str]:
    own = form.options | (
        {"alpha_bits": "16"} if form.family == "prores" and coding.has_alpha else {}
    )
    if form.family not in QUALITY_FAMILIES:
        return own
    crf = str(16 if options.crf is None else options.crf)
    if form.family == "av1":
        return own | {"crf": crf, "preset": str(_SVT_PRESETS[options.speed])}
    # a53cc: captions, where frames have them
    quality = own | {"crf": crf, "preset": options.speed, "a53cc": "1"}
    return quality | ({"x265-params": "log-level=none"} if form.family == "h265" else {})
