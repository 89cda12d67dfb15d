"""Hold the streams beside the picture against the source's: sound, subtitles, covers, attachments."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from fractions import Fraction
from itertools import zip_longest

import numpy as np
from av.stream import Disposition

from nightfx.carry import is_rebuilt, refusals
from nightfx.check.clip import facts
from nightfx.check.clip.contents import CarriedPacket, Contents, Samples, Track, read_sound
from nightfx.check.table import Held, held_by
from nightfx.check.verdict import NEAR, RenderedPart, Verdict, VerdictRow, worst
from nightfx.source import open_source

KINDS = ("audio", "subtitle", "video", "attachment", "data", "unknown")
"""Kinds of streams, by FFmpeg's names."""
_COVER, _DEFAULT = Disposition.attached_pic.value, Disposition.default.value
_NAMES = {"audio": "sound", "subtitle": "subtitles", "video": "other picture"}
_CHUNK = 1 << 16  # samples compared at a time
_LONGEST = 1 << 30  # samples: a gap of hours is a broken clock
_QUIET_DB = 60.0  # a re-encoding may be this far below the sound: a lossless one at 16 bits is


def track_rows(
    old: Contents, new: Contents, part: RenderedPart, container: str
) -> Iterator[VerdictRow]:
    """Yield rows for each stream of the source beside the picture, and for each that the render has besides."""
    with open_source(old.path) as source:
        refused = refusals(source, container, old.picture_index, cut=part.start is not None)
        rebuilt = {s.index for s in source.streams if is_rebuilt(source, s)}
    held = held_by(container, new.picture.codec, new.picture.profile)
    for kind in KINDS:
        tracks = [t for t in old.tracks.values() if t.kind == kind and t.index not in rebuilt]
        found = [t for t in new.tracks.values() if t.kind == kind and not _is_timecode(t)]
        for track in tracks:
            name = name_of(track)
            if track.index in refused and len(found) < len(tracks):
                yield VerdictRow(name, _words(track), "none", "left out")
            elif not found:
                yield VerdictRow(name, _words(track), "none", "lost")
            else:
                yield from _rows(name, (old, track), (new, found.pop(0)), part, held)
        for other in found if kind != "data" else ():
            yield VerdictRow(name_of(other), "none", _words(other), "changed")


def name_of(track: Track) -> str:
    """Return the name of a stream's row, such as `sound #1`."""
    return f"{_NAMES.get(track.kind, track.kind)} #{track.index}"


def _is_timecode(track: Track) -> bool:
    return track.kind == "data" and "timecode" in track.metadata


def _rows(
    name: str,
    old: tuple[Contents, Track],
    new: tuple[Contents, Track],
    part: RenderedPart,
    held: Held,
) -> Iterator[VerdictRow]:
    a, b = old[1], new[1]
    how, verdict = _content(old, new, part)
    if _is_cover(a) and not _is_cover(b):
        how, verdict = f"{how}, no longer a cover", worst([verdict, "lost"])
    yield VerdictRow(name, _words(a), f"{_words(b)}: {how}", verdict)
    yield from _facts(name, old, new, held)


def fact_rows_of(old: Contents, track: Track, new: Contents, held: Held) -> Iterator[VerdictRow]:
    """Yield the rows of what is said of a stream, held against the stream of the same index."""
    if not _is_timecode(track):
        yield from _facts(name_of(track), (old, track), (new, new.tracks[track.index]), held)


def _facts(
    name: str, old: tuple[Contents, Track], new: tuple[Contents, Track], held: Held
) -> Iterator[VerdictRow]:
    a, b = old[1], new[1]
    languages = facts.language_row(f"language of {name}", a.language, b.language, held)
    regions = facts.region_row(f"region of {name}", (old[0], a.index), (new[0], b.index), held)
    yield from (row for row in (languages, regions, _flags(name, a, b, held)) if row)
    if facts.own_of_stream(a.metadata).keys() - {"language"}:
        what = f"metadata of {name}"
        yield facts.stream_metadata_row(what, a.metadata, b.metadata, held)
    if a.shape:
        yield _shape(f"shape of {name}", a, b, held)


def _is_cover(track: Track) -> bool:
    return bool(track.disposition & _COVER)


