"""Everything that travels beside the picture: sound, subtitles, chapters and tags, as far as a container holds them."""

from nightfx.carry.convert import same_language
from nightfx.carry.fit import conversions, is_rebuilt, refusals
from nightfx.carry.formats import CONTAINERS, DNXHR_LEAST, FORMATS, PROFILES, Format, holds
from nightfx.carry.log_footage import log_line
from nightfx.carry.losses import captions_line, either, lines_of
from nightfx.carry.streams import OWN_KEYS, STREAM_KEYS, Alone, Carrier, Note, Span

__all__ = [
    "CONTAINERS",
    "DNXHR_LEAST",
    "FORMATS",
    "OWN_KEYS",
    "PROFILES",
    "STREAM_KEYS",
    "Alone",
    "Carrier",
    "Format",
    "Note",
    "Span",
    "captions_line",
    "conversions",
    "either",
    "holds",
    "is_rebuilt",
    "lines_of",
    "log_line",
    "refusals",
    "same_language",
]
