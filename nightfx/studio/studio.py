"""The studio: shots that are open, who lights their frames, and the renders that go on."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping, Sequence
from glob import escape
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from nightfx.batch.queue.run import plan_batch
from nightfx.batch.shots.find import Shot, find_shots
from nightfx.errors import NightfxError, RetryError, UsageError
from nightfx.job.source_target import find_source
from nightfx.network import Preset, load_preset
from nightfx.options import EngineOptions, RenderOptions, find_option
from nightfx.studio.desk import Desk, ShotFolder
from nightfx.studio.lanes import Lanes
from nightfx.studio.works import Work, batch_words, loop_words

if TYPE_CHECKING:
    from nightfx.studio.engine import Engine, LitFrame, Wish

_MOST_OVER = 40
_MOST_LOOP_FRAMES = 1000


class Studio:
    """Shots of a folder, or one alone. Any thread may ask; `close` ends all that goes on."""

    def __init__(self, source: Path, out: Path | None = None, own: Mapping[str, Any] | None = None):
        self.folder, self.shots = _folder_of(source, out, own or {})
        self.plates, self.lights = Lanes("nightfx-plates"), Lanes("nightfx-lights")
        self._searches = Lanes("nightfx-searches")
        self._desks: dict[int, Desk] = {}
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._media = TemporaryDirectory(prefix="nightfx-studio-")
        self._work: Work | None = None
        self._loops: dict[int, Loop] = {}
        self.told: dict[str, dict[str, Any]] = {}
        """What the present render last said of each shot, by its key."""

    def wake(self) -> None:
        """Import what takes seconds while the browser opens."""
        self.lights.ask("wake", 0, _import_all)

    def desk(self, number: int) -> Desk:
        """The shot of that number, opened; raises a `NightfxError`."""
        if not 0 <= number < len(self.shots):
            raise UsageError(f"there is no shot {number}: there are {len(self.shots)}")
        with self._lock:
            if number not in self._desks:
                self._desks[number] = Desk(self.shots[number], self.folder)
            return self._desks[number]

    def wish(self, desk: Desk, over: Mapping[str, Any]) -> tuple[Preset, RenderOptions]:
        """Preset and options of a shot, with what a page tries out on top; raises a `NightfxError`."""
        settings = desk.settings()
        tried = {key: value for key, value in over.items() if key != "to"}
        if len(tried) > _MOST_OVER:
            raise UsageError(f"more than {_MOST_OVER} values are tried at once")
        for key in tried:
            find_option(key)
        preset = load_preset(str(over.get("to", settings.to)))
        options = RenderOptions.of(**{**settings.flags, **tried})
        if preset.facts.lights is None:
            options = options.but(lights="auto", lit_windows=None)
        return preset, options

    def light(
        self, desk: Desk, number: int, height: int | None, over: Mapping[str, Any]
    ) -> LitFrame:
        """The frame of a shot under light; for the thread of lights alone. Raises a `NightfxError`."""
        from nightfx.studio.engine import Engine, Wish

        self._engine = self._engine or Engine()
        preset, options = self.wish(desk, over)
        picked = desk.frames.at(number, height)
        lights = desk.lights
        if desk.now.lights is not None and options.light.light_list:
            options = options.but(lights="on")  # they are at hand: no file is read for them
        wish: Wish = Wish(preset, options, lights)
        lit = self._engine.light(desk.shot.key, picked, wish)
        self._search(desk)  # not before a first picture: both would take their time
        return lit

    def render(self, numbers: Sequence[int]) -> None:
        """Begin to render shots, as `nightfx batch` does; raises RetryError while others are rendered."""
        with self._lock:
            if self._work and self._work.code is None:
                raise RetryError("a render goes on: wait for it, or stop it")
            shots = [self.shots[n] for n in sorted({*numbers}) if 0 <= n < len(self.shots)]
            if not shots:
                raise UsageError("no shot is chosen")
            self.told = {shot.key: {"state": "waiting"} for shot in shots}
            names = [escape(shot.key) for shot in shots]
            words = batch_words(self.folder.root, self.folder.out, names)
            self._work = Work(words, self._note)

    def stop(self) -> None:
        """Stop the present render; the next one goes on where it was."""
        if self._work and self._work.code is None:
            self._work.cancel()

    @property
    def work(self) -> Work | None:
        """The present render, or the last one."""
        return self._work

    def target_of(self, desk: Desk) -> Path | None:
        """The render of a shot, where it is complete and as it was left; None where there is none."""
        (task,) = plan_batch(
            [desk.shot], self.folder.root, self.folder.out, {}, EngineOptions(), self.folder.own
        )
        return self.folder.out / task.target if task.state == "skipped" and task.target else None

    def states(self) -> list[str]:
        """What is known of each shot: done, waiting, or why it cannot be rendered."""
        return [self._state(shot) for shot in self.shots]

    def begin_loop(self, number: int, frames: tuple[int, int]) -> None:
        """Begin to render a part of a shot to be played; the loop before it ends."""
        desk = self.desk(number)
        first, last = frames
        for one in frames:
            desk.frames.at(one)
        if not first <= last < first + _MOST_LOOP_FRAMES:
            raise UsageError(f"a loop has 1 to {_MOST_LOOP_FRAMES} frames, got {first} to {last}")
        settings = desk.settings()
        target = Path(self._media.name) / f"{secrets.token_hex(8)}.mp4"
        words = loop_words(desk.shot.source, target, settings.to, settings.flags, frames)
        with self._lock:
            for loop in self._loops.values():
                loop.close()
            self._loops = {number: Loop(words, target, frames, desk.revision)}

    def loop(self, number: int) -> Loop | None:
        """The loop of a shot; None where there is none."""
        return self._loops.get(number)

    def close(self) -> None:
        """End all that goes on."""
        for desk in self._desks.values():
            desk.search.ended = True
        for work in filter(None, [self._work, *self._loops.values()]):
            work.close()
        for lanes in (self.plates, self.lights, self._searches):
            lanes.close()
        for desk in self._desks.values():
            desk.close()
        self._media.cleanup()

    def _note(self, line: dict[str, Any]) -> None:
        self.told[str(line.get("shot"))] = line

    def _state(self, shot: Shot) -> str:
        try:
            (task,) = plan_batch(
                [shot], self.folder.root, self.folder.out, {}, EngineOptions(), self.folder.own
            )
        except NightfxError as error:
            return str(error)
        return {"skipped": "done"}.get(task.state, task.error or task.state)

    def _search(self, desk: Desk) -> None:
        """Look through a shot for its lights, in the background, once."""
        if desk.found is not None or desk.search.begun:
            return
        desk.search.begun = True
        self._searches.ask(desk.shot.key, 0, desk.look_through)


def _import_all() -> None:
    for name in ("nightfx.studio.engine", "nightfx.studio.web.pictures"):
        import_module(name)


class Loop(Work):
    """A part of a shot that is rendered to be played."""

    def __init__(self, words: Sequence[str], target: Path, frames: tuple[int, int], revision: int):
        self.target, self.frames, self.revision = target, frames, revision
        self.told: dict[str, Any] = {}
        super().__init__(words, self._note)

    def _note(self, line: dict[str, Any]) -> None:
        self.told |= line

    def close(self) -> None:
        """End it, and remove what it rendered."""
        super().close()
        self.target.unlink(missing_ok=True)


def _folder_of(
    source: Path, out: Path | None, own: Mapping[str, Any]
) -> tuple[ShotFolder, list[Shot]]:
    """Where shots lie, and the shots. Raises SourceError."""
    source = source.absolute() if source.is_dir() else find_source(source).absolute()
    root = source if source.is_dir() else source.parent
    out = (out or root / "night").absolute()
    names = frozenset([str(own.get("to", "night"))])
    if source.is_dir():
        return ShotFolder(root, out, own), find_shots(root, out, names=names)
    found = find_shots(root, out, include=[escape(source.name)], names=names)
    alone = [shot for shot in found if shot.source == source]
    if not alone:
        raise UsageError(f"{source}: is no clip and no sequence: the studio is for these")
    return ShotFolder(root, out, own), alone
