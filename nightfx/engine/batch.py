"""Many inputs: which clips and pictures they are, and where each one's render goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nightfx.engine.options import RenderOptions
from nightfx.engine.render import default_target
from nightfx.errors import SourceError, UsageError
from nightfx.presets import Preset
from nightfx.video.codecs import plan_output
from nightfx.video.picture import is_picture
from nightfx.video.reader import Reader

CLIP_SUFFIXES = {
    ".mp4",
    ".mov",
    ".m4v",
    ".mkv",
    ".webm",
    ".avi",
    ".ts",
    ".m2ts",
    ".mts",
    ".mxf",
    ".mpg",
    ".flv",
}


@dataclass(frozen=True)
class Job:
    """One input and the path of its render."""

    source: Path
    """The clip or picture."""
    target: Path
    """Where its render goes."""


def plan_jobs(
    inputs: Iterable[Path], out: Path | None, preset: Preset, options: RenderOptions
) -> list[Job]:
    """One job for each input; a folder stands for the clips and pictures in it, its renders left out.

    `out` is a file for a single clip, else a folder. Raises `UsageError` where two inputs would share an output.
    """
    inputs = list(inputs)
    sources = [source for path in inputs for source in _expand(path)]
    single = len(inputs) == 1 and not inputs[0].is_dir()
    if out is not None and not single and not out.is_dir():
        raise UsageError(f"{out}: several inputs need a folder that exists as -o")
    jobs = [Job(source, _target(source, out, preset, options)) for source in sources]
    _refuse_collisions(jobs)
    return jobs


def _expand(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    found = [
        p for p in sorted(path.iterdir()) if p.suffix.lower() in CLIP_SUFFIXES or is_picture(p)
    ]
    sources = [p for p in found if not _is_render(p, found)]
    if not sources:
        raise SourceError(f"{path}: no clips or pictures in this folder")
    yield from sources


def _is_render(path: Path, others: list[Path]) -> bool:
    # NAME.night.mp4 beside NAME.mp4 is what an earlier call wrote
    original = path.with_suffix("").stem
    return path.stem != original and any(other.stem == original for other in others)


def _target(source: Path, out: Path | None, preset: Preset, options: RenderOptions) -> Path:
    if out is not None and not out.is_dir():
        return out
    beside = default_target(source, preset, _suffix(source, options))
    return beside if out is None else out / beside.name


def _suffix(source: Path, options: RenderOptions) -> str:
    if is_picture(source):
        return source.suffix
    with Reader(source, keep_going=True) as reader:
        return plan_output(reader.info, None, options.encode).suffix


def _refuse_collisions(jobs: list[Job]) -> None:
    owners: dict[Path, Path] = {}
    for job in jobs:
        other = owners.setdefault(job.target.resolve(), job.source)
        if other != job.source:
            raise UsageError(
                f"{other} and {job.source} would both be written to {job.target}; render them apart"
            )
