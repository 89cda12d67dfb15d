"""Run shots on worker processes: one shot each at a time; a dead worker's shot goes to another, a few times."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

import nightfx
from nightfx.batch.record import number_of
from nightfx.batch.worker import GRACE_SECONDS, RETRY, Order
from nightfx.video.threads import VARIABLE

TRIES = 3  # of a shot whose worker dies
BUSY_SECONDS = 2.0  # until a shot that another batch renders is asked for again
LARGE_BYTES = 4 << 20
HOME = Path(nightfx.__file__).parent.parent
# -P: the folder that a batch is started in may hold anything, and is not searched for modules
START = """
import sys
home = sys.argv[1]
if home not in sys.path:
    sys.path.insert(0, home)
from nightfx.batch.record import number_of
from nightfx.batch.worker import main
sys.exit(main())
"""
State = Literal["waiting", "rendering", "elsewhere", "done", "failed", "skipped"]


@dataclass(eq=False)
class Task:
    """A shot on its way."""

    order: Order
    """What to do."""
    state: State = "waiting"
    """Where it stands."""
    frames: int = 0
    """Frames done."""
    total: int | None = None
    """Frames expected."""
    began: float = 0.0
    """When its first frame came, on the monotonic clock."""
    first: int = 0
    """The frames that were done by then."""
    tries: int = 0
    """Workers that died of it, or with it."""
    not_before: float = 0.0
    """When to ask again."""
    error: str = ""
    """The line that says why it failed."""
    code: int = 0
    """The exit code of that."""
    notes: list[str] = field(default_factory=list)
    """Warnings."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What its record says."""
    target: str = ""
    """The render, below the folder of renders."""

    @property
    def rate(self) -> float:
        """Frames a second; 0 where it is not known."""
        if seconds := number_of(self.facts, "seconds"):
            return number_of(self.facts, "frames") / seconds
        spent = time.monotonic() - self.began if self.began else 0.0
        return (self.frames - self.first) / spent if spent > 0 else 0.0

    @property
    def open(self) -> bool:
        """Whether it is still to end."""
        return self.state not in ("done", "failed", "skipped")


Watch = Callable[[Task], None]


def run_crew(tasks: Sequence[Task], seats: Sequence[Mapping[str, str]], watch: Watch) -> None:
    """Render all tasks, by a worker for each of `seats` (what is set in its environment); ends when all have ended.

    `watch` is called in this thread at each event. Whatever is raised here, signals too, ends the workers first.
    """
    events: queue.Queue[tuple[_Seat, dict[str, Any] | None]] = queue.Queue()
    crew = [_Seat(env, events) for env in seats]
    try:
        while any(task.open for task in tasks):
            for seat in crew:
                if seat.task is None and not seat.leaving:
                    seat.take(_next(tasks, crew))
            with suppress(queue.Empty):
                seat, event = events.get(timeout=0.2)
                if task := seat.hear(event):
                    watch(task)
    finally:
        _dismiss(crew)


