"""Figures against true nights, on pictures whose answers are known, and the drawn streets themselves."""

import csv
import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from bench.grades import hand_grade, to_linear
from bench.paired import TWINS, main
from bench.twins import (
    Mask,
    Twin,
    count_kept,
    flat_nights,
    load_twins,
    luma,
    measure_twins,
    psnr_matched,
    ssim,
)
from bench.views import (
    EACH,
    View,
    camera_of,
    cell_errors,
    cells,
    lights_of,
    load_views,
    mean_view,
    measure_floor,
    measure_view,
)
from nightfx.errors import UsageError
from nightfx.metrics import psnr

PLACES = [(20, 20), (20, 60), (20, 100), (50, 40), (50, 80)]  # of lamps, 6 px square


def scene(seed: int = 0) -> Tensor:
    """A dark scene (3, 72, 128) with texture, nowhere brighter than 0.3."""
    rng = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 9, 16, generator=rng)
    return torch.nn.functional.interpolate(coarse, size=(72, 128), mode="bilinear")[0] * 0.2 + 0.1


def lamps() -> Mask:
    mask = np.zeros((72, 128), bool)
    for top, left in PLACES:
        mask[top : top + 6, left : left + 6] = True
    return mask


def lit(picture: Tensor, count: int = len(PLACES), level: float = 0.9) -> Tensor:
    """The picture with the first so many lamps lit."""
    out = picture.clone()
    for top, left in PLACES[:count]:
        out[:, top : top + 6, left : left + 6] = level
    return out


def twin(night: Tensor) -> Twin:
    none = np.zeros((72, 128), bool)
    return Twin("1/0030", scene(), night, {"lamps": lamps(), "windows": none, "cars": none})


def test_an_identical_pair_is_as_near_as_can_be() -> None:
    night = lit(scene())
    row = measure_twins("same", [night], [twin(night)])
    assert (row.psnr, row.kept["lamps"]) == (math.inf, 1.0)
    assert row.ssim == pytest.approx(1)
    assert row.matched > 100


def test_a_kind_that_is_nowhere_has_no_share() -> None:
    night = lit(scene())
    assert math.isnan(measure_twins("same", [night], [twin(night)]).kept["windows"])


def test_another_exposure_costs_its_psnr_and_nothing_once_matched() -> None:
    night = lit(scene())
    darker = night / 2
    assert psnr(darker, night) == pytest.approx(
        -10 * math.log10(float((night / 2).square().mean()))
    )
    assert psnr_matched(darker, night) > 100
    assert psnr_matched(torch.zeros_like(night), night) == pytest.approx(
        -10 * math.log10(float(night.double().square().mean()))
    )


def test_no_exposure_makes_up_for_another_picture() -> None:
    a, b = scene(1), scene(2)
    assert psnr(a, b) <= psnr_matched(a, b) < 40


@pytest.mark.parametrize("painted_out", range(len(PLACES) + 1))
def test_lamps_painted_out_are_missed_one_by_one(painted_out: int) -> None:
    render = lit(scene(), len(PLACES) - painted_out)
    found, of = count_kept(luma(render), luma(lit(scene())), lamps())
    assert (found, of) == (len(PLACES) - painted_out, len(PLACES))


def test_a_lamp_must_be_clearly_brighter_than_what_is_around_it() -> None:
    truth, ground = luma(lit(scene())), torch.full((3, 72, 128), 0.3)
    for level, found in ((0.39, 0), (0.41, len(PLACES)), (0.1, 0)):
        assert count_kept(luma(lit(ground, level=level)), truth, lamps())[0] == found


def test_a_lamp_that_is_dark_in_truth_does_not_count() -> None:
    truth = luma(lit(scene(), 2))
    assert count_kept(luma(lit(scene())), truth, lamps()) == (2, 2)


def test_panes_of_a_window_are_one_light() -> None:
    panes = np.zeros((72, 128), bool)
    panes[20:30, 20:24] = panes[20:30, 26:30] = True  # the bar between is 2 px wide
    truth = np.where(panes, np.float32(0.8), np.float32(0.1))
    assert count_kept(truth, truth, panes) == (1, 1)


def test_ssim_of_flat_pictures_is_what_their_means_say() -> None:
    a, b = torch.full((3, 32, 32), 0.5), torch.full((3, 32, 32), 0.25)
    wanted = (2 * 0.5 * 0.25 + 1e-4) / (0.5**2 + 0.25**2 + 1e-4)
    assert ssim(a, b) == pytest.approx(wanted, abs=1e-6)


def test_ssim_of_a_negative_is_below_nought_in_structure() -> None:
    picture = torch.rand(1, 64, 64, generator=torch.Generator().manual_seed(3)).expand(3, -1, -1)
    assert ssim(picture, 1 - picture) < -0.5


