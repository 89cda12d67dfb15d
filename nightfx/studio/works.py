"""Renders that a page starts: the command line's own, in a process of their own, told of by its lines of JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nightfx.options import find_option

_SAID_LINES = 12
_ENDING_SECONDS = 20.0
_OF_A_LOOP = ("source", "light", "field", "look")  # the rest is of files that are kept


class Work:
    """One call of nightfx, going on or over."""

    def __init__(self, words: Sequence[str], on_line: Callable[[dict[str, Any]], None]) -> None:
        self.words, self._on_line = [*words], on_line
        self.lines: deque[str] = deque(maxlen=_SAID_LINES)
        """What it said, but for its progress."""
        self.cancelled = False
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "nightfx", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, "PYTHONPATH": _path()},
        )
        self._reading = threading.Thread(target=self._read, name="nightfx-work", daemon=True)
        self._reading.start()

    @property
    def code(self) -> int | None:
        """How it ended; None while it goes on."""
        return None if self._reading.is_alive() else self.process.wait()

    def cancel(self) -> None:
        """Ask it to end; what is done of a long render stays for the next call."""
        self.cancelled = True
        self.process.terminate()

    def close(self) -> None:
        """End it, and wait until it has."""
        if self.process.poll() is None:
            self.cancel()
        try:
            self.process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._reading.join()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                told = json.loads(line)
            except ValueError:
                told = None
            if isinstance(told, dict):
                self._on_line(told)
            else:
                self.lines.append(line.rstrip())
        self.process.wait()


def _path() -> str:
    """The path on which this very nightfx is found, whatever folder the work is in."""
    here = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH", "")]))


def batch_words(root: Path, out: Path, names: Sequence[str]) -> list[str]:
    """The words of `nightfx batch` for these shots of a folder, by globs of their paths."""
    asked = [word for name in names for word in ("--include", name)]
    return ["batch", str(root), "-o", str(out), *asked, "--json"]


def loop_words(
    source: Path, target: Path, to: str, flags: Mapping[str, Any], frames: tuple[int, int]
) -> list[str]:
    """The words of `nightfx render` for a part of a shot, as a browser plays it."""
    words = ["render", str(source), "-o", str(target), "--to", to]
    for key, value in flags.items():
        group, one = find_option(key)
        if group in _OF_A_LOOP and key not in ("start", "end"):
            words += _words(one.flag, value)
    words += ["--frames", f"{frames[0]}-{frames[1]}", "--codec", "h264", "--speed", "veryfast"]
    return [*words, "--depth", "8", "--overwrite", "--json"]


def _words(flag: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [flag] if value else []
    if isinstance(value, list | tuple):
        value = ",".join(f"{frame}:{number}" for frame, number in value)
    return [f"{flag}={value}"]
