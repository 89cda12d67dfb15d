"""The lamps of a shot, put into the change of light of each of its frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from nightfx.apply import Change, GroupShare, Patch
from nightfx.light.lamps import rig as rigs
from nightfx.light.lamps.ground import on_ground
from nightfx.light.lamps.rig import Rig
from nightfx.light.lamps.shapes import patches
from nightfx.light.see import Seen
from nightfx.lights import GROUPS, Source, group_of
from nightfx.picture import Float32, Float64, Frame, as_coded

STREET = "street"
"""The group of lamps outside the picture."""
_LEAST = np.float32(1e-6)


class Lamps(NamedTuple):
    """The lamps of a frame."""

    sources: Sequence[Source]
    """Those that are on, by the px of the upright picture in which they were found."""
    size_px: tuple[int, int]
    """(width, height) of that picture: the plate's, or that of a proxy."""
    horizon: float
    """The row at which the ground ends, as a part of the height of the upright plate."""
    rig: Rig


class Shone(NamedTuple):
    """What lamps make of a change of light."""

    change: Change
    """With what they shed on walls and ground."""
    glare: Float32
    """(3, h, w): what is to be screened over it."""
    patches: tuple[Patch, ...]
    """What shines itself, on top of both."""
    shares: Callable[[Float32], dict[str, GroupShare]]
    """Says what each group gives, where a veil (3, h, w) lies over the picture of which the glare is a part."""


def with_lamps(change: Change, seen: Seen, sky: Float32 | None, lamps: Lamps) -> Shone:
    """Return the change of light of a frame with its lamps on; `sky` (h, w) is how surely each cell is sky."""
    view, sources = (
        _View(seen.frame, (seen.cells.shape[1], seen.cells.shape[2]), lamps),
        lamps.sources,
    )
    light = view.emitted(sources)
    land = np.ones(view.cells, np.float32) if sky is None else 1 - sky
    lit = np.moveaxis(rigs.to_light(change.of_picture(seen.cells)), 0, -1)
    around = rigs.shed(light)
    shed = view.shed(sources, around * rigs.held(around))
    wanted = rigs.gains(lit, land, shed + view.street(), lamps.rig)
    change = change.gained(rigs.to_work(np.moveaxis(wanted, -1, 0)))
    veil = lamps.rig.glare * np.moveaxis(rigs.glare(light * rigs.crowded(light)), -1, 0)
    over = rigs.over(change.of_picture(seen.cells), veil)
    return Shone(change, over, view.patches(sources), lambda whole: view.shares(over, whole))


class _View(NamedTuple):
    """A frame with its lamps; sources are in the upright picture, and all that is made of them in the frame as it is coded."""

    frame: Frame
    cells: tuple[int, int]
    """(h, w) of the frame as it is coded."""
    lamps: Lamps

    def patches(self, sources: Sequence[Source]) -> tuple[Patch, ...]:
        return patches(self._coded(sources), self.frame)

    def emitted(self, sources: Sequence[Source]) -> Float32:
        """The light (h, w, 3) that sources emit in each cell."""
        size = self.frame.height, self.frame.width
        return rigs.emitted(self._coded(sources), size, self.cells)

    def shed(self, sources: Sequence[Source], around: Float32) -> Float32:
        """What of the light of sources falls `around` them, and on the ground, (h, w, 3)."""
        rig, found_px = self.lamps.rig, self.lamps.size_px[::-1]
        pools = on_ground(sources, found_px, self._upright_cells, self.lamps.horizon)
        return rig.shed * around + rig.pools * self._as_coded(pools)

    def street(self) -> Float32:
        """What falls on each cell of the light of lamps outside the picture, (h, w, 3)."""
        size = self._upright_cells
        rows = np.broadcast_to(rigs.street(size[0], self.lamps.horizon)[:, None, None], (*size, 1))
        return self._as_coded(rows) * self.lamps.rig.street

    def shares(self, glare: Float32, veil: Float32) -> dict[str, GroupShare]:
        """What of all light is each group's; lamps outside the picture are one of their own."""
        apart = {
            name: sources
            for name in GROUPS
            if (sources := [x for x in self.lamps.sources if group_of(x.kind) == name])
        }
        light = {name: self.emitted(x) for name, x in apart.items()}
        around = {name: rigs.shed(x) for name, x in light.items()}
        none = np.zeros((*self.cells, 3), np.float32)
        held = rigs.held(sum(around.values(), none))
        shed = {name: self.shed(x, around[name] * held) for name, x in apart.items()}
        shed[STREET] = self.street()
        crowded = rigs.crowded(sum(light.values(), none))
        spread = {name: rigs.glare(x * crowded) for name, x in light.items()}
        whole = rigs.ambient(self.lamps.rig) + sum(shed.values())
        glares = np.maximum(sum(spread.values(), np.zeros(3, np.float32)), _LEAST)
        part = glare / np.maximum(veil, _LEAST)
        return {
            name: GroupShare(
                _planes(x / whole),
                np.asarray(_planes(spread.get(name, none) / glares) * part, np.float32),
                self.patches(apart.get(name, ())),
            )
            for name, x in shed.items()
        }

    def _coded(self, sources: Sequence[Source]) -> list[Source]:
        """Sources where the frame as it is coded has them."""
        found_px = np.array(self.lamps.size_px, np.float32)
        scale = np.array(upright_size(self.frame), np.float32) / found_px
        quads = [np.asarray(x.quad * scale, np.float32) for x in sources]
        return [
            x._replace(quad=coded_quad(quad, self.frame))
            for x, quad in zip(sources, quads, strict=True)
        ]

    @property
    def _upright_cells(self) -> tuple[int, int]:
        height, width = self.cells
        return (width, height) if _is_turned(self.frame) else (height, width)

    def _as_coded(self, upright: Float32) -> Float32:
        """Cells (h, w, n) of the upright picture as the frame has them."""
        planes = as_coded(np.moveaxis(upright, -1, 0), self.frame)
        return np.asarray(np.moveaxis(planes, 0, -1), np.float32)


def _planes(cells: Float32 | Float64) -> Float32:
    return np.ascontiguousarray(np.moveaxis(cells, -1, 0), np.float32)


def upright_size(frame: Frame) -> tuple[int, int]:
    """Return (width, height) in px of a frame as a player turns it."""
    size = frame.width, frame.height
    return size[::-1] if _is_turned(frame) else size


def _is_turned(frame: Frame) -> bool:
    return round(frame.rotation / 90) % 2 == 1


def coded_quad(quad: Float32, frame: Frame) -> Float32:
    """Return the corners of a quad of the upright picture, px x, y, where the frame as coded has them."""
    turns = round(frame.rotation / 90) % 4
    x, y = quad[:, 0], quad[:, 1]
    width, height = frame.width, frame.height
    places = (
        (x, y),
        (width - y, x),
        (width - x, height - y),
        (y, height - x),
    )
    return np.stack(places[turns], axis=1).astype(np.float32)
