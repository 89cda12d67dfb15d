"""Run tasks on Ray: one a worker at a time, each a Ray task that says what it does as it goes; paths travel, never frames.

Without an address a cluster of this machine alone is started for as long as it takes. On the hosts of any other nightfx is
installed, and the same paths lead to the same files. Retries are counted here as they are for local workers; Ray has none.
"""

from __future__ import annotations

import os
import queue
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, chdir, contextmanager, suppress
from pathlib import Path
from typing import Any

import ray

import nightfx
from nightfx.batch.queue.seats import environment, gpus_for, share_of
from nightfx.batch.queue.task import Emit, Task, TaskQueue, Watch
from nightfx.batch.queue.worker import GRACE_SECONDS, attempt, order_from
from nightfx.errors import RETRY, RetryError
from nightfx.options import EngineOptions
from nightfx.source import cores

HOME = str(Path(nightfx.__file__).parents[1])
_STORE_BYTES = 80 << 20  # the least that Ray takes; nothing large travels
_POLL_SECONDS = 0.2
_ANSWER_SECONDS = 5.0
_Serve = Callable[[str, str], Iterator[dict[str, Any]]]


def run_on_ray(
    tasks: Sequence[Task[Any]], options: EngineOptions, watch: Watch, serve: _Serve | None = None
) -> None:
    """Render all tasks; the engine `ray`. Raises RetryError where no cluster answers.

    `watch` is called in this thread at each event. Whatever is raised here, signals too, ends the workers first.
    `serve` is called in a worker with an order and the folder to be in, and gives events; by default it renders.
    """
    if not any(task.open for task in tasks):
        return
    with signals_as_raised(), _connected(options):
        hosts = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        count, needs = shares(hosts, options)
        running: dict[Any, Task[Any]] = {}
        try:
            remote = ray.remote(**needs)(serve or serve_order)
            _drive(TaskQueue(tasks), count, remote, running, watch)
        finally:
            _dismiss(list(running))


@contextmanager
def signals_as_raised() -> Iterator[None]:
    """Let through what a signal raised within Ray's compiled code, which makes a SystemError of it now and then."""
    try:
        yield
    except SystemError as error:
        if error.__cause__ is None:
            raise
        raise error.__cause__ from None


def _drive(
    line: TaskQueue, count: int, serve: Any, running: dict[Any, Task[Any]], watch: Watch
) -> None:
    """Keep `count` tasks `running`, by their streams of events, until none is left."""
    while True:
        while len(running) < count and (task := line.take()):
            running[serve.remote(task.order.as_json(), str(Path.cwd()))] = task
        if not running and not line.is_waiting:
            return
        if not running:
            time.sleep(_POLL_SECONDS)
            continue
        for stream in ray.wait(list(running), timeout=_POLL_SECONDS)[0]:
            task = running[stream]
            if _hear(stream, task):
                watch(task)
            else:
                del running[stream]
                if task.state == "rendering":
                    task.lose_worker("saying nothing more")
                if task.open:
                    line.put_back(task)


def _hear(stream: Any, task: Task[Any]) -> bool:
    """Note what comes next of a task, or the death of its worker; False where nothing more will."""
    try:
        task.on_event(ray.get(next(stream)))
    except StopIteration:
        return False
    except ray.exceptions.RayError as error:
        if not task.open:  # it said all, and then left
            return False
        task.lose_worker(type(error).__name__)
    return True


def _attempt_line(line: str, emit: Emit) -> int:
    return attempt(order_from(line), emit)


