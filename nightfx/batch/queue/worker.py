"""A worker: a process that renders the shots it is told on standard input, and answers on standard output in JSON lines.

It takes a shot's lease before it looks at it, and keeps the record of what it did; so whatever happens to it or to the
batch, the truth is on the disk. It ends when its standard input does. Events: `ready`; of a shot `busy` (another
process renders it), `stage` (what comes before and after its frames), `frames`, `note`, `done`, `failed`. After what is
worth retrying it leaves with 75, with its memory.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

from nightfx.batch.queue import segments, task
from nightfx.batch.queue.lease import Lease, forget, leased
from nightfx.batch.queue.record import (
    RenderIdentity,
    ShotRecord,
    identity_of,
    is_done,
    is_there,
    look_up,
    output_state,
    place_of,
    write_record,
)
from nightfx.batch.shots.find import Shot
from nightfx.batch.shots.settings import ShotSettings
from nightfx.disk import from_json_types, to_line, translated
from nightfx.errors import DONE, FAILED, RETRY, TERMINATED, NightfxError, RetryError
from nightfx.job.inputs import suffix_of
from nightfx.job.source_target import check_target, default_target
from nightfx.network import Preset, load_preset
from nightfx.options import RenderOptions
from nightfx.source import base_name, is_sequence

GRACE_SECONDS = 20.0  # to tidy up, once the batch has gone
_MEASURED_FRAMES = 7  # that take about as long as to measure a render, at 360 lines
_MEASURED_SECONDS = 1.0  # to begin with it, once


@dataclass(frozen=True)
class Order:
    """A shot to render, as it is sent to a worker."""

    shot: Shot
    """The shot to render."""
    out: Path
    """The folder of renders."""
    to: str
    """The preset."""
    flags: Mapping[str, Any]
    """Settings, by the names of the flags."""
    stale_seconds: float
    """After which a silent worker elsewhere counts as dead."""

    @property
    def key(self) -> str:
        """The shot's."""
        return self.shot.key

    def as_json(self) -> str:
        """One line."""
        return to_line(self)


ShotTask = task.Task[Order]


def order_from(line: str) -> Order | segments.Segment:
    """The order in a line."""
    table = json.loads(line)
    return (
        from_json_types(segments.Segment, table)
        if "plan" in table
        else from_json_types(Order, table)
    )


def serve(order: Order, emit: task.Emit) -> None:
    """Render a shot unless it is done or somebody else is at it; raises NightfxError."""
    place = place_of(order.out, order.shot.key)
    with translated(place):
        place.parent.mkdir(parents=True, exist_ok=True)
    with leased(place, order.stale_seconds) as lease:
        if lease is None:
            emit("busy")
            return
        preset, options = load_preset(order.to), RenderOptions.of(**order.flags)
        settings = ShotSettings(order.to, order.flags, options)
        job = identity_of(order.shot, settings, preset)
        record = look_up(place)
        if not is_done(record, job, order.out):
            record = _render(order, settings, preset, job, lease, emit)
        forget(place)
    assert record is not None
    emit("done", facts=record.facts, target=record.target)


def _render(
    order: Order,
    settings: ShotSettings,
    preset: Preset,
    job: RenderIdentity,
    lease: Lease,
    emit: task.Emit,
) -> ShotRecord:
    place, options = place_of(order.out, order.shot.key), settings.options
    target = _target(order, preset, options)
    older = look_up(place)
    # a finished render that somebody has changed since is theirs
    ours = older is not None and order.out / older.target == target
    ours = ours and older is not None and (not older.done or is_there(older, order.out))
    intent = ShotRecord(asdict(job), str(target.relative_to(order.out)), output_state(target))
    facts = {"threads": os.environ.get("OMP_NUM_THREADS", ""), "host": socket.gethostname()}
    notes: list[str] = []
    show = task.Telling(emit, _measuring.seconds_at)
    with _Noted(notes, order.shot.source, emit):
        if _only_unrecorded(older, job, target, order.out):
            notes.append("was complete already, when its worker ended")
        else:
            options = options.but(overwrite=options.job.overwrite or ours)
            # before the record says that what stands there is a render of ours
            check_target(order.shot.source, target, options.job.overwrite)
            write_record(place, intent)
            facts |= _timed_render(order.shot.source, target, preset, options, lease, show)
    if identity_of(order.shot, settings, preset).source != job.source:
        raise RetryError(f"{order.shot.source}: was changed while it was rendered")
    show.after("measuring")
    from nightfx.batch.report.shot_figures import measure

    with _measuring.timed():
        facts |= measure(order.shot.source, target, options.source) | {"notes": notes}
    record = replace(intent, files=output_state(target), done=True, facts=facts)
    write_record(place, record)
    return record


