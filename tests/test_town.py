"""Drawn towns, as far as Blender need not be there: plans of places, kinds, frames from groups of light, the store."""

import json
import math
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest

from tools.town import store
from tools.town.frames import before_sky, by_night, by_sun, draw_mood, photograph
from tools.town.labels import GROUPS, LIGHTS, PASSES, SURFACES, cover_of, light_of, surface_of
from tools.town.layout.places import KINDS, draw_place
from tools.town.layout.plan import Block, Camera
from tools.town.sheet import COLORS, row
from tools.town.shot import Plane, Shot
from tools.town.skies import look_up
from tools.town.views import clear_ahead, draw_camera, make_frames

SIZE = (48, 27)
LEVEL = Camera(0, 0, 1.6, math.pi / 2, 0.0, 0.0, 1.0)


def plane(value: float, channels: int = 0) -> Plane:
    """A picture of one value."""
    shape = (SIZE[1], SIZE[0], channels) if channels else (SIZE[1], SIZE[0])
    return np.full(shape, value, np.float32)


def half_sky() -> Shot:
    """A wall on the left, 40 m away and lit by every group; sky on the right."""
    sky = plane(0)
    sky[:, SIZE[0] // 2 :] = 1
    maps = {name: plane(0) for name in SURFACES + LIGHTS}
    maps |= {"sky": sky, "wall": 1 - sky, "window": 0.25 * (1 - sky)}
    lit = plane(0.4, 3) * (1 - sky)[..., None]
    depth = np.where(sky == 1, np.inf, np.float32(40)).astype(np.float32)
    near = np.float32(math.exp(-0.1)) * (1 - sky)
    return Shot({group: lit.copy() for group in GROUPS}, maps, near, depth, lit)


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_decides_a_place(kind: str) -> None:
    assert draw_place(kind, 5) == draw_place(kind, 5)
    assert draw_place(kind, 5) != draw_place(kind, 6)


@pytest.mark.parametrize("kind", KINDS)
def test_cameras_stand_in_the_open(kind: str) -> None:
    for seed in range(4):
        plan = draw_place(kind, seed)
        camera = draw_camera(plan, Random(seed))
        assert plan.free(camera.x, camera.y, 0.4)
        assert clear_ahead(plan, camera)
        low, high = (f(stance.z[i] for stance in plan.stances) for f, i in ((min, 0), (max, 1)))
        assert low <= camera.z <= high


@pytest.mark.parametrize("kind", KINDS)
def test_places_have_lamps_and_cars_that_stand_outside_buildings(kind: str) -> None:
    plans = [draw_place(kind, seed) for seed in range(3)]  # a highway may have none
    kinds = {thing.kind for plan in plans for thing in plan.things}
    assert kinds & {"lamp", "globe", "hanging", "lantern"}
    for plan in plans:
        cars = [thing for thing in plan.things if thing.kind == "car on"]
        assert all(plan.free(car.x, car.y, 0) for car in cars)


def test_a_block_holds_what_lies_behind_its_front() -> None:
    block = Block("house", -9.0, 4.0, math.pi / 2, 10.0, 8.0, 3, 1)  # its front looks along +x
    assert block.at(0, 0, 2) == pytest.approx((-9, 4, 2))
    assert block.at(10, 1, 0) == pytest.approx((-8, 14, 0))
    assert block.holds(-12, 9)
    assert not block.holds(-8, 9)
    assert block.holds(-8, 9, margin=2)
    assert not block.holds(-12, 15)


def test_a_lit_head_lamp_is_vehicle_and_front_lamp() -> None:
    assert cover_of("head_on") == {
        "kinds0": (0, 0, 0),
        "kinds1": (1, 0, 0),
        "kinds2": (0, 0, 0),
        "kinds3": (1, 0, 0),
    }


def test_windows_and_boards_are_wall_besides() -> None:
    for name, light in (("pane_dark_warm", "window"), ("glass2", "window"), ("board_ink", "sign")):
        assert (surface_of(name), light_of(name)) == ("wall", light)
    for name, surface in (("asphalt", "ground"), ("road_sign", "wall"), ("plaster3", "wall")):
        assert (surface_of(name), light_of(name)) == (surface, None)


def test_every_kind_but_the_sky_has_one_channel() -> None:
    channels = [name for names in PASSES.values() for name in names]
    assert len(set(channels)) == len(channels)
    assert set(SURFACES[1:] + LIGHTS) < set(channels)


def test_any_start_of_the_order_has_all_kinds_and_places_held_out() -> None:
    kinds = list(KINDS)
    order = list(store.places(200, kinds))
    assert [place.kind for place in order[:8]] == kinds
    held = [place.number for place in order if place.part == "held-out"]
    assert held[:8] == list(range(8, 16))
    assert len(held) == 2 * 8


def test_a_view_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    shot, place = half_sky(), store.Place(7, "street", "train")
    frame = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    folder = place.folder(tmp_path, 2)
    store.save_view(folder, {"sun": frame}, shot, {"seed": 3})
    assert store.missing(tmp_path, place, 4) == [0, 1, 3]
    kinds = cv2.imread(str(folder / "kinds.png"), cv2.IMREAD_GRAYSCALE)
    groups = cv2.imread(str(folder / "groups.webp"))
    assert kinds is not None
    assert groups is not None
    maps = kinds.reshape(len(SURFACES + LIGHTS), SIZE[1], SIZE[0]) / 255
    for i, name in enumerate(SURFACES + LIGHTS):
        assert np.abs(maps[i] - shot.maps[name]).max() <= 0.5 / 255 + 1e-6
    assert groups.shape == (len(GROUPS) * SIZE[1], SIZE[0], 3)
    assert json.loads((folder / "facts.json").read_text()) == {"seed": 3}


def test_depth_comes_back_to_sixteen_codes() -> None:
    metres = np.array([0.5, 3, 40, 900, np.inf], np.float32)
    back = store.depth_metres(store.depth_codes(metres))
    assert back[-1] == np.inf
    step = 17 * (store.DEPTH_METRES + metres[:-1]) ** 2 / (65535 * store.DEPTH_METRES)
    assert (np.abs(back[:-1] - metres[:-1]) <= step * 1.6).all()


def test_what_an_interrupted_run_left_is_drawn_again(tmp_path: Path) -> None:
    place = store.Place(7, "street", "train")
    folder = place.folder(tmp_path, 0)
    left = folder.with_name(folder.name + ".part")
    left.mkdir(parents=True)
    (left / "sun.webp").write_bytes(b"half")
    assert store.missing(tmp_path, place, 1) == [0]
    store.save_view(folder, {}, half_sky(), {})
    assert store.missing(tmp_path, place, 1) == []
    assert not left.exists()
    assert not (folder / "sun.webp").exists()


def test_a_level_camera_has_the_horizon_in_its_middle() -> None:
    ways = look_up(LEVEL.fov, 0.0, 0.0, math.pi / 2, SIZE)
    assert np.allclose(ways[SIZE[1] // 2, :, 2], 0, atol=1e-6)
    assert ways[0, :, 2].min() > 0
    assert ways[SIZE[1] // 2, 0, 0] < 0 < ways[SIZE[1] // 2, -1, 0]  # looking along y, x is right


def test_a_camera_that_looks_up_has_the_horizon_lower_in_the_frame() -> None:
    camera = Camera(0, 0, 1.6, math.pi / 2, 0.1, 0.0, 1.0)
    ways = look_up(camera.fov, camera.pitch, 0.0, camera.heading, SIZE)
    _, facts = make_frames(half_sky(), camera, (0.0, 0.7), [], 1)
    row = facts["horizon"] * SIZE[1]
    assert row > SIZE[1] / 2
    above, below = ways[math.floor(row - 1), :, 2], ways[math.ceil(row), :, 2]
    assert (above > 0).all()
    assert (below < 0).all()


def test_the_sky_is_seen_whole_and_the_wall_through_air() -> None:
    shot, sky, air = half_sky(), plane(3, 3), np.full(3, 2, np.float32)
    seen = before_sky(shot.groups["sun"], 1 - shot.maps["sky"], shot.near, sky, 2.0, air)
    assert np.allclose(seen[:, SIZE[0] // 2 :], 3)
    kept = math.exp(-0.1) ** 2
    assert np.allclose(seen[:, : SIZE[0] // 2], 0.4 * kept + 2 * (1 - kept), atol=1e-5)


def test_groups_add_up_and_lamps_are_for_the_night() -> None:
    shot, mood = half_sky(), draw_mood(np.random.default_rng(1))
    without = {name: light * (name != "lamps") for name, light in shot.groups.items()}
    assert np.array_equal(by_sun(shot.groups, mood), by_sun(without, mood))
    night, dark = by_night(shot.groups, mood), by_night(without, mood)
    assert (night[:, 0] > dark[:, 0]).all()
    assert np.array_equal(night[:, -1], dark[:, -1])


def test_a_camera_exposes_to_its_level() -> None:
    rng = np.random.default_rng(2)
    light = rng.uniform(0.1, 1.0, (SIZE[1], SIZE[0], 3)).astype(np.float32) * 1e-3
    mood = draw_mood(np.random.default_rng(1))
    picture = photograph(light, mood, 0.4, rng, 0.0)
    assert picture.mean() / 255 == pytest.approx(0.4, abs=0.04)


def test_a_camera_that_meters_the_ground_lets_the_sky_go_white() -> None:
    shot, mood = half_sky(), draw_mood(np.random.default_rng(1))
    ground = 1 - shot.maps["sky"]
    light = (0.1 + 3 * shot.maps["sky"])[..., None] * np.ones(3, np.float32)
    picture = photograph(light, mood, 0.4, np.random.default_rng(1), 0.0, ground) / 255
    assert picture[:, : SIZE[0] // 2 - 8].mean() == pytest.approx(0.4, abs=0.06)
    assert picture[:, SIZE[0] // 2 + 8 :].mean() > 0.9


def test_the_three_frames_of_a_view_are_repeatable_and_the_night_is_darkest() -> None:
    first, facts = make_frames(half_sky(), LEVEL, (0.3, 0.7), [], 11)
    again, _ = make_frames(half_sky(), LEVEL, (0.3, 0.7), [], 11)
    assert list(first) == ["sun", "overcast", "night"]
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert first["night"].mean() < min(first["sun"].mean(), first["overcast"].mean())
    json.dumps(facts, allow_nan=False)


@pytest.mark.parametrize("kind", KINDS)
def test_fronts_do_not_stand_in_other_buildings(kind: str) -> None:
    for seed in range(3):
        plan = draw_place(kind, seed)
        for block in plan.blocks:
            x, y, _ = block.at(block.width / 2, -0.3, 0)
            inside = [other for other in plan.blocks if other is not block and other.holds(x, y)]
            assert not inside, (seed, block, inside)


def test_a_sheet_shows_lights_over_what_they_are_part_of(tmp_path: Path) -> None:
    folder = store.Place(7, "street", "train").folder(tmp_path, 0)
    frame = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    store.save_view(folder, dict.fromkeys(("sun", "overcast", "night"), frame), half_sky(), {})
    shown = row(folder)
    assert shown.shape == (SIZE[1], 4 * SIZE[0], 3)
    assert tuple(shown[5, -1]) == COLORS["sky"]
    wall, window = np.array(COLORS["wall"]), np.array(COLORS["window"])
    assert np.abs(shown[5, 3 * SIZE[0]] - (0.75 * wall + 0.25 * window)).max() <= 2
