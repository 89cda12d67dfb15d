"""The feed: what a step gets depends on its number and the seed, however it is asked for."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_training import paint

from nightfx.errors import TrainingError, UsageError
from nightfx.training.data.pictures import Pictures, find_pictures, hash_pictures
from nightfx.training.run.feed import Batch, Draws, Feed, count_steps, seeded
from nightfx.training.run.share import Share
from nightfx.training.run.train_options import TrainOptions

OPTIONS = TrainOptions(batch=2, crop_px=96, scale=(1.0, 1.2))
PASSES = replace(OPTIONS, draw="passes")


def unread(count: int) -> Pictures:
    """Pictures that nothing opens."""
    return Pictures([[Path(f"{source}/{i}") for i in range(source, count, 2)] for source in (0, 1)])


def batches(pictures: Pictures, count: int, options: TrainOptions = OPTIONS, first: int = 0, share: Share | None = None) -> list[Batch]:  # fmt: skip
    with Feed((pictures, pictures), options, first=first, share=share) as feed:
        return list(itertools.islice(feed, count))


def same(one: list[Batch], other: list[Batch]) -> bool:
    return all(torch.equal(x, y) for a, b in zip(one, other, strict=True) for x, y in zip(a, b, strict=True))  # fmt: skip


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    return find_pictures(paint(tmp_path, 5, 128), crop_px=96)


@pytest.mark.parametrize("options", [OPTIONS, PASSES])
def test_a_feed_that_begins_later_goes_on_with_the_same(
    pictures: Pictures, options: TrainOptions
) -> None:
    whole = batches(pictures, 12, options)
    assert whole[0][0].shape == (2, 3, 96, 96)
    assert same(whole[7:], batches(pictures, 5, options, first=7))
    assert not same(whole[:5], whole[5:10])


def test_processes_get_their_parts_of_the_same_batches(pictures: Pictures) -> None:
    whole = batches(pictures, 3)
    parts = [batches(pictures, 3, share=Share(rank, 2)) for rank in (0, 1)]
    together = [tuple(torch.cat(sides) for sides in zip(*both, strict=True)) for both in zip(*parts, strict=True)]  # fmt: skip
    assert same(whole, together)  # type: ignore[arg-type]  # a tuple of two


def test_a_batch_that_cannot_be_shared_out_is_refused(pictures: Pictures) -> None:
    with pytest.raises(UsageError, match="batch 2 cannot be shared out over 3 processes"):
        Feed((pictures, pictures), OPTIONS, share=Share(0, 3))


def test_a_picture_damaged_since_arrives_as_an_error(tmp_path: Path) -> None:
    pictures = find_pictures(paint(tmp_path, 2, 128), crop_px=96)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(TrainingError, match="damaged"):
        batches(pictures, 1)


@given(larger=st.integers(1, 30), smaller=st.integers(1, 30), seed=st.integers(0, 3))
def test_an_epoch_is_one_pass_over_the_larger_set(larger: int, smaller: int, seed: int) -> None:
    options = replace(PASSES, batch=1, epochs=2, seed=seed)
    large, small = Draws(unread(larger), options, "A"), Draws(unread(smaller), options, "B")
    steps = count_steps(options, (large.pictures, small.pictures))
    assert steps == 2 * max(larger, smaller)
    rng = torch.Generator()
    for draws in (large, small):
        seen = [draws.path(step, 0, rng) for step in range(steps)]
        turns = [seen[i : i + len(draws.paths)] for i in range(0, steps, len(draws.paths))]
        assert all(len(set(turn)) == len(turn) for turn in turns)  # each once, then all anew


def test_steps_count_where_no_epochs_are_asked_for() -> None:
    assert count_steps(replace(OPTIONS, steps=7), (unread(3), unread(4))) == 7
    assert count_steps(replace(OPTIONS, epochs=3), (unread(3), unread(5))) == 8  # 15 by twos


def test_a_limit_picks_by_the_seed_and_from_all_sources() -> None:
    pictures = unread(40)
    few = pictures.limit(10, seeded(0))
    assert len(few) == 10
    assert few.by_source == pictures.limit(10, seeded(0)).by_source
    assert few.by_source != pictures.limit(10, seeded(1)).by_source
    assert pictures.limit(0, seeded(0)) is pictures
    assert pictures.limit(99, seeded(0)) is pictures


def test_the_hash_tells_other_pictures_and_not_other_folders(tmp_path: Path) -> None:
    one, moved, other = (
        hash_pictures(find_pictures(paint(tmp_path / name, 3, level), crop_px=96))
        for name, level in (("a", 90), ("b", 90), ("c", 91))
    )
    assert one == moved != other
