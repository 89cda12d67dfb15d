"""Polygons that are sky or not: where they are in each frame, what they make of a sky, and what a file may say."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import nightfx
from nightfx.errors import UsageError
from nightfx.scene import SkyEdit, SkyEdits, parse_sky_edits, read_sky_edits, write_sky_edits

SQUARE = np.array([[0, 0], [20, 0], [20, 10], [0, 10]], np.float32)


def edit(*, is_sky: bool = True, **ends: int) -> SkyEdit:
    """A square that moves 10 px to the right from frame 1001 to 1011."""
    keys = np.stack([SQUARE, SQUARE + np.array([10, 0], np.float32)])
    return SkyEdit(is_sky, np.array([1001, 1011]), keys, **ends)


@pytest.mark.parametrize(
    ("frame", "left"), [(900, 0), (1001, 0), (1006, 5), (1011, 10), (2000, 10)]
)
def test_a_polygon_follows_its_keys(frame: int, left: float) -> None:
    corners = edit().at(frame)
    assert corners is not None
    assert corners[0, 0] == pytest.approx(left)


def test_a_polygon_counts_from_its_first_frame_to_its_last() -> None:
    one = edit(first=1003, last=1005)
    assert [one.at(n) is not None for n in range(1002, 1007)] == [False, True, True, True, False]


def test_all_in_a_polygon_is_sky_or_nothing_is_and_the_rest_stays() -> None:
    half = np.full((20, 40), 0.5, np.float32)
    for is_sky in (True, False):
        sky = SkyEdits((80, 40), (edit(is_sky=is_sky),)).on(half, 1001)
        assert (sky[:4, :9] == float(is_sky)).all()
        assert (sky[7:] == 0.5).all()
        assert (sky[:, 12:] == 0.5).all()


def test_a_later_polygon_is_on_top() -> None:
    nothing = np.zeros((20, 40), np.float32)
    both = edit(is_sky=True), edit(is_sky=False)
    assert SkyEdits((80, 40), both).on(nothing, 1001)[2, 2] == 0
    assert SkyEdits((80, 40), both[::-1]).on(nothing, 1001)[2, 2] == 1


@given(
    st.lists(st.integers(-200, 300), min_size=6, max_size=24).filter(lambda v: len(v) % 2 == 0),
    st.booleans(),
)
def test_any_polygon_leaves_a_sky_between_nothing_and_all(places: list[int], is_sky: bool) -> None:
    corners = np.array(places, np.float32).reshape(1, -1, 2)
    sky = np.linspace(0, 1, 12 * 16, dtype=np.float32).reshape(12, 16)
    edits = SkyEdits((160, 120), (SkyEdit(is_sky, np.array([1001]), corners),))
    found = edits.on(sky, 1001)
    assert found.min() >= 0
    assert found.max() <= 1
    assert ((found >= sky) if is_sky else (found <= sky)).all()


def test_a_file_says_the_same_when_it_is_read_again(tmp_path: Path) -> None:
    edits = SkyEdits((80, 40), (edit(first=1002), edit(is_sky=False)))
    write_sky_edits(edits, tmp_path / "a.sky.json")
    again = read_sky_edits(tmp_path / "a.sky.json")
    assert again.size_px == (80, 40)
    assert [(one.is_sky, one.first, one.last) for one in again.edits] == [
        (True, 1002, None),
        (False, None, None),
    ]
    assert np.array_equal(again.edits[0].corners, edits.edits[0].corners)


GOOD: dict[str, Any] = {"sky": True, "keys": [[1001, 0, 0, 9, 0, 9, 9]]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sky": 1}, "edit 1: sky must be true or false, got 1"),
        ({"keys": []}, "edit 1: keys needs a row"),
        ({"keys": [[1001, 0, 0, 9, 0]]}, "3 to 400 corners"),
        ({"keys": [[1001, 0, 0, 9, 0, 9]]}, "3 to 400 corners"),
        ({"keys": [[]]}, "3 to 400 corners"),
        ({"keys": [[1.5, 0, 0, 9, 0, 9, 9]]}, "frame of keys must be a whole number"),
        ({"keys": [[1001, 0, 0, 9, 0, 9, "x"]]}, "a corner must be a number"),
        ({"keys": [[1001, 0, 0, 9, 0, 9, float("nan")]]}, "a corner must be a number"),
        ({"keys": [[2, 0, 0, 9, 0, 9, 9], [2, 0, 0, 9, 0, 9, 9]]}, "frames must rise"),
        ({"keys": [[1, 0, 0, 9, 0, 9, 9], [2, *range(8)]]}, "the same number of corners"),
        ({"first": 9, "last": 3}, "first is 9, after last, which is 3"),
        ({"first": "a"}, "first must be a whole number"),
        ({"colour": "red"}, 'unknown key "colour"; known: sky, first, last, keys'),
    ],
)
def test_a_wrong_edit_is_named(change: dict[str, Any], words: str) -> None:
    data = {"nightfx_sky": 1, "size_px": [80, 40], "edits": [{**GOOD, **change}]}
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        parse_sky_edits(data)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"nightfx_sky": 2}', '{"nightfx_sky": 1, "size_px": [0, 4]}', "\xff"]
)
def test_a_file_that_is_none_is_told_with_its_name(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.sky.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=r"a\.sky\.json"):
        read_sky_edits(path)


def test_a_render_has_its_sky_where_a_person_says(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    plate = rng.integers(90, 160, (96, 128, 3)).astype(np.uint8)
    Image.fromarray(plate).save(tmp_path / "a.png")
    corners = np.array([[[64, 0], [128, 0], [128, 60], [64, 60]]], np.float32)
    edits = SkyEdits((128, 96), (SkyEdit(True, np.array([1001]), corners),))
    write_sky_edits(edits, tmp_path / "a.sky.json")
    made = []
    for more in ({}, {"sky_edits": tmp_path / "a.sky.json"}):
        options = nightfx.RenderOptions.of(lights="off", grain=0, overwrite=True, **more)
        target = nightfx.render(tmp_path / "a.png", preset="night", options=options)
        made.append(np.asarray(Image.open(target)).astype(int))
    change = np.abs(made[1] - made[0]).mean(2)
    assert change[10:50, 74:118].mean() > 4 * change[70:, :50].mean() + 1


def test_edits_that_cannot_be_read_are_told_before_a_frame(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((48, 64, 3), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "bad.sky.json").write_text(json.dumps({"nightfx_sky": 1}))
    options = nightfx.RenderOptions.of(sky_edits=tmp_path / "bad.sky.json")
    with pytest.raises(UsageError, match=r"bad\.sky\.json: size_px must be a list of 2"):
        nightfx.render(tmp_path / "a.png", preset="night", options=options)
    assert not list(tmp_path.glob("*night*"))
