"""A sheet: pictures in rows on a neutral dark grey, each with its name, under a heading."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from nightfx.preview.scopes import Pixels

GREY, TEXT, DIM = (27, 27, 27), (214, 214, 214), (138, 138, 138)
MARGIN, GAP, LABEL, HEAD = 44, 20, 40, 104
LINE = 24
"""Height in px of what a second line adds to a label."""
MARK = 4
"""Width in px of the frame around a picture that is marked."""
TITLE_PX, FACTS_PX, NAME_PX, NOTE_PX = 34, 20, 21, 18


@dataclass(frozen=True)
class Cell:
    """A picture and what stands under it."""

    pixels: Pixels
    """(H, W, 3)."""
    name: str
    """Left."""
    note: str = ""
    """Right, dimmer."""
    second: str = ""
    """Below."""
    is_marked: bool = False
    """Whether a light frame is drawn around it."""


def draw_sheet(title: str, facts: str, rows: list[list[Cell]]) -> Pixels:
    """The sheet (H, W, 3) of rows of cells, as wide as the widest row."""
    inner = max(_width(row) for row in rows)
    height = HEAD + sum(_height(row) + GAP for row in rows) + MARGIN - GAP
    sheet = Image.new("RGB", (inner + 2 * MARGIN, height), GREY)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, 54), _fitted(title, TITLE_PX, inner), TEXT, _font(TITLE_PX), anchor="ls")
    draw.text((MARGIN, 84), _fitted(facts, FACTS_PX, inner), DIM, _font(FACTS_PX), anchor="ls")
    top = HEAD
    for row in rows:
        left = MARGIN
        for cell in row:
            _draw_cell(sheet, draw, cell, left, top)
            left += cell.pixels.shape[1] + GAP
        top += _height(row) + GAP
    return np.asarray(sheet)


def wipe(left: Pixels, right: Pixels) -> Pixels:
    """The left half of one picture and the right half of another, (H, W, 3) both, with a thin line between."""
    middle = left.shape[1] // 2
    both = np.concatenate([left[:, :middle], right[:, middle:]], axis=1)
    both[:, max(middle - 1, 0) : middle + 1] = 235
    return both


def _draw_cell(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, cell: Cell, left: int, top: int
) -> None:
    height, width = cell.pixels.shape[:2]
    if cell.is_marked:
        corners = (left - MARK, top - MARK, left + width + MARK - 1, top + height + MARK - 1)
        draw.rectangle(corners, TEXT)
    sheet.paste(Image.fromarray(np.ascontiguousarray(cell.pixels)), (left, top))
    line, name = top + height + 26, _fitted(cell.name, NAME_PX, width)
    draw.text((left, line), name, TEXT, _font(NAME_PX), anchor="ls")
    room = width - _font(NAME_PX).getlength(name) - GAP
    if cell.note and _font(NOTE_PX).getlength(cell.note) <= room:
        draw.text((left + width, line), cell.note, DIM, _font(NOTE_PX), anchor="rs")
    if cell.second:
        second = _fitted(cell.second, NAME_PX, width)
        draw.text((left, line + LINE), second, TEXT, _font(NAME_PX), anchor="ls")


def _width(row: list[Cell]) -> int:
    return sum(int(cell.pixels.shape[1]) for cell in row) + GAP * (len(row) - 1)


def _height(row: list[Cell]) -> int:
    more = LINE if any(cell.second for cell in row) else 0
    return max(int(cell.pixels.shape[0]) for cell in row) + LABEL + more


def _fitted(text: str, size_px: int, width: int) -> str:
    """The text, its end left out where it is too long for `width` px."""
    if _font(size_px).getlength(text) <= width:
        return text
    while text and _font(size_px).getlength(f"{text}...") > width:
        text = text[:-1]
    return f"{text.rstrip()}..."


@lru_cache
def _font(size_px: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size_px)  # Pillow carries it: no font need be installed
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font
