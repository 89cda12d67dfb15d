"""Run tasks on worker processes: one each at a time; a dead worker's task goes to another, a few times."""

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
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import nightfx
from nightfx.batch.queue.task import Task, TaskQueue, Watch
from nightfx.batch.queue.worker import GRACE_SECONDS
from nightfx.errors import RETRY

_HOME = Path(nightfx.__file__).parent.parent
# -P: the folder that a batch is started in may hold anything, and is not searched for modules
START = """
import sys
home = sys.argv[1]
if home not in sys.path:
    sys.path.insert(0, home)
from nightfx.batch.queue.worker import main
sys.exit(main())
"""


def run_crew(tasks: Iterable[Task[Any]], seats: Sequence[Mapping[str, str]], watch: Watch) -> None:
    """Render all tasks, by a worker for each of `seats` (what is set in its environment); ends when all have ended.

    `watch` is called in this thread at each event. Whatever is raised here, signals too, ends the workers first.
    """
    events: queue.Queue[tuple[_WorkerSlot, dict[str, Any] | None]] = queue.Queue()
    crew, line = [_WorkerSlot(env, events) for env in seats], TaskQueue(tasks)
    try:
        while True:
            for seat in crew:
                if seat.is_free and (task := line.take()):
                    seat.give(task)
            if all(seat.is_free for seat in crew) and not line.is_waiting:
                return
            with suppress(queue.Empty):
                seat, event = events.get(timeout=0.2)
                if task := seat.on_event(event):
                    watch(task)
                    if task.open and seat.task is None:
                        line.put_back(task)
    finally:
        _dismiss(crew)


class _WorkerSlot:
    """A place for a worker: the process that sits there, and its task."""

    def __init__(
        self,
        env: Mapping[str, str],
        events: queue.Queue[tuple[_WorkerSlot, dict[str, Any] | None]],
    ) -> None:
        self.task: Task[Any] | None = None
        self.process: subprocess.Popen[str] | None = None
        self.leaving = False
        self._listener: threading.Thread | None = None
        self._env, self._events = env, events
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the seat

    @property
    def is_free(self) -> bool:
        """Whether a task can be given to it."""
        return self.task is None and not self.leaving

    def give(self, task: Task[Any]) -> None:
        """Give a task to the worker; a new one where the last has gone."""
        self.task = task
        process = self.process = self.process or self._start()
        assert process.stdin is not None
        with suppress(OSError):  # it died: that is heard as its end
            process.stdin.write(task.order.as_json() + "\n")
            process.stdin.flush()

    def on_event(self, event: dict[str, Any] | None) -> Task[Any] | None:
        """Note what the worker says, or its end; returns the task that it is about."""
        task = self.task
        if event is None:
            code = self._close()
            if task is not None:
                task.lose_worker(self._why(code))
            return task
        if task is None or event["event"] == "ready":
            return None
        task.on_event(event)
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
            [sys.executable, "-P", "-X", "faulthandler", "-c", START, str(_HOME)],
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

    def _why(self, code: int) -> str:
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines()
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"{how}{f' ({said[-1][:200]})' if said else ''}"


def _dismiss(crew: list[_WorkerSlot]) -> None:
    for seat in crew:
        seat.end()
    until = time.monotonic() + GRACE_SECONDS
    for seat in crew:
        seat.wait(max(until - time.monotonic(), 0.1))
        seat.close()
