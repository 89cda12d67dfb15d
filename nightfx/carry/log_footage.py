"""Find log footage that nothing tags as such: by the camera's metadata, the file's name, or how a picture looks.

A curve that nobody named is lit as SDR, so it is only told, never decided: names lie, and fog looks like log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nightfx.picture import Frame, luma, to_rgb
from nightfx.source import ClipInfo, Sheet, open_source

_XML_BYTES = 1 << 18  # at both ends of a file, where cameras put XML that FFmpeg does not read
_EVERY = 4  # rows and columns that are looked at
_DARK, _BRIGHT = (0.06, 0.3), (0.42, 0.78)  # where log puts what is darkest and brightest
_LEAST_DEPTH = 10
_PROSE = ("title", "comment", "description", "synopsis", "artist", "album", "encoder")
_LOG_TAGS = (9, 10)  # transfers of ITU-T H.273 that are logarithmic
_LOG_DPX = ("logarithmic", "printing density", "printingdensity")


class LogCurve(NamedTuple):
    """A camera's curve."""

    title: str
    space: str | None
    """What --input-space calls it; None where OpenColorIO's studio config has none."""
    pattern: str
    """As cameras and people write it, in lower case."""


_CURVES = (
    LogCurve("S-Log3", "slog3", r"s[-_ ]?log[-_ ]?3(?:[-_ ]?cine)?"),
    LogCurve("S-Log2", None, r"s[-_ ]?log[-_ ]?2"),
    LogCurve("LogC4", "logc4", r"(?:arri[-_ ]?)?log[-_ ]?c[-_ ]?4"),
    LogCurve("LogC3", "logc3", r"(?:arri[-_ ]?)?log[-_]?c[-_ ]?3?"),
    LogCurve("V-Log", "vlog", r"v[-_ ]?log(?:[-_ ]?l)?"),
    LogCurve("Canon Log 3", "canonlog3_cinemagamut_d55", r"c(?:anon)?[-_ ]?log[-_ ]?3"),
    LogCurve("Canon Log 2", "canonlog2_cinemagamut_d55", r"c(?:anon)?[-_ ]?log[-_ ]?2"),
    LogCurve("Canon Log", None, r"c(?:anon)?[-_ ]?log"),
    LogCurve(
        "Blackmagic Film",
        "bmdfilm_widegamut_gen5",
        r"(?:bmd|blackmagic)(?:[-_ ]?design)?[-_ ]?film(?:[-_ ]?gen[-_ ]?5)?",
    ),
    LogCurve("Log3G10", "log3g10_redwidegamutrgb", r"(?:red[-_ ]?)?log[-_ ]?3[-_ ]?g[-_ ]?10"),
    LogCurve("REDLog", None, r"red[-_ ]?log(?:[-_ ]?film)?"),
    LogCurve("Apple Log", "apple_log", r"apple[-_ ]?log"),
    LogCurve("D-Log", None, r"d[-_]?log(?:[-_ ]?m)?"),
    LogCurve("F-Log", None, r"f[-_]?log[-_ ]?2?"),
    LogCurve("N-Log", None, r"n[-_]?log"),
)


def log_line(info: ClipInfo, first: Frame) -> str | None:
    """Return a line where a source that would be lit as SDR is log, or looks so by its `first` picture; else None."""
    if curve := _find(_texts(info, first)):
        return _line(f"{curve.title}, as its metadata say", curve.space)
    if curve := _find([info.path.name]):
        return _line(f"{curve.title}, as its name says", curve.space)
    if info.tags.transfer in _LOG_TAGS or _is_log_dpx(first):
        return _line("log, as it is tagged", None)
    if first.coding.depth < _LEAST_DEPTH:
        return None
    dark, bright = _ends(first)
    if _DARK[0] <= dark <= _DARK[1] and _BRIGHT[0] <= bright <= _BRIGHT[1]:
        return _line(
            f"looks like log ({100 * dark:.0f} to {100 * bright:.0f} % of the signal)", None
        )
    return None


def _line(what: str, space: str | None) -> str:
    known = ", ".join(curve.space for curve in _CURVES[:4] if curve.space)
    named = space or f"NAME ({known} …)"
    return f"{what}: lit as SDR; --input-space {named} lights it as what it is"


def _find(texts: Iterable[str]) -> LogCurve | None:
    """The curve that one of the texts names, as a word of its own."""
    lower = [text.lower() for text in texts]
    for curve in _CURVES:
        word = re.compile(rf"(?<![a-z0-9]){curve.pattern}(?![a-z0-9])")
        if any(word.search(text) for text in lower):
            return curve
    return None


def _texts(info: ClipInfo, first: Frame) -> Iterator[str]:
    """What the camera says of itself."""
    if info.container == "sequence":
        yield from (str(value) for value in _header(first).values())
        return
    with open_source(info.path) as container:
        for words in (container.metadata, *(stream.metadata for stream in container.streams)):
            yield from (text for key, text in words.items() if key.lower() not in _PROSE)
    yield from _gammas(info.path)


def _gammas(path: Path) -> Iterator[str]:
    """The curves that XML of Sony and others names."""
    with path.open("rb") as file:
        head = file.read(_XML_BYTES)
        file.seek(max(path.stat().st_size - _XML_BYTES, 0))
        tail = file.read(_XML_BYTES)
    for found in re.finditer(rb'CaptureGammaEquation"?\s+value="([\w-]{1,40})"', head + tail):
        yield found[1].decode("ascii", "replace")


def _header(first: Frame) -> dict[str, object]:
    sheet = first.sheet
    if not isinstance(sheet, Sheet):
        return {}
    return {each.name: each.value for each in sheet.parts[sheet.main].spec.extra_attribs}


def _is_log_dpx(first: Frame) -> bool:
    return str(_header(first).get("dpx:Transfer", "")).lower() in _LOG_DPX


def _ends(first: Frame) -> tuple[float, float]:
    """Where the darkest and the brightest hundredth of a picture lie in its signal."""
    seen = luma(to_rgb(first))[::_EVERY, ::_EVERY]
    dark, bright = np.percentile(seen, (1, 99))
    return float(dark), float(bright)
