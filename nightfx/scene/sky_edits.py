"""What a person says of the sky: polygons in which all is sky, or nothing is, with keys that the frames between follow.

`NAME.sky.json` has a line a polygon; `docs/mattes.md` describes it. Places are px of the upright plate, and frames have the
numbers that they have everywhere: a clip's count from 1001.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nightfx.disk import checked, partial_file
from nightfx.picture import Float32

_FORMAT = 1
_KIND = checked.Kind("list of sky edits", "`nightfx studio` writes one")
_MOST_PX = 1_000_000
_CORNERS = 3, 400
_MOST_EDITS = 1000
_FINE = 4  # times finer than the cells a polygon is drawn


@dataclass(frozen=True, eq=False)
class SkyEdit:
    """A polygon: straight lines between the frames named, and as it is there before the first and after the last."""

    is_sky: bool
    """Whether all in it is sky, or nothing."""
    frames: NDArray[np.int64]
    """(n,), rising: those of its keys."""
    corners: Float32
    """(n, corners, 2) px x, y."""
    first: int | None = None
    """The first frame in which it counts; None where there is no first."""
    last: int | None = None
    """The last frame in which it counts."""

    def at(self, frame: int) -> Float32 | None:
        """The corners (n, 2) in a frame; None where it does not count."""
        if self.first is not None and frame < self.first:
            return None
        if self.last is not None and frame > self.last:
            return None
        after = int(np.searchsorted(self.frames, frame).clip(0, len(self.frames) - 1))
        before = max(after - 1, 0)
        apart = int(self.frames[after] - self.frames[before])
        share = np.clip((frame - self.frames[before]) / apart, 0, 1) if apart else 1.0
        way = self.corners[after] - self.corners[before]
        return np.asarray(self.corners[before] + share * way, np.float32)


@dataclass(frozen=True, eq=False)
class SkyEdits:
    """All edits of a shot; a later one is on top of those before."""

    size_px: tuple[int, int]
    """(width, height) of the upright plate that places are of."""
    edits: tuple[SkyEdit, ...] = ()

    def of_size(self, size_px: tuple[int, int]) -> SkyEdits:
        """The same edits, with places of a plate of another size."""
        if size_px == self.size_px:
            return self
        scale = np.divide(size_px, self.size_px).astype(np.float32)
        return SkyEdits(size_px, tuple(replace(x, corners=x.corners * scale) for x in self.edits))

    def on(self, sky: Float32, frame: int) -> Float32:
        """How surely each cell (h, w) of an upright frame is sky, after the edits."""
        height, width = sky.shape
        scale = np.divide((width, height), self.size_px) * _FINE
        for edit in self.edits:
            corners = edit.at(frame)
            if corners is None:
                continue
            fine = np.zeros((height * _FINE, width * _FINE), np.uint8)
            cv2.fillPoly(fine, [np.rint(corners * scale).astype(np.int32)], 255)
            inside = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
            share = inside.astype(np.float32) * np.float32(1 / 255)
            sky = np.asarray(sky + share * (np.float32(edit.is_sky) - sky), np.float32)
        return sky


def read_sky_edits(path: Path) -> SkyEdits:
    """Read what a person said. Raises `UsageError` that names file, edit and key."""
    return checked.read_typed(path, _KIND, parse_sky_edits)


def write_sky_edits(edits: SkyEdits, path: Path) -> None:
    """Write as JSON, a line an edit; it is complete under its name or not there."""
    data = sky_edits_told(edits)
    lines = ",\n".join(f"  {json.dumps(edit)}" for edit in data.pop("edits"))
    head = "\n".join(f" {json.dumps(key)}: {json.dumps(value)}," for key, value in data.items())
    with partial_file(path) as part:
        part.write_text(f'{{\n{head}\n "edits": [\n{lines}\n ]\n}}\n', encoding="utf-8")


def sky_edits_told(edits: SkyEdits) -> dict[str, Any]:
    """The edits as JSON has them."""
    each = [_told(edit) for edit in edits.edits]
    return {"nightfx_sky": _FORMAT, "size_px": list(edits.size_px), "edits": each}


def _told(edit: SkyEdit) -> dict[str, Any]:
    keys = [
        [int(frame), *(round(float(v), 2) for v in corners.ravel())]
        for frame, corners in zip(edit.frames, edit.corners, strict=True)
    ]
    ends = {"first": edit.first, "last": edit.last}
    return {"sky": edit.is_sky, **{k: v for k, v in ends.items() if v is not None}, "keys": keys}


def parse_sky_edits(data: Any) -> SkyEdits:
    """Return the edits that JSON says. Raises ValueError, with a word about what is wrong."""
    if not isinstance(data, dict) or data.get("nightfx_sky") != _FORMAT:
        raise ValueError(f"no {_KIND.name} of version {_FORMAT}: {_KIND.way}")
    checked.check_keys(data, ("nightfx_sky", "size_px", "edits"))
    width, height = (
        checked.whole(v, "size_px", 1, _MOST_PX)
        for v in checked.list_of(data.get("size_px"), "size_px", 2)
    )
    rows = checked.list_of(data.get("edits"), "edits")
    if len(rows) > _MOST_EDITS:
        raise ValueError(f"{len(rows)} edits are more than {_MOST_EDITS}")
    return SkyEdits((width, height), tuple(_edit(one, i) for i, one in enumerate(rows, 1)))


def _edit(one: Any, place: int) -> SkyEdit:
    try:
        if not isinstance(one, dict):
            raise ValueError("is no object")
        return _checked(one)
    except ValueError as error:
        raise ValueError(f"edit {place}: {error}") from error


def _checked(one: Mapping[str, Any]) -> SkyEdit:
    checked.check_keys(one, ("sky", "first", "last", "keys"))
    keys = [_key(row) for row in checked.list_of(one.get("keys"), "keys")]
    if not keys:
        raise ValueError("keys needs a row: frame, and the corners x, y")
    if any(a[0] >= b[0] for a, b in pairwise(keys)):
        raise ValueError("keys: frames must rise")
    if any(len(row) != len(keys[0]) for row in keys):
        raise ValueError("keys: each must have the same number of corners")
    table = np.array(keys, np.float64)
    first, last = (
        None if one.get(key) is None else checked.whole(one[key], key) for key in ("first", "last")
    )
    if first is not None and last is not None and first > last:
        raise ValueError(f"first is {first}, after last, which is {last}")
    return SkyEdit(
        checked.truth(one.get("sky"), "sky"),
        table[:, 0].astype(np.int64),
        table[:, 1:].reshape(len(keys), -1, 2).astype(np.float32),
        first,
        last,
    )


def _key(row: Any) -> list[float]:
    """A row of keys, checked."""
    frame, *places = checked.list_of(row, "a row of keys") or [None]
    least, most = _CORNERS
    if len(places) % 2 or not 2 * least <= len(places) <= 2 * most:
        raise ValueError(f"a row of keys is a frame and {least} to {most} corners x, y")
    found = [checked.number(v, "a corner", -_MOST_PX, _MOST_PX) for v in places]
    return [checked.whole(frame, "frame of keys"), *found]
