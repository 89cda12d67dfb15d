"""Say before a render what of its source it will leave out: the rows that `verify` will call so, by the same table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from nightfx.carry import CARRIED_TITLES
from nightfx.check.clip import contents, facts
from nightfx.check.clip.contents import read_contents
from nightfx.check.clip.headers import Headers
from nightfx.check.clip.looks import UPRIGHT, Looks
from nightfx.check.clip.picture import picture_rows
from nightfx.check.clip.tracks import fact_rows_of, is_pcm, unplaced
from nightfx.check.table import Held, thing_of
from nightfx.check.verdict import RenderedPart, VerdictRow
from nightfx.options import MAX_PIXELS

LOOKED_AT = 24
"""Pictures that are looked at: captions need not be on the first."""
_PLAIN_NAMES = {"creation_time": "its own date of creation", "handler_name": "its name"}
_KIND = re.compile(r"\((\w+)\)")


def foresee(
    path: Path, held: Held, max_pixels: int = MAX_PIXELS, pictures: int = LOOKED_AT
) -> list[VerdictRow]:
    """Return the rows of a clip that a render in this container and codec leaves out, without rendering it.

    The source, of which the first `pictures` are decoded, is held against a render that has what the container has a
    place for. Raises SourceError.
    """
    old = read_contents(path, max_pixels, last=pictures)
    part, new = RenderedPart(0, len(old.picture.times)), _expected(old, held)
    rows = [
        *picture_rows(old, new, part, held),
        *facts.fact_rows(old, new, part, held),
        *(row for track in old.tracks.values() for row in fact_rows_of(old, track, new, held)),
    ]
    return [row for row in rows if row.verdict in ("left out", "not examined")]


def lines_of_rows(rows: Iterable[VerdictRow], said: Iterable[str]) -> Iterator[str]:
    """Yield a line for each row that none of the lines `said` tells already."""
    lines = [line.lower() for line in said]
    for row in rows:
        thing = thing_of(row.what)
        kind = _KIND.search(row.what)
        title = CARRIED_TITLES.get(kind[1]) if kind else None
        word = (title or thing.said or row.what).lower()
        if row.verdict == "not examined":
            yield f"{row.what} is not known to nightfx, which may leave it out"
        elif not any(word in line for line in lines):
            yield f"{row.what} ({_gone(row)}) is left out: {thing.excuse}"


def _gone(row: VerdictRow) -> str:
    """What of a thing is left out: of named values the names of those that are missing."""
    if not row.render.startswith("no "):
        return row.source
    missing = [words.removeprefix("no ") for words in row.render.split(", ")]
    return ", ".join(_PLAIN_NAMES.get(name, name) for name in missing)


def _expected(old: contents.Contents, held: Held) -> contents.Contents:
    """The same clip with what a container has a place for; of its pictures nothing but size, colour and scan is said."""
    says_eyes = held.container.ticks_a_second and "stereo_mode" in old.picture_metadata
    eyes = frozenset({"STEREO3D"} if says_eyes else ())  # Matroska has them in its metadata
    looks = Looks(first=old.picture.looks.first, count=old.picture.looks.count)
    for begin, look in old.picture.looks.runs:
        plain = look._replace(side_data=eyes, turn=UPRIGHT, metadata=())
        looks.runs.append((begin, plain))
    flags, movie = held.container.flags, held.container.is_movie
    return replace(
        old,
        picture=replace(old.picture, looks=looks, aspect=Fraction(1)),
        headers=Headers(timecode_tracks=old.headers.timecode_tracks if movie else []),
        tracks={index: _kept(track, held) for index, track in old.tracks.items()},
        chapters=[] if held.container.is_bare else old.chapters,
        metadata={} if held.container.is_bare else old.metadata,
        timecode_metadata=old.timecode_metadata if movie else [],
        picture_metadata=_kept_metadata(old.picture_metadata, held),
        picture_language=None if held.container.is_bare else old.picture_language,
        picture_disposition=old.picture_disposition & flags,
    )


def _kept(track: contents.Track, held: Held) -> contents.Track:
    forgets = held.container.forgets_channels and is_pcm(track)
    return replace(
        track,
        shape=unplaced(track.shape) if forgets else track.shape,
        metadata=_kept_metadata(track.metadata, held),
        language=None if held.container.is_bare else track.language,
        disposition=track.disposition & held.container.flags,
    )


def _kept_metadata(metadata: dict[str, str], held: Held) -> dict[str, str]:
    return {k: v for k, v in metadata.items() if held.container.has_place_for(k.lower())}
