"""Lights of a shot: followed through known motion, kept as a list that people edit, and listed by the command."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from media import Clip, make_clip
from PIL import Image
from typer.testing import CliRunner, Result

from nightfx import render
from nightfx.cli import app
from nightfx.errors import TargetError, UsageError
from nightfx.light.grade import moonlit, then
from nightfx.light.lamps import search
from nightfx.light.lamps.search import Search, search_shot
from nightfx.light.lighting import moonlight_of, plan_lamps, plan_sky
from nightfx.lights import (
    GROUPS,
    KINDS,
    Found,
    Light,
    LightList,
    LightTrack,
    Tracker,
    as_written,
    find_lights,
    group_of,
    keep_locked,
    lights_text,
    parse_lights,
    read_lights,
    write_lights,
)
from nightfx.lights.track import corners_of
from nightfx.mattes import lights as room
from nightfx.mattes.lights import list_lights
from nightfx.network import SceneNetwork, load_preset
from nightfx.options import LightOptions, Look, Moonlight, RenderOptions
from nightfx.picture import BT709, Float32, Frame, Numbering, rgb_coding
from nightfx.scene import KINDS as SCENE_KINDS
from nightfx.scene import LIGHTS, SURFACES, Scene

HEIGHT, WIDTH = 96, 160
EVERY = 12


# what is followed


def canvas(seed: int = 0) -> Float32:
    """A picture full of detail, larger than what is shown of it, in codes."""
    rng = np.random.default_rng(seed)
    coarse, fine = (
        rng.uniform(low, high, (n, n)) for low, high, n in ((30, 210, 50), (0, 40, 130))
    )
    parts = [cv2.resize(x, (400, 400), interpolation=cv2.INTER_CUBIC) for x in (coarse, fine)]
    return np.asarray(np.clip(sum(parts), 0, 255), np.float32)


CANVAS = canvas()


class Camera:
    """Looks at a canvas from frame to frame: moved by px and grown by a share a frame."""

    def __init__(self, pan: float = 0, zoom: float = 0) -> None:
        self.pan, self.zoom = pan, zoom

    def matrix(self, frame: int) -> np.ndarray:
        scale = 1 + self.zoom * frame
        middle = np.array([WIDTH / 2, HEIGHT / 2]) - 200 * scale - (self.pan * frame, 0)
        return np.array([[scale, 0, middle[0]], [0, scale, middle[1]]])

    def shot(self, frame: int, plate: Float32 = CANVAS) -> np.ndarray:
        matrix = self.matrix(frame)
        matrix[:, 2] += matrix[:, :2].sum(1) / 2 - 0.5  # pixels' middles
        return np.asarray(cv2.warpAffine(plate, matrix, (WIDTH, HEIGHT)).round(), np.uint8)

    def quad(self, window: Float32, frame: int) -> Float32:
        matrix = self.matrix(frame)
        return np.asarray(window @ matrix[:, :2].T + matrix[:, 2], np.float32)


def box(left: float, top: float, width: float = 7, height: float = 9) -> Float32:
    right, foot = left + width, top + height
    return np.array([[left, top], [right, top], [right, foot], [left, foot]], np.float32)


WINDOWS = [box(x, y) for x in range(150, 250, 16) for y in (175, 195, 215)]


def is_inside(quad: Float32, margin: float = 0) -> bool:
    low, high = quad.min(0), quad.max(0)
    return bool((low >= margin).all() and (high <= np.array([WIDTH, HEIGHT]) - margin).all())


def found_at(
    camera: Camera, frame: int, windows: Sequence[Float32] = WINDOWS, noise: Float32 | float = 0
) -> list[Found]:
    quads = [camera.quad(window, frame) for window in windows]
    return [Found("window", q + np.float32(noise), 0.9) for q in quads if is_inside(q, 1)]


def follow(
    camera: Camera, count: int = 37, windows: Sequence[Float32] = WINDOWS
) -> tuple[Light, ...]:
    tracker = Tracker()
    for frame in range(count):
        tracker.show(frame, camera.shot(frame))
        if frame % EVERY == 0:
            tracker.look(found_at(camera, frame, windows))
    return tracker.lights()


def confidences(light: Light, frames: range) -> np.ndarray:
    places = [light.track.at(frame) for frame in frames]
    return np.array([0 if place is None else place[1] for place in places])


@pytest.mark.parametrize(
    "camera", [Camera(), Camera(pan=1.3), Camera(pan=-2.6), Camera(zoom=0.004), Camera(0.7, -0.003)]
)
def test_lights_stay_where_the_picture_has_them(camera: Camera) -> None:
    lights = follow(camera)
    seen = set()
    for light in lights:
        frames = range(light.track.frames[0], light.track.frames[-1] + 1)
        middle = frames[len(frames) // 2]
        at = light.track.at(middle)
        assert at is not None
        errors = [float(np.abs(camera.quad(w, middle) - at[0]).max()) for w in WINDOWS]
        seen.add(own := int(np.argmin(errors)))
        for frame in frames:
            place, true = light.track.at(frame), camera.quad(WINDOWS[own], frame)
            if place is not None and is_inside(true, 2):
                assert np.abs(place[0] - true).max() < 0.5
    assert len(seen) == len(lights)  # none is followed twice
    assert len(lights) == sum(
        any(is_inside(camera.quad(w, frame), 1) for frame in range(0, 37, EVERY)) for w in WINDOWS
    )


def test_finds_that_err_are_averaged_and_make_nothing_jump() -> None:
    camera, tracker = Camera(pan=0.3), Tracker()
    for frame in range(121):
        tracker.show(frame, camera.shot(frame))
        if frame % EVERY == 0:
            error = 0.7 * (-1) ** (frame // EVERY)
            tracker.look(found_at(camera, frame, [box(205, 195)], error))
    (light,) = tracker.lights()
    true = np.stack([camera.quad(box(205, 195), frame) for frame in range(121)])
    places = [light.track.at(frame) for frame in range(121)]
    error = np.stack([place[0] for place in places if place is not None]) - true
    assert np.abs(np.diff(error, axis=0)).max() < 0.15
    assert np.abs(error[60:]).max() < 0.35


@pytest.mark.parametrize("missed", [(12,), (24,), (12, 24)])
def test_what_is_missed_keeps_its_number_and_does_not_flicker(missed: tuple[int, ...]) -> None:
    camera, tracker = Camera(pan=0.5), Tracker()
    for frame in range(61):
        tracker.show(frame, camera.shot(frame))
        if frame % EVERY == 0:
            tracker.look([] if frame in missed else found_at(camera, frame, [box(200, 195)]))
    (light,) = tracker.lights()
    sure = confidences(light, range(61))
    assert sure.min() > 0.3
    assert np.abs(np.diff(sure)).max() < 0.1


def covered(frame: int) -> np.ndarray:
    """A still shot, before which something with detail of its own passes from frame 14 to frame 46."""
    plate, other = Camera().shot(0), canvas(5)[:HEIGHT, :60].astype(np.uint8)
    left = 5 * (frame - 14) - 60 + 20
    first, last = max(left, 0), min(left + 60, WIDTH)
    if last > first:
        plate[:, first:last] = other[:, first - left : last - left]
    return plate


def test_what_is_hidden_for_a_while_is_the_same_light_at_the_same_place() -> None:
    window, tracker = box(200 - 5, 195), Tracker()
    quad = Camera().quad(window, 0)
    hidden = [
        f for f in range(61) if 5 * (f - 14) - 40 < quad[0, 0] and 5 * (f - 14) + 20 > quad[1, 0]
    ]
    for frame in range(61):
        tracker.show(frame, covered(frame))
        if frame % EVERY == 0:
            tracker.look([] if frame in hidden else [Found("window", quad, 0.9)])
    (light,) = tracker.lights()
    sure = confidences(light, range(61))
    assert sure[hidden].max() < 0.1  # nothing shines on what passes
    assert sure[: hidden[0] - 6].min() > 0.8
    assert sure[hidden[-1] + 8 :].min() > 0.8
    for frame in range(61):
        place = light.track.at(frame)
        assert place is not None
        assert np.abs(place[0] - quad).max() < 0.5


def test_nothing_is_followed_over_a_cut() -> None:
    tracker, one, other = Tracker(), CANVAS, canvas(7)
    for frame in range(30):
        tracker.show(frame, Camera().shot(0, one if frame < 15 else other), is_cut=frame == 15)
        if frame in (0, 12, 15, 24):
            tracker.look(found_at(Camera(), 0, [box(200, 195)]))
    lights = tracker.lights()
    spans = [(x.track.frames[0], x.track.frames[-1]) for x in lights]
    assert spans == [(0, 14), (15, 29)]
    for light in lights:  # a cut is no fade
        assert light.track.confidence.min() > 0.8


def test_what_is_found_late_shines_from_where_it_appeared() -> None:
    still = Tracker()
    for frame in range(37):
        still.show(frame, Camera().shot(0))
        if frame in (0, 12):
            still.look([])
        if frame in (24, 36):
            still.look(found_at(Camera(), 0, [box(200, 195)]))
    (light,) = still.lights()
    assert light.track.frames[0] == 0
    assert light.track.confidence.min() > 0.8


def test_what_was_there_for_longer_than_is_remembered_fades_in() -> None:
    tracker = Tracker(memory=10)
    for frame in range(60):
        tracker.show(frame, Camera().shot(0))
        if frame >= 36 and frame % EVERY == 0:
            tracker.look(found_at(Camera(), 0, [box(200, 195)]))
    (light,) = tracker.lights()
    assert light.track.frames[0] == 26
    sure = confidences(light, range(20, 60))
    assert np.abs(np.diff(sure)).max() < 0.2
    assert sure[-1] > 0.8


def test_what_comes_into_the_picture_and_leaves_it_shines_up_to_the_edge() -> None:
    camera = Camera(pan=3)
    tracker = Tracker()
    window = box(290, 195)
    for frame in range(90):
        tracker.show(frame, camera.shot(frame))
        if frame % EVERY == 0:
            tracker.look(found_at(camera, frame, [window]))
    (light,) = tracker.lights()
    whole = [f for f in range(90) if is_inside(camera.quad(window, f), 0)]
    assert len(whole) > 40
    assert confidences(light, range(whole[0], whole[-1] + 1)).min() > 0.6
    assert light.track.frames[-1] <= whole[-1] + 4


def test_what_vanishes_fades_out() -> None:
    tracker = Tracker()
    for frame in range(97):
        tracker.show(frame, Camera().shot(0))
        if frame % EVERY == 0:
            tracker.look(found_at(Camera(), 0, [box(200, 195)]) if frame < 20 else [])
    (light,) = tracker.lights()
    sure = confidences(light, range(97))
    assert sure[0] > 0.8
    assert light.track.frames[-1] < 96
    assert light.track.confidence[-1] == 0
    assert np.abs(np.diff(sure)).max() < 0.2


@pytest.mark.parametrize(("finds", "sure", "kept"), [(1, 0.9, 0), (2, 0.9, 1), (2, 0.2, 0)])
def test_what_is_weak_or_found_once_is_left_out(finds: int, sure: float, kept: int) -> None:
    tracker = Tracker()
    for frame in range(25):
        tracker.show(frame, Camera().shot(0))
        if frame % EVERY == 0:
            one = Found("lamp", Camera().quad(box(200, 195, 4, 4), 0), sure)
            tracker.look([one] if frame // EVERY < finds else [])
    assert len(tracker.lights()) == kept


def test_one_picture_is_enough() -> None:
    tracker = Tracker()
    tracker.show(0, Camera().shot(0))
    tracker.look([*found_at(Camera(), 0, WINDOWS[:2]), Found("window", box(0, 0) - 4, 0.5)])
    lights = tracker.lights()
    assert [x.id for x in lights] == [1, 2, 3]
    assert all(x.track.frames.tolist() == [0] for x in lights)


def test_houses_keep_their_number_by_most_of_their_lights() -> None:
    tracker, quads = Tracker(), [Camera().quad(w, 0) for w in WINDOWS[:6]]
    # numbers of houses are of one picture; in the second one light is of another's by mistake
    for frame, houses in enumerate([(1, 1, 1, 2, 2, 2), (5, 5, 3, 3, 3, 3), (8, 8, 8, 4, 4, 4)]):
        tracker.show(frame, Camera().shot(0))
        tracker.look([Found("window", q, 0.9, h) for q, h in zip(quads, houses, strict=True)])
    lights = tracker.lights()
    parents = [next(x.parent for x in lights if np.allclose(x.track.quads[0], q)) for q in quads]
    assert parents[:3] == [parents[0]] * 3
    assert parents[3:] == [parents[3]] * 3
    assert None not in parents
    assert parents[0] != parents[3]


def test_cars_and_houses_are_told_apart() -> None:
    tracker = Tracker()
    tracker.show(0, Camera().shot(0))
    window, lamp = (Camera().quad(w, 0) for w in WINDOWS[:2])
    tracker.look([Found("window", window, 0.9, 1), Found("front-lamp", lamp, 0.9, 1)])
    one, other = tracker.lights()
    assert one.parent != other.parent


@given(
    st.lists(
        st.lists(st.floats(-500, 500, width=32), min_size=3, max_size=3), min_size=1, max_size=40
    )
)
def test_straight_lines_come_near_all_that_was_left_out(rows: list[list[float]]) -> None:
    table = np.array(rows, np.float32)
    keep = corners_of(table)
    assert keep[0] == 0
    assert keep[-1] == len(rows) - 1
    for column in table.T:
        drawn = np.interp(range(len(rows)), keep, column[keep])
        np.testing.assert_allclose(drawn, column, atol=0.051)


# the list


def test_every_kind_is_in_one_group() -> None:
    assert sorted(kind for kinds in GROUPS.values() for kind in kinds) == sorted(KINDS)
    assert group_of("rear-lamp") == "cars"


def track_of(first: int = 1001, last: int = 1011, shift: float = 10) -> LightTrack:
    quads = np.stack([box(100, 50), box(100 + shift, 50)])
    return LightTrack(np.array([first, last]), quads, np.array([0.5, 1], np.float32))


def list_of(*lights: Light) -> LightList:
    return LightList((640, 360), 1001, 24, True, ((1001, 0.5), (1021, 0.7)), lights)


def test_between_its_frames_a_light_goes_straight() -> None:
    shown = list(list_of(Light(1, "lamp", track_of())).at(1006))
    assert len(shown) == 1
    np.testing.assert_allclose(shown[0].quad, box(105, 50))
    assert shown[0].confidence == pytest.approx(0.75)
    assert not list(list_of(Light(1, "lamp", track_of())).at(1000))
    assert not list(list_of(Light(1, "lamp", track_of())).at(1012))
    assert list_of().horizon_at(1011) == pytest.approx(0.6)
    assert list_of().horizon_at(5000) == pytest.approx(0.7)


def test_a_list_is_a_line_a_light() -> None:
    lines = lights_text(
        list_of(Light(1, "lamp", track_of()), Light(2, "sign", track_of()))
    ).splitlines()
    assert [line.startswith('  {"id": ') for line in lines].count(True) == 2
    assert lines[8] == (
        '  {"id": 1, "kind": "lamp", "track": [[1001, 100.0, 50.0, 107.0, 50.0, 107.0, 59.0, 100.0, 59.0, 0.5], '
        "[1011, 110.0, 50.0, 117.0, 50.0, 117.0, 59.0, 110.0, 59.0, 1.0]]},"
    )


def told() -> dict[str, Any]:
    text = lights_text(list_of(Light(1, "lamp", track_of()), Light(2, "sign", track_of())))
    data: dict[str, Any] = json.loads(text)
    return data


def test_what_a_person_writes_is_read(tmp_path: Path) -> None:
    data = told()
    data["lights"][0] |= {"on": False, "stops": -1.5, "kelvin": 2700, "locked": True, "parent": 4}
    data["lights"][1] |= {"on": True, "rgb": [1, 0.5, 0]}
    (tmp_path / "a.json").write_text(json.dumps(data), "utf-8")
    read = read_lights(tmp_path / "a.json")
    one, other = read.lights
    assert (one.on, one.stops, one.kelvin, one.locked, one.parent) == (False, -1.5, 2700, True, 4)
    assert (other.on, other.rgb, other.kelvin, other.parent) == (True, (1, 0.5, 0), None, None)
    write_lights(read, tmp_path / "b.json")
    assert lights_text(read_lights(tmp_path / "b.json")) == lights_text(read)


numbers = st.floats(-2000, 9000, width=32)
rows = st.lists(st.lists(numbers, min_size=8, max_size=8), min_size=1, max_size=4)


@st.composite
def some_light(draw: st.DrawFn) -> Light:
    quads = np.array(draw(rows), np.float32).reshape(-1, 4, 2)
    frames = draw(
        st.lists(st.integers(-50, 9999), min_size=len(quads), max_size=len(quads), unique=True)
    )
    sure = draw(st.lists(st.floats(0, 1, width=32), min_size=len(quads), max_size=len(quads)))
    colour = st.tuples(*[st.floats(0, 100)] * 3)
    return Light(
        draw(st.integers(0, 10**6)),
        draw(st.sampled_from(KINDS)),
        LightTrack(np.array(sorted(frames)), quads, np.array(sure, np.float32)),
        draw(st.none() | st.integers(0, 99)),
        draw(st.none() | st.booleans()),
        draw(st.floats(-10, 10)),
        draw(st.none() | st.floats(1000, 20000)),
        draw(st.none() | colour),
        draw(st.booleans()),
    )


@given(st.lists(some_light(), max_size=4, unique_by=lambda x: x.id))
def test_a_list_is_written_and_read_as_it_was(lights: list[Light]) -> None:
    told = list_of(*lights)
    read = as_written(told)
    assert lights_text(read) == lights_text(told)
    assert (read.size_px, read.first, read.count, read.town) == ((640, 360), 1001, 24, True)
    for one, other in zip(read.lights, lights, strict=True):
        assert replace(one, track=other.track).__dict__ == other.__dict__
        np.testing.assert_array_equal(one.track.frames, other.track.frames)
        np.testing.assert_allclose(one.track.quads, other.track.quads, atol=0.0061)
        np.testing.assert_allclose(one.track.confidence, other.track.confidence, atol=0.00051)


ROW = [1001, 1, 2, 3, 2, 3, 4, 1, 4, 0.5]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("id", None, r"light null: id must be a whole number, got null"),
        ("id", 1.5, r"light 1\.5: id must be a whole number, got 1\.5"),
        ("kind", "moon", r"light 1: kind must be one of window, shop, .*, got \"moon\""),
        ("kind", ["lamp"], r"light 1: kind must be one of"),
        ("kelvins", 3, r"light 1: unknown key \"kelvins\"; known: id, kind"),
        ("on", 1, r"light 1: on must be true or false, got 1"),
        ("on", "yes", r"light 1: on must be true or false, got \"yes\""),
        ("locked", "no", r"light 1: locked must be true or false, got \"no\""),
        ("stops", 11, r"light 1: stops must be a number from -10 to 10, got 11"),
        ("stops", None, r"light 1: stops must be a number from -10 to 10, got null"),
        ("stops", float("nan"), r"light 1: stops must be a number from -10 to 10, got NaN"),
        ("stops", 10**400, r"light 1: stops must be a number from -10 to 10, got 1000+…"),
        ("kelvin", 200, r"light 1: kelvin must be a number from 1000 to 20000, got 200"),
        ("rgb", [1, 2], r"light 1: rgb must be a list of 3"),
        ("rgb", [1, 2, -1], r"light 1: rgb must be a number from 0 to 100, got -1"),
        ("parent", "house", r"light 1: parent must be a whole number, got \"house\""),
        ("track", [], r"light 1: track needs a row"),
        ("track", [ROW[:9]], r"light 1: a row of track must be a list of 10"),
        ("track", [ROW, ROW], r"light 1: track: frames must rise"),
        ("track", [[1.5, *ROW[1:]]], r"light 1: frame of track must be a whole number, got 1\.5"),
        ("track", [[1, float("inf"), *ROW[2:]]], r"light 1: a corner of track must be a number"),
        ("track", [[*ROW[:9], 1.5]], r"light 1: confidence of track must be .* 0 to 1, got 1\.5"),
    ],
)
def test_a_wrong_light_is_named(key: str, value: Any, words: str, tmp_path: Path) -> None:
    data = told()
    data["lights"][0][key] = value
    refused(json.dumps(data), words, tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("nightfx_lights", 2, "no list of lights of version 1"),
        ("light", [], 'unknown key "light"; known: nightfx_lights, size_px'),
        ("size_px", [640], "size_px must be a list of 2"),
        ("size_px", [640, 0], "size_px must be from 1 to 1000000, got 0"),
        ("first", "a", 'first must be a whole number, got "a"'),
        ("count", -1, "count must be from 0 to"),
        ("town", "no", 'town must be true or false, got "no"'),
        ("horizon", 5, "horizon must be a list"),
        ("horizon", [[1001]], "a row of horizon must be a list of 2"),
        ("horizon", [[1002, 0.5], [1001, 0.5]], "horizon: frames must rise"),
        ("lights", {}, "lights must be a list"),
        ("lights", [3], "light 1 of the list is no object"),
        ("lights", [{"kind": "lamp"}], "light 1 of the list: id must be a whole number"),
    ],
)
def test_a_wrong_head_is_named(key: str, value: Any, words: str, tmp_path: Path) -> None:
    refused(json.dumps(told() | {key: value}), words, tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Expecting value"),
        ("[1, 2]", "no list of lights"),
        ('{"nightfx_lights": 1', "line 1 column"),
        ("[" * 200_000, "recursion"),
        ("\udcff", "is no list of lights: `nightfx lights` writes one"),
    ],
)
def test_what_is_no_list_is_refused(text: str, words: str, tmp_path: Path) -> None:
    refused(text, words, tmp_path)


def refused(text: str, words: str, folder: Path) -> None:
    file = folder / "a.lights.json"
    file.write_text(text, "utf-8", "surrogateescape")
    with pytest.raises(UsageError, match=words) as caught:
        read_lights(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert len(str(caught.value)) < 400


def test_two_of_one_number_and_no_file_are_refused(tmp_path: Path) -> None:
    data = told()
    data["lights"][1]["id"] = 1
    with pytest.raises(ValueError, match="two lights have the id 1"):
        parse_lights(data)
    for path in (tmp_path / "none.json", tmp_path, Path("/dev/zero")):
        with pytest.raises(UsageError, match="is no file"):
            read_lights(path)


def test_what_is_locked_stays() -> None:
    mine = Light(7, "window", track_of(), 3, on=True, kelvin=2000.0, locked=True)
    old = list_of(mine, Light(8, "window", track_of(shift=40)))
    near = Light(1, "window", track_of(shift=11), 1)
    other = Light(2, "window", track_of(shift=60), 1)
    lamp = Light(3, "lamp", track_of())
    late = Light(4, "window", track_of(1012, 1020))
    kept = keep_locked(list_of(near, other, lamp, late), old)
    assert kept.lights[0] is mine
    assert [(x.id, x.kind, x.parent) for x in kept.lights[1:]] == [
        (8, "window", 8),
        (9, "lamp", None),
        (10, "window", None),
    ]
    assert keep_locked(list_of(near), list_of()).lights[0].track is near.track


# a shot, and the command


class PaleIsWindow(SceneNetwork):
    """What is pale is a window, and all is wall."""

    def __init__(self) -> None:
        super().__init__(len(SCENE_KINDS), (8,))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits = torch.full((len(x), len(SCENE_KINDS), *x.shape[2:]), -9.0)
        logits[:, SCENE_KINDS.index("wall")] = 9
        logits[:, SCENE_KINDS.index("window")] = 60 * (x.mean(1) - 0.7)
        return logits


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> SceneNetwork:
    known = PaleIsWindow().eval()
    monkeypatch.setattr(room, "load_scene_network", lambda: known)
    return known


def house(shift: int = 0) -> np.ndarray:
    """A dark wall with a little detail and four pale windows, (H, W, 3), moved to the right by px."""
    rgb = np.random.default_rng(0).integers(40, 90, (32, 48, 1)).repeat(3, 2).astype(np.uint8)
    rgb = np.asarray(cv2.resize(rgb, (192, 128), interpolation=cv2.INTER_LINEAR))
    for left in (30, 60, 90, 120):
        rgb[50:70, left + shift : left + 14 + shift] = 240
    return rgb


def framed(pictures: Sequence[np.ndarray], **facts: Any) -> Iterator[Frame]:
    for place, rgb in enumerate(pictures):
        planes = tuple(np.ascontiguousarray(c) for c in np.moveaxis(rgb, -1, 0))
        yield Frame(planes, rgb_coding(8, alpha=False), place, Fraction(1, 24), **facts)


def middles(found: LightList, number: int) -> list[tuple[int, int]]:
    return sorted((round(x), round(y)) for x, y in (s.quad.mean(0) for s in found.at(number)))


def test_windows_of_a_shot_are_found_where_they_are(network: SceneNetwork) -> None:
    found = search_shot(framed([house(i // 4) for i in range(25)]), Search(network))
    assert (found.size_px, found.first, found.count) == ((192, 128), 1001, 25)
    for number, shift in ((1001, 0), (1013, 3), (1025, 6)):
        assert middles(found, number) == [(x + 7 + shift, 60) for x in (30, 60, 90, 120)]
    assert len({x.parent for x in found.lights}) == 1
    assert lights_text(as_written(found)) == lights_text(found)


@pytest.mark.parametrize(
    ("odds", "windows", "is_town"), [(0.5, 4, True), (-0.5, 4, False), (0.5, 0, False)]
)
def test_a_town_is_called_one_and_has_something_to_light(
    odds: float,
    windows: int,
    is_town: bool,
    network: SceneNetwork,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search, "town_odds", lambda scene: odds)
    shown = house()
    shown[50:70] = np.where(shown[50:70] == 240, 240 if windows else 60, shown[50:70])
    found = search_shot(framed([shown]), Search(network))
    assert (len(found.lights), found.town) == (windows, is_town)


@pytest.mark.parametrize(
    ("town", "asked", "is_moonlit"),
    [
        *((True, "auto", False), (False, "auto", True), (False, "on", False)),
        *((False, "a.lights.json", False), (None, "off", False)),
    ],
)
def test_a_shot_without_a_town_gets_moonlight_and_no_lamp(
    town: bool | None, asked: str, is_moonlit: bool
) -> None:
    night, light = load_preset("night"), LightOptions(lights=asked)
    found = None if town is None else LightList((64, 48), 1001, 1, town)
    moonlight = moonlight_of(night, found, light)
    assert (moonlight is not None) == is_moonlit
    lamps = plan_lamps(night, found, light)
    assert (lamps is not None) == (town is not None and not is_moonlit)
    sky = plan_sky(night, night.facts.look or Look(), moonlight=moonlight)
    assert sky is not None
    assert sky.facts == (moonlight.sky if moonlight else night.facts.sky)


def test_by_the_moon_colours_go_and_white_turns_cool() -> None:
    grade = moonlit(Moonlight(saturation=0.25, temperature=-50))
    grey, red = (grade[:, :3] @ np.array(colour) for colour in ((0.5, 0.5, 0.5), (0.6, 0.2, 0.2)))
    assert grey @ BT709 == pytest.approx(0.5)
    assert grey[2] > grey[1] > grey[0]
    plain = moonlit(Moonlight(saturation=0.25, temperature=0))[:, :3] @ np.array((0.6, 0.2, 0.2))
    assert plain[0] - plain[1] == pytest.approx(0.25 * 0.4)
    assert red @ BT709 == pytest.approx(plain @ BT709, rel=0.05)
    np.testing.assert_allclose(moonlit(Moonlight(1, 0, exposure=-2.2)), np.eye(3, 4) / 2, atol=1e-6)


def test_the_moons_grade_comes_after_that_of_a_look() -> None:
    look, moon = np.eye(3, 4), moonlit(Moonlight(0, 0))
    look[0] = 2, 0, 0, 0.1
    both = then(look, moon)
    assert both is not None
    np.testing.assert_allclose(both[:, :3] @ [0.2, 0.2, 0.2] + both[:, 3], 0.2 + BT709[0] * 0.3)
    assert then(None, moon) is moon
    assert then(look, None) is look


def test_a_picture_without_a_town_is_rendered_by_moonlight_with_a_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sand = np.full((96, 128, 3), (200, 150, 90), np.uint8)
    Image.fromarray(sand).save(tmp_path / "sand.png")
    renders = []
    for asked in ("auto", "off"):
        options = RenderOptions.of(
            lights=asked, sky=0
        )  # what a plain picture shows is not to be told
        target = tmp_path / f"{asked}.png"
        renders.append(
            np.asarray(Image.open(render(tmp_path / "sand.png", target, options=options)), float)
        )
    by_moon, by_lamps = (picture[30:60].mean((0, 1)) for picture in renders)
    assert np.ptp(by_moon) / by_moon.mean() < 0.6 * np.ptp(by_lamps) / by_lamps.mean()
    assert [x.message for x in caplog.records if "no town" in x.message] == [
        "sand.png: shows no town: moonlight, and no lamp (--lights on lights what was found)"
    ]


def car_scene(cars: Sequence[int], rear: Sequence[int], front: Sequence[int]) -> Scene:
    """Cars of 40 by 24 px from these columns on, and lamps of 4 by 4 px on them, the first ones more surely."""
    surfaces = np.full((len(SURFACES), HEIGHT, WIDTH), 0.01, np.float32)
    lights = np.full((len(LIGHTS), HEIGHT, WIDTH), 0.01, np.float32)
    surfaces[SURFACES.index("wall")] = 0.9
    for left in cars:
        surfaces[SURFACES.index("wall"), 40:64, left : left + 40] = 0.01
        surfaces[SURFACES.index("vehicle"), 40:64, left : left + 40] = 0.9
    for kind, columns in (("rear-lamp", rear), ("front-lamp", front)):
        for place, left in enumerate(columns):
            lights[LIGHTS.index(kind), 50:54, left : left + 4] = 0.9 - 0.05 * place
    return Scene(surfaces, lights)


@pytest.mark.parametrize(("ground_from", "count"), [(0, 0), (24, 0), (32, 1), (HEIGHT, 1)], ids=str)
def test_what_lies_on_the_ground_is_no_lamp(ground_from: int, count: int) -> None:
    scene = car_scene([], [], [])
    scene.surfaces[:, ground_from:] = 0.01
    scene.surfaces[SURFACES.index("ground"), ground_from:] = 0.95
    # the network calls what shines on a road neither road nor anything else
    scene.surfaces[:, 32:35, 80:83] = 0.02
    scene.surfaces[SURFACES.index("wall"), 32:35, 80:83] = 0.9
    scene.lights[LIGHTS.index("lamp"), 32:35, 80:83] = 0.9
    found = find_lights(scene, np.zeros((3, HEIGHT, WIDTH), np.float32))
    assert sum(x.kind == "lamp" for x in found) == count


@pytest.mark.parametrize(
    ("cars", "rear", "front", "kept"),
    [
        ([20], [22, 54], [], [("rear-lamp", 24), ("rear-lamp", 56)]),
        ([20], [22, 54, 38], [30], [("rear-lamp", 24), ("rear-lamp", 56)]),
        ([20], [54], [22, 46], [("rear-lamp", 56)]),  # red is on rears alone
        # two that stand close together, of which one comes and one goes
        (
            [20, 60],
            [22, 54],
            [62, 94],
            [("front-lamp", 64), ("front-lamp", 96), ("rear-lamp", 24), ("rear-lamp", 56)],
        ),
    ],
)
def test_a_car_has_the_lamps_of_one_end(
    cars: list[int], rear: list[int], front: list[int], kept: list[tuple[str, int]]
) -> None:
    found = find_lights(car_scene(cars, rear, front), np.zeros((3, HEIGHT, WIDTH), np.float32))
    of_cars = [x for x in found if x.kind.endswith("-lamp")]
    assert sorted((x.kind, round(x.quad[:, 0].mean())) for x in of_cars) == kept


def test_each_car_has_lamps_of_its_own() -> None:
    scene = car_scene([20, 60], [22, 54, 62, 94], [])
    found = find_lights(scene, np.zeros((3, HEIGHT, WIDTH), np.float32))
    cars = {round(x.quad[:, 0].mean()): x.house for x in found if x.kind == "rear-lamp"}
    assert set(cars) == {24, 56, 64, 96}
    assert cars[24] == cars[56] != cars[64] == cars[96]


def test_between_two_lamps_of_a_car_is_none() -> None:
    scene = car_scene([20, 60], [22, 54], [])
    lights = scene.lights
    lights[LIGHTS.index("rear-lamp"), 52:55, 40:44] = 0.8  # a reflector
    lights[LIGHTS.index("front-lamp"), 54:58, 34:42] = 0.95  # a number plate
    found = find_lights(scene, np.zeros((3, HEIGHT, WIDTH), np.float32))
    assert sorted(round(x.quad[:, 0].mean()) for x in found) == [24, 56]


def test_a_red_car_is_no_lamp() -> None:
    scene = car_scene([20, 60], [22, 54], [])
    scene.lights[LIGHTS.index("rear-lamp"), 44:60, 66:90] = 0.95
    found = find_lights(scene, np.zeros((3, HEIGHT, WIDTH), np.float32))
    assert sorted(round(x.quad[:, 0].mean()) for x in found) == [24, 56]


@pytest.mark.parametrize(("kind", "count"), [("sky", 1), ("leaves", 0), ("person", 0)])
def test_a_street_lamp_hangs_before_the_sky(kind: str, count: int) -> None:
    scene = car_scene([], [], [])
    scene.surfaces[:, 20:40, 60:120] = 0.01
    scene.surfaces[SURFACES.index(kind), 20:40, 60:120] = 0.95
    scene.lights[LIGHTS.index("lamp"), 28:30, 80:89] = 0.98
    found = find_lights(scene, np.zeros((3, HEIGHT, WIDTH), np.float32))
    assert sum(x.kind == "lamp" for x in found) == count


def painted(body: tuple[float, float, float], spots: Sequence[tuple[int, int]]) -> np.ndarray:
    """A picture (3, H, W) with a car from column 20 on, and dark red spots on it of 5 by 4 px at these columns and rows."""
    picture = np.full((3, HEIGHT, WIDTH), 0.5, np.float32)
    picture[:, 40:64, 20:60] = np.array(body, np.float32)[:, None, None]
    for left, top in spots:
        picture[:, top : top + 4, left : left + 5] = np.array([[[0.3]], [[0.08]], [[0.07]]])
    return picture


@pytest.mark.parametrize(
    ("body", "spots", "kept"),
    [
        ((0.1, 0.1, 0.1), [(22, 50), (52, 50)], [24, 54]),
        ((0.8, 0.8, 0.8), [(22, 50), (52, 50)], [24, 54]),
        ((0.6, 0.1, 0.1), [], []),  # a red car
        ((0.1, 0.1, 0.1), [(30, 60)], []),  # what lies at its wheels
    ],
)
def test_tail_lamps_are_known_by_their_red(
    body: tuple[float, float, float], spots: list[tuple[int, int]], kept: list[int]
) -> None:
    found = find_lights(car_scene([20], [], []), painted(body, spots))
    assert [x.kind for x in found] == ["rear-lamp"] * len(kept)
    assert sorted(int(x.quad[:, 0].mean()) for x in found) == kept


def test_no_street_lamp_stands_on_a_car() -> None:
    scene = car_scene([20], [], [])
    scene.lights[LIGHTS.index("lamp"), 50:52, 30:33] = 0.95
    scene.lights[LIGHTS.index("lamp"), 10:12, 90:93] = 0.95
    (lamp,) = find_lights(scene, painted((0.1, 0.1, 0.1), []))
    assert (lamp.kind, round(lamp.quad[:, 0].mean())) == ("lamp", 92)


def test_places_are_those_of_the_picture_that_is_shown(network: SceneNetwork) -> None:
    turned = np.ascontiguousarray(np.rot90(house()))
    upright = search_shot(framed([house()]), Search(network))
    origin: Any = SimpleNamespace(rotation=-90)  # what is decoded is turned when it is shown
    found = search_shot(framed([turned], origin=origin), Search(network))
    assert found.size_px == (192, 128)
    assert middles(found, 1001) == middles(upright, 1001)


def test_lights_go_by_the_numbers_of_files_and_of_fields(network: SceneNetwork) -> None:
    files = [
        replace(frame, number=number)
        for frame, number in zip(framed([house()] * 4), (7, 8, 11, 12), strict=True)
    ]
    found = search_shot(files, Search(network))
    assert (found.first, found.count) == (7, 4)
    assert {int(x.track.frames[-1]) for x in found.lights} == {12}
    fields = search_shot(framed([house()] * 6), Search(network, numbering=Numbering(101, 2)))
    assert {int(x.track.frames[-1]) for x in fields.lights} == {103}


def test_a_list_is_the_same_whatever_the_threads(network: SceneNetwork) -> None:
    shot = [house(i // 2) for i in range(14)]
    texts, before = set(), cv2.getNumThreads()
    for threads in (1, 3):
        cv2.setNumThreads(threads)
        texts.add(lights_text(search_shot(framed(shot), Search(network))))
    cv2.setNumThreads(before)
    assert len(texts) == 1


def test_no_frames_have_no_lights(network: SceneNetwork) -> None:
    assert not search_shot([], Search(network)).lights


def nightfx(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_a_picture_has_a_list_beside_it(tmp_path: Path) -> None:
    Image.fromarray(house()).save(tmp_path / "a.png")
    result = nightfx("lights", tmp_path / "a.png")
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(tmp_path / "a.lights.json")
    found = read_lights(tmp_path / "a.lights.json")
    assert middles(found, 1001) == [(x + 7, 60) for x in (30, 60, 90, 120)]


def test_a_clip_has_a_list_of_the_frames_that_were_asked_for(tmp_path: Path) -> None:
    plate = make_clip(tmp_path / "a.mp4", Clip(count=6))
    told: list[tuple[int, int | None]] = []
    target = list_lights(
        plate,
        tmp_path / "own/b.json",
        options=RenderOptions.of(frames="1003-1005"),
        on_progress=lambda done, total: told.append((done, total)),
    )
    found = read_lights(target)
    assert (found.first, found.count) == (1003, 3)
    assert told[-1] == (3, 3)


def test_a_new_list_keeps_what_is_locked_in_the_old_one(tmp_path: Path) -> None:
    Image.fromarray(house()).save(tmp_path / "a.png")
    target = list_lights(tmp_path / "a.png")
    found = read_lights(target)
    mine = replace(found.lights[0], on=False, locked=True)
    write_lights(replace(found, lights=(mine, *found.lights[1:])), target)
    with pytest.raises(TargetError, match="exists already; --overwrite replaces it"):
        list_lights(tmp_path / "a.png")
    list_lights(tmp_path / "a.png", options=RenderOptions.of(overwrite=True))
    again = read_lights(target)
    assert len(again.lights) == len(found.lights)
    assert [x.on for x in again.lights if x.locked] == [False]


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (["-o", "a.mp4"], 2, "a list of lights is JSON: name it NAME.lights.json"),
        (["-o", "other.json", "--overwrite"], 2, "no list of lights of version 1"),
        (["--start", "9"], 2, "--start 9 leaves no frame: it has frames 1001 to 1002"),
    ],
)
def test_what_cannot_be_is_one_line(
    words: list[str], code: int, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plate = make_clip(tmp_path / "a.mp4", Clip(count=2))
    before = plate.read_bytes()
    (tmp_path / "other.json").write_text("{}", "utf-8")
    result = nightfx("lights", plate, *words)
    assert result.exit_code == code, result.output
    assert line in result.stderr
    assert result.stderr.count("error:") == 1
    assert plate.read_bytes() == before
    assert (tmp_path / "other.json").read_text("utf-8") == "{}"
    assert sorted(x.name for x in tmp_path.iterdir()) == ["a.mp4", "other.json"]
