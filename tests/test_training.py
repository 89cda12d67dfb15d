"""Training: the paper's equations by hand, crops with known answers, a run that resumes to the same weights."""

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nightfx.errors import TrainingError, UsageError
from nightfx.training.data.charts import Axis, axis_of, save_brightness, save_curves
from nightfx.training.data.drawings import save_grid
from nightfx.training.data.pictures import draw_batch, find_pictures, hash_pictures, open_pictures
from nightfx.training.run.objective import (
    ImagePool,
    Recent,
    adversarial_loss,
    as_shown,
    cycle_distance,
    cycle_loss,
    discriminator_loss,
    distribution_loss,
    generator_loss,
    generators_loss,
    gradient_penalty,
    identity_loss,
    in_order,
    roughness,
)
from nightfx.training.run.train_options import TrainOptions
from nightfx.training.run.trainer import train

pytestmark = pytest.mark.usefixtures("small_reports")

QUICK = TrainOptions(
    steps=4, batch=1, crop_px=96, scale=(1.0, 1.5), warm_start_steps=1, every=2, pool_size=2
)


def paint(folder: Path, count: int, level: int, size: tuple[int, int] = (120, 100)) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(level)
    for index in range(count):
        noise = rng.integers(-20, 20, (size[1], size[0], 3))
        Image.fromarray((level + noise).astype(np.uint8)).save(folder / f"{index}.png")
    return folder


def test_equations_1_and_2_by_hand() -> None:
    loss = discriminator_loss(torch.tensor([1.0, 0.5]), torch.tensor([0.0, 0.5]))
    assert loss.item() == pytest.approx((0 + 0.25) / 2 + (0 + 0.25) / 2)
    assert discriminator_loss(torch.tensor([0.2]), torch.tensor([0.6])).item() == pytest.approx(
        0.64 + 0.36  # no factor ½
    )


def test_equations_3_and_4_by_hand() -> None:
    a, b = torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2)
    assert cycle_distance(a, a + 0.25).item() == pytest.approx(0.25)
    one_pixel = a.clone()
    one_pixel[0, 1, 0, 1] = 0.6
    assert cycle_distance(a, one_pixel).item() == pytest.approx(0.6 / 12)  # 4 pixels, 3 channels
    assert cycle_loss(a, a + 0.25, b, b - 0.75).item() == pytest.approx(0.5)


def test_equations_5_and_6_by_hand() -> None:
    assert adversarial_loss(torch.tensor([0.5, 1.0])).item() == pytest.approx(0.125)
    loss = generator_loss(torch.tensor([0.5]), torch.tensor(0.2), 10.0)
    assert loss.item() == pytest.approx(0.25 + 2.0)
    both = generators_loss(torch.tensor([0.5]), torch.tensor([0.0]), torch.tensor(0.2), 10.0)
    assert both.item() == pytest.approx(0.25 + 1.0 + 2.0)


def test_each_generator_descends_its_own_equation_with_the_cycle_once() -> None:
    # toy networks a number each: G_AB(x) = u x, G_BA(x) = v x, D_A(x) = D_B(x) = x
    u, v = torch.tensor(0.7, requires_grad=True), torch.tensor(0.4, requires_grad=True)
    real_A, real_B = torch.full((1, 3, 2, 2), 0.9), torch.full((1, 3, 2, 2), 0.2)
    fake_B, fake_A = u * real_A, v * real_B
    cycle = cycle_loss(real_A, v * fake_B, real_B, u * fake_A)
    of_both = torch.autograd.grad(
        generators_loss(fake_B, fake_A, cycle, 10.0), (u, v), retain_graph=True
    )
    (of_5,) = torch.autograd.grad(generator_loss(fake_B, cycle, 10.0), u, retain_graph=True)
    (of_6,) = torch.autograd.grad(generator_loss(fake_A, cycle, 10.0), v)
    assert of_both[0].item() == pytest.approx(of_5.item())
    assert of_both[1].item() == pytest.approx(of_6.item())
    # (5) by hand: 2 (0.63 − 1) 0.9 − 10 (0.4 · 0.9 + 0.4 · 0.2) / 2
    assert of_5.item() == pytest.approx(-0.666 - 2.2, rel=1e-5)


def test_identity_loss_and_gradient_penalty_by_hand() -> None:
    a, b = torch.zeros(1, 3, 2, 2), torch.ones(2, 3, 2, 2)
    assert identity_loss(a, a + 0.2, b, b - 0.6).item() == pytest.approx(0.4)
    # D(x) = Σ 3x over 12 values: |∇D|² = 9 · 12
    assert gradient_penalty(lambda x: 3 * x.sum((1, 2, 3)), b).item() == pytest.approx(54)


