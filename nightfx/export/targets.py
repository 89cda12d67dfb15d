"""What stands in the way of an export, as far as it is known without torch, which takes seconds to import."""

from __future__ import annotations

from pathlib import Path

from nightfx.errors import SourceError, UsageError
from nightfx.job.asked import check_options
from nightfx.job.matte import open_mattes
from nightfx.job.source_target import (
    asked_encoding,
    check_target,
    find_source,
    open_shot,
    with_times,
)
from nightfx.network import Preset
from nightfx.options import RenderOptions
from nightfx.picture import FIRST_FRAME, Encoding, encoding_by_tags
from nightfx.source import is_picture, is_sequence, read_picture, read_tags

CUBE_SUFFIXES = (".cube",)
CDL_SUFFIXES = (".cc", ".cdl", ".ccc")
SIZES = (17, 33, 65)
"""Points of a 3D LUT along each side."""


def check_export(
    source: Path, target: Path, suffixes: tuple[str, ...], preset: Preset, options: RenderOptions
) -> Path:
    """Return what the source stands for; raises what its header, the target and the options say against an export."""
    source = find_source(source)
    if target.suffix.lower() not in suffixes:
        raise UsageError(f"{target}: is written as {' or '.join(suffixes)}: name it so")
    check_options(options, preset)
    if options.light.matte:
        words = "a LUT is the same everywhere: leave it out, and mask the LUT where it is loaded"
        raise UsageError(f"--matte {options.light.matte}: {words}")
    check_target(source, target, options.job.overwrite)
    _check_source(source, options)
    return source


def check_size(size: int) -> None:
    """Raise UsageError for a size of which no 3D LUT is written."""
    if size not in SIZES:
        raise UsageError(f"--size must be 17, 33 or 65, got {size}")


def is_alone(source: Path) -> bool:
    """Say whether a source is one picture."""
    return is_picture(source) and not is_sequence(source)


def check_bounded(source: Path, encoding: Encoding) -> None:
    """Raise SourceError for linear light, which has no white that a LUT could end at."""
    if encoding.is_linear:
        words = "is linear light, which goes on above the 1 at which LUTs and CDLs end"
        out = "export from a log copy, and say --input-space acescct, or what it is"
        raise SourceError(f"{source}: {words}: {out}")


def _check_source(source: Path, options: RenderOptions) -> None:
    asked = asked_encoding(options.source)
    if is_alone(source):
        frame = read_picture(source, options.source.max_pixels)
        check_bounded(source, asked or encoding_by_tags(read_tags(source), frame.coding))
        options.look.check_frames(FIRST_FRAME)
        with open_mattes(options.light, options.source):
            return
    with open_shot(source, options.source) as shot:
        check_bounded(source, asked or encoding_by_tags(shot.info.tags, shot.info.coding))
        with_times(options.source, shot)
        options.look.check_frames(shot.number_at(0))
        with open_mattes(options.light, options.source, shot.info):
            pass
