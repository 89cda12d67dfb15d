"""A preview: one frame as plate, wipe and render, and under the other presets for such plates, on one sheet; or several."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from nightfx.job.asked import complete_options
from nightfx.job.pipeline import Progress, begin_preparing, begin_stage, stage_counter
from nightfx.job.render_job import log_notes
from nightfx.network import Preset, list_presets, load_preset
from nightfx.options import Look, RenderOptions
from nightfx.picture import Float32, Frame, rgb_coding
from nightfx.preview.lit import Kept, render
from nightfx.preview.pick import Asked, Picked, pick_frames, sheet_of
from nightfx.preview.scopes import Pixels, histogram, waveform
from nightfx.preview.several import Several, draw_several
from nightfx.preview.sheet import GAP, Cell, draw_sheet, wipe
from nightfx.preview.shown import brightness, facts_of, panel_size, to_pixels, view
from nightfx.preview.vary import Variant, Vary, check_sheet, variants_of
from nightfx.target import write_picture

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
    frames: int | None = None,
    vary: Vary | None = None,
    on_progress: Progress | None = None,
) -> Path:
    """Write a PNG of one frame of a clip, picture or sequence as plate, wipe, render and under other presets; returns its path.

    These are the presets for such plates, and where their row is not full, the chosen one at lower strengths.

    The frame is the middle one, or number `frame` (as files are numbered in a sequence, from 1001 in a clip), or the one at
    `at_seconds`. `scopes` adds waveforms and histograms. What is not SDR is shown as sRGB would show it, highlights
    rolled off. In place of the presets, so many `frames` of a shot, from the first to the last, are in rows, and values of
    what is to `vary` in columns: `{"exposure": (-1, 0)}`; two names make a grid, and `to` names presets. A method `stage` of `on_progress` is called with the name of each stage. Raises a `NightfxError`.
    """
    options = options or RenderOptions()
    source, target = sheet_of(Path(source), target, options)
    chosen = preset if isinstance(preset, Preset) else load_preset(preset)
    variants = variants_of(chosen, options, vary)
    check_sheet(frames, vary, len(variants), scopes=scopes)
    picks = pick_frames(source, options, Asked(frame, at_seconds, frames))
    log_notes(source, picks[0].notes)
    begin_preparing(on_progress)
    if frames is None and not vary:
        pixels = _draw_preview(source, picks[0], chosen, options, on_progress, scopes=scopes)
    else:
        counted = stage_counter(on_progress, "drawing", len(picks) * len(variants))
        given = Variant(chosen, options)
        shown = (source.name, picks, given, variants, vary or {})
        pixels = draw_several(Several(*shown, Kept.nothing(), counted))
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
            Cell(sized_plate, "plate", brightness(plate)),
            Cell(wipe(sized_plate, sized_night), f"plate | {preset.name}"),
            Cell(sized_night, preset.name, brightness(night)),
        ]
    ]
    whole = 3 * width + 2 * GAP
    rows += _strip(picked, preset, options, whole)
    if scopes:
        rows.append(_scopes({"plate": plate, preset.name: night}, whole))
    return draw_sheet(source.name, facts_of(picked, preset, options, look), rows)


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