def serve_order(
    line: str, folder: str, attempt_line: Callable[[str, Emit], int] = _attempt_line
) -> Iterator[dict[str, Any]]:
    """Serve an order in a worker of Ray's, and give the events; after what is worth retrying it leaves, with its memory."""
    os.chdir(folder)  # paths are said from where the batch was started
    events: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    ended, codes = threading.Event(), list[int]()

    def emit(event: str, **more: Any) -> None:
        if ended.is_set():
            raise _Ended
        events.put({"event": event} | more)

    def work() -> None:
        try:
            with suppress(_Ended):
                codes.append(attempt_line(line, emit))
        finally:
            events.put(None)

    # Ray raises in the main thread where a task is to end, and what is raised must not go by in a library
    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        while True:
            with suppress(queue.Empty):
                if (event := events.get(timeout=_POLL_SECONDS)) is None:
                    if RETRY in codes:
                        sys.exit(0)  # by which Ray lets the process go
                    return
                yield event
    finally:
        ended.set()
        worker.join(GRACE_SECONDS)


class _Ended(BaseException):
    """The batch wants no more of this."""


def shares(
    hosts: Sequence[Mapping[str, float]], options: EngineOptions
) -> tuple[int, dict[str, Any]]:
    """How many tasks at a time, and what each takes of hosts with so much `CPU` and `GPU`.

    No more than one host has, or Ray would wait forever. Raises RetryError where there is nothing.
    """
    with_gpus = [host for host in hosts if host.get("GPU")] if options.uses_gpus else []
    hosts, gpus = with_gpus or hosts, sum(int(host["GPU"]) for host in with_gpus)
    cpus = [int(host.get("CPU", 0)) for host in hosts]
    if not any(cpus):
        raise RetryError("the Ray cluster has no CPUs to render with: run again when it has")
    count = options.count(sum(cpus), gpus)
    threads = min(max(sum(cpus) // count, 1), max(cpus))
    needs: dict[str, Any] = {"num_cpus": threads, "num_gpus": share_of(gpus, count)}
    env = {"env_vars": environment(threads, options)}
    return count, needs | {"max_retries": 0, "runtime_env": env}


@contextmanager
def _connected(options: EngineOptions) -> Iterator[None]:
    """Be connected to a Ray cluster, one's own where there is no address; that one ends with the connection."""
    if options.address and options.address != "auto":
        _check_answers(options.address)
    with ExitStack() as close:
        place: dict[str, Any] = {"address": options.address}
        if options.address is None:
            # Ray's sockets are in it, and their paths may not be long
            folder = tempfile.mkdtemp(prefix="nfx", dir="/tmp" if Path("/tmp").is_dir() else None)
            close.callback(shutil.rmtree, folder, ignore_errors=True)
            here = {"num_gpus": len(gpus_for(options)), "object_store_memory": _STORE_BYTES}
            place = {"num_cpus": max(cores(), options.workers or 1), "_temp_dir": folder} | here
            place |= {"address": "local", "include_dashboard": False}
        close.callback(ray.shutdown)
        with _own_signals(), chdir(HOME):  # where Ray is started, its workers look for modules
            try:
                ray.init(**place, log_to_driver=False, logging_level="ERROR")
            except (OSError, RuntimeError, ValueError) as error:
                words = f"no Ray cluster answers there ({str(error).strip().splitlines()[0]})"
                raise RetryError(f"--address {options.address or 'local'}: {words}") from error
        yield


def _check_answers(address: str) -> None:
    """Raise RetryError where nothing listens: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise RetryError(f"--address {address}: no Ray cluster answers there ({error})") from error


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep what SIGTERM does here, which Ray makes an exit with code 15."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    own, ended = signal.getsignal(signal.SIGTERM), False
    try:
        yield
    except SystemExit:
        ended = True
    finally:
        signal.signal(signal.SIGTERM, own)
    if ended:
        signal.raise_signal(signal.SIGTERM)


def _dismiss(streams: list[Any]) -> None:
    """Ask tasks to end, and give them time to tidy up."""
    until = time.monotonic() + GRACE_SECONDS
    for stream in streams:
        ray.cancel(stream)
    while streams and time.monotonic() < until:
        for stream in ray.wait(streams, timeout=_POLL_SECONDS)[0]:
            try:
                next(stream)
            except (StopIteration, ray.exceptions.RayError):
                streams.remove(stream)