def seats_for(workers: int | None, device: str) -> list[dict[str, str]]:
    """The environments of as many workers: one a GPU where there are any, else one for four cores, threads shared out."""
    gpus = _gpus() if device in ("auto", "cuda") else []
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    count = workers or len(gpus) or max((cores or 1) // 4, 1)
    threads = str(max((cores or 1) // count, 1))
    names = ("OMP", "MKL", "OPENBLAS", "NUMBA")
    env = {f"{name}_NUM_THREADS": threads for name in names}
    env |= {"OPENCV_FOR_THREADS_NUM": threads, VARIABLE: threads}
    # large blocks go back to the system at once: a render's planes would leave holes in the heaps
    env |= {"MALLOC_MMAP_THRESHOLD_": str(LARGE_BYTES)}
    gpu = [{"CUDA_VISIBLE_DEVICES": name} for name in gpus] or [{}]
    return [env | gpu[index % len(gpu)] for index in range(count)]


def _gpus() -> list[str]:
    import torch

    said = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = torch.cuda.device_count()
    return said.split(",")[:count] if said else [str(index) for index in range(count)]


def _next(tasks: Sequence[Task], crew: list[_Seat]) -> Task | None:
    now, taken = time.monotonic(), [seat.task for seat in crew]
    ready = (t for t in tasks if t.open and t not in taken and t.not_before <= now)
    return min(ready, key=lambda task: task.state == "elsewhere", default=None)


class _Seat:
    """A place for a worker: the process that sits there, and its task."""

    def __init__(
        self,
        env: Mapping[str, str],
        events: queue.Queue[tuple[_Seat, dict[str, Any] | None]],
    ) -> None:
        self.task: Task | None = None
        self.process: subprocess.Popen[str] | None = None
        self.leaving = False
        self._listener: threading.Thread | None = None
        self._env, self._events = env, events
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the seat

    def take(self, task: Task | None) -> None:
        """Give a task to the worker; a new one where the last has gone."""
        if task is None:
            return
        self.task = task
        task.state = "rendering" if task.state == "waiting" else task.state
        process = self.process = self.process or self._start()
        assert process.stdin is not None
        with suppress(OSError):  # it died: that is heard as its end
            process.stdin.write(task.order.as_json() + "\n")
            process.stdin.flush()

    def hear(self, event: dict[str, Any] | None) -> Task | None:
        """Note what the worker says, or its end; returns the task that it is about."""
        task = self.task
        if event is None:
            self._bury(task)
            return task
        if task is None or event["event"] == "ready":
            return None
        _note(task, event)
        if event["event"] in ("busy", "done", "failed"):
            self.task = None
        self.leaving = event.get("code") == RETRY
        return task

    def end(self) -> None:
        """Ask the worker to end, at once where it has nothing to tidy up."""
        if self.process is not None:
            self.process.terminate()

    def wait(self, seconds: float) -> None:
        """Wait for the worker's end, and force it."""
        if self.process is None:
            return
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._close()

    def close(self) -> None:
        """Let go of what the workers printed."""
        self._errors.close()

    def _start(self) -> subprocess.Popen[str]:
        self._errors.seek(0)
        self._errors.truncate()
        process = subprocess.Popen(
            [sys.executable, "-P", "-X", "faulthandler", "-c", START, str(HOME)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
            env=os.environ | self._env,
            start_new_session=True,  # Ctrl-C is for the batch, which ends its workers
        )
        self._listener = threading.Thread(target=self._listen, args=(process,), daemon=True)
        self._listener.start()
        return process

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            with suppress(ValueError):  # half a line, of one who was killed in it
                self._events.put((self, json.loads(line)))
        self._events.put((self, None))

    def _close(self) -> int:
        """Take leave of a worker that has ended; its exit code."""
        assert self.process is not None
        assert self._listener is not None
        code = self.process.wait()
        self._listener.join()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(OSError):  # what was not read any more
                pipe.close()
        self.process, self.task, self.leaving = None, None, False
        return code

    def _bury(self, task: Task | None) -> None:
        code = self._close()
        if task is None:
            return
        task.tries += 1
        task.frames, task.total, task.began = 0, None, 0.0
        if task.tries < TRIES:
            task.state = "waiting"
            return
        task.state, task.code = "failed", RETRY
        task.error = (
            f"{task.order.shot.source}: its worker died {task.tries} times, {self._why(code)}"
        )

    def _why(self, code: int) -> str:
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines()
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"last by {how}{f' ({said[-1][:200]})' if said else ''}"


def _note(task: Task, event: dict[str, Any]) -> None:
    match event["event"]:
        case "frames":
            task.state, task.frames, task.total = "rendering", event["done"], event["total"]
            if not task.began:
                task.began, task.first = time.monotonic(), task.frames
        case "note":
            task.notes.append(event["text"])
        case "busy":
            task.state, task.not_before = "elsewhere", time.monotonic() + BUSY_SECONDS
        case "done":
            task.state, task.facts, task.target = "done", event["facts"], event["target"]
        case "failed":
            task.state, task.error, task.code = "failed", event["error"], event["code"]


def _dismiss(crew: list[_Seat]) -> None:
    for seat in crew:
        seat.end()
    until = time.monotonic() + GRACE_SECONDS
    for seat in crew:
        seat.wait(max(until - time.monotonic(), 0.1))
        seat.close()
