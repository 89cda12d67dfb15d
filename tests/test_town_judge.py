"""Whether a picture shows a town, from what the scene network says of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nightfx.errors import PresetError
from nightfx.scene import KINDS, LIGHTS, SURFACES, Scene, TownJudge, pooled, town_odds
from nightfx.scene import town as room

HEIGHT, WIDTH = 96, 160


def scene(rows: list[tuple[str, int]], windows: bool = False, cars: bool = False) -> Scene:
    """Surfaces in bands of so many rows, surely; windows are in every wall, cars on all grounds."""
    surfaces = np.full((len(SURFACES), HEIGHT, WIDTH), 0.01, np.float32)
    lights = np.full((len(LIGHTS), HEIGHT, WIDTH), 0.001, np.float32)
    top = 0
    for kind, height in rows:
        band = np.s_[top : top + height]
        surfaces[SURFACES.index(kind), band] = 0.95
        if kind == "wall" and windows:
            grid = (np.arange(WIDTH) // 5 % 2)[None] * (np.arange(height) // 6 % 2)[:, None]
            lights[LIGHTS.index("window"), band] = 0.01 + 0.9 * grid
        if kind == "ground" and cars:
            surfaces[SURFACES.index("vehicle"), top + 2 : top + 10, 20:40] = 9
        top += height
    return Scene(surfaces / surfaces.sum(0), lights)


@pytest.mark.parametrize(
    "town",
    [
        scene([("sky", 24), ("wall", 44), ("ground", 28)], windows=True, cars=True),
        scene([("wall", 76), ("ground", 20)], windows=True),
        scene([("sky", 40), ("leaves", 12), ("wall", 10), ("ground", 34)], cars=True),
    ],
)
def test_streets_and_houses_are_towns(town: Scene) -> None:
    assert town_odds(town) > 0


@pytest.mark.parametrize(
    "wild",
    [
        scene([("sky", 40), ("leaves", 56)]),
        scene([("leaves", 96)]),
        scene([("sky", 60), ("ground", 36)]),
        scene([("leaves", 30), ("person", 66)]),
    ],
)
def test_forests_plains_and_faces_are_not(wild: Scene) -> None:
    assert town_odds(wild) < 0


@pytest.mark.parametrize("size", [(5, 7), (96, 160), (97, 163)])
def test_a_scene_of_any_size_is_pooled_into_as_many_finite_numbers(size: tuple[int, int]) -> None:
    empty = Scene(
        np.zeros((len(SURFACES), *size), np.float32), np.zeros((len(LIGHTS), *size), np.float32)
    )
    numbers = pooled(empty)
    assert numbers.shape == (6 * len(KINDS),)
    assert np.isfinite(numbers).all()


def test_a_judge_is_linear_in_what_is_pooled() -> None:
    shown = scene([("sky", 40), ("leaves", 56)])
    judge = TownJudge(np.eye(6 * len(KINDS), dtype=np.float32)[3], 2.5)
    assert town_odds(shown, judge) == pytest.approx(pooled(shown)[3] + 2.5)


@pytest.mark.parametrize("text", [None, "{", "[]", '{"weights": ["x"], "bias": 1}'])
def test_a_judge_that_is_missing_or_damaged_is_said(
    text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if text is not None:
        (tmp_path / "town.json").write_text(text)
    monkeypatch.setattr(room, "bundled_scene", lambda: tmp_path / "weights.safetensors")
    room.bundled_judge.cache_clear()
    with pytest.raises(PresetError, match=r"town\.json"):
        town_odds(scene([("sky", 96)]))
    room.bundled_judge.cache_clear()