def _flags(name: str, a: Track, b: Track, held: Held) -> VerdictRow | None:
    unmeant = (
        0 if held.container.flags else _DEFAULT
    )  # where there are no flags, none is the default
    if not a.disposition & ~unmeant and not b.disposition:
        return None
    gone, new = a.disposition & ~b.disposition, b.disposition & ~a.disposition & ~_DEFAULT
    verdict: Verdict = "lost" if gone & held.container.flags else "left out" if gone else "kept"
    verdict = worst([verdict, "changed" if new else "kept"])
    return VerdictRow(f"flags of {name}", _flag_words(a), _flag_words(b), verdict)


def _flag_words(track: Track) -> str:
    flags = [flag.name for flag in Disposition if flag.value & track.disposition and flag.name]
    return " ".join(flags) or "none"


def _shape(what: str, old: Track, new: Track, held: Held) -> VerdictRow:
    """Compare channels, their places and the rate exactly; a type that holds more is changed, one that holds less lost."""
    (was, kind), (now, other) = (
        each.shape.rsplit(" ", 1) if each.shape else ("none", "?") for each in (old, new)
    )
    verdict: Verdict = "kept" if kind == other else "changed"
    if not _as_placed(was, now):
        unnamed = unplaced(was) if held.container.forgets_channels and is_pcm(new) else None
        verdict = "left out" if now == unnamed else "lost"
    return VerdictRow(what, old.shape, new.shape, verdict)


def unplaced(shape: str) -> str:
    """Return what is said of sound whose channels have no names."""
    return re.sub(r"^(\d+) \(.*?\)(?= \d+ Hz)", r"\1 (\1 channels)", shape)


def is_pcm(track: Track) -> bool:
    """Say whether a stream is of bare samples, which say nothing of themselves."""
    return track.kind == "audio" and track.codec.startswith("pcm_")


def _as_placed(old: str, new: str) -> bool:
    """Say whether channels and rate are the same; channels whose places are not said may be anywhere, and one alone is."""
    (channels, rate), (others, other_rate) = (
        (w.partition(" ")[0], w.split(" ")[-2:]) for w in (old, new)
    )
    free = "channels)" in old or channels == "1"
    return old == new or (free and (channels, rate) == (others, other_rate))


def _words(track: Track) -> str:
    return " ".join([track.codec, track.language or ""]).strip()


def _content(
    old: tuple[Contents, Track], new: tuple[Contents, Track], part: RenderedPart
) -> tuple[str, Verdict]:
    """Say how two streams agree: packet by packet, else sample by sample or word by word."""
    a, b = old[1], new[1]
    if a.kind == "attachment":
        same = (a.digest, a.codec) == (b.digest, b.codec)
        return ("the same bytes", "kept") if same else ("other bytes or name", "lost")
    cover = a.kind == "video" and len(a.pieces) <= 1
    wanted = [p for p in a.pieces if cover or part.overlaps(p.start, p.end)]
    if part.start is None and not b.primers:  # where a container does not say so, they are heard
        wanted = a.primers + wanted if len(a.primers) + len(wanted) == len(b.pieces) else wanted
    if [p.digest for p in wanted] == [p.digest for p in b.pieces]:
        moved = Fraction(0) if cover else _moved(wanted, b.pieces, part)
        if moved <= NEAR and not (a.kind == "subtitle" and _ends_differ(wanted, b.pieces, part)):
            return f"{len(wanted)} packets", "kept"
        words = f"moved by {float(moved) * 1000:.1f} ms" if moved > NEAR else "other ends"
        return words, "lost"
    if a.kind == "audio":
        return _same_sound(old, new, part)
    if a.kind == "subtitle":
        return _same_words(a, b, wanted, part)
    same = len(wanted) == len(b.pieces) and _moved(wanted, b.pieces, part) <= NEAR
    return ("repacked", "changed") if same else (f"{len(b.pieces)} packets", "lost")


def _moved(old: list[CarriedPacket], new: list[CarriedPacket], part: RenderedPart) -> Fraction:
    pairs = zip(old, new, strict=True)
    return max((abs(a.start - part.shift - b.start) for a, b in pairs), default=Fraction(0))


