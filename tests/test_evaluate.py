"""`nightfx evaluate`: pairs by name, figures of renders, JSON, sheet, and errors of one line."""

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from media import Clip, make_clip
from PIL import Image
from typer.testing import CliRunner, Result

from nightfx.cli import app
from nightfx.errors import SourceError, UsageError
from nightfx.quality.evaluate import EvaluateOptions, evaluate
from nightfx.quality.figures import FigureRow
from nightfx.quality.files import find_pairs
from nightfx.quality.table import COLUMNS


def street(seed: int, *, night: bool = False, lamps: int = 0) -> np.ndarray:
    """A bright or dark sky over a textured street, (96, 128, 3), with painted lamps."""
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.full((48, 128), 0.85), rng.uniform(0.36, 0.42, (48, 128))])
    y = np.where(np.arange(96)[:, None] < 48, 0.06, 0.75 * y) if night else y
    for i in range(lamps):
        y[60:64, 10 + 20 * i : 14 + 20 * i] = 0.98
    return (y[..., None] * (1, 0.97, 0.9) * 255).round().astype(np.uint8)


def save(pixels: np.ndarray, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Three plates, their renders (one with two invented lamps), eight nights of two sources."""
    plates, renders, nights = (tmp_path / name for name in ("plates", "renders", "nights"))
    for i in range(3):
        save(street(i), plates / "site" / f"shot{i}.png")
        night = street(i, night=True, lamps=2 * (i == 1))
        save(night, renders / "site" / f"shot{i}.night.png")
    for i in range(8):
        save(street(50 + i, night=True), nights / f"source{i % 2}" / f"{i}.png")
    return plates, renders, nights


def nightfx(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_renders_are_nearer_to_nights_than_plates(folders: tuple[Path, Path, Path]) -> None:
    report = evaluate(*folders)
    plates, renders, floor = report.rows
    assert [row.name for row in report.rows] == ["plates", "renders", "real, halves"]
    assert renders.distance < 0.3 * plates.distance
    assert floor.distance < renders.distance < plates.distance
    assert renders.structure is not None
    assert renders.structure > 0.6
    assert renders.invented == pytest.approx(10 * 2 / 3)
    assert renders.seams is None  # pictures smaller than a tile
    assert report.real.range.brightness[0] < renders.brightness < plates.brightness


def test_every_figure_has_a_column() -> None:
    figures = {field.name for field in fields(FigureRow)} - {"name", "pictures"}
    assert {name for _, name, _, _ in COLUMNS} == figures


def test_the_command_prints_a_table_and_writes_json_and_a_sheet(
    folders: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    out, sheet = tmp_path / "out.json", tmp_path / "out.png"
    words = [
        x for pair in zip(("--plates", "--renders", "--nights"), folders, strict=True) for x in pair
    ]
    result = nightfx("evaluate", *words, "--json", out, "--sheet", sheet, "--tile-px", 64)
    assert result.exit_code == 0, result.output
    assert "not comparable with published figures" in result.output
    assert "8 real pictures are few" in result.output
    facts = json.loads(out.read_text())
    assert [p["name"] for p in facts["pictures"]] == [f"site/shot{i}.night.png" for i in range(3)]
    assert [p["invented"] for p in facts["pictures"]] == [0, 2, 0]
    assert all(0.5 < p["seams"] < 1.5 for p in facts["pictures"])
    with Image.open(sheet) as image:
        assert image.width > 1000
    assert sorted(p.name for p in tmp_path.iterdir() if "part" in p.name) == []


def test_a_clip_is_one_picture_among_others_and_flickers(tmp_path: Path) -> None:
    for name in ("plates", "renders", "nights"):
        (tmp_path / name).mkdir()
    make_clip(tmp_path / "plates" / "shot.mov", Clip(count=30))
    make_clip(tmp_path / "renders" / "shot.night.mp4", Clip(count=30))
    for i in range(4):
        save(street(i, night=True), tmp_path / "nights" / f"{i}.png")
    folders = [tmp_path / name for name in ("plates", "renders", "nights")]
    report = evaluate(*folders, options=EvaluateOptions(frames=26))
    assert [x.render.name for x, _ in report.pictures] == ["shot.night.mp4:0", "shot.night.mp4:24"]
    assert [x.render.share for x, _ in report.pictures] == [0.5, 0.5]
    assert report.rows[1].flicker == pytest.approx(1, abs=0.1)
    assert report.rows[1].structure == pytest.approx(1, abs=0.02)


def test_names_decide_what_belongs_together(folders: tuple[Path, Path, Path]) -> None:
    plates, renders, _ = folders
    save(street(9), plates / "other.jpg")
    save(street(9), renders / "stray.png")
    save(street(9), renders / ".hidden" / "shot0.png")
    pairs, notes = find_pairs(plates, renders)
    assert [(p.name, p.source, p.plate.name) for p in pairs] == [
        (f"site/shot{i}.night.png", "site", f"shot{i}.png") for i in range(3)
    ]
    assert notes == ["1 plates have no render: other.jpg", "1 renders have no plate: stray.png"]


def test_two_plates_of_one_name_are_refused(folders: tuple[Path, Path, Path]) -> None:
    plates, renders, _ = folders
    save(street(9), plates / "site" / "shot1.jpg")
    with pytest.raises(SourceError, match=r"shot1\.jpg and shot1\.png are two plates of one name"):
        find_pairs(plates, renders)


def test_bad_folders_and_files_are_one_line(
    folders: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    plates, renders, nights = folders
    empty = tmp_path / "empty"
    empty.mkdir()
    one = save(street(1), tmp_path / "one" / "x.png").parent
    small = save(street(1)[:50], tmp_path / "small" / "site" / "shot1.png").parents[1]
    text = tmp_path / "text" / "site"
    text.mkdir(parents=True)
    (text / "shot1.png").write_text("a sentence")
    cases: list[tuple[list[Path], str, int]] = [
        ([plates, renders, tmp_path / "none"], "no such folder", 1),
        ([plates, renders, empty], "no pictures or clips", 1),
        ([plates, one, nights], "no render is named as a plate: x.png", 1),
        ([plates, small, nights], "is 128x50, and its plate", 1),
        ([plates, text.parent, nights], "not readable as a picture", 1),
        ([plates, renders, one], "give 2 or more", 2),
    ]
    for paths, message, code in cases:
        words = [
            x
            for pair in zip(("--plates", "--renders", "--nights"), paths, strict=True)
            for x in pair
        ]
        result = nightfx("evaluate", *words)
        assert result.exit_code == code, result.output
        assert message in result.stderr
        assert result.stderr.count("error:") == 1


def test_targets_are_checked_before_anything_is_measured(
    folders: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    words = [
        x for pair in zip(("--plates", "--renders", "--nights"), folders, strict=True) for x in pair
    ]
    assert nightfx("evaluate", *words, "--json", tmp_path / "file/x.json").exit_code == 1
    assert nightfx("evaluate", *words, "--sheet", "sheet.jpg").exit_code == 2


def test_a_large_picture_is_refused_by_its_size(folders: tuple[Path, Path, Path]) -> None:
    with pytest.raises(SourceError, match="more than 100 pixels"):
        evaluate(*folders, options=EvaluateOptions(max_pixels=100))


def test_real_pictures_are_a_set(folders: tuple[Path, Path, Path], tmp_path: Path) -> None:
    one = save(street(1), tmp_path / "one" / "x.png").parent
    with pytest.raises(UsageError, match="give 2 or more"):
        evaluate(folders[0], folders[1], one)
