"""What a reproduction is asked for: the arms of an experiment, and the two sides of a data set. Known without torch."""

from __future__ import annotations

from pathlib import Path

from nightfx.errors import TrainingError, UsageError
from nightfx.options import ReproduceOptions
from nightfx.training.data.listed import Listed
from nightfx.training.reproduce.outcomes import EXPERIMENTS
from nightfx.training.run.recipes import get_recipe
from nightfx.training.run.train_options import TrainOptions

_FULL_SET = 10_000  # pictures of the larger class in experiment 2, as printed

_Side = tuple[Path | Listed, Listed | None]
"""The pictures of a class, and those held out where they are named."""


def arms_of(name: str, options: ReproduceOptions) -> dict[str, TrainOptions]:
    """The arms of an experiment, shrunk as `options` say. Raises `UsageError`."""
    if name not in EXPERIMENTS:
        raise UsageError(f"unknown experiment {name!r}; known: {', '.join(EXPERIMENTS)}")
    arms = get_recipe(name)
    if options.arm is not None and options.arm not in arms:
        known = f"its arms: {', '.join(arms)}" if len(arms) > 1 else "it has one: leave --arm out"
        raise UsageError(f"--arm {options.arm}: no arm of {name}; {known}")
    settings = [f"crop_px={options.size_px}"]
    limit = next(iter(arms.values())).limit
    if options.scale < 1:
        settings.append(f"limit={max(round(options.scale * (limit or _FULL_SET)), 2)}")
    elif options.images:
        settings.append(f"limit={options.images}")
    if options.epochs:
        settings.append(f"epochs={options.epochs}")
    return get_recipe(name, settings)


def find_sides(data: Path) -> tuple[_Side, _Side]:
    """Day and night of a data set: its manifest's, the test split held out, or two folders. Raises `TrainingError`."""
    manifest = data / "manifest.csv"
    if manifest.is_file():
        day, night = (_of_manifest(manifest, name) for name in ("day", "night"))
        return day, night
    if not ((data / "day").is_dir() and (data / "night").is_dir()):
        raise TrainingError(
            f"{data}: holds neither day/ and night/ nor a manifest.csv; nightfx dataset prepare makes one"
        )
    return (data / "day", None), (data / "night", None)


def _of_manifest(manifest: Path, name: str) -> _Side:
    training, test = (Listed(manifest, name, (("split", (x,)),)) for x in ("train", "test"))
    return training, test
