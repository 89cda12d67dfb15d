"""Where mattes go: `NAME.sky.png` of a picture, `NAME.sky.####.png` of a sequence, `NAME.sky.mkv` of a clip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nightfx.disk import check_folder, translated
from nightfx.errors import UsageError
from nightfx.job.source_target import (
    asked_encoding,
    check_target,
    find_source,
    open_shot,
    with_times,
)
from nightfx.lights import read_lights
from nightfx.options import RenderOptions
from nightfx.scene import KINDS
from nightfx.source import (
    base_name,
    is_pattern,
    is_picture,
    is_sequence,
    padding_of,
    read_picture,
)

_PLACE = "####"
LISTED = ".lights.json"
"""The end of the name of a list of lights."""


def kinds_of(words: str) -> tuple[str, ...]:
    """Return the kinds of things that a list such as `sky,window` names; raises UsageError."""
    kinds = tuple(dict.fromkeys(word.strip() for word in words.split(",")))
    for kind in kinds:
        if kind not in KINDS:
            raise UsageError(f"--kinds knows no {kind or 'empty name'}: {', '.join(KINDS)}")
    return kinds


def is_alone(source: Path) -> bool:
    """Say whether a source is one picture."""
    return is_picture(source) and not is_sequence(source)


def targets_of(source: Path, folder: Path, kinds: Sequence[str], *, files: bool) -> list[Path]:
    """Return where the matte of each kind goes; those of a clip are `files` if asked. The folder is made; raises TargetError."""
    with translated(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return [folder / f"{base_name(source)}.{kind}{_end_of(source, files)}" for kind in kinds]


def check_mattes(source: Path, folder: Path, kinds: Sequence[str], options: RenderOptions) -> None:
    """Raise what can be known without torch of what stands in the way of mattes."""
    source = _checked(source, options)
    check_folder(folder)
    # those of a clip may go on: whoever knows that looks at them
    for target in targets_of(source, folder, kinds, files=False) if is_alone(source) else ():
        check_target(source, target, options.job.overwrite)


def check_lights(source: Path, target: Path | None, options: RenderOptions) -> None:
    """Raise what can be known without torch of what stands in the way of a list of lights."""
    source = _checked(source, options)
    target = list_target(source, target, options)
    if target.exists():
        read_lights(target)


def _checked(source: Path, options: RenderOptions) -> Path:
    """Return what a path stands for, where it can be read on this machine."""
    options.light.check_machine()
    source = find_source(source)
    asked_encoding(options.source)
    if is_alone(source):
        read_picture(source, options.source.max_pixels)
        return source
    with open_shot(source, options.source) as reader:
        with_times(options.source, reader)
    return source


def list_target(source: Path, target: Path | None, options: RenderOptions) -> Path:
    """Return where the list of the lights of a source goes, by default beside it. Raises what stands in the way."""
    target = target or source.with_name(base_name(source) + LISTED)
    if target.suffix != ".json":
        raise UsageError(f"{target}: a list of lights is JSON: name it NAME{LISTED}")
    check_target(source, target, options.job.overwrite)
    return target


def _end_of(source: Path, files: bool) -> str:
    if is_alone(source):
        return ".png"
    if is_pattern(source):
        return f".{padding_of(source)}.png"
    return f".{_PLACE}.png" if files or is_sequence(source) else ".mkv"
