"""Ray as the engine: whatever dies, each order is done once, a poisonous one fails alone, and nothing runs on afterwards.

These start clusters of their own, which takes seconds each; what can be said without one is said without.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from media import Clip, make_clip
from test_batch import TINY, pictures, task
from test_chaos import assert_same, renders_in
from test_cli import nightfx, wait_for
from test_segment import SHORT

from nightfx.batch.queue.seats import share_of
from nightfx.errors import RetryError, UsageError, install_words
from nightfx.job.plan import plan_render
from nightfx.job.render import render
from nightfx.light import borders
from nightfx.network.presets import Preset
from nightfx.options.encode import EncodeOptions
from nightfx.options.engine import EngineOptions
from nightfx.options.render import RenderOptions

needs_ray = pytest.mark.skipif(
    find_spec("ray") is None or sys.platform != "linux", reason="needs ray, and finds it in /proc"
)
MARK = "NIGHTFX_TEST_MARK"
GONE_SECONDS = 20.0  # for the last of Ray's processes to end after the one that started them

PRETENCE = """
import json, os, signal, sys, time
from contextlib import suppress
from dataclasses import dataclass
from nightfx.batch.queue.run import ready_ray
from nightfx.options.engine import EngineOptions
from nightfx.batch.queue.task import Task
from nightfx.errors import NightfxError

@dataclass(frozen=True)
class Pretence:
    key: str
    def as_json(self):
        return json.dumps(self.key)
"""

# orders whose workers die, fail or do as they are told, without anything to render
PRETEND = (
    PRETENCE
    + """
def serve(line, folder):
    key = json.loads(line)
    yield {"event": "frames", "done": 1, "total": 2}
    again = os.path.exists(f"{folder}/{key}")
    open(f"{folder}/{key}", "w").close()
    if key == "poison" or (key == "once" and not again):
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGKILL)
    if key == "busy" and not again:
        yield {"event": "busy"}
        return
    if key == "bad":
        yield {"event": "failed", "error": "bad.mp4: damaged", "code": 1}
        return
    names = ("OMP_NUM_THREADS", "NIGHTFX_CODEC_THREADS", "RAY_AUTH_MODE")
    facts = {name: os.environ.get(name) for name in names}
    yield {"event": "done", "facts": facts, "target": key}

tasks = [Task(Pretence(key)) for key in ("a", "poison", "once", "busy", "bad", "b")]
options = EngineOptions("ray", workers=2)
ready_ray(options)
from nightfx.batch.queue.cluster import run_on_ray
run_on_ray(tasks, options, lambda task: None, serve)
print(json.dumps({t.order.key: [t.state, t.tries, t.error, t.code, t.facts] for t in tasks}))
"""
)


@pytest.fixture
def ours(tmp_path: Path) -> dict[str, str]:
    """An environment by which all that is started in it is known, and a home of its own."""
    (tmp_path / "home").mkdir()
    return os.environ | {MARK: str(tmp_path), "HOME": str(tmp_path / "home")}


def processes(ours: dict[str, str]) -> Iterator[tuple[int, str]]:
    """What runs in an environment: id and title."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"{MARK}={ours[MARK]}\0".encode() in (folder / "environ").read_bytes():
                yield int(folder.name), (folder / "cmdline").read_text("utf-8", "replace")


def assert_nothing_left(ours: dict[str, str]) -> None:
    deadline = time.monotonic() + GONE_SECONDS
    while left := list(processes(ours)):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
    assert not list(Path(ours["HOME"]).rglob("*ray*"))


def started(ours: dict[str, str], *words: object) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, *map(str, words)]
    return subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, env=ours, start_new_session=True
    )


def done(process: subprocess.Popen[str]) -> str:
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return said