def test_a_flat_night_has_its_mean_and_no_lights() -> None:
    night = lit(scene())
    (flat,) = flat_nights([twin(night)])
    assert torch.allclose(flat.mean((1, 2)), night.mean((1, 2)))
    assert measure_twins("flat", [flat], [twin(night)]).kept["lamps"] == 0


def test_a_hand_grade_darkens_by_its_stops_and_cools() -> None:
    grey = hand_grade(torch.full((3, 4, 4), 0.8))[:, 0, 0]
    light, before = to_linear(grey), float(to_linear(torch.tensor(0.8)))
    # 2.6 stops, and what of white's luma the cool gains 0.75, 0.95 and 1.35 leave
    assert float(light @ light.new_tensor((0.2126, 0.7152, 0.0722))) == pytest.approx(
        before * 2**-2.6 * 0.9364, rel=1e-3
    )
    assert grey[0] < grey[1] < grey[2]


# Views ---------------------------------------------------------------------------------------


def view(nights: list[Tensor], sky_rows: int = 2) -> View:
    return View("a", [scene()], nights, sky_rows)


def test_a_night_of_the_view_itself_has_no_error() -> None:
    night = lit(scene())
    row = measure_view("same", view([night, night]), lambda _: night)
    assert row.structure == pytest.approx(1, abs=1e-5)
    assert (row.ground, row.sky, row.pattern, row.colour, row.lights) == (0, 0, 0, 0, 1)


def test_a_shift_of_exposure_is_an_error_of_ground_and_sky_but_not_of_pattern() -> None:
    night = scene()
    row = measure_view("shifted", view([night]), lambda _: night + 0.1)
    assert row.ground == pytest.approx(0.1, abs=1e-5)
    assert row.sky == pytest.approx(0.1, abs=1e-5)
    assert row.pattern == pytest.approx(0, abs=1e-5)


def test_a_sky_that_stays_bright_is_an_error_of_the_sky_alone() -> None:
    night = scene()
    bright = night.clone()
    bright[:, :18] += 0.4  # a quarter of the height: two rows of eight
    ground, sky, pattern, colour = cell_errors(cells(bright), cells(night), 2)
    assert ground == 0
    assert sky == pytest.approx(0.4, abs=1e-5)
    assert pattern == pytest.approx(0.1, abs=1e-5)  # a quarter of the cells, the median being 0
    assert colour >= 0


def test_colour_is_told_from_brightness() -> None:
    grey = np.full((8, 8, 3), 0.3, np.float32)
    assert cell_errors(grey, grey * 0.5, 0)[3] == pytest.approx(0, abs=0.05)
    blue = grey * np.array([0.8, 1.0, 1.5], np.float32)
    assert cell_errors(blue, grey, 0)[3] > 10


def test_a_view_without_sky_has_no_error_of_it_and_others_make_the_mean() -> None:
    night = scene()
    rows = [measure_view("x", view([night], rows), lambda _: night + 0.1) for rows in (0, 2)]
    assert math.isnan(rows[0].sky)
    assert mean_view(rows).sky == pytest.approx(0.1, abs=1e-5)
    assert math.isnan(mean_view(rows[:1]).sky)


def test_the_floor_is_what_two_nights_differ_by() -> None:
    row = measure_floor("floor", view([scene(), scene() + 0.06]))
    assert row.ground == pytest.approx(0.06, abs=1e-5)
    assert row.pattern == pytest.approx(0, abs=1e-5)


def test_lights_of_a_view_are_those_that_stay() -> None:
    traffic = [lit(scene()) for _ in range(3)]
    traffic[0][:, 60:66, 10:16] = 0.9  # the lights of a car, on one night of three
    truth, lights = lights_of(traffic)
    assert np.array_equal(lights, lamps())
    assert count_kept(truth, truth, lights) == (5, 5)


def photos(folder: Path, rows: list[tuple[str, str, str]]) -> Path:
    """A folder with a manifest of webcam pictures of 640×469: class, file and original name."""
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as lines:
        table = csv.writer(lines)
        table.writerow(["path", "class", "content", "source", "original", "width", "height"])
        for kind, name, original in rows:
            table.writerow([f"{kind}/{name}", kind, "street", "webcams", original, 640, 469])
            (folder / kind).mkdir(exist_ok=True)
            picture = np.full((469, 640, 3), 160 if kind == "day" else 40, np.uint8)
            Image.fromarray(picture).save(folder / kind / name)
    return folder


def test_cameras_of_one_frame_size_are_told_by_their_clock(tmp_path: Path) -> None:
    rows = [
        (c, f"{i}.png", f"test_20151102_1{i}2215.jpg") for c in ("day", "night") for i in (1, 2)
    ]
    rows += [(c, f"{i}.png", f"test_20151102_1{i}3541.jpg") for c in ("day", "night") for i in (3,)]
    rows += [("day", f"{i}.png", f"x_20151103_0{i}5216.jpg") for i in (4, 5)]
    views = {view.name: view for view in load_views(photos(tmp_path, rows), "held-out")}
    assert {name: (len(v.days), len(v.nights), v.sky_rows) for name, v in views.items()} == {
        "640x469": (4, 2, 2),
        "640x469 b": (1, 1, 1),
    }
    assert min(views["640x469"].days[0].shape[1:]) == 272


