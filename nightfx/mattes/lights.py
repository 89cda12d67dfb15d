"""Write the list of a shot's lights: all that would be lit by night, for whoever edits it before a render."""

from __future__ import annotations

from pathlib import Path

from nightfx.errors import NightfxError
from nightfx.job.pipeline import Progress, begin_preparing
from nightfx.job.source_target import (
    asked_encoding,
    find_source,
    frames_expected,
    open_shot,
    with_times,
)
from nightfx.light.lamps.search import Search, search_shot
from nightfx.lights import LightList, keep_locked, read_lights, write_lights
from nightfx.mattes.targets import is_alone, list_target
from nightfx.network import load_scene_network, pick_device
from nightfx.options import RenderOptions, SourceOptions
from nightfx.picture import Numbering, encoding_by_tags
from nightfx.source import as_progressive, deinterlaced, read_picture, read_tags


def list_lights(
    source: str | Path,
    target: Path | None = None,
    *,
    options: RenderOptions | None = None,
    on_progress: Progress | None = None,
) -> Path:
    """Write the list of the lights of a clip, picture or sequence, by default beside it; returns its path.

    Of the options what is read, the device and `overwrite` count. Lights that are locked in a list that is overwritten stay as
    they are. Raises a `NightfxError`; no list is left unfinished then.
    """
    options, source = options or RenderOptions(), find_source(Path(source))
    target = list_target(source, target, options)
    old = read_lights(target) if target.exists() else None
    found = look_through(source, options, on_progress)
    write_lights(keep_locked(found, old) if old else found, target)
    return target


def look_through(
    source: Path, options: RenderOptions, on_progress: Progress | None = None
) -> LightList:
    """Return the lights of a clip, picture or sequence, as a render finds them; raises a `NightfxError`."""
    begin_preparing(on_progress)
    how = Search(load_scene_network().to(pick_device(options.light.device)))
    if is_alone(source):
        frame = read_picture(source, options.source.max_pixels)
        own = encoding_by_tags(read_tags(source), frame.coding)
        how = how._replace(encoding=asked_encoding(options.source) or own)
        return search_shot([frame], how)
    return _search(source, how, options.source, on_progress)


def _search(
    source: Path, how: Search, options: SourceOptions, on_progress: Progress | None
) -> LightList:
    with open_shot(source, options) as reader:
        asked = with_times(options, reader)
        info = as_progressive(reader.info)
        total = frames_expected(info, asked)
        how = how._replace(
            encoding=asked_encoding(asked) or encoding_by_tags(info.tags, info.coding),
            numbering=Numbering(reader.number_at(asked.start_seconds or 0)),
        )
        if on_progress:
            how = how._replace(on_progress=lambda done: on_progress(done, total))
        found = search_shot(
            deinterlaced(reader.frames(asked.start_seconds, asked.end_seconds)), how
        )
    if not found.count:
        raise NightfxError(f"{source}: no frame to look at: check the start and end times")
    return found
