"""A contact sheet of renders beside their plates: the worst ones and the median ones."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from torch import Tensor

from nightfx.disk import partial_file
from nightfx.metrics.pictures import to_lines
from nightfx.preview.scopes import Pixels
from nightfx.preview.sheet import Cell, draw_sheet
from nightfx.quality.figures import Compared, Range, faults

THUMB_LINES, THUMB_WIDTH = 240, 320
_QUALITY = 90
WORST, MEDIAN = 8, 4
_ACROSS = 2  # pairs in a row

Thumb = tuple[bytes, bytes]
"""A plate and its render as JPEG, small: those of a thousand pictures fit in memory."""


def thumb_of(plate: Tensor, render: Tensor) -> Thumb:
    """Both pictures (3, H, W), small."""
    return _packed(plate), _packed(render)


def write_contacts(
    pictures: list[tuple[Compared, Thumb]], ranges: Range, target: Path, title: str
) -> None:
    """Write a PNG: the eight worst pictures by their largest fault, then four from the middle."""
    ordered = sorted(pictures, key=lambda each: -max(faults(each[0], ranges).values()))
    worst = ordered[:WORST]
    rest = ordered[len(worst) :]
    first = max(len(ordered) // 2 - MEDIAN // 2 - len(worst), 0)
    median = rest[first : first + MEDIAN]
    rows = _rows(worst, ranges, "worst") + _rows(median, ranges, "median")
    facts = f"{len(ordered)} pictures, plate and render; worst first, then from the middle. 1 is worth a look"
    pixels = draw_sheet(title, facts, rows)
    with partial_file(target) as part:
        Image.fromarray(pixels).save(part, "PNG")


def _rows(chosen: list[tuple[Compared, Thumb]], ranges: Range, word: str) -> list[list[Cell]]:
    cells = [
        cell for i, each in enumerate(chosen) for cell in _cells(each, ranges, f"{word} {i + 1}")
    ]
    across = 2 * _ACROSS
    return [cells[i : i + across] for i in range(0, len(cells), across)]


def _cells(each: tuple[Compared, Thumb], ranges: Range, word: str) -> list[Cell]:
    compared, (plate, render) = each
    name, value = max(faults(compared, ranges).items(), key=lambda fault: fault[1])
    title = Path(compared.render.name).name
    return [
        Cell(_unpacked(plate), f"{word}: {title}"),
        Cell(_unpacked(render), f"{name} {value:.1f}"),
    ]


def _packed(picture: Tensor) -> bytes:
    small = to_lines(picture, THUMB_LINES).permute(1, 2, 0).numpy()
    scale = min(THUMB_WIDTH / small.shape[1], THUMB_LINES / small.shape[0])
    size = max(round(small.shape[1] * scale), 1), max(round(small.shape[0] * scale), 1)
    codes = np.rint(cv2.resize(small, size, interpolation=cv2.INTER_AREA) * 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", codes[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes()


def _unpacked(data: bytes) -> Pixels:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    height, width = pixels.shape[:2]
    # on grey of one size, so that pairs stand in columns
    cell = np.full((THUMB_LINES, THUMB_WIDTH, 3), 27, np.uint8)
    top, left = (THUMB_LINES - height) // 2, (THUMB_WIDTH - width) // 2
    cell[top : top + height, left : left + width] = pixels[..., ::-1]
    return cell
