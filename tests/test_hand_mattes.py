"""Mattes drawn by hand, and the measure by them, on mattes whose error is known by construction."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.grades import minute_grade
from bench.mattes import LINES, NOT_SKY, SKY, UNSURE, HandMatte, load_hard, load_mattes, load_photo
from bench.sky import figures_of, format_row, in_folder, lines_of, row_of
from nightfx.errors import UsageError


def test_sixty_are_there_and_most_of_each_is_sure() -> None:
    mattes = load_mattes()
    assert len(mattes) == 60
    for hand in mattes:
        assert min(hand.sky.shape) == LINES
        assert set(np.unique(hand.sky)) <= {NOT_SKY, SKY, UNSURE}
        assert (hand.sky == UNSURE).mean() < 0.35
    assert sum(not (hand.sky == SKY).any() for hand in mattes) == 8


def horizon(at: int) -> np.ndarray:
    sky = np.zeros((LINES, LINES), np.uint8)
    sky[:at] = SKY
    return sky


def drawn(sky: np.ndarray) -> HandMatte:
    return HandMatte("a/b.png", "a horizon", "", sky)


def test_the_truth_itself_is_without_error() -> None:
    hand = drawn(horizon(200))
    figures = figures_of((hand.sky == SKY).astype(np.float32), hand)
    assert (figures.iou, figures.edge, figures.false_sky) == (1, 0, 0)


def test_a_horizon_four_lines_too_low_is_found_as_such() -> None:
    figures = figures_of((horizon(204) == SKY).astype(np.float32), drawn(horizon(200)))
    assert figures.iou == pytest.approx(200 / 204)
    # of the lines 2 to 8 on both sides, those 2, 3 and 4 below are wrong
    assert figures.edge == pytest.approx(3 / 14)
    assert figures.false_sky == 0


def test_half_a_sky_over_all_of_the_ground_is_false_sky_and_no_sky() -> None:
    alpha = np.where(horizon(200) == SKY, 1, 0.4).astype(np.float32)
    figures = figures_of(alpha, drawn(horizon(200)))
    assert figures.iou == 1
    assert figures.false_sky == pytest.approx(0.4)


def test_what_is_unsure_counts_for_nobody() -> None:
    sky = horizon(200)
    sky[200:210] = UNSURE
    good, bad = (
        figures_of((horizon(at) == SKY).astype(np.float32), drawn(sky)) for at in (200, 210)
    )
    assert good.iou == bad.iou == 1
    assert good.false_sky == bad.false_sky == 0


def test_a_picture_without_sky_has_false_sky_alone() -> None:
    none = figures_of(np.full((64, 64), 0.25, np.float32), drawn(horizon(0)))
    assert np.isnan(none.iou)
    assert none.false_sky == pytest.approx(0.25)
    some = figures_of((horizon(100) == SKY).astype(np.float32), drawn(horizon(200)))
    row = row_of("both", [none, some])
    assert (row.iou, row.without) == (0.5, 0.25)
    assert "25.00" in format_row(row)
    assert len(lines_of([none, some], 6)) == 2


def test_mattes_of_a_folder_may_have_any_size_and_depth(tmp_path: Path) -> None:
    hand = drawn(horizon(256))
    (tmp_path / "a").mkdir()
    half = np.where(np.arange(64)[:, None] < 32, 65535, 0) * np.ones((1, 64), np.int64)
    Image.fromarray(half.astype(np.uint16)).save(tmp_path / "a" / "b.sky.png")
    alpha = in_folder(tmp_path)(hand, np.zeros((1, 1, 3), np.uint8))
    assert figures_of(alpha, hand).iou > 0.99
    with pytest.raises(UsageError, match="no such matte"):
        in_folder(tmp_path)(hand._replace(path="a/c.png"), np.zeros((1, 1, 3), np.uint8))


def test_another_photograph_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.png"
    path.parent.mkdir()
    Image.new("RGB", (8, 6), (200, 100, 50)).save(path)
    right = drawn(horizon(1))._replace(sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    assert load_photo(right, tmp_path).shape == (6, 8, 3)
    with pytest.raises(UsageError, match="not the photograph"):
        load_photo(right._replace(sha256="0" * 64), tmp_path)
    with pytest.raises(UsageError, match="no such photograph"):
        load_photo(right._replace(path="a/c.png"), tmp_path)


def test_hard_photographs_have_a_reason_each() -> None:
    hard = load_hard()
    assert len(hard) == 30
    assert all(Path(path).suffix == ".webp" and why for path, why in hard.items())


def test_the_grade_of_a_minute_is_what_its_curve_says() -> None:
    grey = np.repeat(np.array([0, 64, 128, 255], np.uint8), 3).reshape(1, 4, 3)
    graded = minute_grade(np.ascontiguousarray(np.repeat(grey, 2, 0)))
    assert graded.shape == (2, 4, 3)
    assert np.allclose(graded[0, :, 1], [0, 0.06 * 255, 0.17 * 255, 0.5 * 255], atol=2)
    assert (graded[0, 1:, 2] > graded[0, 1:, 0]).all()
