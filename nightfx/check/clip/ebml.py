"""Elements of Matroska's headers (RFC 8794, RFC 9559), each with its path; pictures and sound are passed over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_LONGEST = 1 << 16  # bytes of an element that are read
_DEEPEST = 24

# those that hold others
_MASTERS = {
    0x18538067: "Segment", 0x1654AE6B: "Tracks", 0xAE: "TrackEntry", 0xE0: "Video", 0xE1: "Audio",
    0x55B0: "Colour", 0x55D0: "MasteringMetadata", 0x7670: "Projection", 0x6D80: "ContentEncodings",
    0x1043A770: "Chapters", 0x45B9: "EditionEntry", 0xB6: "ChapterAtom", 0x80: "ChapterDisplay",
    0x1549A966: "Info", 0x41E4: "BlockAdditionMapping",
}  # fmt: skip
# what FFmpeg shows, and is compared by what it shows, or belongs to the file that it stands in
_SHOWN = {
    0x1A45DFA3: "EBML", 0x114D9B74: "SeekHead", 0x1F43B675: "Cluster", 0x1C53BB6B: "Cues",
    0x1941A469: "Attachments", 0x1254C367: "Tags", 0xEC: "Void", 0xBF: "CRC-32",
    # of the file
    0x2AD7B1: "TimestampScale", 0x4489: "Duration", 0x4461: "DateUTC", 0x7BA9: "Title",
    0x4D80: "MuxingApp", 0x5741: "WritingApp", 0x73A4: "SegmentUUID",
    # of a track
    0xD7: "TrackNumber", 0x73C5: "TrackUID", 0x83: "TrackType", 0xB9: "FlagEnabled", 0x88: "FlagDefault",
    0x55AA: "FlagForced", 0x55AB: "FlagHearingImpaired", 0x55AC: "FlagVisualImpaired",
    0x55AD: "FlagTextDescriptions", 0x55AE: "FlagOriginal", 0x55AF: "FlagCommentary", 0x9C: "FlagLacing",
    0x6DE7: "MinCache", 0x6DF8: "MaxCache", 0x23E383: "DefaultDuration", 0x234E7A: "DefaultDecodedFieldDuration",
    0x23314F: "TrackTimestampScale", 0x55EE: "MaxBlockAdditionID", 0x536E: "Name", 0x22B59C: "Language",
    0x86: "CodecID", 0x63A2: "CodecPrivate", 0x258688: "CodecName", 0x56AA: "CodecDelay",
    0x56BB: "SeekPreRoll", 0xAA: "CodecDecodeAll",
    # of its picture
    0x9A: "FlagInterlaced", 0x9D: "FieldOrder", 0x53B8: "StereoMode", 0x53C0: "AlphaMode",
    0xB0: "PixelWidth", 0xBA: "PixelHeight", 0x54B2: "DisplayUnit", 0x55B1: "MatrixCoefficients",
    0x55B2: "BitsPerChannel", 0x55B3: "ChromaSubsamplingHorz", 0x55B4: "ChromaSubsamplingVert",
    0x55B7: "ChromaSitingHorz", 0x55B8: "ChromaSitingVert", 0x55B9: "Range",
    0x55BA: "TransferCharacteristics", 0x55BB: "Primaries", 0x55BC: "MaxCLL", 0x55BD: "MaxFALL",
    0x55D1: "PrimaryRChromaticityX", 0x55D2: "PrimaryRChromaticityY", 0x55D3: "PrimaryGChromaticityX",
    0x55D4: "PrimaryGChromaticityY", 0x55D5: "PrimaryBChromaticityX", 0x55D6: "PrimaryBChromaticityY",
    0x55D7: "WhitePointChromaticityX", 0x55D8: "WhitePointChromaticityY", 0x55D9: "LuminanceMax",
    0x55DA: "LuminanceMin", 0x7671: "ProjectionType", 0x7672: "ProjectionPrivate",
    0x7673: "ProjectionPoseYaw", 0x7674: "ProjectionPosePitch", 0x7675: "ProjectionPoseRoll",
    0x41F0: "BlockAddIDValue", 0x41A4: "BlockAddIDName", 0x41E7: "BlockAddIDType", 0x41ED: "BlockAddIDExtraData",
    # of its sound
    0xB5: "SamplingFrequency", 0x78B5: "OutputSamplingFrequency", 0x9F: "Channels", 0x6264: "BitDepth",
    # encryption and compression of packets, which FFmpeg undoes
    0x6240: "ContentEncoding",
}  # fmt: skip
# what is compared by itself
_OWN = {
    0x54AA: "PixelCropBottom", 0x54BB: "PixelCropTop", 0x54CC: "PixelCropLeft", 0x54DD: "PixelCropRight",
    0x54B0: "DisplayWidth", 0x54BA: "DisplayHeight", 0x22B59D: "LanguageBCP47",
    0x45BC: "EditionUID", 0x45BD: "EditionFlagHidden", 0x45DB: "EditionFlagDefault", 0x45DD: "EditionFlagOrdered",
    0x73C4: "ChapterUID", 0x5654: "ChapterStringUID", 0x91: "ChapterTimeStart", 0x92: "ChapterTimeEnd",
    0x98: "ChapterFlagHidden", 0x4598: "ChapterFlagEnabled", 0x85: "ChapString", 0x437C: "ChapLanguage",
    0x437D: "ChapLanguageBCP47", 0x437E: "ChapCountry", 0x6E67: "ChapterSegmentUUID",
    0x6EBC: "ChapterSegmentEditionUID", 0x63C3: "ChapterPhysicalEquiv",
}  # fmt: skip
NAMES = _MASTERS | _SHOWN | _OWN
"""Names of the elements that are known, by their numbers."""
USUAL_FLAGS = {
    "EditionFlagHidden": 0,
    "EditionFlagDefault": 0,
    "EditionFlagOrdered": 0,
    "ChapterFlagHidden": 0,
    "ChapterFlagEnabled": 1,
}
"""Flags of chapters with the value that means nothing."""
RARE_OF_CHAPTERS = {"ChapterStringUID", "ChapCountry", "ChapterSegmentUUID", "ChapterPhysicalEquiv"}
"""What else a chapter may say."""


@dataclass(frozen=True)
class HeaderElement:
    """An element of a header."""

    name: str
    """Its name; empty where it is not known here."""
    path: str
    """The names above it and its own, or its number."""
    data: bytes
    """Its bytes, but of one that holds others or is long."""


def elements(file: BinaryIO) -> Iterator[HeaderElement]:
    """Yield the elements of a file that is open at its beginning, each before those that it holds."""
    file.seek(0, 2)
    end = file.tell()
    file.seek(0)
    yield from _children(file, end, "", 0)


def _children(file: BinaryIO, end: int, path: str, depth: int) -> Iterator[HeaderElement]:
    while file.tell() < end and depth < _DEEPEST:
        number, size = _vint(file, keep_marker=True), _vint(file)
        begin = file.tell()
        stop = end if size is None else min(begin + size, end)
        assert number is not None
        name = NAMES.get(number, "")
        here = f"{path}/{name or f'0x{number:X}'}".lstrip("/")
        if number in _MASTERS:
            yield HeaderElement(name, here, b"")
            yield from _children(file, stop, here, depth + 1)
        else:
            yield HeaderElement(name, here, file.read(min(stop - begin, _LONGEST)))
        file.seek(stop)


def _vint(file: BinaryIO, *, keep_marker: bool = False) -> int | None:
    """Read a number of variable length; None is a size that is not known."""
    first = file.read(1)
    if not first or not first[0]:
        raise EOFError
    length = 9 - first[0].bit_length()
    rest = file.read(length - 1)
    whole = int.from_bytes(first + rest, "big")
    if keep_marker:
        return whole
    value = whole & ((1 << 7 * length) - 1)
    return None if value == (1 << 7 * length) - 1 else value


def number(data: bytes) -> int:
    """Return a whole number without a sign."""
    return int.from_bytes(data[:8], "big")


def text(data: bytes) -> str:
    """Return a text."""
    return data.rstrip(b"\0").decode(errors="replace")
