"""Pictures that belong together: each day picture beside its night, of the same view, size and name."""

from __future__ import annotations

from pathlib import Path

from nightfx.errors import TrainingError
from nightfx.training.data.decode import picture_size
from nightfx.training.data.pictures import Pictures


def check_pairs(day: Pictures, night: Pictures) -> None:
    """Raise `TrainingError` where a picture has no other of its name and size."""
    sides = list(zip(day.paths, night.paths, strict=False))
    if len(day.by_source) != len(night.by_source) or len(day) != len(night):
        named = [{path.stem for path in pictures.paths} for pictures in (day, night)]
        alone = (p for x in (day, night) for p in x.paths if not all(p.stem in n for n in named))
        raise _alone(next(alone, day.paths[0]))
    for one, other in sides:
        if one.stem != other.stem:
            raise _alone(one)
        _check_sizes(one, other)


def _alone(path: Path) -> TrainingError:
    words = (
        "has no other of its name; guide=pairs wants each day picture's night in the same subfolder"
    )
    return TrainingError(f"{path}: {words}")


def _check_sizes(one: Path, other: Path) -> None:
    sizes = [picture_size(path) for path in (one, other)]
    if sizes[0] != sizes[1]:
        (h, w), (other_h, other_w) = sizes
        raise TrainingError(
            f"{other}: {other_w}×{other_h}, and its day is {w}×{h}: a pair has one size"
        )