def _only_unrecorded(
    older: ShotRecord | None, job: RenderIdentity, target: Path, out: Path
) -> bool:
    """Whether a worker ended after it had given a clip its name, and before it could say so."""
    begun = older is not None and not older.done and asdict(job) == older.job
    return begun and not is_sequence(target) and target.exists() and not is_there(older, out)


def _target(order: Order, preset: Preset, options: RenderOptions) -> Path:
    source = order.shot.source
    name = default_target(source, preset, suffix_of(source, options)).name
    rest = name.removeprefix(base_name(source)).lstrip(".")
    return order.out / order.shot.folder / f"{order.shot.stem}.{rest}".lstrip(".")


def _timed_render(
    source: Path,
    target: Path,
    preset: Preset,
    options: RenderOptions,
    lease: Lease,
    show: task.Telling,
) -> dict[str, Any]:
    started = time.monotonic()
    show.on_frame = lease.check
    if options.job.passes:
        options.job.passes.mkdir(parents=True, exist_ok=True)
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    from nightfx.job.render import render  # by torch, which the parent of workers can do without

    render(source, target, preset=preset, options=options, on_progress=show)
    seconds = time.monotonic() - started
    return {"frames": show.frames, "seconds": round(seconds, 2), "began": began}


class _Measuring:
    """How long it takes to measure a render, which is about as long for each: so the last one tells of the next."""

    def __init__(self) -> None:
        self._seconds: float | None = None

    def seconds_at(self, per_second: float) -> float:
        """The seconds that it will take, beside renders of so many frames a second."""
        if self._seconds is not None:
            return self._seconds
        return _MEASURED_SECONDS + _MEASURED_FRAMES / per_second if per_second else 0.0

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Note how long it takes now."""
        began = time.monotonic()
        yield
        self._seconds = time.monotonic() - began


_measuring = _Measuring()


class _Noted(logging.Handler):
    """Collect what the library tells, and pass it on."""

    def __init__(self, notes: list[str], source: Path, emit: task.Emit) -> None:
        super().__init__(logging.INFO)
        self._notes, self._source, self._emit = notes, source, emit

    def __enter__(self) -> None:
        logger = logging.getLogger("nightfx")
        logger.addHandler(self)
        logger.setLevel(logging.INFO)

    def __exit__(self, *details: object) -> None:
        logging.getLogger("nightfx").removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line, once."""
        text = record.getMessage().removeprefix(f"{self._source.name}: ")
        if text not in self._notes:
            self._notes.append(text)
            self._emit("note", text=text)


class _Ended(BaseException):
    """The process was asked to end."""


def _end(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise _Ended


def _listen(lines: queue.SimpleQueue[str]) -> None:
    """Hand on what comes in; when nothing more can, the batch has gone."""
    for line in sys.stdin:
        lines.put(line)
    late = threading.Timer(GRACE_SECONDS, lambda: os._exit(TERMINATED))
    late.daemon = True
    late.start()
    os.kill(os.getpid(), signal.SIGTERM)


def attempt(order: Order | segments.Segment, emit: task.Emit) -> int:
    """Serve an order and tell how it ended; the exit code that it would leave with."""
    try:
        if isinstance(order, segments.Segment):
            segments.serve_segment(order, emit)
        else:
            serve(order, emit)
    except NightfxError as error:
        emit("failed", error=str(error), code=error.exit_code)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - a shot that nobody foresaw must not end the batch
        emit("failed", error=f"{type(error).__name__}: {error}", code=FAILED)
        return FAILED
    return DONE


def main() -> int:
    """Serve until standard input ends."""
    signal.signal(signal.SIGTERM, _end)
    # encoders print lines of their own: the events go where only we can write
    events = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)

    def emit(event: str, **more: Any) -> None:
        with suppress(
            BrokenPipeError
        ):  # the batch has gone, and the shot goes on to its end or ours
            events.write(json.dumps({"event": event} | more) + "\n")

    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()
    try:
        emit("ready")
        while True:
            if attempt(order_from(lines.get()), emit) == RETRY:
                return RETRY
    except _Ended:
        return TERMINATED


if __name__ == "__main__":
    sys.exit(main())
