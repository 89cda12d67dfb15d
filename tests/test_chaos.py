"""A batch whose workers and parent are killed at random moments ends in the same frames; `--moments 20` kills more."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from itertools import count, cycle
from os import kill
from pathlib import Path

import numpy as np
import pytest
from media import Clip, make_clip
from PIL import Image
from test_batch import TINY, command, pictures
from test_render import frames_of

from nightfx.network.presets import Preset

KILLS_A_BATCH = 3
LATEST_SECONDS = 3.0  # after work has begun: about as long as it takes
WHOM = ("workers", "batch", "all")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds workers in /proc")


def six_shots(folder: Path) -> Path:
    (folder / "day1" / "late").mkdir(parents=True)
    make_clip(folder / "a.mp4", replace(TINY, count=24, sound=True))
    make_clip(folder / "b.mkv", replace(TINY, codec="ffv1"))
    make_clip(folder / "day1/c.mov", replace(TINY, codec="prores_ks", pix_fmt="yuv422p10le"))
    make_clip(folder / "day1/d.mp4", Clip(size=(64, 96), count=12))
    make_clip(folder / "day1/late/e.mp4", replace(TINY, count=6))
    pictures(folder / "plates", count=4)
    return folder


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    with suppress(OSError):
        return [int(word) for word in children.read_text(encoding="ascii").split()]
    return []


def strike(process: subprocess.Popen[str], dice: random.Random, whom: str) -> str:
    """Kill some of its workers, the batch, or all at once; what was hit, empty for nothing."""
    victims = workers_of(process)[: dice.choice((1, 2))] if whom != "batch" else []
    victims += [process.pid] if whom != "workers" else []
    for pid in victims:
        with suppress(ProcessLookupError):
            kill(pid, signal.SIGKILL)
    return f"{whom} ({len(victims)})" if victims else ""


def disturbed(shots: Path, out: Path, preset: Preset, dice: random.Random, kills: int) -> list[str]:
    """Render with so many kills at most, beginning anew where the batch itself is hit; what was hit."""
    struck: list[str] = []
    whom = cycle(dice.sample(WHOM, len(WHOM)))
    while True:
        process = command(shots, out, preset)
        while len(struck) < kills and begun(process, out):
            time.sleep(dice.uniform(0, LATEST_SECONDS))
            if process.poll() is None and (hit := strike(process, dice, next(whom))):
                struck.append(hit)
        _, errors = process.communicate(timeout=300)
        if process.returncode == 0:
            return struck
        assert process.returncode == -signal.SIGKILL, errors


def begun(process: subprocess.Popen[str], out: Path) -> bool:
    """Wait until a worker of this batch is at a shot; False where it has ended."""
    deadline = time.monotonic() + 300  # a busy machine is slow to start
    while process.poll() is None:
        assert time.monotonic() < deadline
        pids = workers_of(process)
        leases = out.rglob("*.lease.*")
        if any(f'"pid": {pid}' in text_of(lease) for lease in leases for pid in pids):
            return True
        time.sleep(0.02)
    return False


def text_of(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(encoding="utf-8")
    return ""


def renders_in(out: Path) -> list[Path]:
    return sorted(path.relative_to(out) for path in out.rglob("*.halving.*"))


def assert_same(a: Path, b: Path) -> None:
    if a.suffix == ".png":
        assert np.array_equal(np.asarray(Image.open(a)), np.asarray(Image.open(b)))
        return
    pairs = list(zip(frames_of(a), frames_of(b), strict=True))
    assert pairs
    for one, other in pairs:
        assert one.pts == other.pts
        assert all(np.array_equal(p, q) for p, q in zip(one.planes, other.planes, strict=True))


def test_killed_at_any_moment_a_batch_ends_in_the_same_frames(
    tmp_path: Path, halving: Preset, pytestconfig: pytest.Config
) -> None:
    shots, calm = six_shots(tmp_path / "shots"), tmp_path / "calm"
    process = command(shots, calm, halving)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    left, runs = pytestconfig.getoption("--moments"), count()
    while left > 0:
        out = tmp_path / f"run{next(runs)}"
        struck = disturbed(shots, out, halving, random.Random(out.name), min(KILLS_A_BATCH, left))
        left -= len(struck)
        print(f"{out.name}: {', '.join(struck)}")  # noqa: T201 - shown where it fails
        assert len(renders_in(calm)) == 9
        assert renders_in(out) == renders_in(calm)
        for name in renders_in(calm):
            assert_same(calm / name, out / name)
        assert not list(out.rglob("*.part"))