@needs_ray
def test_each_order_is_done_once_and_a_poisonous_one_fails_alone(
    tmp_path: Path, ours: dict[str, str]
) -> None:
    (tmp_path / "here").mkdir()
    # nobody looks for modules where a batch is started
    (tmp_path / "here" / "torch.py").write_text("raise SystemExit('the wrong torch')")
    code = f"import os; os.chdir({str(tmp_path / 'here')!r})\n{PRETEND}"
    (line,) = done(started(ours, "-P", "-c", code)).splitlines()  # none of Ray's own
    found: dict[str, Any] = json.loads(line)
    states = {key: state for key, (state, *_) in found.items()}
    assert states == dict.fromkeys(found, "done") | {"poison": "failed", "bad": "failed"}
    assert found["poison"][1:4] == [
        3, "poison: its worker died 3 times, last by WorkerCrashedError", 75,
    ]  # fmt: skip
    assert found["bad"][1:4] == [0, "bad.mp4: damaged", 1]
    assert found["once"][1] == 1
    threads = str(max(len(os.sched_getaffinity(0)) // 2, 1))
    seen = found["b"][4]
    assert seen == {
        "OMP_NUM_THREADS": threads, "NIGHTFX_CODEC_THREADS": threads, "RAY_AUTH_MODE": "token",
    }  # fmt: skip
    assert_nothing_left(ours)


# the real worker, whose first order ends as on a full disk; later ones say whether its process is still there
FULL = (
    PRETENCE
    + """
def serve(line, folder):
    from nightfx.batch.queue.cluster import serve_order
    def attempt_line(line, say):
        key = json.loads(line)
        say("frames", done=1, total=2)
        if key == "full":
            with open(f"{folder}/pid", "w") as file:
                file.write(str(os.getpid()))
            say("failed", error="full.mp4: disk full", code=75)
            return 75
        is_gone, until = False, time.monotonic() + 20
        while not is_gone and time.monotonic() < until:
            is_gone = not os.path.exists("/proc/" + open(f"{folder}/pid").read())
            time.sleep(0.1)
        say("done", facts={"is_gone": is_gone}, target=key)
        return 0
    yield from serve_order(line, folder, attempt_line)

tasks = [Task(Pretence(key)) for key in ("full", "a", "b")]
options = EngineOptions("ray", workers=1)
ready_ray(options)
from nightfx.batch.queue.cluster import run_on_ray
run_on_ray(tasks, options, lambda task: None, serve)
print(json.dumps({t.order.key: [t.state, t.tries, t.error, t.code, t.facts] for t in tasks}))
"""
)


@needs_ray
def test_a_worker_leaves_after_what_is_worth_retrying_and_others_go_on(
    tmp_path: Path, ours: dict[str, str]
) -> None:
    (tmp_path / "here").mkdir()
    code = f"import os; os.chdir({str(tmp_path / 'here')!r})\n{FULL}"
    (line,) = done(started(ours, "-P", "-c", code)).splitlines()
    found = json.loads(line)
    state, tries, *said = found["full"]
    assert [state, *said] == ["failed", "full.mp4: disk full", 75, {}]
    assert tries <= 1  # on a busy machine its word may come after the worker has left
    for key in "ab":
        assert found[key] == ["done", 0, "", 0, {"is_gone": True}]
    assert_nothing_left(ours)


def rendering(ours: dict[str, str]) -> list[int]:
    return [pid for pid, title in processes(ours) if title.startswith("ray::serve_order")]


def shots_in(folder: Path) -> Path:
    (folder / "day1").mkdir(parents=True)
    make_clip(folder / "a.mp4", replace(TINY, count=24, sound=True))
    make_clip(folder / "day1/b.mov", replace(TINY, codec="prores_ks", pix_fmt="yuv422p10le"))
    make_clip(folder / "day1/c.mp4", Clip(size=(64, 96), count=12))
    pictures(folder / "plates", count=4)
    return folder


@needs_ray
def test_whichever_workers_of_ray_are_killed_a_batch_ends_in_the_same_frames(
    tmp_path: Path, halving: Preset, ours: dict[str, str], pytestconfig: pytest.Config
) -> None:
    shots, dice = shots_in(tmp_path / "shots"), random.Random("ray")
    words = ["-m", "nightfx", "batch", shots, "--to", halving.folder, "--workers", 2, "--json"]
    done(started(ours, *words, "-o", tmp_path / "calm"))
    left = (
        pytestconfig.getoption("--moments") * 2 // 3
    )  # those of one batch, where none is asked for
    while left > 0:
        out, struck = tmp_path / f"run{left}", 0
        process = started(ours, *words, "-o", out, "--engine", "ray")
        # a shot is given up when it has lost three
        while struck < min(left, 2) and process.poll() is None:
            if victims := rendering(ours):
                time.sleep(dice.uniform(0, 3))
                with suppress(ProcessLookupError):
                    os.kill(dice.choice(victims), signal.SIGKILL)
                    struck += 1
            time.sleep(0.05)
        said = done(process)
        assert all(json.loads(line)["shot"] for line in said.splitlines())
        assert renders_in(out) == renders_in(tmp_path / "calm")
        assert len(renders_in(out)) == 7
        for name in renders_in(out):
            assert_same(tmp_path / "calm" / name, out / name)
        assert not list(out.rglob("*.part"))
        left -= max(struck, 1)
    assert_nothing_left(ours)


@needs_ray
def test_a_plan_on_ray_that_is_terminated_goes_on_elsewhere_to_the_same_bytes(
    tmp_path: Path, halving: Preset, ours: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SHORT.items():
        monkeypatch.setattr(borders, name, value)
    source = make_clip(tmp_path / "a.mp4", Clip(size=(64, 64), count=200, sound=True))
    plan, target = tmp_path / "plan.json", tmp_path / "b.mp4"
    options = RenderOptions.of(encode=EncodeOptions(speed="veryfast"))
    found = plan_render(source, plan, target=target, preset=halving, options=options)
    first = started(
        ours, *("-m", "nightfx", "farm", "run", plan, "--engine", "ray", "--workers", 1)
    )
    wait_for(lambda: any(tmp_path.glob(".b.mp4.nightfx/0000?.json")), first)
    first.send_signal(signal.SIGTERM)
    _, errors = first.communicate(timeout=120)
    assert first.returncode == 143, errors
    assert "Traceback" not in errors
    assert_nothing_left(ours)
    kept = len(list(tmp_path.glob(".b.mp4.nightfx/0*.json")))
    assert not list(tmp_path.rglob("*.part"))
    second = nightfx("farm", "run", plan, "--workers", 1, "--json")
    assert second.exit_code == 0, second.output
    lines = [json.loads(line) for line in second.stdout.splitlines()]
    ended = {line["shot"] for line in lines if line.get("state") == "done"}
    assert len(ended) + kept == len(found.starts or ())
    assert lines[-1] == {"target": str(target)}
    whole = render(source, tmp_path / "whole.mp4", preset=halving, options=options)
    assert target.read_bytes() == whole.read_bytes()


@needs_ray
def test_signals_are_told_from_errors_of_ray() -> None:
    from nightfx.batch.queue.cluster import signals_as_raised

    with pytest.raises(KeyboardInterrupt), signals_as_raised():
        raise SystemError("wait returned a result with an exception set") from KeyboardInterrupt()
    with pytest.raises(SystemError, match="bad"), signals_as_raised():
        raise SystemError("bad argument")


GPU_HOST, CPU_HOST = {"CPU": 16.0, "GPU": 2.0}, {"CPU": 64.0}


@needs_ray
@pytest.mark.parametrize(
    ("hosts", "options", "count", "cpus", "gpus"),
    [
        ([CPU_HOST], EngineOptions(), 16, 4, 0),
        ([{"CPU": 2.0}], EngineOptions(workers=3), 3, 1, 0),
        ([GPU_HOST, CPU_HOST], EngineOptions(), 2, 8, 1),
        ([GPU_HOST, CPU_HOST], EngineOptions(workers=4), 4, 4, 0.5),
        ([GPU_HOST, CPU_HOST], EngineOptions(workers=1), 1, 16, 1),
        ([GPU_HOST, CPU_HOST], EngineOptions(device="cpu"), 20, 4, 0),
        ([{"CPU": 8.0}, {"CPU": 2.0}], EngineOptions(workers=1), 1, 8, 0),
    ],
)
def test_no_task_asks_for_more_than_a_host_has(
    hosts: list[dict[str, float]], options: EngineOptions, count: int, cpus: int, gpus: float
) -> None:
    from nightfx.batch.queue.cluster import shares

    found, needs = shares(hosts, options)
    assert (found, needs["num_cpus"], needs["num_gpus"]) == (count, cpus, gpus)
    assert needs["runtime_env"]["env_vars"]["OMP_NUM_THREADS"] == str(cpus)


def test_workers_share_gpus_evenly() -> None:
    assert [share_of(2, count) for count in (1, 2, 3, 4, 5)] == [1, 1, 0.5, 0.5, 1 / 3]
    assert share_of(0, 4) == 0


@needs_ray
def test_a_cluster_that_has_nothing_or_does_not_answer_is_said() -> None:
    from nightfx.batch.queue.cluster import run_on_ray, shares

    with pytest.raises(RetryError, match="no CPUs"):
        shares([{"memory": 1.0}], EngineOptions("ray"))
    with socket.socket() as bound:  # and listens to nobody
        bound.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(RetryError, match=f"{address}: no Ray cluster answers there"):
            run_on_ray([task("a")], EngineOptions("ray", address=address), lambda task: None)


def test_what_is_no_engine_is_refused() -> None:
    with pytest.raises(UsageError, match="--engine must be local or ray, got 'dask'"):
        EngineOptions("dask")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="add --engine ray"):
        EngineOptions(address="head:6379")
    with pytest.raises(UsageError, match="must be HOST:PORT, or auto, got 'ray://head:1'"):
        EngineOptions("ray", address="ray://head:1")
    assert nightfx("batch", ".", "-o", "out", "--engine", "dask").exit_code == 2


# as where it is not installed
WITHOUT = """
import importlib.util, sys
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "ray" else found(name, package)
sys.modules["ray"] = None
from nightfx import cli
cli.main()
"""


def test_without_ray_all_else_works_and_a_line_says_what_to_install(tmp_path: Path) -> None:
    make_clip(tmp_path / "a.mp4", TINY)

    def call(*words: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", WITHOUT, *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    for words in (["--help"], ["batch", "--help"]):
        assert call(*words).returncode == 0
    refused = call("batch", tmp_path, "-o", tmp_path / "out", "--engine", "ray")
    assert refused.returncode == 2
    assert refused.stderr == f"error: --engine ray needs {install_words('farm')}\n"
    assert not (tmp_path / "out").exists()
