"""Hold what a container says of a clip against the source's: timecode, chapters, metadata, cropping, languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from nightfx.carry import OWN_KEYS, STREAM_KEYS, is_statistic, same_language
from nightfx.check.clip.contents import Contents
from nightfx.check.clip.headers import Chapter, TimecodeTrack
from nightfx.check.table import Held
from nightfx.check.verdict import (
    NEAR,
    RenderedPart,
    Verdict,
    VerdictRow,
    equal,
    excused,
    metadata_row,
)
from nightfx.source import shift_timecode

_TIMECODE_OWN = {"handler_name", "language", "timecode", "encoder", "vendor_id", "creation_time"}
_UNNAMED = {"VideoHandler", "SoundHandler", "SubtitleHandler", "DataHandler", "TimeCodeHandler"}
_UNNAMED |= {"FFMP", "[0][0][0][0]"}  # what muxers say where nothing was said
_MXF_OWN = re.compile(
    r".*(umid|uid|_ul)|modification_date|(company|product)_name|product_version|.*platform|.*toolkit.*"
)
_HAS_PROGRAMS = "mpegts"

Chapters = list[tuple[Fraction, Fraction, str]]


def fact_rows(old: Contents, new: Contents, part: RenderedPart, held: Held) -> Iterator[VerdictRow]:
    """Yield a row for each thing that a container says of the whole clip, and of its picture's stream."""
    if old.picture.times:
        yield from (excused(row, held) for row in _timecode(old, new, part, held))
    chapters = _moved(old.chapters, part)
    if chapters or new.chapters:
        yield excused(_chapters(chapters, new.chapters), held)
    yield from (excused(row, held) for row in _named_chapters(old, new, part))
    was, now = _own(old.metadata, OWN_KEYS), _own(new.metadata, OWN_KEYS)
    was = _without_mxf(was) if held.container.is_bare else was
    yield excused(metadata_row("metadata", was, _asked_for(now, was, held)), held)
    yield from _of_picture(old, new, held)
    yield from (excused(row, held) for row in _geometry(old, new))
    if _HAS_PROGRAMS in old.format_name:
        yield excused(VerdictRow("programs", "one or more", "none", "lost"), held)
    yield from _elements(old, new)


def _timecode(old: Contents, new: Contents, part: RenderedPart, held: Held) -> Iterator[VerdictRow]:
    tracks = old.headers.timecode_tracks
    rate, times = tracks[0].rate if tracks else old.picture.rate, old.picture.times
    past = times[part.first] - times[0] if part.first < len(times) else Fraction(0)
    wanted = old.timecode and shift_timecode(old.timecode, round(past * rate), rate)
    counts = tracks[0].counted.frames if tracks else 0
    if wanted and tracks and held.container.is_bare and counts != round(old.picture.rate):
        yield _recounted(old, new, past)
    elif old.timecode or new.timecode:
        row = equal("timecode", wanted or old.timecode, new.timecode)
        unknown = old.timecode and not wanted
        yield VerdictRow(row.what, row.source, row.render, "left out") if unknown else row
    if old.other_timecodes or new.other_timecodes:
        said = (", ".join(each.other_timecodes) or "none" for each in (old, new))
        yield equal("other timecodes", *said)
    if tracks and (new.headers.timecode_tracks or counts != round(old.picture.rate)):
        yield _counting(tracks, new.headers.timecode_tracks)
    was, now = (
        {
            f"{key}{f'[{index}]' if index else ''}": value
            for index, each in enumerate(clip.timecode_metadata)
            for key, value in each.items()
            if key not in _TIMECODE_OWN
        }
        for clip in (old, new)
    )
    if was or now:
        yield metadata_row("timecode track", was, now)


def _recounted(old: Contents, new: Contents, past: Fraction) -> VerdictRow:
    """Hold a timecode against one that counts the pictures, as MXF has to: it names the same moment by other numbers."""
    rate, counted = old.picture.rate, old.headers.timecode_tracks[0].counted.frames
    clock, number = re.split(r"(?<=[:;.,])(?=\d+$)", old.timecode or "")
    first = f"{clock}{int(int(number) * round(rate) / counted):02d}"
    same = shift_timecode(first, round(past * rate), rate) == new.timecode
    said = f"{first}, counted with the pictures"
    verdict: Verdict = "changed" if same else "lost"
    return VerdictRow("timecode", said, new.timecode or "none", verdict)


def _counting(old: list[TimecodeTrack], new: list[TimecodeTrack]) -> VerdictRow:
    """Hold how tracks count: a number that only rounds its own rate down is written as it was meant."""
    was, now = (", ".join(map(str, tracks)) or "none" for tracks in (old, new))
    is_mended = old != new and [track.counted for track in old] == new
    return (
        VerdictRow("timecode's rate", was, now, "changed")
        if is_mended
        else equal("timecode's rate", was, now)
    )


def _moved(chapters: Chapters, part: RenderedPart) -> Chapters:
    """Chapters of a part, on its clock."""
    moved = [
        (
            max(start - part.shift, Fraction(0)) if part.shift else start,
            min(end, part.end or end) - part.shift,
            title,
        )
        for start, end, title in chapters
    ]
    return [chapter for chapter in moved if chapter[1] > chapter[0]]


def _chapters(old: Chapters, new: Chapters) -> VerdictRow:
    starts = all(abs(a[0] - b[0]) <= NEAR and a[2] == b[2] for a, b in zip(old, new, strict=False))
    ends = all(abs(a[1] - b[1]) <= NEAR for a, b in zip(old, new, strict=False))
    verdict: Verdict = (
        "lost" if len(old) != len(new) or not starts else "kept" if ends else "changed"
    )
    other = "" if starts else ", others"
    return VerdictRow("chapters", str(len(old)), f"{len(new)}{other}", verdict)


