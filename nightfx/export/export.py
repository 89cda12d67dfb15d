"""Write the global part of a look: the one transform of colours that comes nearest to a shot's render, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from nightfx.disk import partial_file
from nightfx.export.cdl import cdl_text, fit_cdl
from nightfx.export.cube import fit_cube
from nightfx.export.fidelity import Fidelity, fidelity
from nightfx.export.frames import Spread, spread_frames
from nightfx.export.pairs import Pairs, never_brightens, pairs_of
from nightfx.export.targets import CDL_SUFFIXES, CUBE_SUFFIXES, check_export, check_size
from nightfx.job.asked import complete_options
from nightfx.job.pipeline import Progress, begin_preparing, begin_stage
from nightfx.job.render_job import log_notes
from nightfx.network import Preset, load_preset
from nightfx.options import RenderOptions
from nightfx.picture import SDR
from nightfx.source import base_name

_SKY_SHARE = (
    0.05  # in a LUT of what else a pixel counts: sky decides of colours that nothing else has
)


class _Looked(NamedTuple):
    """A shot that was looked at for an export."""

    source: Path
    shot: Spread
    pairs: Pairs
    about: str
    """The shot and its look, for people."""
    darkens: bool


def export_cube(
    source: str | Path,
    target: str | Path,
    *,
    size: int = 33,
    preset: str | Path | Preset = "night",
    options: RenderOptions | None = None,
    on_progress: Progress | None = None,
) -> Fidelity:
    """Write the 3D LUT of `size` (17, 33 or 65) that comes nearest to the render of a clip, picture or sequence, as .cube.

    Returns how near it comes. Raises a `NightfxError`; nothing is left under the target's name then.
    """
    check_size(size)
    target = Path(target)
    looked = _look(Path(source), target, CUBE_SUFFIXES, preset, options, on_progress)
    cube = fit_cube(*looked.pairs.fitted(_SKY_SHARE), size, darkens=looked.darkens)
    measured = fidelity(looked.pairs, cube.of_colours)
    encoding = looked.shot.encoding
    plates = "as a display shows them (SDR)" if encoding is SDR else f"encoded as {encoding.name}"
    lines = (f"for plates {plates}; what comes out is encoded alike", *measured.lines())
    _write(target, cube.text(looked.about, lines), encoding="ascii")
    return measured


def export_cdl(
    source: str | Path,
    target: str | Path,
    *,
    preset: str | Path | Preset = "night",
    options: RenderOptions | None = None,
    on_progress: Progress | None = None,
) -> Fidelity:
    """Write the ASC CDL that comes nearest to the render of a clip, picture or sequence, as .cc, .cdl or .ccc.

    Returns how near it comes. Raises a `NightfxError`; nothing is left under the target's name then.
    """
    target = Path(target)
    looked = _look(Path(source), target, CDL_SUFFIXES, preset, options, on_progress)
    cdl = fit_cdl(*looked.pairs.fitted())
    name = base_name(looked.source)
    _write(target, cdl_text(cdl, name, looked.about, target.suffix.lower()), encoding="utf-8")
    return fidelity(looked.pairs, cdl.of_colours)


def _look(
    source: Path,
    target: Path,
    suffixes: tuple[str, ...],
    preset: str | Path | Preset,
    options: RenderOptions | None,
    on_progress: Progress | None,
) -> _Looked:
    """Look at some frames of a shot and their renders."""
    asked = options or RenderOptions()
    chosen = preset if isinstance(preset, Preset) else load_preset(preset)
    source = check_export(source, target, suffixes, chosen, asked)
    asked = complete_options(asked, chosen)
    shot = spread_frames(source, asked.source)
    log_notes(source, [*shot.notes, *_keyed_lines(asked)])
    begin_preparing(on_progress)
    pairs = pairs_of(shot, chosen, asked, on_progress)
    begin_stage(on_progress, "fitting")
    about = f"{source.name} by nightfx, {chosen.name}"
    return _Looked(source, shot, pairs, about, never_brightens(chosen, asked.look, shot.frames))


def _keyed_lines(options: RenderOptions) -> list[str]:
    if not options.look.is_keyed:
        return []
    return ["the look has keyframes, and a LUT or CDL is the same in all frames: it is their mean"]


def _write(target: Path, text: str, encoding: str) -> None:
    with partial_file(target) as part:
        part.write_text(text, encoding)
