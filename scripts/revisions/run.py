"""Run `python -m nightfx` as a checkout has it, in a clean folder that is named alike for every revision."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from revisions.kinds import Kind, Step

# so that sums are taken in the same order, and encoders cut pictures alike
FIXED = {"OMP_NUM_THREADS": "1", "NIGHTFX_CODEC_THREADS": "2"}
LONGEST_SECONDS = 600
POLL_SECONDS = 0.005


class StepError(Exception):
    """A command ended otherwise than it should: which revision's, and what it said last."""


@dataclass(frozen=True)
class Revision:
    """A checkout of the project."""

    name: str
    checkout: Path

    @property
    def environment(self) -> dict[str, str]:
        """Environment in which Python imports this checkout's `nightfx`."""
        return os.environ | FIXED | {"PYTHONPATH": str(self.checkout)}

    def check(self) -> None:
        """Raise StepError unless Python imports `nightfx` from the checkout."""
        call = [sys.executable, "-P", "-c", "import nightfx; print(nightfx.__file__)"]
        said = subprocess.run(call, env=self.environment, capture_output=True, text=True)
        if not said.stdout.startswith(f"{self.checkout}/"):
            raise StepError(
                f"{self.checkout}: not imported from there: {said.stdout or said.stderr}"
            )


def results_of(kind: Kind, revision: Revision, inputs: Path, scratch: Path) -> Path:
    """Do the steps of a kind; returns the folder of results. Raises StepError."""
    results = scratch / revision.name
    room = scratch / "room"  # one path for all revisions, as some files name where they were made
    shutil.copytree(inputs, room / "in", copy_function=os.link)
    (room / "out").mkdir()
    steps = kind.old_steps if kind.old_steps and revision.name == "old" else kind.steps
    for step in steps:
        _do(step, revision, room)
    (room / "out").rename(results)
    shutil.rmtree(room)
    return results


def _do(step: Step, revision: Revision, room: Path) -> None:
    call = [sys.executable, "-m", "nightfx", *step.words]
    told = room / "errors.txt"
    with told.open("w") as errors:
        streams = {"stdout": subprocess.DEVNULL, "stderr": errors}
        process = subprocess.Popen(call, cwd=room, env=revision.environment, **streams)  # type: ignore[call-overload]  # streams both
        try:
            code = _kill_at(step.kill_at, process, room) if step.kill_at else _end(process)
        finally:
            process.kill()
    if code is None:
        raise StepError(f"{revision.name}: did not end within {LONGEST_SECONDS} s")
    if step.kill_at and code != -signal.SIGKILL:
        raise StepError(f"{revision.name}: exit {code} before it was killed at {step.kill_at}")
    if code and not step.kill_at:
        last = told.read_text(encoding="utf-8").strip().splitlines()[-1:]
        raise StepError(f"{revision.name}: exit {code}: {' '.join(last)}")


def _end(process: subprocess.Popen[bytes]) -> int | None:
    try:
        return process.wait(LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        return None


def _kill_at(pattern: str, process: subprocess.Popen[bytes], room: Path) -> int | None:
    while process.poll() is None and not any(room.glob(pattern)):
        time.sleep(POLL_SECONDS)
    process.kill()
    return process.wait()
