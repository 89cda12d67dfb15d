"""The lamps of a shot: its list of lights, and what preset and user make of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nightfx.light.lamps.rig import Rig
from nightfx.light.lamps.shine import Lamps
from nightfx.lights import Choice, LightList, choose, sources_of, turned
from nightfx.options import LightOptions, LightTable, Moment
from nightfx.picture import kelvin_rgb


@dataclass(frozen=True)
class ShotLamps:
    """All that decides the lamps of a shot's frames but the look."""

    found: LightList
    choices: Mapping[int, Choice]
    table: LightTable

    def at(self, frame: int, moment: Moment) -> Lamps:
        """Return the lamps of a frame, by its number, under a look."""
        sources = tuple(sources_of(self.found, self.choices, frame, turned(moment)))
        return Lamps(
            sources, self.found.size_px, self.found.horizon_at(frame), _rig(self.table, moment)
        )


def lamps_of(found: LightList, table: LightTable, light: LightOptions) -> ShotLamps:
    """Return the lamps of a shot whose lights were found."""
    choices = choose(found, table, light.light_seed, light.lit_windows)
    return ShotLamps(found, choices, table)


def _rig(table: LightTable, moment: Moment) -> Rig:
    kelvin = moment.lamps_kelvin or table.street_kelvin
    street = kelvin_rgb(kelvin) * np.float32(table.street * moment.street_light)
    return Rig(
        table.ambient,
        street.astype(np.float32),
        table.shed,
        table.pools,
        table.glare,
        table.even,
    )
