"""All pixels of a file of OpenImageIO's, one part and one level at a time: what became of each channel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nightfx.check.marks import MARK, Marks, mark_of_plane
from nightfx.errors import SourceError
from nightfx.options import MAX_PIXELS
from nightfx.picture import PartNames, choose_layer, layers_of
from nightfx.source import error_of

_NOTHING = 1e-6  # of a value that is said to be none

Pixels = NDArray[Any]


@dataclass
class Differences:
    """Where the pixels of two files differ."""

    changed: dict[str, set[int]] = field(default_factory=dict)
    """Levels at which each channel differs, by part and name."""
    levels: tuple[int, int] = (1, 1)
    """How many levels the first part of each file has; 0 where they cannot be read."""
    appeared: int = 0
    """Pixels that are something where alpha and colour said nothing."""
    marks: tuple[Marks, Marks] = (np.zeros(MARK, np.int8), np.zeros(MARK, np.int8))
    """Marks of both beauties."""


def lit_channels(names: list[str]) -> tuple[int, tuple[str, ...]]:
    """Return the channels that are lit of a file of one part and one picture: R, G, B[, A], or grey."""
    found = layers_of([PartNames(names)])
    places = choose_layer(found, None, None).channels if found else (0,)
    return 0, tuple(names[place] for place in places)


def differences(
    old: Path,
    new: Path,
    lit: tuple[int, tuple[str, ...]] | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Differences:
    """Compare all pixels of two files; `lit` is the part and the channels that are the picture.

    Raises SourceError where the source cannot be read.
    """
    found = Differences()
    with closing(_Images(old, max_pixels)) as a, closing(_Images(new, max_pixels)) as b:
        found.levels = (a.levels, b.levels)
        lit = lit or lit_channels(a.names(0))
        for part in range(a.parts):
            for level in range(a.levels if part == 0 else 1):
                was, now = a.read(part, level), b.read(part, level)
                if was is None:
                    raise SourceError(f"{old}: not readable as a picture ({a.reason})")
                names = a.names(part)
                if now is None or now.shape[:2] != was.shape[:2]:
                    if level:
                        found.levels = (a.levels, level)
                        break
                    continue
                _compare(found, part, level, names, was, b.names(part), now)
                if (part, level) == (lit[0], 0):
                    _look_at(found, lit[1], (names, was), (b.names(part), now))
    return found


def _compare(
    found: Differences,
    part: int,
    level: int,
    names: list[str],
    was: Pixels,
    other_names: list[str],
    now: Pixels,
) -> None:
    for index, name in enumerate(names):
        other = other_names.index(name) if name in other_names else None
        if other is None:
            continue
        if not np.array_equal(was[..., index], now[..., other], equal_nan=was.dtype.kind == "f"):
            found.changed.setdefault(f"{part}:{name}", set()).add(level)


def _look_at(
    found: Differences,
    lit: tuple[str, ...],
    old: tuple[list[str], Pixels],
    new: tuple[list[str], Pixels],
) -> None:
    """Take marks of the picture, and count what appeared where there was nothing."""
    if not set(lit) <= set(new[0]):
        return
    was, now = ([pixels[..., names.index(name)] for name in lit] for names, pixels in (old, new))
    middle = 1 if len(lit) > 1 else 0
    found.marks = (_mark(was[middle]), _mark(now[middle]))
    if len(lit) == 4:
        empty = (was[3] == 0) & np.all([plane == 0 for plane in was[:3]], axis=0)
        there = np.any([np.abs(plane) > _NOTHING for plane in now[:3]], axis=0)
        found.appeared = int(np.count_nonzero(empty & there))


def _mark(plane: Pixels) -> Marks:
    if plane.dtype.kind == "f":
        return mark_of_plane(np.cbrt(np.clip(np.nan_to_num(plane.astype(np.float32)), 0, 1e6)))
    return mark_of_plane(plane.astype(np.float32), float(np.iinfo(plane.dtype).max))


class _Images:
    """The pictures in a file, in the type that holds each."""

    def __init__(self, path: Path, max_pixels: int) -> None:
        import OpenImageIO

        hints = OpenImageIO.ImageSpec()
        hints.attribute("oiio:UnassociatedAlpha", 1)
        self._max_pixels = max_pixels
        source = OpenImageIO.ImageInput.open(str(path), hints)
        if source is None:
            reason = error_of(OpenImageIO)
            raise SourceError(f"{path}: not readable as a picture ({reason})")
        self._input = source
        self._specs = list(self._all_specs())
        self.parts = len(self._specs)
        self.levels = self._count_levels()

    def close(self) -> None:
        """Close the file."""
        self._input.close()

    @property
    def reason(self) -> str:
        """Why the last read failed."""
        return error_of(self._input)

    def names(self, part: int) -> list[str]:
        """Names of a part's channels."""
        return list(self._specs[part].channelnames) if part < self.parts else []

    def read(self, part: int, level: int) -> Pixels | None:
        """All channels of a level (H, W, C); None where it cannot be read."""
        if part >= self.parts:
            return None
        spec = self._input.spec_dimensions(part, level)
        if not spec.width or spec.width * spec.height > self._max_pixels:
            return None
        whole = self._specs[part]
        kinds = {str(kind) for kind in whole.channelformats} or {str(whole.format)}
        kind = kinds.pop() if len(kinds) == 1 else "float"
        pixels = self._input.read_image(part, level, 0, whole.nchannels, kind)
        if pixels is None:
            return None
        return np.asarray(pixels).reshape(spec.height, spec.width, whole.nchannels)

    def _all_specs(self) -> Iterator[Any]:
        index = 0
        while (spec := self._input.spec(index)).width:
            yield spec
            index += 1

    def _count_levels(self) -> int:
        level = 1
        while self._input.spec_dimensions(0, level).width:
            level += 1
        error_of(self._input)  # that there are no more is no error
        return level
