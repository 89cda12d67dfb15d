"""Plugins put where hosts look, and taken away again: what is said, and what is left."""

from __future__ import annotations

from pathlib import Path

import pytest
from native import needs_compiler
from typer.testing import CliRunner

from nightfx.cli import app

NAMES = "frei0r", "ofx"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def said(*words: object, code: int = 0) -> str:
    ended = CliRunner().invoke(app, ["hosts", *(str(word) for word in words)])
    assert ended.exit_code == code, ended.output
    return str(ended.output)


@needs_compiler
@pytest.mark.parametrize("name", NAMES)
def test_a_fresh_home_is_left_as_it_was(name: str, home: Path) -> None:
    assert f"{name}: not installed" in said("list")
    place = Path(said("install", name).splitlines()[0])
    assert place.is_file()
    assert home in place.parents
    assert f"{name}: installed" in said("list")
    assert f"{place} loads" in said("doctor")
    said("install", name)
    said("uninstall", name)
    assert list(home.rglob("*")) == []


@needs_compiler
def test_a_folder_that_is_named_stays(tmp_path: Path, home: Path) -> None:
    own = tmp_path / "plugins"
    own.mkdir()
    said("install", "ofx", "--into", own)
    assert (own / "nightfx.ofx.bundle/Contents/Linux-x86-64/nightfx.ofx").is_file()
    said("uninstall", "ofx", "--into", own)
    assert list(own.iterdir()) == []
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_dry_run_does_nothing(name: str, home: Path) -> None:
    assert "would compile" in said("install", name, "--dry-run")
    assert "would remove" in said("uninstall", name, "--dry-run")
    assert list(home.rglob("*")) == []


def test_a_plugin_that_does_not_load_is_told(home: Path) -> None:
    (home / ".frei0r-1/lib").mkdir(parents=True)
    (home / ".frei0r-1/lib/nightfx.so").write_bytes(b"no library")
    assert "does not load" in said("doctor", code=1)


def test_without_a_compiler_it_says_what_to_install(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    assert "install gcc or clang" in said("install", "frei0r", code=2)
    assert "no C compiler" in said("doctor")
    assert list(home.rglob("*")) == []


@needs_compiler
def test_what_does_not_compile_leaves_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "false")
    assert "does not compile" in said("install", "ofx", code=2)
    assert list(home.rglob("*")) == []


def test_what_is_not_there_is_said(home: Path) -> None:
    assert "unknown host 'premiere': frei0r or ofx" in said("install", "premiere", code=2)
    assert "is not installed" in said("uninstall", "ofx", code=2)
