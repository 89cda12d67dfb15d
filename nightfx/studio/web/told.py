"""What a page is told of shots, their lights and the renders that go on, as JSON has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nightfx.errors import NightfxError
from nightfx.job.asked import complete_options
from nightfx.lights import KINDS, Shown, choose, group_of
from nightfx.studio.desk import Desk
from nightfx.studio.studio import Studio
from nightfx.studio.web.controls import values_at

_MOST_SHOWN = 3000  # lights on a picture


def shot_told(studio: Studio, desk: Desk, number: int) -> dict[str, Any]:
    """A shot: what it is, what is said of it, and the values of its look at a frame."""
    desk.take_up()
    info, frames, undo = desk.frames.info, desk.frames, desk.can
    number = number if frames.first <= number <= frames.last else frames.first
    told = {
        "key": desk.shot.key,
        "first": frames.first,
        "last": frames.last,
        "fps": float(info.rate) if info.rate else None,
        "size": frames.size_px(),
        "revision": desk.revision,
        "can": {"undo": undo[0], "redo": undo[1]},
        "said": dict(desk.now.said.items()),
        "search": {
            "done": desk.search.done,
            "total": desk.search.total,
            "error": desk.search.error,
            "ready": desk.lights is not None,
        },
        "sky": _sky_told(desk, number),
        "beside": desk.list_file.name if desk.list_file.exists() else None,
    }
    return told | _look_told(studio, desk, number)


def _look_told(studio: Studio, desk: Desk, number: int) -> dict[str, Any]:
    try:
        preset, options = studio.wish(desk, {})
        complete = complete_options(options, preset)
        own = complete_options(options.but(**dict.fromkeys(_turned(desk))), preset)
    except NightfxError as error:
        return {"error": str(error)}
    return {
        "preset": preset.name,
        "values": values_at(complete, preset, number),
        "own": values_at(own, preset, number),
        "keys": {k: list(v) for k, v in vars(complete.look).items() if isinstance(v, tuple)},
    }


def _sky_told(desk: Desk, number: int) -> list[dict[str, Any]]:
    """The polygons of the sky: where they are in a frame, and in which frames they have keys."""
    edits = desk.now.sky.of_size(desk.frames.size_px()).edits if desk.now.sky else ()
    corners = [edit.at(number) for edit in edits]
    return [
        {
            "sky": edit.is_sky,
            "keys": edit.frames.tolist(),
            "ends": [edit.first, edit.last],
            "corners": None if at is None else at.round(1).tolist(),
        }
        for edit, at in zip(edits, corners, strict=True)
    ]


def _turned(desk: Desk) -> list[str]:
    from nightfx.studio.state import LOOK

    return [key for key in LOOK if key in desk.now.said]


def lights_told(studio: Studio, desk: Desk, number: int, over: Mapping[str, Any]) -> dict[str, Any]:
    """The lights of a frame: where they are, and whether they are on."""
    found = desk.lights
    if found is None:
        return {"ready": False, "lights": []}
    preset, options = studio.wish(desk, over)
    table = preset.facts.lights
    light = options.light
    choices = choose(found, table, light.light_seed, light.lit_windows) if table else {}
    shown = [*found.at(number)][:_MOST_SHOWN]
    return {
        "ready": True,
        "town": found.town,
        "size": list(found.size_px),
        "kinds": list(KINDS),
        "lights": [_light_told(x, choices[x.light.id].on if choices else False) for x in shown],
    }


def _light_told(shown: Shown, is_on: bool) -> dict[str, Any]:
    light = shown.light
    return {
        "id": light.id,
        "kind": light.kind,
        "group": group_of(light.kind),
        "quad": [[round(float(v), 1) for v in corner] for corner in shown.quad],
        "on": is_on,
        "said": light.on,
        "stops": light.stops,
        "kelvin": light.kelvin,
        "parent": light.parent,
        "locked": light.locked,
    }


def work_told(studio: Studio) -> dict[str, Any]:
    """The present render, or the last one: how far each shot is, and what it said."""
    work = studio.work
    if work is None:
        return {"state": "none"}
    code = work.code
    state = "running" if code is None else "stopped" if work.cancelled else "ended"
    lines = [line for line in work.lines if line.startswith("error:")]
    told = {"state": state, "code": code, "shots": studio.told, "error": "\n".join(lines)}
    return told | {"command": ["nightfx", *work.words]}


def loop_told(studio: Studio, number: int) -> dict[str, Any]:
    """What is rendered to be played."""
    loop = studio.loop(number)
    if loop is None:
        return {"state": "none"}
    code = loop.code
    state = "running" if code is None else "ready" if code == 0 else "failed"
    told = {"state": state, "frames": list(loop.frames), "told": loop.told}
    return told | {"revision": loop.revision, "error": "\n".join(loop.lines) if code else ""}
