"""How a process that renders is set up."""

import ctypes
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from typer.testing import CliRunner

from nightfx import process
from nightfx.cli import app


@pytest.mark.parametrize(
    ("cores", "asked", "wanted"), [(2, None, "20000"), (2, "7", "7"), (16, None, None)]
)
def test_threads_wait_briefly_where_cores_are_few(
    cores: int, asked: str | None, wanted: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOMP_SPINCOUNT", asked or "")
    if asked is None:
        monkeypatch.delenv("GOMP_SPINCOUNT")
    monkeypatch.setattr(process, "cores", lambda: cores)
    process.set_up()
    assert os.environ.get("GOMP_SPINCOUNT") == wanted


@pytest.mark.parametrize(("system", "calls"), [("linux", [(0,)]), ("darwin", [])])
def test_free_pages_go_back_where_the_system_has_a_way(
    system: str, calls: list[tuple[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[tuple[int, ...]] = []
    library = SimpleNamespace(malloc_trim=lambda *numbers: found.append(numbers))
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    process.trim_heap()
    assert found == calls


def test_a_library_without_such_a_call_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[None] = []

    def library(name: None) -> SimpleNamespace:
        asked.append(name)
        return SimpleNamespace()

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", library)
    process.trim_heap()
    assert asked == [None]


@pytest.mark.parametrize(
    "words",
    [
        ("train", "--day", "{few}", "--night", "{few}", "--out", "{few}/run"),
        ("reproduce", "paper-1", "--data", "{few}", "--out", "{few}/run"),
        ("presets", "distill", "night", "--stills", "{few}", "--out", "{few}/draft"),
    ],
)
def test_commands_that_train_wait_briefly_too(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOMP_SPINCOUNT", "")
    monkeypatch.delenv("GOMP_SPINCOUNT")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(process, "cores", lambda: 2)
    for name in ("day", "night"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (8, 8)).save(tmp_path / name / "a.png")
    CliRunner().invoke(app, [word.format(few=tmp_path) for word in words])
    assert os.environ.get("GOMP_SPINCOUNT") == "20000"
