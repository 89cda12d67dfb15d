"""What a run tells in lines: where it goes on, its losses now and then, each new distance, and a verdict at the end."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping

_NEARER = 0.75  # of the plates' distance, that a usable preset has at most
_LOSSES_SECONDS = 15.0  # between two lines of losses, where no distance is measured


def tell_of(
    show: Callable[[int, int | None], None],
    stop: Callable[[], None],
    last: dict[str, float] | None = None,
    *,
    in_table: bool = False,
) -> Callable[[int, int, dict[str, float]], None]:
    """What tells of a run: where it goes on, its losses now and then, and each new distance; it ends where asked to.

    `last` gets what was told last; what a table shows of it (`in_table`) needs no lines.
    """
    begun, measured, told_at, losses = False, "", time.monotonic(), ""

    def tell(step: int, total: int, told: dict[str, float]) -> None:
        nonlocal begun, measured, told_at, losses
        if last is not None:
            last.update(told)
        distances, newest, now = _distances(told), losses_in(told), time.monotonic()
        if not begun and step:
            words = "has made all its steps:" if step == total else "resuming at"
            say(f"{words} step {step:,} of {total:,}; {distances or 'no distance yet'}")
        elif (
            not in_table
            and newest != losses
            and (distances != measured or now - told_at > _LOSSES_SECONDS)
        ):
            say(f"step {step:,}: {newest}")
            told_at, losses = now, newest
        if begun and not in_table and distances != measured:
            say(f"step {step:,}: {distances}")
        begun, measured = True, distances
        show(step, total)
        stop()

    return tell


def say(words: str) -> None:
    """Write a line for people."""
    # not by typer: it would write past the bar, which stands in for stderr
    print(words, file=sys.stderr)


def losses_in(told: Mapping[str, float]) -> str:
    """The losses of a step in a line, those of both ways round together."""
    pairs = {"generators": ("G_AB", "G_BA"), "discriminators": ("D_A", "D_B")}
    parts = [
        f"{words} {told[one]:.3g} {told[other]:.3g}"
        for words, (one, other) in pairs.items()
        if one in told
    ]
    paired = {name for pair in pairs.values() for name in pair}
    rest = (name for name in told if name not in paired and not name.startswith("distance"))
    return ", ".join([*parts, *(f"{name} {told[name]:.3g}" for name in rest)])


def _distances(told: Mapping[str, float]) -> str:
    """How far held-out pictures are from real ones, and the step whose preset is kept; lower is better."""
    parts = []
    for name in ("distance to night", "distance to day"):
        if name in told:
            best, step = told[f"{name}, best"], int(told[f"{name}, best step"])
            kept = "the best so far" if told[name] <= best else f"best {best:.3f} at step {step:,}"
            structure = told.get(f"{name}, structure")
            words = "" if structure is None else f", structure {structure:.2f}"
            parts.append(f"{name} {told[name]:.3f} ({kept}){words}")
    return ", ".join(parts)


def verdicts(told: Mapping[str, float]) -> Iterator[str]:
    """A plain line on each preset that is kept."""
    for to in ("night", "day"):
        name = f"distance to {to}"
        structure = told.get(f"{name}, best structure")
        if structure is None:
            continue
        best, plates = told[f"{name}, best"], told[f"{name}, plates"]
        verdict = verdict_of(best, plates, structure)
        # plates are not a number where an older version measured them not
        beside = "" if math.isnan(plates) else f" (the plates: {plates:.2f})"
        yield f"{to}: {verdict}; distance {best:.2f}{beside}, structure {structure:.2f}"


def verdict_of(distance: float, plates: float, structure: float) -> str:
    """Whether a preset is usable, or what to hold on for."""
    from nightfx.training.run.progress import LEAST_STRUCTURE

    if structure < LEAST_STRUCTURE:
        return "hold on: it paints another picture"
    if distance > _NEARER * plates:
        return "hold on: hardly nearer to real ones than the plates"
    return "usable"
