"""What is asked of a render: the look that a preset completes, and what it, its method or this machine cannot do."""

from __future__ import annotations

from nightfx.errors import UsageError
from nightfx.light.lock import load_lock
from nightfx.lights import read_lights
from nightfx.network import Preset
from nightfx.options import FieldOptions, RenderOptions
from nightfx.options.option import options_in
from nightfx.picture import FIRST_FRAME
from nightfx.scene import read_sky_edits

_BESIDE_BAKED = {"baked", "seed", "matte", "matte_invert", "matte_feather", "device", "backend"}


def with_look(options: RenderOptions, preset: Preset, first: int) -> RenderOptions:
    """The options with the preset's look, of a shot whose first rendered frame has the number `first`."""
    own = preset.facts.look
    return options.but(look=options.look.over(own.numbered_from(first) if own else None))


def complete_options(options: RenderOptions, preset: Preset) -> RenderOptions:
    """Return the options with the preset's look wherever they leave it to that; raises as `check_options`."""
    check_options(options, preset)
    return with_look(options, preset, FIRST_FRAME)


def check_options(options: RenderOptions, preset: Preset) -> None:
    """Raise UsageError for what a preset, or the method that it renders by, cannot do, or this machine; PresetError for no lock."""
    light = options.light
    light.check_machine()
    if light.baked:
        _check_by_bake(options)
    if preset.method(options.light.method) == "tiles":
        _check_tiles(options, preset)
    if light.sky_matte:
        _check_sky(options, preset)
    if light.sky_edits:
        read_sky_edits(light.sky_edits)
    if preset.facts.lights is None:
        _check_no_lights(options, preset)
    if options.light.draft:
        preset.check_draft()
    if options.light.light_list:
        read_lights(options.light.light_list)
    if options.field.lock_to:
        load_lock(options.field.lock_to)


def _check_by_bake(options: RenderOptions) -> None:
    """Raise UsageError for an option whose say is in the bake already."""
    asked = {
        one.flag: None
        for group in (options.light, options.field, options.look)
        for one in options_in(type(group)).values()  # type: ignore[arg-type]  # a class is hashable
        if one.key not in _BESIDE_BAKED and getattr(group, one.name) != one.default
    }
    if asked:
        words = f"{next(iter(asked))} is decided in it: leave that out, or bake the shot anew"
        raise UsageError(f"--baked {options.light.baked}: {words}")
    if options.job.passes:
        raise UsageError("--passes and --baked exclude each other: passes are of a render")
    if options.source.interlaced == "keep":
        raise UsageError("--baked is of whole frames: leave out --interlaced keep")


def _check_tiles(options: RenderOptions, preset: Preset) -> None:
    if options.light.draft:
        words = f"--draft needs relight, and {preset.name} renders tiles: --method relight"
        raise UsageError(words)
    if options.field.lock or options.field.lock_to:
        raise UsageError("--lock and --lock-to need --method relight: tiles have no field")
    if options.job.passes:
        raise UsageError("--passes needs --method relight: tiles have no field")
    if options.field.field_every != FieldOptions().field_every:
        raise UsageError("--field-every needs --method relight: tiles have no field")
    if options.field.working_height and not options.look.over(preset.facts.look).names("sky"):
        words = "tiles show the generator the full size"
        raise UsageError(f"--working-height needs --method relight: {words}")


def _check_sky(options: RenderOptions, preset: Preset) -> None:
    if preset.facts.plate == "night":
        raise UsageError(f"--sky-matte: {preset.name} is for plates of the night, whose sky stays")
    if not options.look.over(preset.facts.look).names("sky"):
        raise UsageError(f"--sky-matte: the look of {preset.name} leaves skies alone: give --sky 1")


def _check_no_lights(options: RenderOptions, preset: Preset) -> None:
    words = f"{preset.name} lights no lamps: its preset.toml has no [lights]"
    if options.light.lights not in ("auto", "off"):
        raise UsageError(f"--lights {options.light.lights}: {words}")
    if options.light.lit_windows is not None:
        raise UsageError(f"--lit-windows: {words}")
