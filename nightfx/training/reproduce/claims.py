"""The paper's claims, and what a reproduction may say about them.

A full verdict rests on `MIN_SEEDS` seeds and `MIN_STEPS` steps an arm; it looks at means beside their spread, the sample
standard deviation over seeds. With fewer seeds it says from how many; with fewer steps a claim is not testable at this
scale, whatever was measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nightfx.training.reproduce.labelled import LabelledBrightness
from nightfx.training.reproduce.outcomes import Experiment, spread

MIN_SEEDS, MIN_STEPS = 3, 5000
_DROP = 0.25  # of the sum of the losses
_BEST_RATE, _RATES = 2e-4, 3  # the best as printed, of so many
_TURNED = 0.5  # of the way from a day's sky to a night's
_SOME = (0.01, 0.5)  # of the picture outside the sky
_SIGNS = 0.1  # of the lights of real nights

HOLDS, NOT, OPEN = "holds", "does not hold", "undecided: the seeds spread too far"


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper, beside what was measured."""

    words: str
    """The paper's sentence."""
    measured: str
    """The measured value."""
    verdict: str
    """The verdict on the claim, or why there is none."""


def judge_claims(experiments: Mapping[str, Experiment]) -> list[Claim]:
    """All claims, each on those `experiments`, by name, that are there."""
    one, two, three = (experiments.get(f"paper-{index}") for index in (1, 2, 3))
    return [
        judge_full_set(one, two),
        judge_rates(three),
        judge_sky(one),
        judge_elements(one),
        judge_lights(one, two),
    ]


def judge_full_set(one: Experiment | None, two: Experiment | None) -> Claim:
    """The full set lowers the sum of the losses by 25 % with fewer epochs; seeds are compared in pairs."""
    words = "The full set lowers the sum of the losses by 25 % with fewer epochs"
    if one is None or two is None:
        return _missing(words, one, two)
    losses = [x.values("loss") for x in (one, two)]
    drops = [1 - losses[1][seed] / losses[0][seed] for seed in losses[0].keys() & losses[1].keys()]
    first, second = (show(x.values()) for x in losses)
    measured = f"{first} after {one.epochs} epochs, {second} after {two.epochs}: "
    measured += f"a change of {show([-drop for drop in drops], percent=True)}"
    if why := _untestable(one, two, counts=[len(drops)]):
        return Claim(words, measured, why)
    if two.day + two.night <= one.day + one.night or two.epochs >= one.epochs:
        return Claim(
            words,
            measured,
            "not tested: experiment 2 had no more pictures, or no fewer epochs, than 1",
        )
    return Claim(words, measured, _drop(drops) + _few(len(drops)))


def _drop(drops: Sequence[float]) -> str:
    middle, off = spread(drops)
    if middle - off <= 0:
        return NOT if middle + off < _DROP else OPEN
    return HOLDS if middle + off >= _DROP else "lower, but by less than 25 %"


def judge_rates(three: Experiment | None) -> Claim:
    """2e-4 is the best of three learning rates; best is nearest to real pictures, and a run that stopped is far."""
    words = "2e-4 is the best of the learning rates 2e-4, 2e-3 and 2e-2"
    if three is None:
        return _missing(words, three)
    distances = {rate: list(three.values("distance", rate).values()) for rate in three.rates}
    stopped = {rate: sum(bool(x.stopped) for x in three.arm(rate)) for rate in three.rates}
    measured = "distance to real pictures: " + ", ".join(
        f"{rate:g}: {show(values)}" + (f" ({stopped[rate]} stopped)" if stopped[rate] else "")
        for rate, values in distances.items()
    )
    # a run that stopped has told what it can: its arm counts, as worse than any that ended
    seeds = [len(values) + stopped[rate] for rate, values in distances.items()]
    if why := _untestable(three, counts=[*seeds, 0] if len(seeds) < _RATES else seeds):
        return Claim(words, measured, why)
    ended = {rate: spread(values) for rate, values in distances.items() if not stopped[rate]}
    return Claim(words, measured, _best(ended) + _few(min(seeds)))


def _best(ended: dict[float, tuple[float, float]]) -> str:
    """Whether the paper's rate is nearest: mean and spread of the distance by rate, of those that none stopped with."""
    if _BEST_RATE not in ended:
        return NOT if ended else "undecided: runs stopped with each rate"
    middle, off = ended[_BEST_RATE]
    others = [told for rate, told in ended.items() if rate != _BEST_RATE]
    if all(middle + off < other - around for other, around in others):
        return HOLDS
    return NOT if any(other + around < middle - off for other, around in others) else OPEN


