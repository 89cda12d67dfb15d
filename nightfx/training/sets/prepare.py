"""Make a data set for training: classes, a test set, square crops, a manifest and Figure 1, as in section III of the paper.

Readings: an image's brightness is divided by the largest of the data set, the middle is dropped, the test set is drawn
from single pictures (frames of one clip may lie on both sides). The folder gets its name when all of it is written.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from nightfx.disk import partial_folder, translated
from nightfx.errors import TrainingError, UsageError
from nightfx.options import PrepareOptions
from nightfx.training.data import sources
from nightfx.training.sets import dataset, limits, measure, repeats

_log = logging.getLogger(__name__)


def prepare(
    roots: Sequence[Path],
    out: Path,
    options: PrepareOptions | None = None,
    *,
    on_progress: Callable[[int, int | None], None] | None = None,
) -> dataset.DataSet:
    """Make a data set of the pictures and clips in `roots` in the new folder `out`.

    Raises `TrainingError` where a class would be empty, and `TargetError` where `out` is in use.
    """
    options = options or PrepareOptions()
    sources.refuse_inside(out, roots)
    candidates = sources.find_candidates(roots, options.labels, options.by_folder)
    return prepare_candidates(candidates, out, options, on_progress=on_progress)


def prepare_candidates(
    candidates: Sequence[sources.Candidate],
    out: Path,
    options: PrepareOptions,
    *,
    on_progress: Callable[[int, int | None], None] | None = None,
) -> dataset.DataSet:
    """As `prepare`, of pictures and clips that were found, and labelled, before."""
    with _complete_folder(out) as part:
        squares = part / "squares"
        squares.mkdir()
        how = {
            name: getattr(options, name) for name in ("size_px", "crop", "seed", "every_seconds")
        }
        measured = list(measure.measure_all(candidates, squares, **how, on_progress=on_progress))
        data = _sort(repeats.drop_repeats(measured, options.repeats, options.near), out, options)
        data = replace(data, kept=_split(data.kept, options))
        _warn(data, options)
        how_made = {"options": asdict(options), "files": sources.list_files(candidates)}
        dataset.write_dataset(data, part, how_made, options.seed)
        shutil.rmtree(squares)
    return data


@contextmanager
def _complete_folder(out: Path) -> Iterator[Path]:
    """A folder beside `out` that takes its name when it is complete, and is removed otherwise."""
    out = out.resolve()
    with translated(out):
        sources.check_new(out)
    with partial_folder(out) as part:
        yield part
        if out.exists():
            out.rmdir()


def _sort(
    pictures: Sequence[measure.Measured], out: Path, options: PrepareOptions
) -> dataset.DataSet:
    """Give each picture its class. Raises `TrainingError` where one would be empty."""
    good = [picture.brightness for picture in pictures if not picture.reason]
    divisor = max(good, default=0.0) if options.normalise == "max" else 1.0
    _refuse_unknown(pictures, options)
    if options.find_limits and good:
        low, high = limits.find_limits([value / (divisor or 1.0) for value in good])
        options = replace(options, night_below=low, day_above=high)
    everything = [_classify(picture, divisor or 1.0, options) for picture in pictures]
    kept = [x for x in everything if not x.reason]
    left_out = [x for x in everything if x.reason]
    for name in dataset.CLASSES:
        if not any(x.name == name for x in kept):
            raise TrainingError(_no_class(name, everything, options))
    return dataset.DataSet(out, kept, left_out, divisor)


def _refuse_unknown(pictures: Sequence[measure.Measured], options: PrepareOptions) -> None:
    known = sorted({picture.candidate.source for picture in pictures})
    for source in options.thresholds:
        if source not in known:
            raise UsageError(f"--threshold {source}: no such source; there are {', '.join(known)}")


def _classify(picture: measure.Measured, divisor: float, options: PrepareOptions) -> dataset.Sorted:
    normalised, label = picture.brightness / divisor, picture.candidate.label
    if picture.reason:
        return dataset.Sorted(picture, normalised, reason=picture.reason)
    if options.labels or options.by_folder:
        reason = "" if label in dataset.CLASSES else f"labelled {label}" if label else "no label"
        return dataset.Sorted(picture, normalised, label or "", reason=reason)
    night_below, day_above = options.thresholds.get(
        picture.candidate.source, (options.night_below, options.day_above)
    )
    if night_below <= normalised <= day_above:
        return dataset.Sorted(
            picture, normalised, reason=f"between {night_below:g} and {day_above:g}"
        )
    return dataset.Sorted(picture, normalised, "day" if normalised > day_above else "night")


def _no_class(name: str, everything: Sequence[dataset.Sorted], options: PrepareOptions) -> str:
    good = [x.normalised for x in everything if not x.measured.reason]
    if not good:
        first = everything[0]
        why = f"{first.measured.candidate.path}: {first.reason}"
        return f"none of {len(everything)} pictures can be used, the first: {why}"
    if options.labels or options.by_folder:
        found = ", ".join(sorted({x.measured.candidate.label or "no label" for x in everything}))
        return f"no {name} pictures among {len(good)}: they are labelled {found}"
    return (
        f"no {name} pictures among {len(good)}: normalised brightness is {min(good):.2f} to {max(good):.2f};"
        " set --day-above, --night-below or --threshold, or give --labels"
    )


def _split(kept: Sequence[dataset.Sorted], options: PrepareOptions) -> list[dataset.Sorted]:
    """Draw the test set of each class."""
    result: list[dataset.Sorted] = []
    for number, name in enumerate(dataset.CLASSES):
        pictures = [x for x in kept if x.name == name]
        count = min(options.test, len(pictures) // 2)
        if count < options.test:
            _log.warning(
                "only %d %s pictures: %d of them are the test set, not %d",
                *(len(pictures), name, count, options.test),
            )
        rng = np.random.default_rng([options.seed, number])
        drawn = set(rng.permutation(len(pictures))[:count].tolist())
        result += [
            replace(x, split="test" if index in drawn else "train")
            for index, x in enumerate(pictures)
        ]
    return result


def _warn(data: dataset.DataSet, options: PrepareOptions) -> None:
    reasons = [x.reason for x in data.left_out]
    broken = sum(reason.startswith(("damaged", "not readable")) for reason in reasons)
    tiny = sum(reason.startswith("under ") for reason in reasons)
    small = sum(x.measured.short_side_px < options.size_px for x in data.kept)
    small *= options.crop != "whole"
    if broken:
        _log.warning(
            "%d files are damaged or not readable and are left out; left_out.csv lists them", broken
        )
    if tiny:
        _log.warning("%d pictures are under %g px and are left out", tiny, options.size_px / 2)
    if small:
        _log.warning("%d pictures are under %d px and are upscaled", small, options.size_px)
