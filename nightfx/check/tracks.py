"""Hold the streams beside the picture against the source's: sound, subtitles, covers, attachments."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import zip_longest

import numpy as np

from nightfx.carry import holds, is_rebuilt, refusals, same_language
from nightfx.check.contents import CarriedPacket, Contents, Samples, Track, read_sound
from nightfx.check.verdict import NEAR, RenderedPart, Verdict, VerdictRow, worst
from nightfx.source import open_source

_NAMES = {"audio": "sound", "subtitle": "subtitles", "video": "other picture"}
_CHUNK = 1 << 16  # samples compared at a time
_LONGEST = 1 << 30  # samples: a gap of hours is a broken clock
_QUIET_DB = 60.0  # a re-encoding may be this far below the sound: a lossless one at 16 bits is


def track_rows(
    old: Contents, new: Contents, part: RenderedPart, container: str
) -> Iterator[VerdictRow]:
    """Yield a row for each stream of the source beside the picture."""
    with open_source(old.path) as source:
        refused = refusals(source, container, old.picture_index, cut=part.start is not None)
        rebuilt = {s.index for s in source.streams if is_rebuilt(source, s)}
    for kind in ("audio", "subtitle", "video", "attachment", "data", "unknown"):
        tracks = [t for t in old.tracks.values() if t.kind == kind and t.index not in rebuilt]
        found = [t for t in new.tracks.values() if t.kind == kind]
        for track in tracks:
            name = f"{_NAMES.get(kind, kind)} #{track.index}"
            if track.index in refused and len(found) < len(tracks):
                yield VerdictRow(name, _words(track), "none", "left out")
            elif not found:
                yield VerdictRow(name, _words(track), "none", "lost")
            else:
                yield _row(name, (old, track), (new, found.pop(0)), part, container)


def _row(
    name: str,
    old: tuple[Contents, Track],
    new: tuple[Contents, Track],
    part: RenderedPart,
    container: str,
) -> VerdictRow:
    a, b = old[1], new[1]
    how, verdict = _content(old, new, part)
    if not same_language(a.language, b.language):
        verdict = worst([verdict, "left out" if holds(container).is_bare else "lost"])
    flags = holds(container).flags
    if (a.disposition & ~b.disposition) & flags:
        verdict = worst([verdict, "lost"])
    elif a.disposition & ~b.disposition:
        verdict = worst([verdict, "left out"])
    return VerdictRow(name, _words(a), f"{_words(b)}: {how}", verdict)


def _words(track: Track) -> str:
    flags = [name for bit, name in ((1, "default"), (64, "forced")) if track.disposition & bit]
    return " ".join([track.codec, track.language or "", *flags]).replace("  ", " ").strip()


def _content(
    old: tuple[Contents, Track], new: tuple[Contents, Track], part: RenderedPart
) -> tuple[str, Verdict]:
    """Say how two streams agree: packet by packet, else sample by sample or word by word."""
    a, b = old[1], new[1]
    cover = a.kind == "video" and len(a.pieces) <= 1
    wanted = [p for p in a.pieces if cover or part.overlaps(p.start, p.end)]
    if [p.digest for p in wanted] == [p.digest for p in b.pieces]:
        moved = Fraction(0) if cover else _moved(wanted, b.pieces, part)
        if moved <= NEAR:
            return f"{len(wanted)} packets", "kept"
        return f"moved by {float(moved) * 1000:.1f} ms", "lost"
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
    if not old or [p.text for p in old] != [p.text for p in new]:
        return f"{len(new)} of {len(old)} texts", "lost"
    near = all(
        abs(max(x.start - part.shift, Fraction(0)) - max(y.start, Fraction(0))) <= NEAR
        for x, y in zip(old, new, strict=True)
    )
    verdict: Verdict = "kept" if a.codec == b.codec else "changed"
    return f"{len(new)} texts", verdict if near else "lost"


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
