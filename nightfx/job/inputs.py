"""Many inputs: which clips and pictures they are, and where each one's render goes."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from nightfx.errors import SourceError, TargetError, UsageError
from nightfx.job.asked import check_options
from nightfx.job.matte import check_mattes
from nightfx.job.render_job import check_passes, open_job
from nightfx.job.source_target import (
    asked_encoding,
    check_name,
    check_target,
    default_target,
    find_source,
    folder_of,
    open_shot,
    plan_target,
)
from nightfx.network import Preset, list_presets
from nightfx.options import RenderOptions
from nightfx.source import (
    CLIP_SUFFIXES,
    base_name,
    is_picture,
    is_sequence,
    read_picture,
    sequences_in,
    unknown_line,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PlannedRender:
    """One input and the path of its render, or why there can be none."""

    source: Path
    """The clip, the picture, or the pattern of a sequence."""
    target: Path
    """Where its render goes."""
    error: SourceError | None = None
    """Why it cannot be rendered."""


def plan_renders(
    inputs: Iterable[Path], out: Path | None, preset: Preset, options: RenderOptions
) -> list[PlannedRender]:
    """One job for each input; a folder stands for what is in it (EXR and DPX as sequences), its renders left out.

    `out` is a file for a single clip, else a folder, made where it is missing. An input that cannot be read becomes a
    job with an error. Raises `UsageError` where two inputs would share an output.
    """
    inputs = list(inputs)
    if out is not None:
        check_name(out)
    sources = [source for path in inputs for source in _expand(path, preset)]
    if out is not None and (len(inputs) > 1 or inputs[0].is_dir()):
        _make_folder(out)
    jobs = [_plan(source, out, preset, options) for source in sources]
    _refuse_collisions(jobs, options.job.passes)
    return jobs


def check_render(source: Path, target: Path | None, preset: Preset, options: RenderOptions) -> Path:
    """Raise what the options and the file's header say against a render; torch is not needed to know it. Returns its target."""
    source = find_source(source)
    check_options(options, preset)
    is_alone = is_picture(source) and not is_sequence(source)
    if is_alone and (target is None or is_picture(target)):
        target = target or default_target(source, preset, source.suffix)
        check_target(source, target, options.job.overwrite)
        check_passes(target, options)
        asked_encoding(options.source)
        read_picture(source, options.source.max_pixels)
        return target
    with open_job(source, target, preset, options, again=True) as job:
        check_passes(job.target, options, again=folder_of(job.target).is_dir())
        check_mattes(job.options.light, job.options.source, job.reader.info)
        return job.target


def _expand(path: Path, preset: Preset) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    files = sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
    found = [*(p for p in files if _is_shot(p)), *sequences_in(path)]
    unknown = unknown_line(files)
    names = {preset.name, *(bundled.name for bundled in list_presets())}
    renders = [p for p in found if is_render(p, found, names)]
    if len(found) == len(renders):
        words = f"; {unknown}" if unknown else ""
        raise SourceError(f"{path}: no clips or pictures in this folder{words}")
    if unknown:
        _log.warning("%s: %s", path, unknown)
    if renders:
        _log.info("%s: %d renders of earlier calls are left out", path, len(renders))
    yield from (p for p in found if p not in renders)


def _is_shot(path: Path) -> bool:
    return path.suffix.lower() in CLIP_SUFFIXES or is_picture(path)


def is_render(path: Path, others: list[Path], names: set[str]) -> bool:
    """Whether a shot is what an earlier call made of another one in its folder, by a preset of these names."""
    # NAME.night.mp4 beside NAME.mp4 is what an earlier call wrote; NAME.v2.mp4 is another shot
    original, _, name = base_name(path).rpartition(".")
    return name in names and any(base_name(other) == original for other in others)


def _make_folder(out: Path) -> None:
    if out.suffix or (out.exists() and not out.is_dir()):
        raise UsageError(f"{out}: several inputs need a folder as -o")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TargetError(f"{out}: cannot be made: {error.strerror}") from error


def _plan(source: Path, out: Path | None, preset: Preset, options: RenderOptions) -> PlannedRender:
    if out is not None and not out.is_dir():
        return PlannedRender(source, out)
    try:
        beside = default_target(source, preset, suffix_of(source, options))
    except SourceError as error:
        return PlannedRender(source, source, error)
    return PlannedRender(source, beside if out is None else out / beside.name)


def suffix_of(source: Path, options: RenderOptions) -> str:
    """The suffix of a source's render, by what is in it; raises SourceError."""
    if is_picture(source) or is_sequence(source):
        return source.suffix
    with open_shot(find_source(source), replace(options.source, keep_going=True)) as reader:
        return plan_target(reader.info, None, options.encode).suffix


def _refuse_collisions(jobs: list[PlannedRender], passes: Path | None) -> None:
    owners: dict[Path, Path] = {}
    for job in jobs:
        if job.error:
            continue
        for place in [job.target, *([passes / base_name(job.target)] if passes else [])]:
            other = owners.setdefault(place.resolve(), job.source)
            if other != job.source:
                raise UsageError(
                    f"{other} and {job.source} would both be written to {place}; render them apart"
                )
