"""A preview: one frame as plate, wipe and render, and under the other presets for such plates, on one sheet."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from nightfx.apply import Written, straight_rgb
from nightfx.job.matte import open_mattes
from nightfx.job.pipeline import Progress, begin_preparing, begin_stage
from nightfx.job.render_job import complete_options, log_notes
from nightfx.light import Borders, Footage, Lengths, build_lighting, light_frames
from nightfx.network import Preset, list_presets, load_preset
from nightfx.options import Look, RenderOptions
from nightfx.picture import (
    SDR,
    Encodings,
    Float32,
    Frame,
    rgb_coding,
    rolled_off,
    to_working,
    upright,
)
from nightfx.preview.pick import Picked, pick_frame, sheet_of
from nightfx.preview.scopes import Pixels, histogram, waveform
from nightfx.preview.sheet import GAP, GREY, Cell, draw_sheet, wipe
from nightfx.source import (
    shift_timecode,
)
from nightfx.target import write_picture

_PANEL = (800, 640)  # width and height that a picture is fitted into
_SMALLEST_PX = 320  # a panel's width, so that names have room
_STRIP = 4  # pictures in a row of presets
_BETWEEN = (0.33, 0.67, 0.5)  # strengths that fill up a row of presets
_BLACK_TO_WHITE = "0 to 100 %"
_SCOPE_SHAPE = 0.42  # height of a scope by its width


def preview(
    source: Path,
    target: Path | None = None,
    *,
    preset: str | Path | Preset = "night",
    options: RenderOptions | None = None,
    frame: int | None = None,
    at_seconds: float | None = None,
    scopes: bool = False,
    on_progress: Progress | None = None,
) -> Path:
    """Write a PNG of one frame of a clip, picture or sequence as plate, wipe, render and under other presets; returns its path.

    These are the presets for such plates, and where their row is not full, the chosen one at lower strengths.

    The frame is the middle one, or number `frame` (as files are numbered in a sequence, from 1001 in a clip), or the one at
    `at_seconds`. `scopes` adds waveforms and histograms. What is not SDR is shown as sRGB would show it, highlights
    rolled off. A method `stage` of `on_progress` is called with the name of each stage. Raises a `NightfxError`.
    """
    options = options or RenderOptions()
    source, target = sheet_of(Path(source), target, options)
    chosen = preset if isinstance(preset, Preset) else load_preset(preset)
    picked = pick_frame(source, options, frame, at_seconds)
    log_notes(source, picked.notes)
    begin_preparing(on_progress)
    pixels = _draw_preview(source, picked, chosen, options, on_progress, scopes=scopes)
    planes = tuple(np.ascontiguousarray(plane) for plane in np.moveaxis(pixels, -1, 0))
    sheet = Frame(planes, rgb_coding(8, alpha=False), 0, Fraction(1))
    write_picture(sheet, target, like=None)
    return target


def _draw_preview(
    source: Path,
    picked: Picked,
    preset: Preset,
    options: RenderOptions,
    on_progress: Progress | None,
    *,
    scopes: bool,
) -> Pixels:
    """The sheet (H, W, 3) of a frame."""
    plate, night = view(picked, picked.frame), view(picked, render(picked, preset, options))
    begin_stage(on_progress, "drawing")
    width, height = panel_size(plate, picked)
    sized_plate, sized_night = (to_pixels(x, width, height) for x in (plate, night))
    look = complete_options(options, preset).look
    rows = [
        [
            Cell(sized_plate, "plate", _brightness(plate)),
            Cell(wipe(sized_plate, sized_night), f"plate | {preset.name}"),
            Cell(sized_night, preset.name, _brightness(night)),
        ]
    ]
    whole = 3 * width + 2 * GAP
    rows += _strip(picked, preset, options, whole)
    if scopes:
        rows.append(_scopes({"plate": plate, preset.name: night}, whole))
    return draw_sheet(source.name, _facts_of(picked, preset, options, look), rows)


def render(picked: Picked, preset: Preset, options: RenderOptions) -> Frame:
    """The frame under a preset, as a render of the shot would light it alone."""
    options = complete_options(options, preset)
    frame = replace(picked.frame, number=picked.number)  # its lights are known by that
    footage = Footage(lambda: [frame], encoding=picked.encoding)
    lighting = build_lighting(preset, footage, options.look, options.light, options.field)
    written = Written(frame.coding, Encodings(picked.encoding, picked.encoding))
    with open_mattes(options.light, options.source, picked.info) as mattes:
        borders = Borders(Lengths(), picked.place, ())
        beside = mattes.beside(borders)
        (lit,) = light_frames([frame], lighting, written, beside)
    return lit


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
    aspect = float(picked.info.sample_aspect) if picked.info else 1.0
    height, width = (float(side) for side in plate.shape[1:])
    if picked.frame.rotation % 180:
        height *= aspect
    else:
        width *= aspect
    scale = min(_PANEL[0] / width, _PANEL[1] / height)
    return max(round(width * scale), _SMALLEST_PX), max(round(height * scale), 1)


def to_pixels(view: Float32, width: int, height: int) -> Pixels:
    """A view (3, H, W) as pixels (height, width, 3), fitted into that size without a change of its shape."""
    smaller = width * height < view.shape[1] * view.shape[2]
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    sized = cv2.resize(np.moveaxis(view, 0, -1), (width, height), interpolation=how)
    pixels: Pixels = np.rint(sized.clip(0, 1) * 255).astype(np.uint8)
    return pixels


def _strip(picked: Picked, preset: Preset, options: RenderOptions, whole: int) -> list[list[Cell]]:
    """The other presets for such a plate, and where a row is not full, weaker renders by the chosen one."""
    plain = options.but(look=Look(), draft=False, method=None)
    plain = plain.but(matte=None, matte_invert=False, matte_feather=0.0)
    known = [p for p in list_presets() if p.folder.resolve() != preset.folder.resolve()]
    ways = [(p, 1.0, p.name) for p in known if p.facts.plate == preset.facts.plate]
    room = -len(ways) % _STRIP if ways else len(_BETWEEN)
    ways += [(preset, x, f"{preset.name}, strength {x:g}") for x in sorted(_BETWEEN[:room])]
    width = (whole - (_STRIP - 1) * GAP) // _STRIP
    cells = []
    for each, strength, name in ways:
        shown = view(picked, render(picked, each, plain.but(strength=strength)))
        big, tall = panel_size(shown, picked)
        cells.append(Cell(to_pixels(shown, width, round(tall * width / big)), name))
    return [cells[i : i + _STRIP] for i in range(0, len(cells), _STRIP)]


def _scopes(views: dict[str, Float32], whole: int) -> list[Cell]:
    width = (whole - (_STRIP - 1) * GAP) // _STRIP
    height = round(width * _SCOPE_SHAPE)
    return [
        Cell(draw(shown, height, width), f"{name}: {kind}", _BLACK_TO_WHITE)
        for kind, draw in (("waveform", waveform), ("histogram", histogram))
        for name, shown in views.items()
    ]


def _facts_of(picked: Picked, preset: Preset, options: RenderOptions, look: Look) -> str:
    """The line under the title: what the frame is, and what the look says."""
    frame, info = picked.frame, picked.info
    facts = [f"{frame.width}x{frame.height}"]
    if info:
        facts += [f"{float(info.rate):.5g} fps"] if info.rate else []
        facts.append(f"frame {picked.number}")
        if info.timecode and info.rate:
            timecode = shift_timecode(info.timecode, picked.place, info.rate)
            facts += [timecode] if timecode else []
    if picked.encoding is not SDR:
        facts.append(f"{picked.encoding.name}, seen as SDR")
    facts.append(f"{preset.name} by {preset.method(options.light.method)}")
    moment = look.at(picked.number)._asdict()
    facts += [f"{name} {moment[name]:g}" for name in look.names(*moment)]
    return "  ·  ".join(facts)


def _brightness(view: Float32) -> str:
    return f"mean {100 * float(view.mean()):.0f} %"
