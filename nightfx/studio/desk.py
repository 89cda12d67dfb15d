"""One shot on the desk: its frames, what a person says of it, and the files in which that is kept.

What is said is written at once, so a reload, another tab and a killed server lose nothing but what could be undone.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from nightfx.batch.shots.find import Shot
from nightfx.batch.shots.settings import ShotSettings, settings_of
from nightfx.errors import NightfxError, RetryError, UsageError
from nightfx.lights import LightList, read_lights, write_lights
from nightfx.mattes.targets import LISTED
from nightfx.network import load_preset
from nightfx.options import RenderOptions
from nightfx.scene import SkyEdits, read_sky_edits, write_sky_edits
from nightfx.source import base_name
from nightfx.studio.frames import ShotFrames
from nightfx.studio.saved import FILE, read_table, write_table
from nightfx.studio.skies import carried_sky, changed_sky
from nightfx.studio.state import History, ShotState, changed_lights

SKY_LISTED = ".sky.json"


class ShotFolder(NamedTuple):
    """Where shots lie, and where their renders go."""

    root: Path
    out: Path
    own: Mapping[str, Any]
    """Settings of the user's own config.toml."""


class Desk:
    """A shot that is open. Any thread may ask."""

    def __init__(self, shot: Shot, folder: ShotFolder) -> None:
        self.shot, self._folder = shot, folder
        self._lock = threading.RLock()
        self.found: LightList | None = None
        """The lights of the shot as a render finds them; None until somebody looked."""
        self.search = Searching()
        self.frames = ShotFrames(shot, self.settings().options)
        self._wrote_sky = False
        self._history = History(self._read(ShotState()))

    def settings(self) -> ShotSettings:
        """How the shot is rendered, by the files as they are now; raises UsageError."""
        return settings_of(self.shot, self._folder.root, {}, self._folder.own)

    @property
    def now(self) -> ShotState:
        """What is said of the shot."""
        return self._history.now

    @property
    def revision(self) -> int:
        """Counts the changes of what is said."""
        return self._history.revision

    @property
    def can(self) -> tuple[bool, bool]:
        """Whether something can be undone, and redone."""
        return self._history.can

    @property
    def lights(self) -> LightList | None:
        """The lights by which the shot is lit; None where nobody looked yet."""
        return self.now.lights or self.found

    def look_through(self) -> None:
        """Look through the shot for its lights; for one thread, and it takes its time."""
        from nightfx.mattes.lights import look_through

        try:
            self.found = look_through(self.shot.source, self.settings().options, self.search)
        except NightfxError as error:
            self.search.error = str(error)

    def edit(self, edit: Mapping[str, Any], revision: int) -> None:
        """Make one change, as a page that saw a revision asks for it; raises UsageError, RetryError where another page was faster."""
        with self._lock:
            self.take_up()
            if revision != self.revision:
                raise RetryError("another tab has changed the shot: here is how it is now")
            self._go_to(self._edited(edit))

    def take_look(self, other: ShotState) -> None:
        """Take preset and look of another shot."""
        with self._lock:
            self.take_up()
            self._go_to(self.now.with_look_of(other))

    def step(self, step: int) -> None:
        """Undo the last change, -1, or do again what was undone, 1."""
        with self._lock:
            self.take_up()
            state = self._history.peek(step)
            if state is None:
                raise UsageError(f"there is nothing to {'undo' if step < 0 else 'redo'}")
            self._save(state)
            self._history.go(step)

    def close(self) -> None:
        """Close the shot."""
        self.frames.close()

    def take_up(self) -> None:
        """Take up what somebody wrote into the files meanwhile; it can be undone as all else. Raises UsageError."""
        with self._lock:
            if self._seen != self._stamps():
                self._wrote_sky = False  # what lies there now may be somebody else's
                self._history.add(self._read(self.now))

    def _read(self, before: ShotState) -> ShotState:
        """What the files say; where one cannot be read what was known `before`: each picture says what is wrong, until it is mended."""
        self._seen = self._stamps()
        state = replace(before, said=read_table(self.shot.source))
        with suppress(NightfxError):
            named = self._list_named()
            state = replace(state, lights=read_lights(named) if named else None)
        with suppress(NightfxError):
            sky = self._sky_named()
            state = replace(state, sky=read_sky_edits(sky) if sky else None)
        return state

    def _stamps(self) -> list[tuple[int, int] | None]:
        """What tells whether somebody else wrote into the files."""
        files = self.shot.source.with_name(FILE), self.list_file, self.sky_file
        stats = [file.stat() if file.is_file() else None for file in files]
        return [(x.st_mtime_ns, x.st_size) if x else None for x in stats]

    def _go_to(self, state: ShotState) -> None:
        self._save(state)
        self._history.add(state)

    def _edited(self, edit: Mapping[str, Any]) -> ShotState:
        match edit:
            case {"do": "set", "key": str(key), "value": value, "frame": int(n)}:
                return self.now.turned(key, value, self.frames.at(n).number)
            case {"do": "set", "key": str(key), "value": value, **more} if "frame" not in more:
                return self.now.turned(key, value)
            case {"do": "key", "key": str(key), "value": int() | float() as value, "frame": int(n)}:
                return self.now.keyed(key, value, self.frames.at(n).number)
            case {"do": "move-keys", "from": int(before), "to": int(after)} if before != after:
                return self.now.with_keys_moved(before, self.frames.at(after).number)
            case {"do": "to", "preset": str(name)}:
                return self.now.with_preset(load_preset(name).name)
            case {"do": "reset"}:
                return self.now.without_look()
            case {"do": str(do)} if do.startswith("sky-"):
                return self._skied(edit)
            case {"do": str()}:
                return self._lit(edit)
        raise UsageError(f"no such change: {edit!s:.120}")

    def _lit(self, edit: Mapping[str, Any]) -> ShotState:
        named, beside = self._list_named(), self.list_file
        if named is None and beside.exists() and edit["do"] != "use-list":
            words = "lies beside the shot, and nothing names it: use it, or move it away"
            raise UsageError(f"{beside}: {words}")
        if edit["do"] == "use-list":
            return self.now.with_lights(read_lights(beside), beside.name)
        before = self.now.lights or (read_lights(named) if named else self.found)
        if before is None:
            raise RetryError("the shot is still looked through for its lights: wait a moment")
        if named not in (None, beside) and beside.exists():
            raise UsageError(f"{beside}: is there, and {named} is named: move one of them away")
        return self.now.with_lights(changed_lights(before, edit), beside.name)

    def _skied(self, edit: Mapping[str, Any]) -> ShotState:
        named, beside = self._sky_named(), self.sky_file
        if beside.exists() and named != beside and not self._wrote_sky:
            words = "lies beside the shot, and the shot does not name it: name it, or move it away"
            raise UsageError(f"{beside}: {words}")
        if self.settings().options.light.sky_matte:
            raise UsageError("the shot has a sky-matte of its own: take that out to draw polygons")
        now = self.now.sky or (read_sky_edits(named) if named else None)
        size = self.frames.size_px()
        before = now.of_size(size) if now else SkyEdits(size)
        if edit["do"] == "sky-carry":
            return self.now.with_sky(self._carried(before, edit), beside.name)
        return self.now.with_sky(changed_sky(before, edit), beside.name)

    def _carried(self, before: SkyEdits, edit: Mapping[str, Any]) -> SkyEdits:
        match edit:
            case {"edit": int(number), "frame": int(frame)}:
                ends = self.frames.first, self.frames.last
                return carried_sky(before, number, frame, ends, self.frames.luma)
        raise UsageError("what is carried is an edit, from a frame on")

    @property
    def sky_file(self) -> Path:
        """Where what is said of the shot's sky is written."""
        return self.shot.source.with_name(base_name(self.shot.source) + SKY_LISTED)

    def _sky_named(self) -> Path | None:
        named = self.settings().options.light.sky_edits
        return named.absolute() if named else None

    @property
    def list_file(self) -> Path:
        """Where the list of the shot's lights is written."""
        # never where a nightfx.toml says: it may come from others
        return self.shot.source.with_name(base_name(self.shot.source) + LISTED)

    def _list_named(self) -> Path | None:
        named = self.settings().options.light.light_list
        return named.absolute() if named else None

    def _save(self, state: ShotState) -> None:
        RenderOptions.of(**{key: value for key, value in state.said.items() if key != "to"})
        if state.lights is not None and state.lights is not self.now.lights:
            write_lights(state.lights, self.list_file)
        if state.sky is not self.now.sky:
            self._save_sky(state)
        if dict(state.said) != read_table(self.shot.source):
            write_table(self.shot.source, state.said)
        self._seen = self._stamps()

    def _save_sky(self, state: ShotState) -> None:
        if state.sky is not None and state.said.get("sky_edits") == self.sky_file.name:
            write_sky_edits(state.sky, self.sky_file)
            self._wrote_sky = True
        elif self._wrote_sky or self._sky_named() == self.sky_file:
            self.sky_file.unlink(missing_ok=True)  # nothing names it any more


class Searching:
    """How far the search for a shot's lights is."""

    def __init__(self) -> None:
        self.begun, self.done, self.total, self.error = False, 0, 0, ""
        self.ended = False
        """Nobody wants it any more."""

    def __call__(self, done: int, total: int | None) -> None:
        """Note how many frames were looked at, of how many; raises NightfxError where nobody wants to know."""
        if self.ended:
            raise NightfxError("the studio is closed")
        self.done, self.total = done, total or 0
