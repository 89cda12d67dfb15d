"""A preset on one screen: a picture of it, what it does, what it gets wrong, and where the rest is."""

from __future__ import annotations

import os
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nightfx.network import Preset

PICTURE = "look.webp"
"""A small picture in a preset's folder: a plate, and beside it what the preset makes of it."""
_COLUMNS = 76  # of a picture, in a terminal
_FAULTS = 5  # points of what it gets wrong
_LINE = 96


def screen(preset: Preset) -> Iterator[str]:
    """Yield the lines of a preset's screen, a picture among them where the terminal has 16 million colours."""
    picture = preset.folder / PICTURE
    if picture.is_file() and _shows_pictures():
        yield from [*half_blocks(picture, _COLUMNS), ""]
    yield f"{preset.name}: {preset.facts.description}"
    yield ""
    yield from (f"{name:12} {value}" for name, value in _facts(preset))
    if faults := list(_faults_in(preset.folder / "CARD.md")):
        yield from ["", "What it gets wrong", *faults]
    yield f"\nAll of it, figures and training: nightfx presets show {_asked(preset)} --full"


def half_blocks(picture: Path, columns: int) -> Iterator[str]:
    """Yield the lines of a picture of as many characters a line, each of two pixels, one above the other."""
    import numpy as np
    from PIL import Image

    with Image.open(picture) as image:
        rows = round(columns * image.height / image.width / 2) * 2
        shown = np.asarray(image.convert("RGB").resize((columns, rows)))
    for upper, lower in zip(shown[::2], shown[1::2], strict=True):
        cells = (
            f"\x1b[38;2;{a[0]};{a[1]};{a[2]}m\x1b[48;2;{b[0]};{b[1]};{b[2]}m\u2580"
            for a, b in zip(upper, lower, strict=True)
        )
        yield "".join(cells) + "\x1b[0m"


def _shows_pictures() -> bool:
    is_plain = "NO_COLOR" in os.environ
    return sys.stdout.isatty() and not is_plain and os.environ.get("COLORTERM") == "truecolor"


def _facts(preset: Preset) -> Iterator[tuple[str, str]]:
    from nightfx.network.draft import tell_draft

    facts = preset.facts
    yield "folder", str(preset.folder)
    yield "for plates", f"of the {facts.plate}"
    only = f"; no other: {preset.no_tiles}" if preset.no_tiles else ""
    yield "method", f"{facts.method}, at {facts.working_height_px} px{only}"
    if facts.look and (said := {k: v for k, v in vars(facts.look).items() if v is not None}):
        yield "look", ", ".join(f"{key} {value:g}" for key, value in said.items())
    groups = ("windows", "lamps", "cars", "signs", "street")
    if facts.lights:
        yield "lights", ", ".join(f"{x} {getattr(facts.lights, x):g}" for x in groups)
    if facts.moonlight:
        yield "no town", "moonlight, and no lamp"
    if facts.draft:
        yield "--draft", tell_draft(facts.draft.decibels)


def _faults_in(card: Path) -> Iterator[str]:
    """Yield lines of what a card says that the preset gets wrong: the first sentence of each point."""
    text = card.read_text("utf-8", errors="replace") if card.is_file() else ""
    found = re.search(r"^## What it gets wrong\n+(.*?)(?=^## |\Z)", text, re.S | re.M)
    points = re.findall(r"^- (.*?)(?=^- |\Z|^$)", found[1] if found else "", re.S | re.M)
    for point in points[:_FAULTS]:
        (sentence, *_) = re.split(r"(?<=\.)\s", " ".join(point.split()))
        yield from textwrap.wrap(
            sentence, _LINE, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False
        )


def _asked(preset: Preset) -> str:
    from nightfx.network.presets import bundled_names

    return preset.name if preset.name in bundled_names() else str(preset.folder)