def test_roughness_counts_steps_inside_a_surface_and_forgives_them_at_its_edge() -> None:
    maps = torch.zeros(1, 6, 8, 8)
    maps[..., 4:] = 1
    flat, edged = torch.full((1, 3, 8, 8), 0.5), maps[:, :3]
    assert roughness(maps, flat).item() == pytest.approx(8 / 56)  # one step in each of 8 rows of 7
    assert roughness(maps, edged).item() < 1e-6


def test_distribution_is_zero_for_a_set_against_itself_and_grows_with_a_shift() -> None:
    reals = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    none = reals[:0]
    same, near, far = (
        distribution_loss(reals + d, none, reals, seed=1).item() for d in (0, 0.1, 0.2)
    )
    assert same == 0
    assert far == pytest.approx(2 * near, rel=0.1)


def test_distribution_matches_a_set_and_not_every_picture() -> None:
    dark, bright = torch.full((1, 3, 32, 32), 0.1), torch.full((1, 3, 32, 32), 0.9)
    reals = torch.cat([dark, bright])
    assert distribution_loss(dark, bright, reals, seed=0).item() < 1e-6
    assert distribution_loss(dark, dark, reals, seed=0).item() > 0.1


def test_values_in_order_are_those_of_torch() -> None:
    values = torch.randn(1000, 16, generator=torch.Generator().manual_seed(0)).round(decimals=1)
    assert torch.equal(in_order(values), values.sort(dim=0).values)
    assert in_order(values[:0]).shape == (0, 16)


def test_validation_takes_as_many_of_each_source(tmp_path: Path) -> None:
    paint(tmp_path / "many", 30, 40)
    paint(tmp_path / "few", 2, 200)
    spread = find_pictures(tmp_path, crop_px=96).spread(20)
    assert [path.parent.name for path in spread].count("few") == 10
    assert len(set(spread)) == 12


def test_what_is_shown_is_clipped_and_still_learns() -> None:
    picture = torch.tensor([-0.5, 0.25, 1.5], requires_grad=True)
    shown = as_shown(picture)
    shown.sum().backward()
    assert shown.tolist() == [0, 0.25, 1]
    assert picture.grad is not None
    assert picture.grad.tolist() == [1, 1, 1]


def test_recent_forgets_the_oldest() -> None:
    recent = Recent(3)
    recent.add(torch.arange(2.0).view(2, 1, 1, 1))
    recent.add(torch.arange(2.0, 4.0).view(2, 1, 1, 1))
    assert recent.all().flatten().tolist() == [1, 2, 3]


def test_pool_fills_first_and_then_returns_older_fakes() -> None:
    pool, rng = ImagePool(2), torch.Generator().manual_seed(0)
    fakes = [torch.full((1, 1, 1, 1), float(i)) for i in range(40)]
    shown = [int(pool.query(fake, rng).item()) for fake in fakes]
    assert shown[:2] == [0, 1]
    older = sum(seen < index for index, seen in enumerate(shown))
    assert 10 <= older <= 30


def test_a_pool_of_none_shows_what_is_new() -> None:
    pool, rng = ImagePool(0), torch.Generator()
    fake = torch.ones(2, 3, 1, 1)
    assert torch.equal(pool.query(fake, rng), fake)


def test_crops_have_the_asked_size_and_range(tmp_path: Path) -> None:
    pictures = find_pictures(paint(tmp_path, 3, 128), crop_px=96)
    batch = draw_batch(pictures, 5, 96, (1.0, 2.0), torch.Generator().manual_seed(1))
    assert batch.shape == (5, 3, 96, 96)
    assert abs(float(batch.mean()) - 0.5) < 0.02


def test_sources_are_drawn_alike_however_many_pictures_they_have(tmp_path: Path) -> None:
    paint(tmp_path / "many", 30, 40)
    paint(tmp_path / "few", 2, 200)
    pictures = find_pictures(tmp_path, crop_px=96)
    batch = draw_batch(pictures, 60, 96, (1.0, 1.0), torch.Generator().manual_seed(0))
    bright = int((batch.mean((1, 2, 3)) > 0.5).sum())
    assert 18 <= bright <= 42


