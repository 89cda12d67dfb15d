"""Write a timeline back, its clips showing the renders.

A render keeps the timecode of its source, so a clip keeps its range; where there is none, both count from the render's
first frame. All else in the document stays as it was read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from nightfx.batch.queue.record import FOLDER
from nightfx.batch.shots.document import Render
from nightfx.batch.shots.timeline import Cut, Use
from nightfx.disk import translated
from nightfx.errors import NightfxError, TargetError, UsageError
from nightfx.source import existing_files, is_pattern

if TYPE_CHECKING:
    from nightfx.batch.queue.worker import ShotTask

_HINT = "export the timeline as .otio, .fcpxml or .edl"


def try_write(cut: Cut, out: Path) -> None:
    """Write the timeline once as it will be, somewhere else, and read it again: raises TargetError before any render."""
    if (out / cut.name).resolve() == cut.path.resolve():
        raise UsageError(f"{cut.path}: would be overwritten: --out is its own folder")
    with TemporaryDirectory() as folder:
        part = Path(folder, cut.name)
        _write(cut, part, lambda use: _render_of(use, _guessed(use, Path(folder))))
        try:
            again = Cut(cut.path, part.read_bytes(), cut.rate).document().clips
        except NightfxError as error:
            raise TargetError(f"{error}, once its clips show renders: {_HINT}") from error
        was = cut.document().clips
        if [clip.place for clip in again] != [clip.place for clip in was]:
            words = f"{len(again)} of {len(was)} clips would come back"
            raise TargetError(f"{cut.name}: cannot be written back ({words}): {_HINT}")


def write_cut(cut: Cut, tasks: Sequence[ShotTask], out: Path) -> Path:
    """Write the timeline into `out` in its own format, its clips pointing to the renders; returns its path.

    In .otio the originals stay, as other media references; clips whose render failed keep theirs. Raises TargetError.
    """
    done = {task.order.shot.key: task for task in tasks if task.state in ("done", "skipped")}

    def render(use: Use) -> Render | None:
        task = done.get(use.shot.key) if use.shot else None
        return _render_of(use, (out / task.target).absolute()) if task else None

    target = out / cut.name
    with translated(target):
        (out / FOLDER).mkdir(parents=True, exist_ok=True)
        # a folder of its own: another batch may write the same
        with TemporaryDirectory(dir=out / FOLDER) as folder:
            part = Path(folder, cut.name)
            _write(cut, part, render)
            part.replace(target)
    return target


def _write(cut: Cut, part: Path, render: Callable[[Use], Render | None]) -> None:
    try:
        document = cut.document()
        for use in cut.uses:
            if found := render(use):
                document.repoint(use.index, found)
        document.save(part)
    except (OSError, NightfxError):
        raise
    except Exception as error:  # whatever a library has to say of a document that it cannot write
        words = " ".join(str(error).split())[:200]
        message = f"{cut.name}: cannot be written back ({words}): {_HINT}"
        raise TargetError(message) from error


def _render_of(use: Use, path: Path) -> Render:
    files = existing_files(path) if is_pattern(path) else []
    clip, medium = use.clip, use.medium
    timed = medium.first is not None
    moved = clip.known is None and not timed and use.base > 0
    start = 0 if moved else use.origin + use.base
    file = files[0] if files else path
    return Render(path, file, medium.path, medium.rate, use.base, use.length, start, timed, moved)


def _guessed(use: Use, folder: Path) -> Path:
    """A name such as the render will have."""
    assert use.shot is not None
    return folder / f"{use.shot.stem}.night{use.medium.path.suffix}"
