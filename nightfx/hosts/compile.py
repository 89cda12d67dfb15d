"""Compile the plugins from the C that comes with nightfx, where a compiler is."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from nightfx.errors import UsageError

NATIVE = Path(__file__).parent / "native"
CORE = tuple(NATIVE / f"{name}.c" for name in ("file", "record", "cells", "frame", "lamp", "light"))
"""The sources that every plugin has."""
_COMPILERS = "cc", "gcc", "clang"
_FLAGS = "-std=c11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra"


def find_compiler() -> str | None:
    """Return the path of a C compiler, `CC` before all others; None where there is none."""
    named = [os.environ["CC"]] if os.environ.get("CC") else []
    return next((path for name in (*named, *_COMPILERS) if (path := shutil.which(name))), None)


def compile_library(
    sources: Iterable[Path], target: Path, *, flags: Sequence[str] = (), exports_all: bool = False
) -> None:
    """Compile sources and the core into a shared library; raises UsageError where that cannot be done here."""
    compiler = find_compiler()
    if compiler is None:
        words = "needs a C compiler: install gcc or clang (Debian, Ubuntu: build-essential)"
        raise UsageError(f"{target.name}: {words}")
    shown = [flag for flag in _FLAGS if not (exports_all and flag == "-fvisibility=hidden")]
    files = [str(path) for path in (*CORE, *sources)]
    done = subprocess.run(
        [compiler, *shown, *flags, *files, "-o", str(target), "-lm"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        line = next((x for x in done.stderr.splitlines() if "error" in x), done.stderr[:200])
        raise UsageError(f"{target.name}: {compiler} does not compile it: {line}")
