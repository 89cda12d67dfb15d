"""Photographs, labelled by the teachers of `tools/teach_scene.py`, and facades by the boxes that somebody drew.

A photograph `X/photos/NAME` has boxes where there is a file `X/boxes/NAME.txt`: a row a box with its class and its centre
and size in parts of the picture (0 window, 1 projecting sign, 2 arch, 3 signboard, 4 poster in a window, 5 door).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from nightfx.training.data.decode import PICTURE_SUFFIXES, load_picture
from nightfx.training.scene.labelled import (
    ALL_LIGHTS,
    GROUND,
    LEAVES,
    NOT_SKY,
    PERSON,
    STANDING,
    UNKNOWN,
    VEHICLE,
    WALL,
    Byte,
    Labelled,
    bit,
    shrunk,
)

LINES = 360  # of the shorter side; more is not kept
_VEHICLES, _PERSON, _BORDER = (2, 6, 7, 14, 19), 15, 255  # classes of PASCAL VOC
_UNSURE = 0.14  # the most of a picture that the teacher of skies may be unsure of
WINDOWS, SIGNS = (0, 4), (1, 3)
"""Classes of boxes."""
_DOUBT = 0.35  # what counts that no light is where no box is: some windows have none
_NEAR = 0.25  # of a box's size: the wall around one is surely no window
_TIGHT = 0.94  # boxes are a little larger than what is in them
# before a car, above its bonnet, in parts of the picture
_ROAD = ((0.4, 0.68), (0.6, 0.68), (0.8, 0.84), (0.2, 0.84))
Box = tuple[float, float, float, float]
_SURE_SKY, _SKY_PX = 230, 7  # a lamp's head before the sky may be called sky


def find_labelled(photos: Path, labels: Path) -> Iterator[tuple[Path, Path]]:
    """Each photograph below `photos` of which something is known, and its place below it without suffix."""
    for path in sorted(photos.rglob("*")):
        place = path.relative_to(photos).with_suffix("")
        is_picture = path.suffix.lower() in PICTURE_SUFFIXES
        if is_picture and (boxes_of(path).exists() or sky_of(place, labels).exists()):
            yield path, place


def boxes_of(photograph: Path) -> Path:
    """Where its boxes would be."""
    return photograph.parent.parent / "boxes" / f"{photograph.stem}.txt"


def sky_of(place: Path, labels: Path) -> Path:
    """Where the teacher of skies would have put its map."""
    return labels / "sky" / f"{place}.png"


def read_labelled(
    path: Path, place: Path, labels: Path, *, windowless: bool = False, road: bool = False
) -> Labelled | None:
    """The photograph with all that is known of it, or None where the teacher of skies is unsure of too much.

    A `windowless` one shows no street, and one of a `road` was taken from a car.
    """
    picture, boxes, found = load_picture(path), boxes_of(path), sky_of(place, labels)
    sky = np.zeros(picture.shape[:2], np.uint8)
    surface = np.full_like(sky, UNKNOWN)
    if found.exists():
        sky = _sized(_grey(found), picture, cv2.INTER_LINEAR)
        surface = _surfaces(picture, labels / "voc" / f"{place}.png")
    if road:
        _draw_road(surface)
    if ((sky > 60) & (sky < 195)).mean() > _UNSURE:
        return None
    lit, known, trust = np.zeros_like(sky), np.zeros_like(sky), np.full_like(sky, 255)
    item = Labelled(picture, sky, surface, lit, known, trust)
    _say_where_none(sky, surface, known)
    if not boxes.exists():  # walls are green, too
        known[_is_green(picture) & (sky < 25) & (surface != VEHICLE)] |= ALL_LIGHTS
    if boxes.exists():
        _draw_boxes(boxes, _is_green(picture), item)
    elif windowless:
        trust[(known & bit("window")) == 0] = round(255 * _DOUBT)
        known |= bit("window") | bit("sign") | bit("lamp")
    return shrunk(item, LINES)


def _grey(path: Path) -> Byte:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8)


def _sized(plane: Byte, picture: Byte, method: int) -> Byte:
    return np.asarray(cv2.resize(plane, picture.shape[1::-1], interpolation=method), np.uint8)


def _surfaces(picture: Byte, voc: Path) -> Byte:
    """Codes of surfaces, by the teacher of vehicles and persons and by what is green."""
    surface = np.full(picture.shape[:2], NOT_SKY, np.uint8)
    if not voc.exists():
        return surface
    classes = _sized(_grey(voc), picture, cv2.INTER_NEAREST)
    # that teacher is blind to far vehicles, which are few pixels: without it, roads would be taken for vehicles
    surface[classes == 0] = STANDING
    surface[classes == _BORDER] = UNKNOWN
    surface[np.isin(classes, _VEHICLES)] = VEHICLE
    surface[classes == _PERSON] = PERSON
    leaves = _is_green(picture) & (surface >= NOT_SKY)
    leaves[leaves.shape[0] // 2 :] = False  # lower down it may be a lawn, which is ground
    surface[leaves] = LEAVES
    return surface


def _draw_road(surface: Byte) -> None:
    """Ground before the car, but where a vehicle or a person is."""
    height, width = surface.shape
    ahead = np.zeros_like(surface)
    corners = np.array([(x * width, y * height) for x, y in _ROAD], np.int32)
    cv2.fillPoly(ahead, [corners], 1)
    surface[(ahead > 0) & (surface >= NOT_SKY)] = GROUND


def _is_green(picture: Byte) -> np.ndarray:
    red, green, blue = cv2.split(cv2.blur(picture, (3, 3)).astype(np.float32))
    found: np.ndarray = green > 1.06 * np.maximum(red, blue) + 4
    return found


def _say_where_none(sky: Byte, surface: Byte, known: Byte) -> None:
    """No light is in the sky and on persons, no window or sign on a vehicle."""
    square = np.ones((_SKY_PX, _SKY_PX), np.uint8)
    known[surface == PERSON] = ALL_LIGHTS
    known[sky > _SURE_SKY] |= ALL_LIGHTS ^ bit("lamp")
    known[cv2.erode(sky, square) > _SURE_SKY] |= bit("lamp")
    known[surface == VEHICLE] |= bit("window") | bit("sign")


def _draw_boxes(path: Path, is_green: np.ndarray, item: Labelled) -> None:
    """Put what is in and between the boxes into the maps of `item`."""
    _, sky, surface, lit, known, trust = item
    boxes = read_boxes(path)
    trust[(known & bit("window")) == 0] = round(255 * _DOUBT)
    known |= bit("window") | bit("sign")
    for _, box in boxes:
        trust[_part(box, 1 + 2 * _NEAR, surface)] = 255
    if boxes:
        between = _part(_around([box for _, box in boxes]), 1.0, surface)
        is_wall = (surface[between] >= NOT_SKY) & ~is_green[between]
        surface[between][is_wall] = WALL
    for kind, box in boxes:
        inside = _part(box, _TIGHT, surface)
        of_wall = (surface[inside] >= NOT_SKY) | (surface[inside] == LEAVES)
        surface[inside][of_wall] = WALL
        sky[inside] = 0  # a white blind is none
        for classes, light in ((WINDOWS, "window"), (SIGNS, "sign")):
            if kind in classes:
                lit[inside] |= bit(light)
    lit[(surface == VEHICLE) | (surface == PERSON)] = 0  # they stand before it


def read_boxes(path: Path) -> list[tuple[int, Box]]:
    """Each box's class, and its centre and size in parts of the picture."""
    rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [
        (int(row[0]), (float(row[1]), float(row[2]), float(row[3]), float(row[4]))) for row in rows
    ]


def _around(boxes: list[Box]) -> Box:
    """The box around all of them."""
    left, top = min(x - w / 2 for x, _, w, _ in boxes), min(y - h / 2 for _, y, _, h in boxes)
    right, bottom = max(x + w / 2 for x, _, w, _ in boxes), max(y + h / 2 for _, y, _, h in boxes)
    return (left + right) / 2, (top + bottom) / 2, right - left, bottom - top


def _part(box: Box, times: float, like: Byte) -> tuple[slice, slice]:
    """The pixels of a box, `times` as large, of a picture of the size of `like`."""
    (height, width), (x, y, w, h) = like.shape, box
    top, bottom = (round((y + side * h * times / 2) * height) for side in (-1, 1))
    left, right = (round((x + side * w * times / 2) * width) for side in (-1, 1))
    return slice(max(top, 0), max(bottom, 0)), slice(max(left, 0), max(right, 0))
