"""The lamps of a shot, put into the change of light of each of its frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nightfx.apply import Change, Patch
from nightfx.light.lamps import rig as rigs
from nightfx.light.lamps.rig import Rig
from nightfx.light.lamps.shapes import patches
from nightfx.light.see import Seen
from nightfx.lights import Source
from nightfx.picture import Float32, Frame, as_coded


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


def with_lamps(change: Change, seen: Seen, sky: Float32 | None, lamps: Lamps) -> Shone:
    """Return the change of light of a frame with its lamps on; `sky` (h, w) is how surely each cell is sky."""
    sources, found_px, horizon, rig = lamps
    frame, cells = seen.frame, seen.cells.shape[1:]
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
    return Shone(change, over, patches(here, frame))


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
