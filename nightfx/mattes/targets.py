"""Where mattes go: `NAME.sky.png` of a picture, `NAME.sky.####.png` of a sequence, `NAME.sky.mkv` of a clip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nightfx.disk import translated
from nightfx.errors import UsageError
from nightfx.scene import KINDS
from nightfx.source import base_name, is_pattern, is_picture, is_sequence, padding_of

_PLACE = "####"


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


def _end_of(source: Path, files: bool) -> str:
    if is_alone(source):
        return ".png"
    if is_pattern(source):
        return f".{padding_of(source)}.png"
    return f".{_PLACE}.png" if files or is_sequence(source) else ".mkv"
