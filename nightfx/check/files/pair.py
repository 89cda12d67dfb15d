"""Hold one file of pictures against its plate: parts, channels, levels, and all that is said beside the pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from nightfx.check.files import chunks, pixels
from nightfx.check.files.exr import ExrPart, read_exr
from nightfx.check.marks import Marks, mark_of_plane
from nightfx.check.verdict import Verdict, VerdictRow, equal, metadata_row
from nightfx.errors import SourceError
from nightfx.options import MAX_PIXELS
from nightfx.picture import Frame, Layer, PartNames, choose_layer, layers_of
from nightfx.source import Pick, by_openimageio, read_picture

# attributes of OpenEXR that have rows of their own, and one that counts what the file holds
_IN_ROWS = {"channels", "compression", "dataWindow", "displayWindow", "tiles", "pixelAspectRatio"}
_IN_ROWS |= {"name", "view", "type", "chunkCount"}

BEAUTY = Pick()
"""Nothing else was asked to be lit: the beauty, in its first view."""
Lit = tuple[int, tuple[str, ...]]
"""Channels that are lit, R, G, B[, A], and the part that they stand in."""


@dataclass(frozen=True)
class ComparedFile:
    """What became of a file."""

    rows: tuple[VerdictRow, ...]
    """A row for each thing."""
    marks: tuple[Marks, Marks]
    """Marks of the plate and of the render."""


def compare_files(
    old: Path, new: Path, pick: Pick = BEAUTY, max_pixels: int = MAX_PIXELS
) -> ComparedFile:
    """Compare two files of one format; raises SourceError where the source cannot be read."""
    rows: list[VerdictRow] = []
    if old.suffix.lower() == ".exr":
        was, now = _headers(old), _headers(new)
        rows += _exr_rows(was, now)
        chosen, others = _chosen(old, was, pick)
        found = _differences(old, new, chosen, max_pixels)
        rows += _pixel_rows(was, found, chosen, others)
        return ComparedFile(tuple(rows), found.marks)
    said, told = chunks.said_in(old), chunks.said_in(new)
    pages = chunks.pages_in(old), chunks.pages_in(new)
    rows.append(metadata_row("metadata", said, told))
    if by_openimageio(old):
        found = _differences(old, new, None, max_pixels)
        if max(pages) > 1:
            rows.append(_pages(pages, found))
        if found.appeared:
            rows.append(_transparency(found, exact=True))
        return ComparedFile(tuple(rows), found.marks)
    was_frame, now_frame = read_picture(old, max_pixels), read_picture(new, max_pixels)
    rows += _alpha(was_frame, now_frame)
    return ComparedFile(tuple(rows), (_mark(was_frame), _mark(now_frame)))


def _headers(path: Path) -> list[ExrPart]:
    try:
        return read_exr(path)
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise SourceError(f"{path}: not readable as a picture ({error})") from error


def _differences(old: Path, new: Path, lit: Lit | None, max_pixels: int) -> pixels.Differences:
    try:
        return pixels.differences(old, new, lit, max_pixels)
    except (ValueError, MemoryError) as error:
        raise SourceError(f"{new}: not readable as a picture ({error})") from error


def _exr_rows(old: list[ExrPart], new: list[ExrPart]) -> Iterator[VerdictRow]:
    yield equal("parts", _in_words(old, _part_name), _in_words(new, _part_name))
    yield equal("windows", _in_words(old, _windows), _in_words(new, _windows))
    row = equal("channels", _in_words(old, _channels), _in_words(new, _channels))
    is_grey = not layers_of([_names_of(part) for part in old])
    coloured = is_grey and layers_of([_names_of(part) for part in new])  # light has a colour
    yield replace(row, verdict="changed") if coloured else row
    compressions = [_in_words(parts, lambda part: part.compression) for parts in (old, new)]
    yield equal("compression", *compressions)
    yield equal("tiles", *(_in_words(parts, lambda part: part.tiles) for parts in (old, new)))
    aspects = [_in_words(parts, _aspect) for parts in (old, new)]
    yield equal("pixel aspect", *aspects)
    yield metadata_row("metadata", _attributes(old), _attributes(new))


def _in_words(parts: list[ExrPart], words: Callable[[ExrPart], str]) -> str:
    said = [words(part) for part in parts]
    return said[0] if len(set(said)) == 1 and said[0] != "one" else "; ".join(said)


def _part_name(part: ExrPart) -> str:
    name, view = part.text("name"), part.text("view")
    return " ".join(filter(None, [name, view and f"({view})"])) or "one"


def _windows(part: ExrPart) -> str:
    return part.windows


def _channels(part: ExrPart) -> str:
    by_kind: dict[str, list[str]] = {}
    for name, kind in part.channels.items():
        by_kind.setdefault(kind, []).append(name)
    return ", ".join(f"{' '.join(names)} {kind}" for kind, names in by_kind.items())


def _aspect(part: ExrPart) -> str:
    data = part.attributes.get("pixelAspectRatio", b"")
    value = float(np.frombuffer(data, "<f4")[0]) if len(data) == 4 else 1.0
    return str(Fraction(value).limit_denominator(1000))


def _attributes(parts: list[ExrPart]) -> dict[str, str]:
    return {
        name if not index else f"{name} of part {index + 1}": chunks.words_of(value)
        for index, part in enumerate(parts)
        for name, value in part.attributes.items()
        if name not in _IN_ROWS
    }


def _chosen(path: Path, parts: list[ExrPart], pick: Pick) -> tuple[Lit | None, list[Lit]]:
    """The layer that is lit, and the same layer in other views; None where there is grey alone."""
    names = [_names_of(part) for part in parts]
    layers = layers_of(names)
    if not layers:
        return None, []
    try:
        chosen = choose_layer(layers, *pick)
    except SourceError as error:
        raise SourceError(f"{path}: {error}") from error
    others = [each for each in layers if each.name == chosen.name and each.view != chosen.view]
    return _lit(chosen, names), [_lit(each, names) for each in others]


def _names_of(part: ExrPart) -> PartNames:
    return PartNames(list(part.channels), part.text("name"), part.text("view"), part.views)


def _lit(layer: Layer, parts: list[PartNames]) -> Lit:
    return layer.part, tuple(parts[layer.part].channels[place] for place in layer.channels)


def _pixel_rows(
    parts: list[ExrPart], found: pixels.Differences, chosen: Lit | None, others: list[Lit]
) -> Iterator[VerdictRow]:
    changed = {key for key, levels in found.changed.items() if 0 in levels}
    names = [f"{index}:{name}" for index, part in enumerate(parts) for name in part.channels]
    colour = _keys(chosen, 0, 3) if chosen else set(names)
    alpha = _keys(chosen, 3, 4) if chosen else set()
    allowed = colour.union(alpha, *(_keys(other, 0, 3) for other in others))
    kept = [key for key in names if key not in colour | alpha]
    beside = [key for key in names if key in changed - allowed]
    row = equal("layers", _bare(kept), _bare(kept))
    words = f"{len(beside)} other: {_bare(beside)}"
    yield row if not beside else VerdictRow(row.what, row.source, words, "lost")
    if chosen:
        colours = layers_of([_names_of(part) for part in parts])
        lit = {
            f"{layer.part}:{_names_of(parts[layer.part]).channels[layer.channels[1]]}"
            for layer in colours
        }
        yield _lit_row(chosen, others, changed, is_lit=bool(lit & changed))
    if alpha:
        yield _transparency(found, exact=not alpha & changed)
    if found.levels[0] > 1:
        yield _levels(found, colour)


def _keys(lit: Lit, first: int, last: int) -> set[str]:
    return {f"{lit[0]}:{name}" for name in lit[1][first:last]}


def _bare(keys: list[str]) -> str:
    return ", ".join(key.partition(":")[2] for key in keys) or "none"


def _lit_row(chosen: Lit, others: list[Lit], changed: set[str], *, is_lit: bool) -> VerdictRow:
    """A render in which nothing changed is lit as well; other views are left to renders of their own."""
    day = [other for other in others if not _keys(other, 0, 3) & changed]
    wanted = " ".join(chosen[1][:3])
    if is_lit and not _keys(chosen, 0, 3) & changed:
        return VerdictRow("lit layers", wanted, "others", "lost")
    if is_lit and day:
        words = f"not {', '.join(' '.join(other[1][:3]) for other in day)}"
        return VerdictRow("lit layers", f"{wanted} and other views", words, "left out")
    return VerdictRow("lit layers", wanted, "lit", "kept")


def _transparency(found: pixels.Differences, *, exact: bool) -> VerdictRow:
    words = [] if exact else ["other alpha"]
    if found.appeared:
        words.append(f"{found.appeared} pixels are something where there was nothing")
    verdict: Verdict = "lost" if words else "kept"
    return VerdictRow("transparency", "alpha", ", ".join(words) or "the same", verdict)


def _levels(found: pixels.Differences, colour: set[str]) -> VerdictRow:
    """Compare mip levels: a render with its largest alone is whole, one with levels of day is not."""
    was, now = found.levels
    lit = [levels for key, levels in found.changed.items() if key in colour]
    day = [n for n in range(1, was) if not any(n in levels for levels in lit)]
    unlit = day if now == was and any(0 in levels for levels in lit) else []
    words = f"{now}, day at {', '.join(map(str, unlit[:4]))}" if unlit else str(now)
    if now == 1:
        return VerdictRow("levels", str(was), words, "left out")
    return VerdictRow("levels", str(was), words, "lost" if unlit or was != now else "kept")


def _pages(pages: tuple[int, int], found: pixels.Differences) -> VerdictRow:
    lit = {int(key.partition(":")[0]) for key in found.changed}
    day = [page for page in range(pages[0]) if lit and page not in lit]
    words = f"{pages[1]}, day on {', '.join(str(page + 1) for page in day[:4])}"
    verdict: Verdict = "kept" if pages[0] == pages[1] and not day else "lost"
    return VerdictRow("pages", str(pages[0]), words if day else str(pages[1]), verdict)


def _alpha(old: Frame, new: Frame) -> Iterator[VerdictRow]:
    if old.alpha is None or old.alpha.size == 0:
        return
    same = new.alpha is not None and np.array_equal(old.alpha, new.alpha)
    words = "the same" if same else "none" if new.alpha is None else "other alpha"
    yield VerdictRow("transparency", "alpha", words, "kept" if same else "lost")


def _mark(frame: Frame) -> Marks:
    return mark_of_plane(frame.planes[1], frame.coding.peak)