def test_small_and_damaged_pictures_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paint(tmp_path / "good", 2, 100)
    paint(tmp_path / "small", 3, 100, (80, 60))
    paint(tmp_path / "tiny", 1, 100, (20, 20))
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    with caplog.at_level(logging.WARNING):
        assert len(find_pictures(tmp_path, crop_px=96)) == 5
    assert [record.message.removeprefix(f"{tmp_path}: ") for record in caplog.records] == [
        "left out: 1 not readable: broken.png (no picture of 8 or 16 bits)",
        "left out: 1 under 48 px: tiny/0.png",
        "3 pictures are under 96 px and are upscaled",
    ]


def cut(picture: Path, suffix: str) -> Path:
    """The first half of a picture's bytes in another format, beside it."""
    path = picture.with_suffix(suffix)
    with Image.open(picture) as image:
        whole = image.copy()
    picture.unlink()
    whole.save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".bmp"])
def test_a_picture_that_is_cut_is_found_before_training_and_leaves_the_others_their_run(
    suffix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damaged = cut(paint(tmp_path / "day", 4, 170) / "2.png", suffix)
    with caplog.at_level(logging.WARNING):
        pictures = find_pictures(tmp_path, crop_px=96)
    assert f"left out: 1 damaged: day/2{suffix} (" in caplog.text
    before = hash_pictures(pictures)
    damaged.unlink()
    assert hash_pictures(find_pictures(tmp_path, crop_px=96)) == before


def test_pictures_to_judge_by_are_looked_at_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    day, judged = paint(tmp_path / "day", 2, 170), paint(tmp_path / "judged", 2, 170, (40, 40))
    cut(judged / "0.png", ".jpg")
    assert len(open_pictures(day, judged, crop_px=96)[1]) == 1
    assert "left out: 1 damaged: 0.jpg" in caplog.text
    cut(judged / "1.png", ".jpg")
    with pytest.raises(TrainingError, match="judged: 0 usable pictures of 2, at least 1 is needed"):
        open_pictures(day, judged, crop_px=96)


@pytest.mark.parametrize("suffix", [".heic", ".CR3", ".exr"])
def test_pictures_of_a_kind_that_is_not_read_are_told_of(
    suffix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / f"a{suffix}").write_bytes(b"")
    with pytest.raises(TrainingError, match=f"1 {suffix.lower()}: not read; make PNG or JPEG"):
        find_pictures(tmp_path, crop_px=96)
    caplog.clear()
    (paint(tmp_path, 2, 100) / "notes.txt").write_text("none")
    assert len(find_pictures(tmp_path, crop_px=96)) == 2
    assert [record.message for record in caplog.records] == [
        f"{tmp_path}: left out: 1 {suffix.lower()}: not read; make PNG or JPEG of them"
    ]


def test_floating_point_is_no_damage(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    paint(tmp_path, 2, 100)
    Image.fromarray(np.full((120, 120), 0.5, np.float32)).save(tmp_path / "float.tif")
    assert len(find_pictures(tmp_path, crop_px=96)) == 2
    assert "1 not readable: float.tif (its pixels are floating-point, neither" in caplog.text


def test_a_large_picture_is_taken_in_silence_and_a_larger_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    paint(tmp_path, 2, 100)
    paint(tmp_path / "large", 1, 100, (130, 130))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 130 * 130 - 1)  # Pillow's own is 89 million
    assert len(find_pictures(tmp_path, crop_px=96)) == 3
    assert not caplog.records
    paint(tmp_path / "large", 1, 100, (200, 200))
    assert len(find_pictures(tmp_path, crop_px=96)) == 2
    assert "1 not readable: large/0.png (more than 33,798 pixels)" in caplog.text


def test_a_picture_is_of_one_side(tmp_path: Path) -> None:
    day, night = paint(tmp_path / "day", 4, 170), paint(tmp_path / "night", 4, 60)
    (tmp_path / "again").symlink_to(day)
    with pytest.raises(TrainingError, match=r"4 pictures are both in --day and in --night"):
        train(day, tmp_path / "again", tmp_path / "run", QUICK)
    with pytest.raises(TrainingError, match=r"4 pictures are both in --day and in --day-held-out"):
        train(day, night, tmp_path / "run", QUICK, day_held_out=day)
    assert not (tmp_path / "run").exists()


def test_every_tenth_picture_is_held_out_where_no_folder_is_given(tmp_path: Path) -> None:
    pictures, held_out = open_pictures(paint(tmp_path, 20, 100), None, crop_px=96)
    assert (len(pictures), len(held_out)) == (18, 2)
    assert not {path for source in held_out.by_source for path in source} & {
        path for source in pictures.by_source for path in source
    }


@pytest.mark.parametrize("content", [None, []])
def test_a_missing_or_empty_folder_is_named(tmp_path: Path, content: list[str] | None) -> None:
    folder = tmp_path / "pictures"
    if content is not None:
        folder.mkdir()
    with pytest.raises(TrainingError, match="pictures"):
        find_pictures(folder, crop_px=96)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architecture": "papper"}, "must be paper or relit, got 'papper'"),
        ({"architecture": "paper", "crop_px": 264}, "crop_px must be 256 or less, got 264"),
        ({"crop_px": 100}, "multiple of 8 and at least 96, got 100"),
        ({"steps": 0}, "at least 1"),
        ({"scale": (2.0, 1.0)}, "two rising numbers"),
    ],
)
def test_contradictory_options_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        TrainOptions(**changes)  # type: ignore[arg-type]


