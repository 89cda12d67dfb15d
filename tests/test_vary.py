"""Sheets of several frames and of values: how many tiles, of which size, named how, and each what a render gives."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import FACTS
from media import VFR, Clip, make_clip
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

import nightfx
from nightfx import RenderOptions
from nightfx.cli import app
from nightfx.errors import PresetError, UsageError
from nightfx.network.model import RelitGenerator
from nightfx.network.presets import Preset, load_preset
from nightfx.network.saved import save_preset
from nightfx.options.look import Look
from nightfx.preview.lit import render, render_variants
from nightfx.preview.pick import Asked, pick_frame, pick_frames
from nightfx.preview.preview import preview
from nightfx.preview.sheet import GAP, HEAD, LABEL, LINE, MARGIN, MARK, Cell, draw_sheet
from nightfx.preview.shown import to_pixels, view
from nightfx.preview.vary import MOST, Variant, variants_of, vary_from

Pixels = NDArray[np.uint8]
NONE = RenderOptions()
SIZE = (96, 128)  # lines and columns: a sheet's widest picture is 800 px wide


@pytest.fixture
def still(tmp_path: Path) -> Path:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    ramp = np.stack([60 + x, 40 + y, 30 + (x + y) // 2], -1).astype(np.uint8)
    Image.fromarray(ramp).save(tmp_path / "still.png")
    return tmp_path / "still.png"


@pytest.fixture
def bright(tmp_path: Path) -> Preset:
    """A preset whose look has an exposure of its own."""
    generator, look = RelitGenerator(), Look(exposure=0.5)
    save_preset(tmp_path / "bright", generator, "# bright\n", name="bright", look=look, **FACTS)
    return load_preset(tmp_path / "bright")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[list[Cell]]]]:
    """The facts and rows of sheets as they are drawn."""
    sheets = []

    def note(title: str, facts: str, rows: list[list[Cell]]) -> Pixels:
        sheets.append((facts, rows))
        return draw_sheet(title, facts, rows)

    monkeypatch.setattr("nightfx.preview.several.draw_sheet", note)
    return sheets


def told(*words: object) -> str:
    result = CliRunner().invoke(app, ["preview", *map(str, words)])
    assert result.exit_code == UsageError.exit_code, result.output
    return result.stderr.splitlines()[-1].removeprefix("error: ")


def pixels_of(path: Path) -> Pixels:
    read = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert read is not None
    return np.asarray(read[..., ::-1])


def tile(sheet: Pixels, row: int, column: int, size: tuple[int, int], second: int = 0) -> Pixels:
    """A picture of (height, width) on a sheet whose labels have a second line or not."""
    height, width = size
    top = HEAD + row * (height + LABEL + second + GAP)
    left = MARGIN + column * (width + GAP)
    return sheet[top : top + height, left : left + width]


def shown(picture: Path, size: tuple[int, int]) -> NDArray[np.int64]:
    """A picture of a file at the size that it has on a sheet, (height, width)."""
    pixels = pixels_of(picture).astype(np.float32)
    smaller = size[0] < pixels.shape[0]
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    sized = cv2.resize(pixels, size[::-1], interpolation=how)
    rounded: NDArray[np.int64] = np.rint(sized.clip(0, 255)).astype(np.int64)
    return rounded


def frame_of(clip: Path, number: int, size: tuple[int, int]) -> Pixels:
    """A frame of a clip as a sheet shows it, by its number, (height, width)."""
    picked = pick_frame(clip, NONE, number, None)
    return to_pixels(view(picked, picked.frame), size[1], size[0])


def assert_shows(tile: Pixels, picture: Path) -> None:
    wanted = shown(picture, (tile.shape[0], tile.shape[1]))
    assert np.abs(tile - wanted).max() <= 1


# several frames


def test_frames_go_from_the_first_to_the_last_and_three_have_the_middle_one(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", Clip(count=12))
    numbers = [
        [x.number for x in pick_frames(clip, NONE, Asked(frames=count))] for count in (2, 3, 5, 12)
    ]
    middle = pick_frame(clip, NONE, None, None).number
    assert numbers[:3] == [[1001, 1012], [1001, middle, 1012], [1001, 1004, 1007, 1009, 1012]]
    assert numbers[3] == list(range(1001, 1013))


def test_frames_of_a_clip_of_any_rate_and_of_files_are_those_of_their_numbers(
    tmp_path: Path,
) -> None:
    clip = make_clip(tmp_path / "a.mkv", Clip("ffv1", times=VFR))
    picks = pick_frames(clip, NONE, Asked(frames=4))
    assert [x.number for x in picks] == [1001, 1004, 1007, 1010]
    seconds = [(x.frame.pts - picks[0].frame.pts) * x.frame.time_base for x in picks]
    wanted = [Fraction(VFR[i] - VFR[0], 24000) for i in (0, 3, 6, 9)]
    assert max(abs(a - b) for a, b in zip(seconds, wanted, strict=True)) < Fraction(1, 900)
    for i in range(5):
        Image.new("RGB", (32, 24), (40 * i, 0, 0)).save(tmp_path / f"b.{1007 + i}.png")
    picks = pick_frames(tmp_path / "b.####.png", NONE, Asked(frames=3))
    assert [x.number for x in picks] == [1007, 1009, 1011]
    assert [x.frame.planes[0][0, 0] for x in picks] == [0, 80, 160]


def test_frames_stand_in_rows_named_by_number_and_timecode_each_as_it_is_rendered(
    tmp_path: Path, halving: Preset, drawn: list[Any]
) -> None:
    clip = make_clip(tmp_path / "a.mov", Clip(count=5, size=SIZE, timecode="01:00:00:00"))
    out = preview(clip, preset=halving, frames=3)
    ((facts, rows),) = drawn
    assert "3 frames, 1001 to 1005" in facts
    names = [[cell.name for cell in row] for row in rows]
    assert names == [
        [f"frame {1001 + i}  ·  01:00:00:{i:02d}", "plate | halving", "halving"] for i in (0, 2, 4)
    ]
    sheet, size = pixels_of(out), (600, 800)
    assert sheet.shape[1] == 2 * MARGIN + 3 * 800 + 2 * GAP
    assert sheet.shape[0] == HEAD + 3 * (600 + LABEL) + 2 * GAP + MARGIN
    render_of(clip, halving, tmp_path / "n.mkv", codec="ffv1")
    for row, number in enumerate((1001, 1003, 1005)):
        assert np.array_equal(tile(sheet, row, 0, size), frame_of(clip, number, size))
        assert np.array_equal(tile(sheet, row, 2, size), frame_of(tmp_path / "n.mkv", number, size))


def render_of(source: Path, preset: Preset, target: Path, **more: Any) -> None:
    nightfx.render(source, target, preset=preset, options=RenderOptions.of(**more))


def test_many_frames_are_smaller_and_none_is_too_small(
    tmp_path: Path, identity: Preset, drawn: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightfx.preview.several.render", lambda picked, *more: picked.frame)
    for i in range(MOST):
        Image.new("RGB", (64, 36), (8 * i, 0, 0)).save(tmp_path / f"b.{1001 + i}.png")
    preview(tmp_path / "b.####.png", tmp_path / "a.png", preset=identity, frames=9)
    assert drawn[0][1][0][0].pixels.shape[:2] == (400, 711)
    preview(tmp_path / "b.####.png", tmp_path / "b.png", preset=identity, frames=MOST)
    assert {cell.pixels.shape[:2] for row in drawn[1][1] for cell in row} == {(169, 300)}


# values


def test_each_value_is_a_tile_as_it_is_rendered(
    still: Path, halving: Preset, drawn: list[Any], tmp_path: Path
) -> None:
    words = [still, "--to", halving.folder, "--vary", "exposure=-1,0,.5", "--saturation", "0.5"]
    result = CliRunner().invoke(app, ["preview", *map(str, words)])
    assert result.exit_code == 0, result.output
    ((facts, (row,)),) = drawn
    assert [cell.name for cell in row] == ["exposure=-1", "exposure=0", "exposure=0.5"]
    assert [cell.is_marked for cell in row] == [False, True, False]
    assert [cell.note for cell in row] == ["", "unchanged", ""]
    assert facts.endswith("halving by tiles  ·  saturation 0.5  ·  unchanged: exposure=0")
    sheet = pixels_of(tmp_path / "still.preview.png")
    assert sheet.shape == (HEAD + 600 + LABEL + MARGIN, 2 * MARGIN + 3 * 800 + 2 * GAP, 3)
    for column, stops in enumerate((-1, 0, 0.5)):
        out = tmp_path / f"{column}.png"
        render_of(still, halving, out, exposure=stops, saturation=0.5)
        assert_shows(tile(sheet, 0, column, (600, 800)), out)
    frame = sheet[HEAD - MARK : HEAD, MARGIN + 800 + GAP : MARGIN + 1600 + GAP]
    assert (frame > 200).all()
    assert (sheet[HEAD - MARK : HEAD, MARGIN : MARGIN + 800] < 40).all()


def test_two_names_make_a_grid(
    still: Path, halving: Preset, drawn: list[Any], tmp_path: Path
) -> None:
    vary = {"sky-level": (0, 1), "exposure": ("-1", "1", "0", "-0.5")}
    out = preview(still, preset=halving, vary=vary)
    ((_, rows),) = drawn
    names = [[(cell.name, cell.second) for cell in row] for row in rows]
    assert names == [
        [(f"sky-level={level}", f"exposure={stops}") for stops in vary["exposure"]]
        for level in vary["sky-level"]
    ]
    assert [cell.is_marked for row in rows for cell in row] == [*[False] * 2, True, *[False] * 5]
    sheet, size = pixels_of(out), (446, 595)
    render_of(still, halving, tmp_path / "a.png", exposure=-0.5, sky_level=1)
    assert_shows(tile(sheet, 1, 3, size, LINE), tmp_path / "a.png")


def test_values_of_frames_stand_in_columns(
    tmp_path: Path, halving: Preset, drawn: list[Any]
) -> None:
    clip = make_clip(tmp_path / "a.mkv", Clip("ffv1", count=5, size=SIZE))
    options = RenderOptions.of(exposure="1001:0,1005:1")
    out = preview(clip, preset=halving, options=options, frames=3, vary={"exposure": (0, 0.5)})
    ((_, rows),) = drawn
    assert [[(cell.name, cell.second) for cell in row] for row in rows] == [
        [("exposure=0", f"frame {number}"), ("exposure=0.5", f"frame {number}")]
        for number in (1001, 1003, 1005)
    ]
    marked = [[cell.is_marked for cell in row] for row in rows]
    assert marked == [[True, False], [False, True], [False, False]]  # as its keyframes go
    render_of(clip, halving, tmp_path / "n.mkv", exposure=0.5)
    sheet, size = pixels_of(out), (600, 800)
    for row, number in enumerate((1001, 1003, 1005)):
        lit = frame_of(tmp_path / "n.mkv", number, size)
        assert np.array_equal(tile(sheet, row, 1, size, LINE), lit)


def test_presets_vary_and_what_a_preset_says_is_marked(
    still: Path, halving: Preset, bright: Preset, drawn: list[Any]
) -> None:
    vary: dict[str, Any] = {"to": (halving, bright.folder), "exposure": (0, 0.5)}
    preview(still, preset=bright, vary=vary)
    ((facts, rows),) = drawn
    names = [[(cell.name, cell.second) for cell in row] for row in rows]
    assert names[1] == [("to=bright", "exposure=0"), ("to=bright", "exposure=0.5")]
    assert [cell.is_marked for row in rows for cell in row] == [False, False, False, True]
    assert facts.endswith("unchanged: to=bright, exposure=0.5")
    assert 0 < rows[0][0].pixels.mean() < 0.6 * rows[1][0].pixels.mean()


@pytest.mark.parametrize(("count", "rows"), [(4, [4]), (5, [5]), (6, [3, 3]), (11, [4, 4, 3])])
def test_many_values_go_on_below(
    count: int, rows: list[int], still: Path, identity: Preset, drawn: list[Any]
) -> None:
    out = preview(still, preset=identity, vary={"tint": list(range(count))})
    assert [len(row) for row in drawn[0][1]] == rows
    assert pixels_of(out).shape[1] <= 2528


def test_the_widest_sheet_is_no_wider_than_4000_px(still: Path, identity: Preset) -> None:
    out = preview(still, preset=identity, vary={"black": (0, 0.1), "tint": list(range(12))})
    assert pixels_of(out).shape[1] == 2 * MARGIN + 12 * 300 + 11 * GAP


@pytest.mark.parametrize(
    "vary",
    [
        {"sky": (0, 0.5), "street_light": (0.5, 2)},
        {"lit_windows": (0, 1), "strength": (0.3, 1)},
        {"working_height": (64, 256)},
    ],
    ids="-".join,
)
def test_what_is_done_once_for_all_variants_is_what_each_does_alone(
    vary: dict[str, Any], still: Path
) -> None:
    preset, options = load_preset("night"), RenderOptions.of(lights="on")
    picked = pick_frame(still, options, None, None)
    variants = variants_of(preset, options, vary)
    lit = dict(render_variants(picked, variants))
    assert sorted(lit) == list(range(len(variants)))
    for place, variant in enumerate(variants):
        alone = render(picked, variant.preset, variant.options)
        assert all(map(np.array_equal, lit[place].planes, alone.planes)), variant.labels


def test_the_generator_and_the_search_for_lights_run_once(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    for name in ("fit.field_of", "lighting.search_shot", "lighting.build_backend"):
        count_calls(f"nightfx.light.{name}", called, monkeypatch)
    picked, preset = pick_frame(still, NONE, None, None), load_preset("night")
    variants = variants_of(preset, NONE, {"exposure": (-1, 0, 1), "cars": (0, 1)})
    assert len(list(render_variants(picked, variants))) == 6
    assert sorted(called) == ["build_backend", "field_of", "search_shot"]
    called.clear()
    list(render_variants(picked, variants_of(preset, NONE, {"light-seed": (0, 1)})))
    assert sorted(called) == ["build_backend", "field_of", "field_of", "search_shot"]


def count_calls(name: str, called: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    real = resolve_name(name)

    def counted(*args: Any, **more: Any) -> Any:
        called.append(name.rpartition(".")[2])
        return real(*args, **more)

    monkeypatch.setattr(name, counted)


# what is typed


def test_names_may_be_typed_as_flags_or_as_keys_are() -> None:
    assert vary_from(["--sky-level=0,1", "to=a,b"]) == {"sky_level": ("0", "1"), "to": ("a", "b")}


def test_values_are_understood_as_those_of_flags(identity: Preset) -> None:
    variants = variants_of(identity, NONE, {"sky_level": ("-.50", "1e0"), "seed": ("1", 2)})
    assert [variant.labels for variant in variants] == [
        ("sky-level=-0.5", "seed=1"),
        ("sky-level=-0.5", "seed=2"),
        ("sky-level=1", "seed=1"),
        ("sky-level=1", "seed=2"),
    ]
    assert variants[1] == Variant(
        identity, RenderOptions.of(sky_level=-0.5, seed=2), variants[1].labels
    )


WRONG = {
    "exposure": "--vary must be NAME=VALUE,VALUE, got 'exposure'",
    "exposure=": "--vary exposure needs two values or more, such as 0,1",
    "exposure=1": "--vary exposure needs two values or more, such as 0,1",
    "exposure=0,11": "--exposure must be from -10 to 10, got 11",
    "exposure=0,warm": "--exposure must be a number, or frames with numbers",
    "exposure=0,,1": "--exposure must be a number, or frames with numbers",
    "exposure=1001:0,1009:1": "--vary exposure takes numbers, got '1001:0'",
    "light-seed=0,1.5": "--light-seed must be a whole number, got 1.5",
    "exposur=0,1": "--vary exposur: no such number; near is exposure; known: to, strength, exposure,",
    "method=relight,tiles": "--vary method: no such number; ",
    "codec=h264,h265": "--vary codec: no such number; ",
    "zzz=1,2": "--vary zzz: no such number; known: to, ",
    "tint=" + ",".join(map(str, range(MOST + 1))): "26 renders are too many for a sheet: at most",
    "lit-windows=0,1": "--lit-windows: identity lights no lamps",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_cannot_vary_is_refused_before_anything_is_rendered(
    text: str, still: Path, identity: Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightfx.preview.preview.preview", None)
    line = told(still, "--to", identity.folder, "--vary", text)
    assert line.startswith(WRONG[text])
    with pytest.raises(UsageError, match="^" + line[:40].replace("(", r"\(")):
        variants_of(identity, NONE, vary_from([text]))


def test_an_unknown_preset_is_refused(still: Path, identity: Preset) -> None:
    with pytest.raises(PresetError, match="unknown preset 'dusky'; known: blue-hour"):
        preview(still, preset=identity, vary={"to": ("night", "dusky")})


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["--frames", "3", "--frame", "1001"], "--frames chooses frames by itself: leave out"),
        (["--frames", "3", "--at", "0"], "--frames chooses frames by itself: leave out"),
        (["--frames", "1"], "--frames must be 2 or more, got 1"),
        (["--frames", "7"], "a.mkv: has 6 frames, fewer than --frames 7"),
        (["--frames", "26"], "26 renders are too many for a sheet: at most 25"),
        (["--frames", "5", "--vary", "tint=0,1,2,3,4,5"], "30 renders are too many for a sheet"),
        (["--frames", "3", "--scopes"], "--scopes are of one render: leave out"),
        (["--scopes", "--vary", "tint=0,1"], "--scopes are of one render: leave out"),
        (["--vary", "tint=0,1", "--vary", "tint=2,3"], "--vary tint is given twice"),
        (
            ["--vary", "tint=0,1", "--vary", "glow=0,1", "--vary", "sky=0,1"],
            "--vary is given 3 times: a sheet has rows and columns, two",
        ),
        (
            ["--frames", "2", "--vary", "tint=0,1", "--vary", "glow=0,1"],
            "--frames has room for one --vary",
        ),
    ],
)
def test_what_does_not_go_on_one_sheet_is_refused(
    words: list[str], wanted: str, tmp_path: Path, identity: Preset
) -> None:
    clip = make_clip(tmp_path / "a.mkv", Clip("ffv1", count=6))
    assert wanted in told(clip, "--to", identity.folder, *words)


def test_one_picture_has_no_frames(still: Path, identity: Preset) -> None:
    line = told(still, "--to", identity.folder, "--frames", "2")
    assert line.endswith("still.png: is one picture: leave out --frames")