def test_a_camera_that_saw_no_night_is_left_out(tmp_path: Path) -> None:
    folder = photos(tmp_path, [("day", "0.png", "test_20151102_102215.jpg")])
    with pytest.raises(UsageError, match="by day and by night"):
        list(load_views(folder, "held-out"))


def test_photos_without_a_manifest_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"manifest\.csv: not there"):
        list(load_views(tmp_path, "all"))


def test_many_pictures_of_a_view_are_spread_over_its_time(tmp_path: Path) -> None:
    rows = [
        (c, f"{i:02}.png", f"t_20151102_{i:02}2215.jpg")
        for c in ("day", "night")
        for i in range(24)
    ]
    (found,) = load_views(photos(tmp_path, rows), "all")
    assert len(found.days) == len(found.nights) == EACH
    row = {
        "width": "640",
        "height": "469",
        "source": "webcams",
        "original": "t_20151102_013541.jpg",
    }
    assert camera_of(row) == "640x469 b"


# The drawn streets ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def streets() -> list[Twin]:
    return load_twins(TWINS, 4)


def test_streets_are_dark_by_night(streets: list[Twin]) -> None:
    for each in streets:
        assert each.night.mean() < 0.5 * each.day.mean(), each.name


def test_edges_by_day_and_by_night_coincide(streets: list[Twin]) -> None:
    for each in streets:
        likeness = {
            dx: float((edges(each.day) * np.roll(edges(each.night), dx, axis=1)).mean())
            for dx in (-4, -2, 0, 2, 4)
        }
        assert max(likeness, key=likeness.__getitem__) == 0, (each.name, likeness)


def edges(picture: Tensor) -> np.ndarray:
    y = np.log(luma(picture) + 0.02)
    size = np.hypot(cv2.Sobel(y, cv2.CV_32F, 1, 0), cv2.Sobel(y, cv2.CV_32F, 0, 1))
    return np.asarray((size - size.mean()) / size.std())


# the head-lights of a dark car stand out by day as well
@pytest.mark.parametrize(("kind", "most"), [("lamps", 0), ("windows", 0.05), ("cars", 0.5)])
def test_what_is_called_a_light_shines_by_night_and_not_by_day(
    streets: list[Twin], kind: str, most: float
) -> None:
    shares = {}
    for side in ("day", "night"):
        counts = [
            count_kept(
                luma(getattr(each, side)), each.lights[kind].astype(np.float32), each.lights[kind]
            )
            for each in streets
        ]
        found, of = np.sum(counts, axis=0)
        shares[side] = found / of
    assert shares["night"] > 0.95
    assert shares["day"] <= most


def test_streets_differ_from_each_other(streets: list[Twin]) -> None:
    assert len(streets) == 4
    assert all(psnr(a.day, b.day) < 25 for i, a in enumerate(streets) for b in streets[:i])


def test_the_bench_prints_a_line_for_each_way_and_writes_strict_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [("day", "0.png", "a_20151102_102215.jpg"), ("night", "1.png", "a_20151102_202215.jpg")]
    rows += [("night", "2.png", "a_20151102_212215.jpg")]
    words = ["--preset", "--streets", "1", "--photos", photos(tmp_path, rows), "--part", "all"]
    words += ["--json", tmp_path / "x.json", "--sheet", tmp_path / "x.png"]
    monkeypatch.setattr("sys.argv", ["paired", *map(str, words)])
    main()
    lines = capsys.readouterr().out.splitlines()
    assert [line[:26].strip() for line in lines] == [
        *("streets, 1 pictures", "flat, the night's mean", "plate", "hand grade"),
        *("webcams, 1 views", "plate", "hand grade", "another night of the view"),
    ]
    with Image.open(tmp_path / "x.png") as sheet:
        assert sheet.width > 3 * 400  # plate, hand grade, true night
    facts = json.loads((tmp_path / "x.json").read_text(), parse_constant=pytest.fail)
    assert facts["views"]["views"] == [{"view": "640x469", "days": 1, "nights": 2}]
    assert facts["views"]["rows"][1]["ground"] == pytest.approx(120 / 255, abs=1e-4)
    assert facts["views"]["rows"][1]["lights"] is None  # flat grey: no lamp is there to be kept


def test_fewer_streets_than_asked_for_are_refused_with_the_way_out() -> None:
    with pytest.raises(UsageError, match="--blender"):
        load_twins(TWINS, 1000)
