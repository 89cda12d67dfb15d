"""Write a timeline back, its clips showing the renders.

A render keeps the timecode of its source, so a clip keeps its range; where there is none, both count from the render's
first frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nightfx.batch.queue.record import FOLDER
from nightfx.batch.queue.worker import ShotTask
from nightfx.batch.shots.timeline import ADAPTERS, Cut, Use, edl_rate, otio_module
from nightfx.disk import translated
from nightfx.errors import TargetError
from nightfx.source import existing_files, is_pattern

_KEY = "nightfx"  # of the render among a clip's media references


def write_cut(cut: Cut, tasks: Sequence[ShotTask], out: Path) -> Path:
    """Write the timeline into `out` in its own format, its clips pointing to the renders; returns its path.

    In .otio the originals stay, as other media references; clips whose render failed keep theirs. Raises TargetError.
    """
    done = {task.order.shot.key: task for task in tasks if task.state in ("done", "skipped")}
    for use in cut.uses:
        if use.shot and use.shot.key in done:
            _repoint(use, out / done[use.shot.key].target, cut.path.suffix.lower())
    target = out / cut.path.name
    with translated(target):
        (out / FOLDER).mkdir(parents=True, exist_ok=True)
        # a folder of its own: adapters go by the suffix, and another batch may write the same
        with TemporaryDirectory(dir=out / FOLDER) as folder:
            part = Path(folder, cut.path.name)
            _write(cut, part)
            part.replace(target)
    return target


def _write(cut: Cut, part: Path) -> None:
    otio, suffix = otio_module(), cut.path.suffix.lower()
    more: dict[str, Any] = {".aaf": {"use_empty_mob_ids": True}}.get(suffix, {})
    if suffix == ".edl":
        more = {"rate": edl_rate(cut.path, cut.rate)}
    try:
        otio.adapters.write_to_file(cut.content, str(part), ADAPTERS.get(suffix), **more)
    except OSError:
        raise
    except Exception as error:
        words = " ".join(str(error).split())[:200]
        hint = "the renders are there; write the timeline as .otio to keep all that is in it"
        raise TargetError(f"{cut.path.name}: cannot be written back ({words}): {hint}") from error


def _repoint(use: Use, render: Path, suffix: str) -> None:
    otio, clip = otio_module(), use.clip
    rate, known = clip.trimmed_range().start_time.rate, clip.media_reference.available_range
    start = use.origin + use.base
    if known is None and use.medium.first is None:
        # nothing says where the render begins: it counts from 0, and so does the clip
        moved = otio.opentime.RationalTime(round(use.base / float(use.medium.rate) * rate), rate)
        shown = clip.trimmed_range()
        clip.source_range = otio.opentime.TimeRange(shown.start_time - moved, shown.duration)
        start = 0
    file_rate = rate if abs(rate - float(use.medium.rate)) < 0.01 * rate else float(use.medium.rate)
    times = (otio.opentime.RationalTime(n, file_rate) for n in (start, use.length))
    reference = _reference(render.absolute(), otio.opentime.TimeRange(*times), suffix)
    if suffix == ".otio":
        # the map as it is given: references put into a new one end the process in OpenTimelineIO 0.18
        references = clip.media_references()
        references[_KEY] = reference
        clip.set_media_references(references, _KEY)
    else:
        clip.media_reference = reference


def _reference(render: Path, available: Any, suffix: str) -> Any:
    otio = otio_module()
    if suffix == ".otio" and is_pattern(render):
        return _sequence_reference(render, available)
    path = existing_files(render)[0] if is_pattern(render) else render
    url = str(path) if suffix == ".edl" else path.as_uri()
    reference = otio.schema.ExternalReference(target_url=url, available_range=available)
    if suffix != ".edl":  # there it would become the reel
        reference.name = render.name
    return reference


def _sequence_reference(render: Path, available: Any) -> Any:
    otio, files = otio_module(), existing_files(render)
    prefix = render.name[: render.name.index("#")]
    digits = files[0].name[len(prefix) : -len(render.suffix)]
    return otio.schema.ImageSequenceReference(
        target_url_base=f"{render.parent.as_uri()}/",
        name_prefix=prefix,
        name_suffix=render.suffix,
        start_frame=int(digits),
        frame_step=1,
        rate=available.duration.rate,
        frame_zero_padding=len(digits),
        available_range=available,
    )
