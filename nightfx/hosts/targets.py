"""What stands in the way of a bake, as far as it is known without torch, which takes seconds to import."""

from __future__ import annotations

from pathlib import Path

from nightfx.errors import SourceError, UsageError
from nightfx.job.asked import check_options
from nightfx.job.source_target import asked_encoding, check_target, find_source, open_shot
from nightfx.network import Preset
from nightfx.options import RenderOptions
from nightfx.picture import SDR, encoding_by_tags, is_affine
from nightfx.source import is_picture, is_sequence

SUFFIX = ".nfx"


def check_bake(source: Path, target: Path, preset: Preset, options: RenderOptions) -> Path:
    """Return what the source stands for; raises what its header, the target and the options say against a bake."""
    source = find_source(source)
    if target.suffix.lower() != SUFFIX:
        raise UsageError(f"{target}: is written as {SUFFIX}: name it so")
    check_options(options, preset)
    if preset.method(options.light.method) == "tiles":
        raise UsageError("a bake holds fields, and tiles have none: --method relight")
    _check_given(options)
    check_target(source, target, options.job.overwrite)
    if is_picture(source) and not is_sequence(source):
        raise UsageError(f"{source}: is one picture, and a bake is of a clip or a sequence")
    with open_shot(source, options.source) as shot:
        coding = shot.info.coding
        encoding = asked_encoding(options.source) or encoding_by_tags(shot.info.tags, coding)
    plain = is_affine(coding) and not coding.is_float and not coding.multiplied
    if encoding is not SDR or not plain:
        words = f"is {encoding.name}, and a bake is of SDR, as a display shows it"
        raise SourceError(f"{source}: {words}: bake a graded copy, or render it")
    return source


def _check_given(options: RenderOptions) -> None:
    for flag, path in (("--matte", options.light.matte), ("--sky-matte", options.light.sky_matte)):
        if path:
            raise UsageError(f"{flag} {path}: is of pixels, which no bake holds: leave it out")
    if options.light.baked:
        raise UsageError(f"--baked {options.light.baked}: is a bake already")
    if options.source.interlaced == "keep":
        raise UsageError("--interlaced keep: a bake is of whole frames: leave it out")