def _named_chapters(old: Contents, new: Contents, part: RenderedPart) -> Iterator[VerdictRow]:
    """Compare what Matroska's chapters say in other languages than FFmpeg shows, and how they are nested."""
    was = [each for each in old.headers.chapters if _reaches(each, part)]
    now = new.headers.chapters or [
        Chapter(start, end, (("und", title),), str(index))
        for index, (start, end, title) in enumerate(new.chapters, start=1)
    ]
    if any(each.names for each in was):
        words = [_names(each) for each in (was, now)]
        yield equal("chapters' names", *words)
    if any(not each.place.isdigit() for each in was):
        places = ["; ".join(each.place for each in chapters) or "none" for chapters in (was, now)]
        yield equal("chapters' order", *places)


def _reaches(chapter: Chapter, part: RenderedPart) -> bool:
    return part.overlaps(chapter.start_seconds, chapter.end_seconds or chapter.start_seconds + NEAR)


def _names(chapters: list[Chapter]) -> str:
    said = (", ".join(f"{name} ({language})" for language, name in c.names) for c in chapters)
    return "; ".join(said) or "none"


def own_of_stream(metadata: dict[str, str]) -> dict[str, str]:
    """Return what is said of a stream, but for what is true of its file or its encoder alone."""
    kept = {k: v for k, v in metadata.items() if not is_statistic(k)}
    if "name" in kept and "title" not in kept:  # as QuickTime calls it
        kept["title"] = kept.pop("name")
    return {key: value for key, value in _own(kept, STREAM_KEYS).items() if value not in _UNNAMED}


def _own(metadata: dict[str, str], without: set[str]) -> dict[str, str]:
    items = ((key.lower(), value) for key, value in metadata.items())
    return {k: v for k, v in items if k not in without}


def stream_metadata_row(
    what: str, old: dict[str, str], new: dict[str, str], held: Held
) -> VerdictRow:
    """Compare what is said of a stream beside its language; a key that the container has no place for is left out."""
    was, now = ({k: v for k, v in own_of_stream(m).items() if k != "language"} for m in (old, new))
    was = _without_mxf(was) if held.container.is_bare else was
    now = _asked_for(now, was, held)
    row = metadata_row(what, was, now)
    could_be = any(held.container.has_place_for(key) for key in was if key not in now)
    if row.verdict == "lost" and not could_be:
        return VerdictRow(row.what, row.source, row.render, "left out")
    return row


def _asked_for(new: dict[str, str], old: dict[str, str], held: Held) -> dict[str, str]:
    """What MXF says of its writer whatever the source says is no addition."""
    return {k: v for k, v in new.items() if k in old} if held.container.is_bare else new


def _without_mxf(metadata: dict[str, str]) -> dict[str, str]:
    """MXF names its file, its packages and who wrote it: that is another in another file."""
    return {key: value for key, value in metadata.items() if not _MXF_OWN.fullmatch(key)}


def language_row(what: str, old: str | None, new: str | None, held: Held) -> VerdictRow | None:
    """Compare languages by ISO 639-2; None where there are none."""
    if not old and not new:
        return None
    kept = same_language(old, new)
    verdict: Verdict = "kept" if kept else "lost" if old else "changed"
    return excused(VerdictRow(what, old or "none", new or "none", verdict), held)


def region_row(
    what: str, old: tuple[Contents, int], new: tuple[Contents, int], held: Held
) -> VerdictRow | None:
    """Compare languages by BCP 47, such as `pt-BR`; None where the source says no more than ISO 639-2 can."""
    was, now = (clip.headers.languages.get(index) for clip, index in (old, new))
    if not was or "-" not in was:
        return None
    return excused(equal(what, was, now or "none"), held)


def _of_picture(old: Contents, new: Contents, held: Held) -> Iterator[VerdictRow]:
    was, now = old.picture_metadata, new.picture_metadata
    yield stream_metadata_row("picture's metadata", was, now, held)
    languages = old.picture_language, new.picture_language
    places = (old, old.picture_index), (new, new.picture_index)
    for row in (
        language_row("picture's language", *languages, held),
        region_row("picture's region", *places, held),
    ):
        if row:
            yield row
    lost = old.picture_disposition & ~new.picture_disposition & held.container.flags
    flags = [str(clip.picture_disposition) for clip in (old, new)]
    yield VerdictRow("picture's flags", flags[0], flags[1], "lost" if lost else "kept")


def _geometry(old: Contents, new: Contents) -> Iterator[VerdictRow]:
    crop, first, shown = old.headers.crop, old.picture.first, new.picture.first
    if crop and first and shown:
        is_cut = (shown.width, shown.height) == (
            first.width - crop[0] - crop[2],
            first.height - crop[1] - crop[3],
        )
        words = "cut to it" if is_cut else str(new.headers.crop or "none")
        verdict: Verdict = "kept" if is_cut or crop == new.headers.crop else "lost"
        yield VerdictRow("crop", str(crop), words, verdict)
    sizes = old.headers.shown_size, new.headers.shown_size
    if all(sizes) and not crop:
        yield equal("shown size", *sizes)


def _elements(old: Contents, new: Contents) -> Iterator[VerdictRow]:
    """A row for each part of the source's headers that is not known here: nobody looked whether it matters."""
    others = set(new.headers.unknown.values())
    for path, digest in old.headers.unknown.items():
        kept = digest in others
        words = "the same" if kept else "not known here"
        yield VerdictRow(f"element ({path})", "there", words, "kept" if kept else "not examined")
