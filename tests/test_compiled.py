"""Kernels that came compiled: what was packed once runs elsewhere as it is, where nothing can be written too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.pack_kernels import gather

KERNEL = """
import numpy as np
from nightfx.picture import color, compiled
heard = []
compiled.watch_compiling(lambda: heard.append(1))
assert color.code_of(1.3, np.float32(0.5), 255) == 1
print("compiled" if heard else "ready")
"""


def said(**env: str) -> str:
    """Whether a process of its own had to compile a kernel."""
    done = subprocess.run(
        [sys.executable, "-c", KERNEL],
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kernels")
    assert said(NUMBA_CACHE_DIR=str(folder / "kept")) == "compiled"
    assert gather(folder / "kept", folder / "ready") > 0
    return folder / "ready"


def test_what_was_packed_is_not_compiled_again(ready: Path, tmp_path: Path) -> None:
    assert said(NIGHTFX_KERNELS=str(ready), NUMBA_CACHE_DIR=str(tmp_path / "own")) == "ready"
    assert not list(tmp_path.rglob("*.nb?"))


def test_what_was_not_packed_is_compiled(tmp_path: Path) -> None:
    for packed in (tmp_path, tmp_path / "none"):
        own = str(tmp_path / f"own {packed.name}")
        assert said(NIGHTFX_KERNELS=str(packed), NUMBA_CACHE_DIR=own) == "compiled"


def test_what_was_packed_of_another_version_is_compiled(ready: Path, tmp_path: Path) -> None:
    for index in ready.rglob("*.nbi"):
        other = tmp_path / index.relative_to(ready)
        other.parent.mkdir(parents=True, exist_ok=True)
        other.write_bytes(index.read_bytes().replace(b"code_of", b"cade_of"))
    assert said(NIGHTFX_KERNELS=str(tmp_path), NUMBA_CACHE_DIR=str(tmp_path / "own")) == "compiled"


def test_a_machine_keeps_what_it_compiled(tmp_path: Path) -> None:
    kept = {"NUMBA_CACHE_DIR": str(tmp_path), "NIGHTFX_KERNELS": str(tmp_path / "none")}
    assert [said(**kept) for _ in range(2)] == ["compiled", "ready"]
