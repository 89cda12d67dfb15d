"""A sheet of several renders: frames of a shot in rows, and values of what varies in columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from nightfx.job.asked import complete_options
from nightfx.preview.lit import Kept, render, render_variants
from nightfx.preview.pick import Picked
from nightfx.preview.scopes import Pixels
from nightfx.preview.sheet import GAP, Cell, draw_sheet, wipe
from nightfx.preview.shown import (
    BETWEEN,
    brightness,
    look_facts,
    method_fact,
    panel_size,
    place_facts,
    shot_facts,
    to_pixels,
    view,
)
from nightfx.preview.vary import PRESET, Variant, Vary, given_labels

_WIDTH_PX, _HEIGHT_PX = 2440, 3600  # that pictures share, where they are not the least
_LEAST_PX = 300  # a picture's width
_MOST_COLUMNS = 5  # of values that go on below


class Several(NamedTuple):
    """What is on a sheet."""

    title: str
    picks: Sequence[Picked]
    """Frames of a shot."""
    given: Variant
    """What is rendered where nothing varies."""
    variants: Sequence[Variant]
    """Those that are shown."""
    vary: Vary
    """What varies in them; nothing where frames are shown alone."""
    kept: Kept
    on_render: Callable[[], None] = lambda: None
    """Called after each render."""


def draw_several(several: Several) -> Pixels:
    """The sheet (H, W, 3) of frames, or of values, or of values for each frame."""
    rows = _value_rows(several) if several.vary else _frame_rows(several)
    return draw_sheet(several.title, _facts_of(several), rows)


def _frame_rows(several: Several) -> list[list[Cell]]:
    """A row for each frame: plate, wipe and render."""
    width, height = _picture_size(several.picks[0], len(several.picks), 3)
    return [_frame_row(several, picked, width, height) for picked in several.picks]


def _frame_row(several: Several, picked: Picked, width: int, height: int) -> list[Cell]:
    name = several.given.preset.name
    night = view(picked, render(picked, several.given.preset, several.given.options, several.kept))
    plate = view(picked, picked.frame)
    several.on_render()
    day, lit = (to_pixels(x, width, height) for x in (plate, night))
    return [
        Cell(day, BETWEEN.join(place_facts(picked)), f"plate, {brightness(plate)}"),
        Cell(wipe(day, lit), f"plate | {name}"),
        Cell(lit, name, brightness(night)),
    ]


def _value_rows(several: Several) -> list[list[Cell]]:
    """A row for each frame, or for each value of the first name, or rows one after another of a single name's."""
    columns = len(list(several.vary.values())[-1])
    if len(several.picks) == 1 and len(several.vary) == 1:
        columns = -(-columns // -(-columns // _MOST_COLUMNS))
    count = len(several.picks) * len(several.variants)
    size = _picture_size(several.picks[0], -(-count // columns), columns)
    cells = [cell for picked in several.picks for cell in _value_cells(several, picked, size)]
    return [cells[i : i + columns] for i in range(0, count, columns)]


def _value_cells(several: Several, picked: Picked, size: tuple[int, int]) -> list[Cell]:
    """The frame with each value, in their order."""
    given, cells = several.given.state_at(picked.number), dict[int, Cell]()
    place = BETWEEN.join(place_facts(picked)) if len(several.picks) > 1 else ""
    for index, lit in render_variants(picked, several.variants, several.kept):
        variant = several.variants[index]
        name, second = (*variant.labels, place)[:2]
        is_given = variant.state_at(picked.number) == given
        pixels = to_pixels(view(picked, lit), *size)
        cells[index] = Cell(pixels, name, "unchanged" if is_given else "", second, is_given)
        several.on_render()
    return [cells[index] for index in sorted(cells)]


def _picture_size(picked: Picked, rows: int, columns: int) -> tuple[int, int]:
    """Width and height in px of each picture, smaller the more of them there are."""
    width, height = panel_size(view(picked, picked.frame), picked)
    across = (_WIDTH_PX - (columns - 1) * GAP) / (columns * width)
    down = _HEIGHT_PX / (rows * height)
    scale = max(min(across, down, 1.0), min(_LEAST_PX / width, 1.0))
    return round(width * scale), max(round(height * scale), 1)


def _facts_of(several: Several) -> str:
    """The line under the title: what the frames are, and what the look says that does not vary."""
    first, last, given = several.picks[0], several.picks[-1], several.given
    many = len(several.picks)
    place = place_facts(first) if many == 1 else [f"{many} frames, {first.number} to {last.number}"]
    look = complete_options(given.options, given.preset).look
    names = {name.replace("-", "_") for name in several.vary}
    facts = shot_facts(first, place)
    if PRESET not in names:
        facts += [method_fact(given.preset, given.options), *look_facts(first, look, names)]
    unchanged = ", ".join(given_labels(given, several.vary, first.number))
    return BETWEEN.join([*facts, *([f"unchanged: {unchanged}"] if unchanged else [])])