def judge_sky(one: Experiment | None) -> Claim:
    """Experiment 1 leaves the sky unstylised: its brightness goes less than half of the way to a night's."""
    words = "Experiment 1 leaves the sky unstylised"
    if one is None:
        return _missing(words, one)
    values = one.values("sky").values()
    measured = f"the sky goes {show(values, percent=True)} of the way to a night's"
    why = _untestable(one, counts=[len(values)])
    return Claim(words, measured, why or _within(values, None, _TURNED) + _few(len(values)))


def judge_elements(one: Experiment | None) -> Claim:
    """Experiment 1 only raises the brightness of some elements: from 1 % to half of what is not sky."""
    words = "Experiment 1 only raises the brightness of some elements"
    if one is None:
        return _missing(words, one)
    values = one.values("raised").values()
    measured = f"{show(values, percent=True)} of the picture outside the sky is brighter"
    why = _untestable(one, counts=[len(values)])
    return Claim(words, measured, why or _within(values, *_SOME) + _few(len(values)))


def judge_lights(one: Experiment | None, two: Experiment | None) -> Claim:
    """Signs of light sources after experiment 2, not after 1: a tenth of the lights of real nights."""
    words = "Signs of light sources appear after experiment 2 and not after 1"
    if one is None or two is None:
        return _missing(words, one, two)
    before, after = (x.values("lights").values() for x in (one, two))
    measured = (
        f"lights that came on, in shares of those of real nights: {show(before, percent=True)}"
    )
    measured += f" after 1, {show(after, percent=True)} after 2"
    if why := _untestable(one, two, counts=[len(before), len(after)]):
        return Claim(words, measured, why)
    verdicts = {_within(before, None, _SIGNS), _within(after, _SIGNS, None)}
    verdict = NOT if NOT in verdicts else OPEN if OPEN in verdicts else HOLDS
    return Claim(words, measured, verdict + _few(min(len(before), len(after))))


def judge_gap(bright: LabelledBrightness | None) -> Claim:
    """LabelledBrightness leaves a gap between labelled nights and days: the brightest night is darker than the darkest day."""
    words = "Normalised brightness has a gap between nights and days at [0.48, 0.52]"
    if bright is None:
        return _missing(words, None)
    (night, day), (border, right) = bright.gap, bright.best_border()
    correct, wrong, out = bright.by_papers_rule()
    measured = (
        f"nights up to {night:.2f}, days from {day:.2f}; the best border, {border:.2f}, sorts {right:.0%} right; "
        f"the paper's rule sorts {correct} right, {wrong} wrong, and leaves out {out}"
    )
    if bright.by_rule:
        return Claim(words, measured, "not testable: the rule itself made these classes")
    return Claim(words, measured, HOLDS if night < day else NOT)


def show(values: Iterable[float], *, percent: bool = False) -> str:
    """Mean and spread as the report writes them."""
    values = [100 * value if percent else value for value in values]
    if not values:
        return "not measured"
    middle, off = spread(values)
    sign, digits = (" %", 1) if percent else ("", 3)
    if len(values) == 1:
        return f"{middle:.{digits}f}{sign} (one seed: no spread)"
    return f"{middle:.{digits}f} ± {off:.{digits}f}{sign} ({len(values)} seeds)"


def _within(values: Iterable[float], low: float | None, high: float | None) -> str:
    """Whether mean ± spread lies between `low` and `high`, or beyond one of them."""
    middle, off = spread(values)
    below, above = low is not None and middle < low, high is not None and middle > high
    bounds = [bound for bound in (low, high) if bound is not None]
    if any(abs(middle - bound) <= off for bound in bounds):
        return OPEN
    return NOT if below or above else HOLDS


def _untestable(*experiments: Experiment, counts: Iterable[int]) -> str:
    """Why there can be no verdict; empty where there can, if only from one seed."""
    seeds, steps = min(counts), min(x.planned_steps for x in experiments)
    if not seeds or steps < MIN_STEPS:
        found = f"{seeds} of {MIN_SEEDS} seeds, {steps:,} of {MIN_STEPS:,} steps an arm"
        return f"not testable {'at this scale' if seeds else 'yet'} ({found})"
    if len({(x.size_px, x.test_sha256) for x in experiments}) > 1:
        return "not comparable: the experiments differ in their test pictures or in --size"
    return ""


def _few(seeds: int) -> str:
    """From how many seeds a verdict is, where they are fewer than a full one rests on."""
    if seeds >= MIN_SEEDS:
        return ""
    return " (from one seed: no spread)" if seeds == 1 else f" (from {seeds} of {MIN_SEEDS} seeds)"


def _missing(words: str, *experiments: Experiment | None) -> Claim:
    half = any(experiment is not None for experiment in experiments)
    return Claim(words, "", "not run yet" + (": it needs experiments 1 and 2" if half else ""))
