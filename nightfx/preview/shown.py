"""The picked frame as a sheet shows it: as a display of SDR does, sized for its place, with the words that tell of it."""

from __future__ import annotations

from collections.abc import Collection

import cv2
import numpy as np

from nightfx.apply import straight_rgb
from nightfx.network import Preset
from nightfx.options import Look, RenderOptions
from nightfx.picture import SDR, Float32, Frame, rolled_off, to_working, upright
from nightfx.preview.pick import Picked
from nightfx.preview.scopes import Pixels
from nightfx.preview.sheet import GREY
from nightfx.source import shift_timecode

_PANEL = (800, 640)  # width and height that a picture is fitted into
_SMALLEST_PX = 320  # a panel's width, so that names have room
BETWEEN = "  ·  "
"""Stands between two facts on a line."""


def view(picked: Picked, frame: Frame) -> Float32:
    """A frame as a display of SDR shows it, upright, over grey where it is transparent: (3, H, W) in [0, 1]."""
    work = to_working(straight_rgb(frame), picked.encoding)
    shown = rolled_off(work, picked.encoding).clip(0, 1)
    if frame.alpha is not None:
        cover = np.float32(1 / frame.coding.peak) * frame.alpha.clip(0, frame.coding.peak)
        shown = cover * shown + (1 - cover) * np.float32(GREY[0] / 255)
    upright_view: Float32 = upright(shown.astype(np.float32), frame)
    return upright_view


def panel_size(plate: Float32, picked: Picked) -> tuple[int, int]:
    """Width and height in px of a picture on the sheet: its pixel aspect counts, and nothing is enlarged past the panel."""
    width, height = picked.square_px(plate.shape[1:])
    scale = min(_PANEL[0] / width, _PANEL[1] / height)
    return max(round(width * scale), _SMALLEST_PX), max(round(height * scale), 1)


def to_pixels(view: Float32, width: int, height: int) -> Pixels:
    """A view (3, H, W) as pixels (height, width, 3), fitted into that size without a change of its shape."""
    smaller = width * height < view.shape[1] * view.shape[2]
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    sized = cv2.resize(np.moveaxis(view, 0, -1), (width, height), interpolation=how)
    pixels: Pixels = np.rint(sized.clip(0, 1) * 255).astype(np.uint8)
    return pixels


def facts_of(picked: Picked, preset: Preset, options: RenderOptions, look: Look) -> str:
    """The line under the title: what the frame is, and what the look says."""
    facts = [*shot_facts(picked, place_facts(picked)), method_fact(preset, options)]
    return BETWEEN.join([*facts, *look_facts(picked, look)])


def shot_facts(picked: Picked, place: list[str]) -> list[str]:
    """Size and rate of a shot, its `place` in words, and its encoding where that is not SDR."""
    frame, info = picked.frame, picked.info
    facts = [f"{frame.width}x{frame.height}"]
    facts += [f"{float(info.rate):.5g} fps"] if info and info.rate else []
    facts += place
    return facts + ([f"{picked.encoding.name}, seen as SDR"] if picked.encoding is not SDR else [])


def place_facts(picked: Picked) -> list[str]:
    """Number and timecode of a frame; a single picture has none."""
    info = picked.info
    if info is None:
        return []
    facts = [f"frame {picked.number}"]
    if info.timecode and info.rate:
        timecode = shift_timecode(info.timecode, picked.place, info.rate)
        facts += [timecode] if timecode else []
    return facts


def method_fact(preset: Preset, options: RenderOptions) -> str:
    """The preset and how it renders."""
    return f"{preset.name} by {preset.method(options.light.method)}"


def look_facts(picked: Picked, look: Look, without: Collection[str] = ()) -> list[str]:
    """What the look says at a frame, but for the numbers `without` which it is to be told."""
    moment = look.at(picked.number)._asdict()
    return [f"{name} {moment[name]:g}" for name in look.names(*moment) if name not in without]


def brightness(view: Float32) -> str:
    """The mean of a view in words."""
    return f"mean {100 * float(view.mean()):.0f} %"
