"""A preset on one screen, and its picture in characters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import preset_of
from PIL import Image
from typer.testing import CliRunner

from nightfx.cli import app
from nightfx.cli.own.shown import PICTURE, half_blocks, screen
from nightfx.network import RelitGenerator, list_presets

_LINES, _COLUMNS = 40, 120


def shown(*words: object) -> str:
    result = CliRunner().invoke(app, ["presets", "show", *map(str, words)])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_every_preset_is_one_screen_with_a_picture() -> None:
    for preset in list_presets():
        text = shown(preset.name)
        lines = text.splitlines()
        assert len(lines) + 11 <= _LINES, "the picture takes 11 lines"
        assert max(map(len, lines)) <= _COLUMNS
        assert preset.facts.description in text
        assert "What it gets wrong" in text
        assert f"nightfx presets show {preset.name} --full" in text
        assert (preset.folder / PICTURE).stat().st_size < 10_000
        assert "\x1b" not in text, "no terminal, no picture"


def test_the_whole_card_is_there_when_asked_for() -> None:
    text = shown("night", "--full")
    assert "licence" in text
    assert "weights_sha256" in text


def test_a_picture_is_two_pixels_a_character(tmp_path: Path) -> None:
    pixels = np.zeros((2, 2, 3), np.uint8)
    pixels[0, 0], pixels[1, 1] = (255, 0, 0), (0, 0, 255)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    (line,) = half_blocks(tmp_path / "a.png", 2)
    first, second = line.removesuffix("\x1b[0m").split("\u2580")[:2]
    assert first == "\x1b[38;2;255;0;0m\x1b[48;2;0;0;0m"
    assert second == "\x1b[38;2;0;0;0m\x1b[48;2;0;0;255m"


def test_a_terminal_of_many_colours_shows_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    (night,) = (x for x in list_presets() if x.name == "night")
    monkeypatch.setenv("COLORTERM", "truecolor")
    assert next(iter(screen(night))).count("\u2580") == 76
    monkeypatch.setenv("NO_COLOR", "1")
    assert not any("\u2580" in line for line in screen(night))


def test_a_card_tells_the_first_sentence_of_each_point(tmp_path: Path) -> None:
    preset = preset_of(tmp_path / "own", RelitGenerator(), "relit")
    card = "# own\n\n## What it gets wrong\n\nSeen on two clips.\n\n- One thing\n  of two lines. More.\n- Another.\n\n## Else\n\n- no\n"
    (preset.folder / "CARD.md").write_text(card)
    lines = list(screen(preset))
    at = lines.index("What it gets wrong")
    assert lines[at + 1 : at + 3] == ["- One thing of two lines.", "- Another."]
    assert not any("Seen" in line or line == "- no" for line in lines)
