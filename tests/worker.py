"""Run `nightfx` for each line of arguments on standard input, in one process; answer each with a line of JSON.

One process serves many files because torch takes seconds to import; where it dies or hangs, the one who asked knows
which file it was, and starts another.
"""

from __future__ import annotations

import json
import os
import queue
import resource
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

PROGRAM_ERROR = "--debug shows where"  # how the command line ends what nobody expected
ANSWER = "answer:"  # an encoder may print lines of its own


@dataclass(frozen=True)
class Answer:
    """How one call ended."""

    code: int | None
    """Its exit code; None where the process died or ran out of time."""
    stderr: str
    """What it printed there, or how the process ended."""
    peak_mb: int = 0
    """The most memory that the process has held so far."""

    @property
    def refusal(self) -> str | None:
        """The one line of a call that refused its input; None for any other ending."""
        lines = [line for line in self.stderr.splitlines() if line.startswith("error: ")]
        clean = len(lines) == 1 and PROGRAM_ERROR not in self.stderr
        return lines[0] if self.code == 1 and clean and "Traceback" not in self.stderr else None


class Worker:
    """A process that answers calls, started anew where one ended it."""

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout = timeout_seconds
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str | None] = queue.Queue()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._end()

    def call(self, *words: object) -> Answer:
        """Call `nightfx` with these words and wait for its end."""
        process = self._started()
        assert process.stdin is not None
        process.stdin.write(json.dumps([str(word) for word in words]) + "\n")
        process.stdin.flush()
        try:
            line = self._lines.get(timeout=self._timeout)
        except queue.Empty:
            self._end()
            return Answer(None, f"no answer within {self._timeout:g} s")
        if line is None:
            code = process.wait()
            self._end()
            return Answer(None, f"the process died ({code})")
        return Answer(**json.loads(line))

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            command = [sys.executable, "-X", "faulthandler", __file__]
            pipe = subprocess.PIPE
            paths = [str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
            env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
            self._process = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, text=True, env=env, errors="replace"
            )
            self._lines = queue.Queue()
            threading.Thread(target=_listen, args=(self._process, self._lines), daemon=True).start()
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _listen(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(ANSWER):
            lines.put(line.removeprefix(ANSWER))
    lines.put(None)


def main() -> None:
    """Answer until standard input ends."""
    import torch
    from typer.testing import CliRunner

    from nightfx.cli import app

    torch.set_num_threads(1)
    for line in sys.stdin:
        result = CliRunner().invoke(app, json.loads(line))
        answer: dict[str, Any] = {"code": result.exit_code, "stderr": result.stderr}
        answer["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        print(f"{ANSWER}{json.dumps(answer)}", file=sys.__stdout__, flush=True)


if __name__ == "__main__":
    main()