def _same_words(
    a: Track, b: Track, wanted: list[CarriedPacket], part: RenderedPart
) -> tuple[str, Verdict]:
    old, new = ([p for p in pieces if p.text] for pieces in (wanted, b.pieces))
    if old and len(old) != len(new) and _shown(old, part.shift) == _shown(new, Fraction(0)):
        return f"{len(new)} texts, which show the same at each time", "changed"
    if not old or [p.text for p in old] != [p.text for p in new]:
        return f"{len(new)} of {len(old)} texts", "lost"
    near = all(
        abs(max(x.start - part.shift, Fraction(0)) - max(y.start, Fraction(0))) <= NEAR
        for x, y in zip(old, new, strict=True)
    )
    verdict: Verdict = "kept" if a.codec == b.codec else "changed"
    if near and (words := _ends_differ(old, new, part)):
        return f"{len(new)} texts, {words}", "lost"
    return f"{len(new)} texts", verdict if near else "lost"


def _shown(pieces: list[CarriedPacket], shift: Fraction) -> list[tuple[int, list[str]]]:
    """Lines that are to be read, from each time on at which they change, in milliseconds."""
    events: dict[int, list[tuple[bool, str]]] = defaultdict(list)
    for piece in pieces:
        for line in (piece.text or "").splitlines():
            events[max(round((piece.start - shift) * 1000), 0)].append((True, line.strip()))
            events[round((piece.end - shift) * 1000)].append((False, line.strip()))
    active: Counter[str] = Counter()
    shown: list[tuple[int, list[str]]] = []
    for at in sorted(events):
        for begins, line in events[at]:
            active[line] += 1 if begins else -1
        lines = sorted(line for line in active.elements() if line)
        if not shown or shown[-1][1] != lines:
            shown.append((at, lines))
    return shown


def _ends_differ(
    old: list[CarriedPacket], new: list[CarriedPacket], part: RenderedPart
) -> str | None:
    """Name the first subtitle that ends at another time; one that runs past the part may be cut there."""
    stop = None if part.end is None else part.end - part.shift
    for a, b in zip(old, new, strict=True):
        end = a.end - part.shift
        is_cut = stop is not None and end > stop and b.end >= stop
        if a.end > a.start and abs(end - b.end) > NEAR and not is_cut:
            return f"one ends at {float(b.end):.3f} s and not at {float(end):.3f} s"
    return None


def _same_sound(
    old: tuple[Contents, Track], new: tuple[Contents, Track], part: RenderedPart
) -> tuple[str, Verdict]:
    """Decode both streams and compare their samples; where one of them has none it is silent."""
    start, end, shift = part.start or Fraction(0), part.end, part.shift
    left = read_sound(old[0].path, old[1].index, start, end)
    right = read_sound(
        new[0].path, new[1].index, start - shift, None if end is None else end - shift
    )
    power = error = 0.0
    for a, b in zip_longest(_chunks(left), _chunks(right)):
        a, b = (np.zeros_like(b), b) if a is None else (a, np.zeros_like(a) if b is None else b)
        if a.shape != b.shape:
            return f"{len(b)} of {len(a)} channels", "lost"
        power += float(np.sum(np.square(a, dtype=np.float64)))
        error += float(np.sum(np.square(a - b, dtype=np.float64)))
    if error == 0:
        return "the same samples", "kept"
    far_db = 10 * np.log10(max(power, 1e-20) / error)
    return f"{far_db:.0f} dB from the source", "changed" if far_db >= _QUIET_DB else "lost"


def _chunks(blocks: Iterator[tuple[int, Samples]]) -> Iterator[Samples]:
    """Lay blocks of sound on one clock, silence in the gaps, and cut it into even chunks."""
    start, chunk = 0, None
    for at, block in blocks:
        chunk = np.zeros((len(block), _CHUNK), np.float32) if chunk is None else chunk
        block = block[: len(chunk), max(start - at, 0) :]
        at = max(at, start)
        while block.shape[1] and at - start < _LONGEST:
            if at < start + _CHUNK:
                count = min(start + _CHUNK - at, block.shape[1])
                chunk[: len(block), at - start : at - start + count] = block[:, :count]
                at, block = at + count, block[:, count:]
            if at >= start + _CHUNK:
                yield chunk
                start, chunk = start + _CHUNK, np.zeros_like(chunk)
    if chunk is not None:
        yield chunk