def test_what_cannot_be_judged_by_or_resumed_is_said_before_training(tmp_path: Path) -> None:
    day, night = paint(tmp_path / "day", 4, 170), paint(tmp_path / "night", 4, 60)
    (tmp_path / "none").mkdir()
    with pytest.raises(TrainingError, match="no pictures to judge by"):
        train(day, night, tmp_path / "run", QUICK, day_held_out=tmp_path / "none")
    (tmp_path / "run" / "run").mkdir(parents=True)
    (tmp_path / "run" / "run" / "checkpoint.pt").write_bytes(b"nonsense")
    with pytest.raises(TrainingError, match=r"not a checkpoint .*delete it to start anew"):
        train(day, night, tmp_path / "run", QUICK)


def test_a_loss_that_is_not_finite_stops_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = torch.tensor(float("nan"), requires_grad=True)
    monkeypatch.setattr("nightfx.training.run.step.warm_start_loss", lambda *pictures: nothing)
    day, night = paint(tmp_path / "day", 3, 170), paint(tmp_path / "night", 3, 60)
    with pytest.raises(TrainingError, match="warm start loss became nan: lower learning_rate"):
        train(day, night, tmp_path / "run", QUICK, device="cpu")


def test_figures_are_drawn_from_little(tmp_path: Path) -> None:
    save_curves({"a": [(1, 1.0)], "b": [(1, 0.5), (2, 0.7)], "c": []}, tmp_path / "curves.png")
    save_grid([torch.zeros(2, 3, 8, 8), torch.full((2, 3, 8, 8), 2.0)], tmp_path / "grid.png")
    with Image.open(tmp_path / "grid.png") as grid:
        assert grid.size == (16, 16)
        assert grid.getpixel((0, 15)) == (255, 255, 255)


def test_rows_of_samples_may_hold_more_pictures_than_others(tmp_path: Path) -> None:
    save_grid([torch.zeros(2, 3, 8, 8), torch.zeros(3, 3, 8, 8)], tmp_path / "grid.png")
    with Image.open(tmp_path / "grid.png") as grid:
        assert grid.size == (24, 16)
        assert grid.getpixel((20, 4)) not in ((0, 0, 0), (255, 255, 255))
        assert grid.getpixel((20, 12)) == (0, 0, 0)


def test_an_axis_is_of_decades_where_values_span_more_than_one() -> None:
    assert axis_of([[0.5, 4.0], [2.0]]) == Axis(0, 4)
    assert axis_of([[0.0, 400.0]]) == Axis(0, 400)  # 0 has no decade
    assert axis_of([[0.3, 4.0], [40.0]]) == Axis(0.2, 50, is_log=True)
    assert axis_of([[], [float("nan")]]) == Axis(0, 1)


def test_a_curve_that_goes_to_1e20_leaves_the_others_readable() -> None:
    axis = axis_of([[4.0, 5.0], [10.0, 6e20], [3.0, 1e12]])
    assert axis.high <= 10_000
    assert axis.at(5.0) - axis.at(4.0) > 0.02
    assert axis.at(6e20) == 1
    assert axis.ticks()[:4] == [2, 5, 10, 20]


def test_a_single_point_is_seen(tmp_path: Path) -> None:
    save_curves({"a": [(4, 2.0)]}, tmp_path / "curve.png")
    save_brightness([0.1, 0.3], [0.7], tmp_path / "brightness.png")
    for name, wanted in (("curve", 20), ("brightness", 60)):
        with Image.open(tmp_path / f"{name}.png") as image:
            pixels = np.asarray(image)[:, :910].astype(int)  # without the legend
        assert (np.ptp(pixels, axis=2) > 100).sum() >= wanted
