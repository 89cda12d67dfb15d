"""What each group of lamps gives of a frame's light: layers of linear light, whose sum is the frame as it is lit.

What lamps shed on walls and ground multiplies their light, and so each group's part of it is a share. What lies over the
picture and what shines itself is shared out as its light is. The rest, ambient light and sky, is a layer too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from nightfx.apply.emitters import LitChange
from nightfx.apply.field import full_size
from nightfx.apply.finish import GroupShare, Steps
from nightfx.apply.patches import packed
from nightfx.apply.shine import light_on_samples
from nightfx.apply.sky import SkyChange
from nightfx.picture import LINEAR, Float32, from_working

REST = "rest"
_LEAST = np.float32(1e-6)


def layers_of(
    work: Float32, steps: Steps, shares: Mapping[str, GroupShare]
) -> Iterator[tuple[str, Float32]]:
    """Yield each group's light on a plate (3, H, W) in the working encoding, and the rest: (3, H, W), 1 being white."""
    wholly = steps._replace(finish=replace(steps.finish, strength=1.0))
    ways = steps.bare.of_samples, _veiled(wholly).glowing(), wholly.glowing(), steps.glowing()
    bare, veiled, lit, rest = (from_working(light(work, 0, 0), LINEAR) for light in ways)
    strength, size = np.float32(steps.finish.strength), (work.shape[1], work.shape[2])
    ground = bare * (1 - steps.bare.alpha) if isinstance(steps.bare, SkyChange) else bare
    shone = {name: light_on_samples(work, packed(x.patches, size)) for name, x in shares.items()}
    total = np.maximum(sum(shone.values()), _LEAST)
    for name, share in shares.items():
        layer = ground * full_size(share.surfaces, *size)
        layer += (veiled - bare) * full_size(share.veil, *size)
        layer += (lit - veiled) * (shone[name] / total)
        layer *= strength
        rest = rest - layer
        yield name, layer
    yield REST, rest


def _veiled(steps: Steps) -> Steps:
    """The steps without what shines itself."""
    change = steps.change.base if isinstance(steps.change, LitChange) else steps.change
    return steps._replace(change=change)
