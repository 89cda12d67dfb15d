"""All that yields frames: clips, sequences and pictures, and what is known of them before they are decoded."""

from nightfx.source.damage import Signs
from nightfx.source.decoding import decode
from nightfx.source.fingerprints import fingerprint
from nightfx.source.image import (
    SUFFIXES,
    PictureExtras,
    Pixels,
    is_picture,
    picture_extras,
    read_extras,
    read_picture,
)
from nightfx.source.interlace import as_progressive, deinterlaced, is_interlaced, split, woven
from nightfx.source.log_footage import log_line
from nightfx.source.numbered import (
    base_name,
    existing_files,
    file_of,
    frames_on_disk,
    is_pattern,
    is_sequence,
    lone_sequence,
    sequences_in,
)
from nightfx.source.probe import (
    CLIP_SUFFIXES,
    FALLBACK_RATE,
    ClipInfo,
    is_cover,
    open_source,
    pick_stream,
    side_data_of,
)
from nightfx.source.reader import Reader
from nightfx.source.sequence import SequenceReader, read_file
from nightfx.source.shot import FrameReader
from nightfx.source.still import (
    FORMATS,
    by_openimageio,
    has_openimageio,
    has_timecode,
    inside,
    one_line,
)
from nightfx.source.still_extras import FilePart, Sheet, timecode_of, timecode_word
from nightfx.source.threads import VARIABLE, asked_threads, codec_threads, cores
from nightfx.source.timecode import Seconds, exact_seconds, shift_timecode

__all__ = [
    "CLIP_SUFFIXES",
    "FALLBACK_RATE",
    "FORMATS",
    "SUFFIXES",
    "VARIABLE",
    "ClipInfo",
    "FilePart",
    "FrameReader",
    "PictureExtras",
    "Pixels",
    "Reader",
    "Seconds",
    "SequenceReader",
    "Sheet",
    "Signs",
    "as_progressive",
    "asked_threads",
    "base_name",
    "by_openimageio",
    "codec_threads",
    "cores",
    "decode",
    "deinterlaced",
    "exact_seconds",
    "existing_files",
    "file_of",
    "fingerprint",
    "frames_on_disk",
    "has_openimageio",
    "has_timecode",
    "inside",
    "is_cover",
    "is_interlaced",
    "is_pattern",
    "is_picture",
    "is_sequence",
    "log_line",
    "lone_sequence",
    "one_line",
    "open_source",
    "pick_stream",
    "picture_extras",
    "read_extras",
    "read_file",
    "read_picture",
    "sequences_in",
    "shift_timecode",
    "side_data_of",
    "split",
    "timecode_of",
    "timecode_word",
    "woven",
]
