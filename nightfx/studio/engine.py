"""A frame under light, as the command line lights it; what the generator wants for a frame is kept, and a look is put on that again.

A frame is lit alone: a render steadies its field along the shot besides.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import NamedTuple

from nightfx.apply import Written
from nightfx.errors import UsageError
from nightfx.job.asked import complete_options
from nightfx.job.matte import open_mattes
from nightfx.light import (
    Borders,
    Footage,
    Lengths,
    Lighting,
    Lit,
    build_lighting,
    light_as,
    wanted_light,
)
from nightfx.light.sky import edited
from nightfx.lights import LightList
from nightfx.network import Generator, Preset
from nightfx.options import RenderOptions
from nightfx.picture import Encodings, Float32, Frame
from nightfx.preview.pick import Picked
from nightfx.studio.last_used import LastUsed

_KEPT_FRAMES = 16
_KEPT_NETWORKS = 6


class Wish(NamedTuple):
    """How a frame is to be lit."""

    preset: Preset
    options: RenderOptions
    lights: LightList | None
    """Those of the shot; None where it was not looked through yet: then the frame alone is."""


class LitFrame(NamedTuple):
    """A frame under light."""

    frame: Frame
    lighting: Lighting
    sky: Float32 | None
    """How surely each cell (h, w) is sky; None where nobody asked."""


class Engine:
    """Lights frames; for one thread."""

    def __init__(self) -> None:
        self._networks = LastUsed[Generator](_KEPT_NETWORKS)
        self._wanted = LastUsed[Lit](_KEPT_FRAMES)
        self._found = LastUsed[LightList | None](_KEPT_FRAMES)

    def light(self, shot: str, picked: Picked, wish: Wish) -> LitFrame:
        """The frame of a shot, named by its key, as wished; raises a `NightfxError`."""
        options = complete_options(wish.options, wish.preset)
        frame = replace(picked.frame, number=picked.number)  # its lights are known by that
        at = (shot, picked.number, frame.height)
        lighting = self._lighting(at, picked._replace(frame=frame), wish, options)
        written = Written(frame.coding, Encodings(picked.encoding, picked.encoding))
        with open_mattes(options.light, options.source, picked.info) as mattes:
            beside = mattes.beside(Borders(Lengths(), picked.place, ()))
            lit = self._wanted.get(
                _key(at, wish, options, lighting),
                lambda: wanted_light(frame, lighting, written, beside),
            )
            done = light_as(lit, lighting, written, beside)
        sky = lit.sky
        if lighting.sky and sky is not None:
            sky = edited(sky, lighting.sky, frame, picked.number)
        return LitFrame(done, lighting, sky)

    def _lighting(
        self, at: Hashable, picked: Picked, wish: Wish, options: RenderOptions
    ) -> Lighting:
        light, preset = options.light, wish.preset
        if light.baked:
            words = (
                "this shot is lit by a bake: take `baked` out of nightfx.toml to change its look"
            )
            raise UsageError(f"{light.baked}: {words}")
        is_lit = preset.facts.lights is not None and light.lights != "off"
        runs = (preset.folder, light.draft, light.backend, light.device)
        footage = Footage(lambda: [picked.frame], encoding=picked.encoding)

        def build(found: LightList | None, generator: Generator | None) -> Lighting:
            groups = options.look, light, options.field
            return build_lighting(preset, footage, *groups, None, found, generator)

        found = wish.lights if is_lit else None

        def own_generator() -> Generator:
            generator = build(found, None).generator
            assert generator is not None, "only a bake lights without one"
            return generator

        generator = self._networks.get(runs, own_generator)
        if is_lit and found is None:
            alone = (at, light.lights, *runs[2:])
            found = self._found.get(alone, lambda: build(None, generator).found)
        return build(found, generator)


def _key(at: Hashable, wish: Wish, options: RenderOptions, lighting: Lighting) -> Hashable:
    """All that decides what the generator wants for a frame; which lights are on is not of it."""
    light = replace(options.light, lights="auto", light_seed=0, lit_windows=None, sky_edits=None)
    sees_sky = lighting.sky is not None
    return at, wish.preset.folder, light, options.field, sees_sky, lighting.moonlight is not None
