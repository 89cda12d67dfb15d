"""Everything that travels beside the picture: sound, subtitles, chapters and tags, as far as a container holds them."""

from nightfx.carry import boxes, ebml
from nightfx.carry.convert import same_language
from nightfx.carry.fit import conversions, flag_lines, is_rebuilt, refusals, spoken_of
from nightfx.carry.formats import (
    CONTAINERS,
    DNXHR_LEAST,
    FORMATS,
    PROFILES,
    Container,
    Format,
    holds,
)
from nightfx.carry.log_footage import log_line
from nightfx.carry.losses import (
    CARRIED_TITLES,
    captions_line,
    either,
    eyes_line,
    lines_of,
    spoken_lines,
)
from nightfx.carry.sound import name_line
from nightfx.carry.streams import (
    OWN_KEYS,
    STREAM_KEYS,
    Alone,
    Carrier,
    Note,
    Span,
    is_statistic,
    place_of,
)
from nightfx.carry.timecode import REEL, Timecode, read_timecode, timecode_lines

__all__ = [
    "CARRIED_TITLES",
    "CONTAINERS",
    "DNXHR_LEAST",
    "FORMATS",
    "OWN_KEYS",
    "PROFILES",
    "REEL",
    "STREAM_KEYS",
    "Alone",
    "Carrier",
    "Container",
    "Format",
    "Note",
    "Span",
    "Timecode",
    "boxes",
    "captions_line",
    "conversions",
    "ebml",
    "either",
    "eyes_line",
    "flag_lines",
    "holds",
    "is_rebuilt",
    "is_statistic",
    "lines_of",
    "log_line",
    "name_line",
    "place_of",
    "read_timecode",
    "refusals",
    "same_language",
    "spoken_lines",
    "spoken_of",
    "timecode_lines",
]
