"""What is known of labelled pictures, what the loss makes of it, and a run that learns a sky."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from nightfx.cli import app
from nightfx.errors import TrainingError
from nightfx.network import SceneNetwork, load_scene_network
from nightfx.options import SceneTrainOptions
from nightfx.scene import KINDS, LIGHTS, SURFACES, see_scene
from nightfx.training.scene import run as run_module
from nightfx.training.scene import state
from nightfx.training.scene.altering import altered, plain_sky
from nightfx.training.scene.framing import reframed
from nightfx.training.scene.gaps import with_gap
from nightfx.training.scene.gather import Sources, gather, is_kept_out, read_keep_out
from nightfx.training.scene.labelled import (
    ALL_LIGHTS,
    GROUND,
    NOT_SKY,
    PERSON,
    SKY,
    STANDING,
    UNKNOWN,
    VEHICLE,
    WALL,
    Labelled,
    bit,
)
from nightfx.training.scene.lampposts import knows_lamps, with_lamps
from nightfx.training.scene.loss import held_loss, scene_loss, wanted_of
from nightfx.training.scene.photographs import read_labelled
from nightfx.training.scene.rooms import draw_room, persons_in
from nightfx.training.scene.run import draw_batch, train_scene
from nightfx.training.scene.town import read_view

CPU = torch.device("cpu")
HORIZON = 40  # of 96 rows


def street(seed: int = 0) -> np.ndarray:
    """A bright sky over a dark, rough ground, (96, 128, 3) uint8."""
    rng = np.random.default_rng(seed)
    grey = rng.uniform(20, 110, (96, 128, 1))
    grey[:HORIZON] = rng.uniform(190, 240) + rng.uniform(-2, 2, (HORIZON, 128, 1))
    return grey.repeat(3, 2).astype(np.uint8)


def write_photographs(folder: Path, count: int) -> tuple[Path, Path]:
    """Photographs below `folder`/data and what a teacher says of their skies below `folder`/labels."""
    sky = np.zeros((384, 384), np.uint8)
    sky[: 384 * HORIZON // 96] = 255
    for index in range(count):
        for place, plane in (("data", street(index)), ("labels/sky", sky)):
            path = folder / place / "town/photos" / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(plane).save(path)
    return folder / "data", folder / "labels"


def labelled(**maps: np.ndarray | int) -> Labelled:
    """A picture of which nothing is known but what `maps` say."""
    default = {"sky": 0, "surface": UNKNOWN, "lit": 0, "known": 0, "trust": 255} | maps
    return Labelled(street(), *(np.full((96, 128), v, np.uint8) for v in default.values()))


def test_what_nobody_knows_teaches_nothing() -> None:
    logits = torch.randn(1, len(KINDS), 96, 128, requires_grad=True)
    losses = scene_loss(logits, wanted_of([labelled()], CPU))
    torch.stack(list(losses.values())).sum().backward()
    assert logits.grad is not None
    assert not logits.grad.any()


@pytest.mark.parametrize(
    ("code", "right"),
    [
        (WALL, {"wall"}),
        (NOT_SKY, {"ground", "wall", "leaves", "vehicle", "person"}),
        (STANDING, {"ground", "wall", "leaves"}),
    ],
)
def test_a_surface_known_as_one_of_several_may_be_any_of_them(code: int, right: set[str]) -> None:
    wanted = wanted_of([labelled(surface=code)], CPU)
    for index, name in enumerate(SURFACES):
        logits = torch.full((1, len(KINDS), 96, 128), -10.0)
        logits[:, index] = 10
        assert (scene_loss(logits, wanted)["surfaces"] < 0.01) == (name in right)


def test_a_pixel_half_of_sky_wants_a_half() -> None:
    wanted = wanted_of([labelled(sky=128, surface=NOT_SKY)], CPU)
    losses = []
    for share in (0.1, 0.5, 0.9):
        rest = (1 - share) / 5
        p = torch.tensor([share, *[rest] * 5, *[0.5] * 5])
        logits = p.log().view(1, -1, 1, 1).expand(1, -1, 96, 128)
        losses.append(float(scene_loss(logits, wanted)["surfaces"]))
    assert losses[1] < min(losses[0], losses[2])


def test_boxes_say_where_windows_are_and_nearly_where_none_are(tmp_path: Path) -> None:
    data, labels = write_photographs(tmp_path, 1)
    boxes = data / "town/boxes/0.txt"
    boxes.parent.mkdir()
    boxes.write_text("0 0.5 0.75 0.25 0.25\n3 0.2 0.6 0.1 0.1\n", encoding="utf-8")
    path, place = data / "town/photos/0.png", Path("town/photos/0")
    item = read_labelled(path, place, labels, windowless=False)
    assert item is not None
    assert item.lit[72, 64] == bit("window")
    assert item.surface[72, 64] == WALL
    assert item.lit[58, 26] == bit("sign")
    assert item.lit[90, 5] == 0
    assert item.known[90, 5] == bit("window") | bit("sign")
    assert item.trust[90, 5] < item.trust[72, 82] == item.trust[10, 10] == 255
    assert item.known[10, 10] == ALL_LIGHTS
    assert item.sky[10, 10] == 255


def test_the_teacher_of_vehicles_is_believed_in_what_it_finds(tmp_path: Path) -> None:
    data, labels = write_photographs(tmp_path, 1)
    classes = np.zeros((96, 128), np.uint8)
    classes[60:80, 20:50], classes[60:80, 60:70], classes[60:80, 50:60] = 7, 15, 255
    (labels / "voc/town/photos").mkdir(parents=True)
    Image.fromarray(classes).save(labels / "voc/town/photos/0.png")
    path, place = data / "town/photos/0.png", Path("town/photos/0")
    item = read_labelled(path, place, labels)
    assert item
    assert [item.surface[70, x] for x in (30, 55, 65, 100)] == [VEHICLE, UNKNOWN, PERSON, STANDING]
    assert item.known[70, 30] == bit("window") | bit("sign")
    assert item.known[70, 65] == ALL_LIGHTS
    assert item.known[70, 100] == 0


def test_a_folder_may_be_said_to_show_no_windows(tmp_path: Path) -> None:
    data, labels = write_photographs(tmp_path, 1)
    path, place = data / "town/photos/0.png", Path("town/photos/0")
    item = read_labelled(path, place, labels, windowless=True)
    assert item
    assert item.known[70, 100] == bit("window") | bit("sign") | bit("lamp")
    assert item.trust[70, 100] < 255 == item.trust[10, 10]


def test_before_a_car_is_road(tmp_path: Path) -> None:
    data, labels = write_photographs(tmp_path, 1)
    path, place = data / "town/photos/0.png", Path("town/photos/0")
    item = read_labelled(path, place, labels, road=True)
    assert item
    assert item.surface[72, 64] == GROUND
    assert item.surface[72, 5] == NOT_SKY
    assert item.surface[50, 64] == NOT_SKY


def test_a_picture_whose_teacher_is_unsure_is_left_out(tmp_path: Path) -> None:
    data, labels = write_photographs(tmp_path, 1)
    Image.fromarray(np.full((384, 384), 128, np.uint8)).save(labels / "sky/town/photos/0.png")
    path, place = data / "town/photos/0.png", Path("town/photos/0")
    assert read_labelled(path, place, labels, windowless=False) is None


def test_a_view_of_the_town_says_everything(tmp_path: Path) -> None:
    maps = np.zeros((len(KINDS), 24, 32), np.uint8)
    maps[SURFACES.index("sky"), :10] = 255
    maps[SURFACES.index("wall"), 10:] = 255
    maps[len(SURFACES) + LIGHTS.index("lamp"), 12:14, 3:6] = 255
    cv2.imwrite(str(tmp_path / "kinds.png"), maps.reshape(-1, 32))
    for day in ("sun", "overcast"):
        Image.fromarray(street()[:24, :32]).save(tmp_path / f"{day}.webp", lossless=True)
    sun, overcast = read_view(tmp_path)
    assert np.array_equal(sun.sky[:, 0], [255] * 10 + [0] * 14)
    assert sun.surface[20, 0] == WALL
    assert sun.surface[2, 0] == SKY or sun.sky[2, 0] == 255
    assert sun.lit[12, 4] == bit("lamp")
    assert (sun.lit > 0).sum() == 6
    assert (overcast.known == ALL_LIGHTS).all()


def test_a_new_framing_takes_labels_along() -> None:
    sky = np.zeros((96, 128), np.uint8)
    sky[:HORIZON] = 255
    picture = np.dstack([sky, sky, sky])
    surface = np.full_like(sky, NOT_SKY)
    item = Labelled(picture, sky, surface, np.minimum(sky, 1), surface, np.full_like(sky, 255))
    for seed in range(8):
        found = reframed(item, (64, 80), np.random.default_rng(seed))
        assert found.picture.shape == (64, 80, 3)
        known = found.surface == NOT_SKY
        assert known.mean() > 0.5
        difference = found.picture[..., 0].astype(int) - found.sky
        assert abs(difference[known]).mean() < 3
        assert ((found.sky[known] > 127) == (found.lit[known] > 0)).mean() > 0.95


def test_what_is_altered_stays_a_picture() -> None:
    sky = np.zeros((96, 128), np.uint8)
    sky[:HORIZON] = 255
    item = labelled(sky=sky, surface=NOT_SKY)
    piece = plain_sky(item)
    assert piece is not None
    assert piece.shape[0] == HORIZON - 2
    for seed in range(20):
        x = altered(item, [piece], np.random.default_rng(seed))
        assert x.shape == (96, 128, 3)
        assert x.dtype == np.float32
        assert x.min() >= 0
        assert x.max() <= 1


def test_a_gap_before_a_facade_is_known_as_sky() -> None:
    everywhere = labelled(surface=WALL, lit=int(bit("window")), known=int(bit("window")), trust=80)
    piece = np.full((30, 50, 3), (10, 20, 250), np.uint8)
    for seed in range(6):
        found = with_gap(everywhere, [piece], np.random.default_rng(seed))
        is_blue = (found.picture == piece[0, 0]).all(-1)
        assert np.array_equal(is_blue, found.sky == 255)
        assert not found.lit[is_blue].any()
        assert (found.known[is_blue] == ALL_LIGHTS).all()
        far = found.sky == 0
        assert np.array_equal(found.picture[far], everywhere.picture[far])
        assert (found.trust[far] == 80).all()
    assert with_gap(everywhere, [], np.random.default_rng(0)) is everywhere


def test_lamps_are_drawn_with_a_post_and_are_all_the_lamps_there_are() -> None:
    lamp, plain = bit("lamp"), labelled(surface=SKY, sky=255)
    kept = 0
    for seed in range(40):
        found = with_lamps(plain, np.random.default_rng(seed))
        is_new = (found.picture != plain.picture).any(-1)
        is_head = (found.lit & lamp) > 0
        kept += bool(is_head.any())
        assert (found.sky[is_head] < 128).all()
        assert (found.surface[is_head] == STANDING).all()
        assert (found.known[is_head] & lamp).all()
        far = cv2.dilate(is_new.astype(np.uint8), np.ones((3, 3))) == 0
        assert (found.known[far] & lamp).all()
        assert np.array_equal(found.sky[far], plain.sky[far])
        assert not (found.lit[far] & lamp).any()
    assert kept > 20  # the others stand outside


def test_a_room_has_no_sky_and_says_nothing_of_what_its_windows_show() -> None:
    rng = np.random.default_rng(5)
    photograph = labelled(surface=WALL)
    rooms = [draw_room((96, 128), [], [photograph], rng) for _ in range(12)]
    assert not any(room.sky.any() for room in rooms)
    assert any((room.surface == UNKNOWN).any() for room in rooms)
    assert any((room.surface == GROUND).any() for room in rooms)
    assert all(not room.known[room.surface == UNKNOWN].any() for room in rooms)
    assert len({room.picture.tobytes() for room in rooms}) == len(rooms)


def test_a_person_sits_in_a_room_as_cut_out() -> None:
    surface = np.full((96, 128), NOT_SKY, np.uint8)
    surface[30:90, 40:80] = PERSON
    item = labelled(surface=surface)
    item.picture[surface == PERSON] = (0, 255, 0)
    person = persons_in(item)
    assert person is not None
    assert person[1].shape == (60, 40)
    rng = np.random.default_rng(1)
    rooms = [draw_room((96, 128), [person], [labelled(surface=WALL)], rng) for _ in range(8)]
    seated = [room for room in rooms if (room.surface == PERSON).sum() > 300]
    assert seated
    for room in seated:
        shown = room.picture[room.surface == PERSON].mean(0)
        assert shown[1] > 180
        assert shown[0] < 60


def test_a_small_person_is_not_cut_out() -> None:
    surface = np.full((96, 128), NOT_SKY, np.uint8)
    surface[:10, :10] = PERSON
    assert persons_in(labelled(surface=surface)) is None


def test_what_labels_leave_open_is_held_and_nothing_else() -> None:
    before = torch.randn(1, len(KINDS), 96, 128)
    other = torch.randn(1, len(KINDS), 96, 128)
    everything = labelled(surface=WALL, known=int(ALL_LIGHTS))
    opened = labelled(surface=STANDING)
    assert float(held_loss(other, wanted_of([everything], CPU), before)) == 0
    assert float(held_loss(before, wanted_of([opened], CPU), before)) == pytest.approx(0, abs=1e-5)
    assert float(held_loss(other, wanted_of([opened], CPU), before)) > 0.1


def test_who_says_where_lamps_are_gets_none_drawn() -> None:
    assert knows_lamps(labelled(known=int(ALL_LIGHTS)))
    assert not knows_lamps(labelled(known=int(bit("window"))))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "SIZE_PX", (64, 96))
    monkeypatch.setattr(state, "SceneNetwork", lambda channels: SceneNetwork(channels, (8, 12, 16)))


Options = Callable[..., SceneTrainOptions]


@pytest.fixture
def options(tmp_path: Path, small: None) -> Options:
    data, labels = write_photographs(tmp_path, 12)

    def make(**given: object) -> SceneTrainOptions:
        return SceneTrainOptions(photos=data, labels=labels, batch=4, every=4, **given)  # type: ignore[arg-type]

    return make


def test_a_run_learns_where_the_sky_is(options: Options, tmp_path: Path) -> None:
    weights = train_scene(tmp_path / "run", options(steps=60, learning_rate=1e-2), device="cpu")
    shown = np.moveaxis(street(99), -1, 0).astype(np.float32) * np.float32(1 / 255)
    sky = see_scene(load_scene_network(weights), shown).of("sky")
    assert sky[: HORIZON - 6].mean() > 0.8
    assert sky[HORIZON + 6 :].mean() < 0.3


def test_a_run_goes_on_where_it_stopped(options: Options, tmp_path: Path) -> None:
    class Stop(KeyboardInterrupt):
        pass

    def stop(step: int, total: int, losses: dict[str, float]) -> None:
        if step == 3:
            raise Stop

    chosen = options(steps=8)
    whole = train_scene(tmp_path / "whole", chosen, device="cpu")
    with pytest.raises(Stop):
        train_scene(tmp_path / "parts", chosen, device="cpu", on_progress=stop)
    parts = train_scene(tmp_path / "parts", chosen, device="cpu")
    assert parts.read_bytes() == whole.read_bytes()


def test_a_run_starts_from_given_weights(options: Options, tmp_path: Path) -> None:
    first = train_scene(tmp_path / "first", options(steps=4), device="cpu")
    begun = state.start(options(start=first), CPU)
    assert begun.step == 0
    for key, tensor in load_scene_network(first).state_dict().items():
        assert torch.equal(tensor, begun.mean.state_dict()[key])
    assert all(parameter.requires_grad for parameter in begun.network.parameters())


def test_a_run_that_holds_stays_near_where_it_started(options: Options, tmp_path: Path) -> None:
    first = train_scene(tmp_path / "first", options(steps=2))
    told: list[dict[str, float]] = []
    train_scene(
        tmp_path / "second",
        options(steps=3, start=first, hold=1.0),
        on_progress=lambda step, total, losses: told.append(dict(losses)),
    )
    assert all("held" in losses for losses in told)
    assert told[0]["held"] == pytest.approx(0, abs=1e-3)


def test_what_was_labelled_meanwhile_is_taken_in(options: Options, tmp_path: Path) -> None:
    chosen, sources = options(), Sources()
    before = gather(sources, chosen, [])
    assert gather(sources, chosen, []) == 0
    write_photographs(tmp_path, 20)
    assert before + gather(sources, chosen, []) == len(sources) > before
    pictures, items = draw_batch(sources, chosen, 0)
    assert pictures.shape == (4, 3, 64, 96)
    assert len(items) == 4


def test_what_is_kept_out_is_never_learnt_from(options: Options, tmp_path: Path) -> None:
    file = tmp_path / "keep-out.txt"
    file.write_text("town/photos/3.png  # by hand\n\n", encoding="utf-8")
    assert read_keep_out(file) == ["town/photos/3.png"]
    sources = Sources()
    gather(sources, options(), read_keep_out(file))
    names = {path.stem for path in sources.seen}
    assert "3" not in names
    assert names == {
        str(i) for i in range(12) if i != 3 and not is_kept_out(Path(f"town/photos/{i}"), set())
    }


def test_nothing_to_learn_from_is_told(tmp_path: Path) -> None:
    given = ["--photos", str(tmp_path), "--labels", str(tmp_path), "--out", str(tmp_path / "run")]
    words = CliRunner().invoke(app, ["train-scene", *given])
    assert words.exit_code == 1
    assert "nothing labelled there" in words.output
    assert not (tmp_path / "run").exists()


def test_a_checkpoint_that_is_none_is_told(options: Options, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"nothing")
    with pytest.raises(TrainingError, match="checkpoint"):
        train_scene(tmp_path, options(), device="cpu")
