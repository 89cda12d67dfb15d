"""The picked frame under light: what several variants of its look have in common is done once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from nightfx.apply import Written
from nightfx.job.asked import complete_options
from nightfx.job.matte import open_mattes
from nightfx.light import Borders, Footage, Lengths, Lighting, build_lighting, light_looks
from nightfx.lights import LightList
from nightfx.network import Generator, Preset
from nightfx.options import FieldOptions, LightOptions, Look, RenderOptions
from nightfx.picture import Encodings, Frame
from nightfx.preview.pick import Picked
from nightfx.preview.vary import Variant


class Kept(NamedTuple):
    """What was made for one variant, and serves others of the same frame or shot."""

    generators: dict[object, Generator]
    searches: dict[object, LightList | None]
    """The lights that were found."""

    @classmethod
    def nothing(cls) -> Kept:
        """Nothing, before the first variant."""
        return cls({}, {})


def render(
    picked: Picked, preset: Preset, options: RenderOptions, kept: Kept | None = None
) -> Frame:
    """The frame under a preset, as a render of the shot would light it alone."""
    ((_, lit),) = render_variants(picked, [Variant(preset, options)], kept)
    return lit


def render_variants(
    picked: Picked, variants: Sequence[Variant], kept: Kept | None = None
) -> Iterator[tuple[int, Frame]]:
    """Yield the frame under each variant, with its place among them; those that the generator lights alike come together."""
    kept = kept or Kept.nothing()
    settled = [x._replace(options=complete_options(x.options, x.preset)) for x in variants]
    for places in _alike(settled):
        group = [settled[place] for place in places]
        yield from zip(places, _render_alike(picked, group, kept), strict=True)


def _alike(variants: Sequence[Variant]) -> list[list[int]]:
    """The places of variants that differ in their looks alone."""
    groups: dict[object, list[int]] = {}
    for place, (preset, options, _) in enumerate(variants):
        sees_sky = bool(options.look.names("sky"))  # what else a look says changes no lighting
        key = (preset.folder, options.light, options.field, sees_sky)
        groups.setdefault(key, []).append(place)
    return list(groups.values())


def _render_alike(picked: Picked, variants: Sequence[Variant], kept: Kept) -> Iterator[Frame]:
    frame = replace(picked.frame, number=picked.number)  # its lights are known by that
    footage = Footage(lambda: [frame], encoding=picked.encoding)
    lighting, options = _lighting_of(footage, picked.place, variants[0], kept), variants[0].options
    written = Written(frame.coding, Encodings(picked.encoding, picked.encoding))
    looks = [variant.options.look for variant in variants]
    with open_mattes(options.light, options.source, picked.info) as mattes:
        borders = Borders(Lengths(), picked.place, ())
        yield from light_looks(frame, lighting, looks, written, mattes.beside(borders))


def _lighting_of(footage: Footage, place: int, variant: Variant, kept: Kept) -> Lighting:
    """What lights the frame at a place; what is kept is not made again."""
    preset, (look, light, field) = variant.preset, _groups_of(variant.options)
    runs = (light.backend, light.device)
    network = (preset.folder, light.draft, *runs)
    is_lit = preset.facts.lights is not None and light.lights != "off"
    search = (place, is_lit, light.light_list, *runs)
    found, generator = kept.searches.get(search), kept.generators.get(network)
    lighting = build_lighting(preset, footage, look, light, field, None, found, generator)
    kept.searches[search] = lighting.found
    # that of int8 is quantised with the frame itself
    if lighting.generator is not None and light.backend != "openvino-int8":
        kept.generators[network] = lighting.generator
    return lighting


def _groups_of(options: RenderOptions) -> tuple[Look, LightOptions, FieldOptions]:
    return options.look, options.light, options.field
