"""The lamps of a shot, put into the change of light of each of its frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from nightfx.apply import Change, GroupShare, Patch
from nightfx.light.lamps import rig as rigs
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
    sources, found_px, horizon, rig = lamps
    frame, cells = seen.frame, (seen.cells.shape[1], seen.cells.shape[2])
    scale = np.array(upright_size(frame), np.float32) / np.array(found_px, np.float32)
    here = [
        source._replace(quad=coded_quad(np.asarray(source.quad * scale, np.float32), frame))
        for source in sources
    ]
    light = rigs.emitted(here, (frame.height, frame.width), cells)
    land = np.ones(cells, np.float32) if sky is None else 1 - sky
    lit = np.moveaxis(rigs.to_light(change.of_picture(seen.cells)), 0, -1)
    wanted = rigs.gains(lit, land, light, _rows(cells, horizon, frame), rig)
    change = change.gained(rigs.to_work(np.moveaxis(wanted, -1, 0)))
    veil = rig.glare * np.moveaxis(rigs.glare(light), -1, 0)
    over = rigs.over(change.of_picture(seen.cells), veil)
    groups = _Groups(here, frame, cells, _rows(cells, horizon, frame), rig)
    return Shone(change, over, patches(here, frame), lambda whole: groups.shares(over, whole))


class _Groups(NamedTuple):
    """The lamps of a frame, to be told apart by their groups."""

    here: Sequence[Source]
    frame: Frame
    cells: tuple[int, int]
    rows: Float32
    rig: Rig

    def shares(self, glare: Float32, veil: Float32) -> dict[str, GroupShare]:
        """What of all light is each group's; lamps outside the picture are one of their own."""
        size = self.frame.height, self.frame.width
        apart = {
            name: [x for x in self.here if group_of(x.kind) == name]
            for name in GROUPS
            if any(group_of(x.kind) == name for x in self.here)
        }
        light = {name: rigs.emitted(x, size, self.cells) for name, x in apart.items()}
        shed = {name: self.rig.shed * rigs.shed(x) for name, x in light.items()}
        shed[STREET] = self.rows[..., None] * self.rig.street
        spread = {name: rigs.glare(x) for name, x in light.items()}
        whole = rigs.ambient(self.rig) + sum(shed.values())
        glares = np.maximum(sum(spread.values(), np.zeros(3, np.float32)), _LEAST)
        part = glare / np.maximum(veil, _LEAST)
        none = np.zeros((*self.cells, 3), np.float32)
        return {
            name: GroupShare(
                _planes(x / whole),
                np.asarray(_planes(spread.get(name, none) / glares) * part, np.float32),
                patches(apart.get(name, ()), self.frame),
            )
            for name, x in shed.items()
        }


def _planes(cells: Float32 | Float64) -> Float32:
    return np.ascontiguousarray(np.moveaxis(cells, -1, 0), np.float32)


def _rows(cells: tuple[int, ...], horizon: float, frame: Frame) -> Float32:
    """The share (h, w) of the street's light that each cell of a frame has, as it is coded."""
    turned = round(frame.rotation / 90) % 2
    height, width = cells[::-1] if turned else cells
    rows = np.broadcast_to(rigs.street(height, horizon)[None, :, None], (1, height, width))
    return np.asarray(as_coded(rows, frame)[0], np.float32)


def upright_size(frame: Frame) -> tuple[int, int]:
    """Return (width, height) in px of a frame as a player turns it."""
    size = frame.width, frame.height
    return size[::-1] if round(frame.rotation / 90) % 2 else size


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
