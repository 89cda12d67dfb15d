"""Pictures that a data set holds already: the same file again, or a thumbnail that says nearly the same.

Two pictures are near-duplicates where their thumbnails (luma, 16×16, mean taken off) correlate by 0.97 or more and their
brightness is within 0.02: frames of a standing camera are, views of other streets were not in any of 1,000 photographs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from nightfx.options import Repeats
from nightfx.training.sets.measure import Measured

_NEAR_BRIGHTNESS = 0.02


def drop_repeats(pictures: Iterable[Measured], repeats: Repeats, near: float) -> list[Measured]:
    """Give repeats a reason: the same file twice always, near-duplicates as asked; the first one stays."""
    seen: dict[str, str] = {}
    groups: dict[Path | None, _Thumbnails] = {}
    result = []
    for picture in pictures:
        if not picture.reason and picture.digest in seen:
            picture = replace(picture, reason=f"the same as {seen[picture.digest]}")
        elif not picture.reason:
            seen[picture.digest] = _origin(picture)
            group = picture.candidate.path if repeats == "frames" else None
            looked_at = repeats == "all" or picture.seconds is not None
            if repeats != "none" and looked_at:
                picture = groups.setdefault(group, _Thumbnails()).judge(picture, near)
        result.append(picture)
    return result


class _Thumbnails:
    """The pictures that stay, as arrays that grow by doubling: each new one is compared with all of them."""

    def __init__(self) -> None:
        self.vectors = np.empty((64, 256), np.float32)
        self.brightness = np.empty(64)
        self.paths: list[str] = []

    def judge(self, picture: Measured, near: float) -> Measured:
        """Return `picture` with a reason if it is like one that stays, else keep it."""
        assert picture.thumbnail is not None
        count = len(self.paths)
        alike = self.vectors[:count] @ picture.thumbnail >= near
        alike &= np.abs(self.brightness[:count] - picture.brightness) <= _NEAR_BRIGHTNESS
        if alike.any():
            return replace(picture, reason=f"nearly the same as {self.paths[int(alike.argmax())]}")
        if count == len(self.brightness):
            self.vectors = np.concatenate([self.vectors, np.empty_like(self.vectors)])
            self.brightness = np.concatenate([self.brightness, np.empty_like(self.brightness)])
        self.vectors[count], self.brightness[count] = picture.thumbnail, picture.brightness
        self.paths.append(_origin(picture))
        return picture


def _origin(picture: Measured) -> str:
    at = "" if picture.seconds is None else f" at {picture.seconds:.2f} s"
    return f"{picture.candidate.path}{at}"
