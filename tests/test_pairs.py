"""Pairs: each day picture beside its night."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nightfx.errors import TrainingError, UsageError
from nightfx.training.data.pairs import check_pairs
from nightfx.training.data.pictures import Pictures, find_pictures
from nightfx.training.run.feed import Feed
from nightfx.training.run.recipes import get_recipe
from nightfx.training.run.train_options import TrainOptions
from nightfx.training.run.trainer import train

pytestmark = pytest.mark.usefixtures("small_reports")

PAIRED = TrainOptions(
    guide="pairs", steps=4, warm_start_steps=4, batch=1, crop_px=96, every=4, distribution_weight=0
)


def paint(folder: Path, count: int = 4, turned: int = 0) -> tuple[Path, Path]:
    """Days of noise in two subfolders, and nights that are half of them."""
    rng = np.random.default_rng(0)
    for place in range(count):
        pixels = rng.integers(0, 256, (100, 140, 3), np.uint8)
        for name, picture in (("day", pixels), ("night", pixels // 2)):
            path = folder / name / ("one", "two")[place % 2] / f"{place}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            exif = Image.Exif()
            exif[0x0112] = 6
            picture = np.rot90(picture) if name == "night" and place < turned else picture
            Image.fromarray(picture).save(path, exif=exif if place < turned else None)
    return folder / "day", folder / "night"


def found(day: Path, night: Path) -> tuple[Pictures, Pictures]:
    """The pictures of both folders."""
    return find_pictures(day, crop_px=96), find_pictures(night, crop_px=96)


def test_a_pair_is_drawn_together_and_cut_alike(tmp_path: Path) -> None:
    pictures = found(*paint(tmp_path))
    options = replace(PAIRED, scale=(1.0, 1.0))
    with Feed(pictures, options) as feed:
        for _ in range(6):
            day, night = next(feed)
            # cut at the picture's own size to 96 of 100 lines: resampling rounds
            assert (day.int() // 2 - night.int()).abs().max() <= 2


def test_a_run_by_pairs_learns_and_writes_both_presets(tmp_path: Path) -> None:
    day, night = paint(tmp_path, 20)
    out = train(day, night, tmp_path / "run", PAIRED)
    assert all((out / name / "preset.toml").exists() for name in ("night", "day"))


def test_days_without_a_night_of_their_name_are_refused(tmp_path: Path) -> None:
    day, night = paint(tmp_path)
    (night / "two/1.png").rename(night / "two/other.png")
    with pytest.raises(TrainingError, match=r"1\.png: has no other of its name"):
        check_pairs(*found(day, night))
    (night / "two/other.png").unlink()
    with pytest.raises(TrainingError, match=r"1\.png: has no other of its name"):
        check_pairs(*found(day, night))


def test_a_pair_of_two_sizes_is_refused(tmp_path: Path) -> None:
    day, night = paint(tmp_path)
    Image.open(night / "one/0.png").resize((120, 100)).save(night / "one/0.png")
    with pytest.raises(TrainingError, match=r"0\.png: 120×100, and its day is 140×100"):
        check_pairs(*found(day, night))


def test_the_size_of_a_pair_is_as_seen(tmp_path: Path) -> None:
    day, night = paint(tmp_path, turned=1)
    Image.open(night / "one/0.png").rotate(90, expand=True).save(night / "one/0.png")
    with pytest.raises(TrainingError, match="a pair has one size"):
        check_pairs(*found(day, night))


def test_pairs_are_for_the_warm_start() -> None:
    with pytest.raises(UsageError, match="guide=pairs is for the warm start"):
        replace(PAIRED, warm_start_steps=0)
    (options,) = get_recipe("relit", ["guide=pairs"]).values()
    assert options.is_paired
