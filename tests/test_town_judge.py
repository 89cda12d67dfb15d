"""Whether a picture shows a town, from what the scene network says of it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from nightfx.errors import PresetError
from nightfx.network import load_scene_network
from nightfx.scene import KINDS, LIGHTS, SURFACES, Scene, TownJudge, pooled, see_scene, town_odds
from nightfx.scene import town as room
from nightfx.training.data.decode import load_picture

TWINS = Path(__file__).parents[1] / "examples" / "twins"
HEIGHT, WIDTH = 96, 160


def scene() -> Scene:
    """A wall under the sky."""
    surfaces = np.full((len(SURFACES), HEIGHT, WIDTH), 0.01, np.float32)
    surfaces[SURFACES.index("sky"), :40] = 0.95
    surfaces[SURFACES.index("wall"), 40:] = 0.95
    return Scene(surfaces, np.full((len(LIGHTS), HEIGHT, WIDTH), 0.001, np.float32))


def odds_of(rgb: np.ndarray) -> float:
    """What the judge that comes along says of a picture (H, W, 3) in [0, 1], seen as renders see it."""
    scale = 512 / min(rgb.shape[:2])
    seen = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC).clip(0, 1)
    shown = np.ascontiguousarray(seen.transpose(2, 0, 1), np.float32)
    return town_odds(see_scene(load_scene_network(), shown))


@pytest.mark.parametrize("place", ["1", "4"])
def test_a_street_is_a_town(place: str) -> None:
    street = load_picture(TWINS / place / "day" / "0030.webp")
    assert odds_of(street.astype(np.float32) / 255) > 0


@pytest.mark.parametrize("ground", [(0.3, 0.5, 0.15), (0.6, 0.5, 0.35), (0.1, 0.3, 0.5)])
def test_meadows_sands_and_seas_are_not(ground: tuple[float, float, float]) -> None:
    rng, wild = np.random.default_rng(0), np.zeros((360, 640, 3), np.float32)
    wild[:] = np.linspace(0.6, 0.85, 360)[:, None, None] * np.array([0.75, 0.85, 1.0])
    grains = (rng.random((360 >> k, 640 >> k)).astype(np.float32) for k in (0, 2, 4))
    rough = np.mean([cv2.resize(grain, (640, 360)) for grain in grains], axis=0)
    wild[200:] = rough[200:, :, None] * np.array(ground)
    assert odds_of(wild) < 0


@pytest.mark.parametrize("size", [(5, 7), (96, 160), (97, 163)])
def test_a_scene_of_any_size_is_pooled_into_as_many_finite_numbers(size: tuple[int, int]) -> None:
    empty = Scene(
        np.zeros((len(SURFACES), *size), np.float32), np.zeros((len(LIGHTS), *size), np.float32)
    )
    numbers = pooled(empty)
    assert numbers.shape == (6 * len(KINDS),)
    assert np.isfinite(numbers).all()


def test_a_judge_is_linear_in_what_is_pooled() -> None:
    shown = scene()
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
        town_odds(scene())
    room.bundled_judge.cache_clear()
