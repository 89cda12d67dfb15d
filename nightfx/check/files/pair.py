"""Hold one file of pictures against its plate: parts, channels, levels, and all that is said beside the pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from nightfx.check.files import chunks, pixels
from nightfx.check.files.exr import ExrPart, read_exr
from nightfx.check.marks import Marks, mark_of_plane
from nightfx.check.verdict import Verdict, VerdictRow, equal, metadata_row
from nightfx.errors import SourceError
from nightfx.options import MAX_PIXELS
from nightfx.picture import Frame
from nightfx.source import by_openimageio, read_picture

# attributes of OpenEXR that have rows of their own, and one that counts what the file holds
_IN_ROWS = {"channels", "compression", "dataWindow", "displayWindow", "tiles", "pixelAspectRatio"}
_IN_ROWS |= {"name", "view", "type", "chunkCount"}


@dataclass(frozen=True)
class Asked:
    """What was asked to be lit, where that is not the beauty of every view."""

    layer: str | None = None
    """Name of the layer."""
    view: str | None = None
    """Name of the view."""


BEAUTY = Asked()
"""Nothing else was asked: the beauty, in every view."""


@dataclass(frozen=True)
class ComparedFile:
    """What became of a file."""

    rows: tuple[VerdictRow, ...]
    """A row for each thing."""
    marks: tuple[Marks, Marks]
    """Marks of the plate and of the render."""


def compare_files(
    old: Path, new: Path, asked: Asked = BEAUTY, max_pixels: int = MAX_PIXELS
) -> ComparedFile:
    """Compare two files of one format; raises SourceError where the source cannot be read."""
    rows: list[VerdictRow] = []
    if old.suffix.lower() == ".exr":
        was, now = _headers(old), _headers(new)
        rows += _exr_rows(was, now)
        found = _differences(old, new, max_pixels)
        rows += _pixel_rows(was, now, found, asked)
        return ComparedFile(tuple(rows), found.marks)
    said, told = chunks.said_in(old), chunks.said_in(new)
    pages = chunks.pages_in(old), chunks.pages_in(new)
    rows.append(metadata_row("metadata", said, told))
    if by_openimageio(old):
        found = _differences(old, new, max_pixels)
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


def _differences(old: Path, new: Path, max_pixels: int) -> pixels.Differences:
    try:
        return pixels.differences(old, new, max_pixels)
    except (ValueError, MemoryError) as error:
        raise SourceError(f"{new}: not readable as a picture ({error})") from error


def _exr_rows(old: list[ExrPart], new: list[ExrPart]) -> Iterator[VerdictRow]:
    yield equal("parts", _in_words(old, _part_name), _in_words(new, _part_name))
    yield equal("windows", _in_words(old, _windows), _in_words(new, _windows))
    yield equal("channels", _in_words(old, _channels), _in_words(new, _channels))
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


def _pixel_rows(
    old: list[ExrPart], new: list[ExrPart], found: pixels.Differences, asked: Asked
) -> Iterator[VerdictRow]:
    wanted = wanted_layers(old, asked)
    changed = {key for key, levels in found.changed.items() if 0 in levels}
    lit = _layers_of(changed, old)
    beside = sorted(key for key in changed if not (_in_layers(key, wanted) or _is_alpha(key)))
    names = [name for part in old for name in part.channels]
    others = [
        n for i, part in enumerate(old) for n in part.channels if not _in_layers(f"{i}:{n}", wanted)
    ]
    words = f"{len(beside)} other: {', '.join(key.partition(':')[2] for key in beside)}"
    row = equal("layers", ", ".join(others) or "none", ", ".join(others) or "none")
    yield row if not beside else VerdictRow(row.what, row.source, words, "lost")
    if wanted:
        yield _lit_row(wanted, lit)
    if any(name.rpartition(".")[2] == "A" for name in names):
        yield _transparency(found, exact=not any(_is_alpha(key) for key in changed))
    if found.levels[0] > 1:
        yield _levels(found, wanted)


def wanted_layers(parts: list[ExrPart], asked: Asked = BEAUTY) -> set[str]:
    """Return the layers that are to be lit, as `0:right.`: the beauty, in every view."""
    views = _views(parts)
    layers: set[str] = set()
    for index, part in enumerate(parts):
        names = list(part.channels)
        beauty = pixels.beauty_of(names) if asked.layer is None else _asked(asked.layer, names)
        if beauty is None or (index and not part.text("view") and layers):
            continue
        layers.add(f"{index}:{beauty}")
        others = {f"{view}.{beauty}" for view in views} if len(parts) == 1 else set()
        layers |= {f"{index}:{other}" for other in others if f"{other}R" in names}
    if asked.view is None:
        return layers
    return {layer for layer in layers if _view_of(layer, parts) == asked.view}


def _asked(layer: str, names: list[str]) -> str | None:
    return f"{layer}." if f"{layer}.R" in names else None


def _views(parts: list[ExrPart]) -> list[str]:
    """Names of the views of a file of one part; the first one's channels have no name before them."""
    data, at, views = parts[0].attributes.get("multiView", b""), 0, []
    while at + 4 <= len(data):
        size = int.from_bytes(data[at : at + 4], "little")
        views.append(data[at + 4 : at + 4 + size].decode(errors="replace"))
        at += 4 + size
    return views


def _view_of(layer: str, parts: list[ExrPart]) -> str:
    index, _, name = layer.partition(":")
    views = _views(parts)
    named = next((view for view in views if name.startswith(f"{view}.")), views[0] if views else "")
    return parts[int(index)].text("view") or named


def _layers_of(changed: set[str], parts: list[ExrPart]) -> set[str]:
    found = set()
    for key in changed:
        index, _, name = key.partition(":")
        if pixels.is_colour(name, list(parts[int(index)].channels)):
            found.add(key[:-1])
    return found


def _in_layers(key: str, layers: set[str]) -> bool:
    return key[:-1] in layers and key[-1:] in "RGB"


def _is_alpha(key: str) -> bool:
    return key.endswith((":A", ".A"))


def _lit_row(wanted: set[str], lit: set[str]) -> VerdictRow:
    """A render in which nothing changed is lit as well; one in which some layers did must have lit them all."""
    missing = sorted(wanted - lit) if lit else []
    words = f"not {', '.join(map(_layer_name, missing))}" if missing else "all"
    names = ", ".join(map(_layer_name, sorted(wanted)))
    return VerdictRow("lit layers", names, words, "lost" if missing else "kept")


def _layer_name(layer: str) -> str:
    index, _, name = layer.partition(":")
    part = f" of part {int(index) + 1}" if index != "0" else ""
    return f"{name}RGB{part}"


def _transparency(found: pixels.Differences, *, exact: bool) -> VerdictRow:
    words = [] if exact else ["other alpha"]
    if found.appeared:
        words.append(f"{found.appeared} pixels are something where there was nothing")
    verdict: Verdict = "lost" if words else "kept"
    return VerdictRow("transparency", "alpha", ", ".join(words) or "the same", verdict)


def _levels(found: pixels.Differences, wanted: set[str]) -> VerdictRow:
    was, now = found.levels
    lit = {key: levels for key, levels in found.changed.items() if _in_layers(key, wanted)}
    day = sorted({n for n in range(1, was) if not any(n in levels for levels in lit.values())})
    unlit = day if any(0 in levels for levels in lit.values()) else []
    words = f"{now}, day at {', '.join(map(str, unlit[:4]))}" if unlit and now == was else str(now)
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
