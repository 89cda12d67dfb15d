"""Hold a render against its source: what is kept, changed, left out or lost, a row for each thing.

*left out* is what the container or the codec cannot hold, which was said before rendering; *lost* is what it could have
held. Light is the one thing that may differ: pixels are not compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np

from nightfx.carry import CONTAINERS, FORMATS, OWN_KEYS, STREAM_KEYS, Format, holds, same_language
from nightfx.check import contents, tracks
from nightfx.check.verdict import NEAR, RenderedPart, Verdict, VerdictRow, equal
from nightfx.options import MAX_PIXELS
from nightfx.picture import coding_of
from nightfx.source import Seconds, exact_seconds, shift_timecode, side_data_of

_DYNAMIC = {"DOVI_METADATA", "DOVI_RPU_BUFFER", "DYNAMIC_HDR_PLUS"}  # no longer fit another light
_LONGEST_LEAD = Fraction(1, 5)  # seconds: the longest packets of sound
_UNSAID = (2, 2, 2)  # colour tags that say nothing
LIMITED, FULL = 1, 2  # ranges, by FFmpeg's numbers


def compare(
    source: Path,
    render: Path,
    *,
    container: str | None = None,
    start_seconds: Seconds | None = None,
    end_seconds: Seconds | None = None,
    max_pixels: int = MAX_PIXELS,
    on_frame: Callable[[], None] = lambda: None,
) -> list[VerdictRow]:
    """Compare a render, or a part rendered from start to end, with its source.

    `container` is FFmpeg's name of the render's container; by default its suffix tells.
    Raises SourceError where either is not a clip.
    """
    container = container or CONTAINERS.get(render.suffix.lower(), render.suffix.lower()[1:])
    old, new = (
        contents.read_contents(source, max_pixels, on_frame),
        contents.read_contents(render, max_pixels, on_frame),
    )
    part = _part(old, start_seconds, end_seconds)
    lead = _lead(old, new, part) if holds(container).ticks_a_second else Fraction(0)
    part = replace(part, shift=part.shift - lead)
    if holds(container).is_bare:
        part = _as_long_as_picture(old, part)
    return [
        *_lead_row(lead),
        *_picture_rows(old, new, part, container),
        *_clip_rows(old, new, part, container),
        *tracks.track_rows(old, new, part, container),
    ]


def _part(old: contents.Contents, start: Seconds | None, end: Seconds | None) -> RenderedPart:
    times = old.picture.times
    if not times or not (start or end is not None):
        return RenderedPart(0, len(times), Fraction(0), None, None)
    zero = times[0]
    begin, stop = exact_seconds(start or 0), None if end is None else exact_seconds(end)
    first = _index(times, zero + begin)
    last = len(times) if stop is None else _index(times, zero + stop)
    shift = times[first] - zero if start and first < len(times) else Fraction(0)
    cut = zero + shift if shift else None
    return RenderedPart(first, last, shift, cut, None if stop is None else zero + stop)


def _as_long_as_picture(old: contents.Contents, part: RenderedPart) -> RenderedPart:
    """In MXF everything begins and ends with the picture."""
    times = old.picture.times[part.first : part.last]
    if not times:
        return part
    last = len(old.picture.times) == part.last
    return replace(part, shift=times[0], start=times[0], end=_end(old) if last else part.end)


def _lead(old: contents.Contents, new: contents.Contents, part: RenderedPart) -> Fraction:
    """By how much a part begins late: where Matroska has sound to play before the picture."""
    if part.start is None or part.first >= part.last or not new.picture.times:
        return Fraction(0)
    lead = new.picture.times[0] - (old.picture.times[part.first] - part.shift)
    return lead if NEAR < lead < _LONGEST_LEAD else Fraction(0)


def _lead_row(lead: Fraction) -> Iterator[VerdictRow]:
    if lead:
        yield VerdictRow("start", "0 ms", f"{float(lead) * 1000:.0f} ms", "changed")


def _index(times: list[Fraction], at: Fraction) -> int:
    return next((i for i, time in enumerate(times) if time >= at), len(times))


def _picture_rows(
    old: contents.Contents, new: contents.Contents, part: RenderedPart, container: str
) -> Iterator[VerdictRow]:
    wanted = [time - part.shift for time in old.picture.times[part.first : part.last]]
    count = len(new.picture.times)
    verdict: Verdict = "kept" if count == len(wanted) and count else "lost"
    yield VerdictRow("frames", str(len(wanted)), str(count), verdict)
    if not wanted or old.picture.first is None or new.picture.first is None:
        return
    yield _times(wanted, old, new)
    yield _duration(old, new, part)
    yield _shape(old.picture.first, new.picture.first)
    yield _aspect(old, new)
    yield _orientation(old.picture.first, new.picture.first, container)
    yield _colour(old.picture.first, new.picture.first)
    yield _scan(old.picture.first, new.picture.first)
    yield from _side_data(old, new)


def _times(wanted: list[Fraction], old: contents.Contents, new: contents.Contents) -> VerdictRow:
    pairs = list(zip(wanted, new.picture.times, strict=False))
    worst = max((abs(a - b) for a, b in pairs), default=Fraction(0))
    tick = max(old.picture.tick, new.picture.tick)
    broken = any(b <= a for a, b in pairwise(wanted))
    verdict: Verdict = "kept" if not worst or worst < tick else "changed" if broken else "lost"
    words = "exact" if not worst else f"within {float(worst) * 1000:.3g} ms"
    return VerdictRow("timestamps", "running backwards" if broken else "in order", words, verdict)


def _duration(old: contents.Contents, new: contents.Contents, part: RenderedPart) -> VerdictRow:
    times, picture = old.picture.times, new.picture
    end = (_end(old) if part.last == len(times) else times[part.last]) - part.shift
    off = abs(_end(new) - end)
    usual = Fraction(times[-1] - times[0], max(len(times) - 1, 1))
    tick = max(old.picture.tick, picture.tick)
    near = not off or off < tick * (2 if tick == NEAR else 1)  # Matroska rounds start and length
    verdict: Verdict = "kept" if near else "changed" if off <= max(usual, NEAR) else "lost"
    begin = times[part.first] - part.shift
    was, now = (f"{float(t):.3f} s" for t in (end - begin, _end(new) - picture.times[0]))
    return VerdictRow("duration", was, now, verdict)


def _end(clip: contents.Contents) -> Fraction:
    picture = clip.picture
    claim = picture.claimed_end
    return claim if claim is not None and claim > picture.times[-1] else picture.end


def _shape(old: av.VideoFrame, new: av.VideoFrame) -> VerdictRow:
    a, b = coding_of(old), coding_of(new)
    worse = b.depth < a.depth or b.sub_x > a.sub_x or b.sub_y > a.sub_y
    less = worse or (a.has_alpha and not b.has_alpha) or (a.matrix == "rgb" and b.matrix != "rgb")
    same = (old.width, old.height) == (new.width, new.height)
    size, now = (f"{i.width}x{i.height} {c.pix_fmt}" for i, c in ((old, a), (new, b)))
    return VerdictRow("picture", size, now, "lost" if not same else "changed" if less else "kept")


def _aspect(old: contents.Contents, new: contents.Contents) -> VerdictRow:
    row = equal("pixel aspect", old.picture.aspect, new.picture.aspect)
    keeps = any(form.aspect for form in _formats(new))
    said = row.verdict == "lost" and not keeps and new.picture.aspect == 1
    return replace(row, verdict="left out") if said else row


def _formats(clip: contents.Contents) -> list[Format]:
    """Return what nightfx may have written a clip of this codec as."""
    return [
        form for form in FORMATS.values() if clip.picture.codec == (form.read_as or form.family)
    ]


def _scan(old: av.VideoFrame, new: av.VideoFrame) -> VerdictRow:
    was, now = ("interlaced" if i.interlaced_frame else "progressive" for i in (old, new))
    return VerdictRow("scan", was, now, "kept" if was == now else "changed")


def _orientation(old: av.VideoFrame, new: av.VideoFrame, container: str) -> VerdictRow:
    a, b = _turn(old), _turn(new)
    flipped = a[0] * a[3] - a[1] * a[2] < 0
    verdict: Verdict = "kept" if a == b else "lost"
    if verdict == "lost" and flipped and not holds(container).mirrors:
        verdict = "left out"
    return VerdictRow(
        "rotation", f"{old.rotation}°{' mirrored' * flipped}", f"{new.rotation}°", verdict
    )


def _turn(image: av.VideoFrame) -> list[int]:
    """The numbers of a display matrix that turn and mirror; how far it moves does not count."""
    data = side_data_of(image).get("DISPLAYMATRIX")
    if data is None:
        return [65536, 0, 0, 65536]
    return [int(n) for n in np.frombuffer(data, np.int32)[[0, 1, 3, 4]]]


def _colour(old: av.VideoFrame, new: av.VideoFrame) -> VerdictRow:
    a, b = _tags(old), _tags(new)
    lost = any(x != y and y == none for x, y, none in zip(a, b, _UNSAID, strict=False))
    wrong = any(x not in (y, 2) for x, y in zip(a[:2], b[:2], strict=True))
    # a range that is not said is limited
    same, full_to_limited = (a[3] or LIMITED) == (b[3] or LIMITED), a[3] == FULL and not b[3]
    kept = a[:3] == b[:3] and same
    verdict: Verdict = "lost" if lost or wrong or full_to_limited else "kept" if kept else "changed"
    return VerdictRow("colour tags", _tag_words(a), _tag_words(b), verdict)


def _tags(image: av.VideoFrame) -> list[int]:
    names = ("color_primaries", "color_trc", "colorspace", "color_range")
    return [int(getattr(image, name)) for name in names]


def _tag_words(tags: list[int]) -> str:
    ranges = {0: "unsaid", 1: "limited", 2: "full"}
    return "/".join([*(str(tag) for tag in tags[:3]), ranges.get(tags[3], str(tags[3]))])


def _side_data(old: contents.Contents, new: contents.Contents) -> Iterator[VerdictRow]:
    forms = _formats(new)
    can_hdr, can_caption = any(f.hdr10 for f in forms), any(f.captions for f in forms)
    for kinds, name, keeps in (
        ({"MASTERING_DISPLAY_METADATA"}, "mastering display", can_hdr),
        ({"CONTENT_LIGHT_LEVEL"}, "content light", can_hdr),
        ({"A53_CC"}, "captions", can_caption),
        (_DYNAMIC, "dynamic HDR", False),
    ):
        if kinds & old.picture.side_data:
            kept = bool(kinds & new.picture.side_data)
            verdict: Verdict = "kept" if kept else "lost" if keeps else "left out"
            yield VerdictRow(name, "there", "there" if kept else "none", verdict)


def _clip_rows(
    old: contents.Contents, new: contents.Contents, part: RenderedPart, container: str
) -> Iterator[VerdictRow]:
    rate, times = old.picture.rate, old.picture.times
    past = times[part.first] - times[0] if part.first < len(times) else Fraction(0)
    wanted = old.timecode and shift_timecode(old.timecode, round(past * rate), rate)
    if old.timecode or new.timecode:
        known = wanted or not old.timecode
        row = equal("timecode", wanted or old.timecode, new.timecode)
        yield row if known else replace(row, verdict="left out")
    chapters = [
        (
            max(start - part.shift, Fraction(0)) if part.shift else start,
            min(end, part.end or end) - part.shift,
            title,
        )
        for start, end, title in old.chapters
    ]
    for row in (
        _chapters([c for c in chapters if c[1] > c[0]], new.chapters),
        _metadata("metadata", _own(old.metadata, OWN_KEYS), _own(new.metadata, set())),
    ):
        cannot = holds(container).is_bare and row.verdict == "lost"
        yield replace(row, verdict="left out") if cannot else row
    yield _picture_metadata(old, new, container)
    flags = old.picture_disposition & ~new.picture_disposition & holds(container).flags
    yield VerdictRow(
        "picture's flags",
        str(old.picture_disposition),
        str(new.picture_disposition),
        "lost" if flags else "kept",
    )


def _chapters(
    old: list[tuple[Fraction, Fraction, str]], new: list[tuple[Fraction, Fraction, str]]
) -> VerdictRow:
    starts = all(abs(a[0] - b[0]) <= NEAR and a[2] == b[2] for a, b in zip(old, new, strict=False))
    ends = all(abs(a[1] - b[1]) <= NEAR for a, b in zip(old, new, strict=False))
    verdict: Verdict = (
        "lost" if len(old) != len(new) or not starts else "kept" if ends else "changed"
    )
    return VerdictRow("chapters", str(len(old)), str(len(new)), verdict)


def _own(metadata: dict[str, str], without: set[str]) -> dict[str, str]:
    items = ((key.lower(), value) for key, value in metadata.items())
    return {k: v for k, v in items if k not in without and (k, v) != ("language", "und")}


def _metadata(what: str, old: dict[str, str], new: dict[str, str]) -> VerdictRow:
    missing = sorted(key for key in old if key not in new)
    other = sorted(k for k in old if k in new and not same_language(new[k], old[k]))
    words = ", ".join([*(f"no {key}" for key in missing), *(f"other {key}" for key in other)])
    verdict: Verdict = "lost" if missing else "changed" if other else "kept"
    return VerdictRow(what, f"{len(old)} keys", words or "the same", verdict)


def _picture_metadata(old: contents.Contents, new: contents.Contents, container: str) -> VerdictRow:
    """Compare what is said of the picture's stream; mp4 and mov have a place for two keys only, MXF for none."""
    row = _metadata(
        "picture's metadata",
        _own(old.picture_metadata, STREAM_KEYS),
        _own(new.picture_metadata, set()),
    )
    named = {"handler_name", "language"} & {key.lower() for key in old.picture_metadata}
    kept = all(_own(new.picture_metadata, set()).get(key) for key in named)
    if row.verdict == "lost" and (holds(container).is_bare or (holds(container).is_movie and kept)):
        return replace(row, verdict="left out")
    return row
