"""The figures of a reproduction: the paper's 1 to 6, and its two claims seed by seed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from nightfx.training.data.charts import save_brightness, save_curves, save_dots
from nightfx.training.data.drawings import save_panels
from nightfx.training.reproduce import arm, outcomes
from nightfx.training.reproduce.labelled import LabelledBrightness
from nightfx.training.run.progress import LOSS_NAMES

PAPER = {
    "paper-1": ("1,000 of each", 100),
    "paper-2": ("10,000 and 4,500", 20),
    "paper-3": ("1,000 of each", 20),
}
"""Day and night pictures, and epochs, as printed."""
CURVES = {"paper-1": "figure_2", "paper-2": "figure_4", "paper-3": "figure_6_losses"}
PICTURES = {"paper-1": "figure_3", "paper-2": "figure_5", "paper-3": "figure_6"}
FULL_SET, RATES = "claim_full_set", "claim_rates"


def save_figures(
    experiment: outcomes.Experiment, panels: Mapping[float, arm.Panels], folder: Path
) -> None:
    """Draw an experiment's figures, `panels` being pictures by learning rate; none where no run is over."""
    if not experiment.outcomes:
        return
    number, rates = experiment.name[-1], experiment.rates
    if number == "3":
        curves = {f"learning rate {rate:g}": _sum(experiment, rate) for rate in rates}
        title = "Beside Figure 6: the sum of the four losses"
        rows, heads = _by_rate(panels)
    else:
        curves = {LOSS_NAMES[name]: x for name, x in experiment.mean_curves(rates[0]).items()}
        title = f"Figure {CURVES[experiment.name][-1]}: the four losses"
        rows, heads = panels[rates[0]], []
    path = folder / f"{CURVES[experiment.name]}.png"
    title += ", mean over the seeds" if experiment.seeds > 1 else ""
    words = f"{title}. {describe(experiment)}"
    save_curves(curves, path, along="epochs", upwards="loss", caption=words)
    path = folder / f"{PICTURES[experiment.name]}.png"
    title = f"Figure {PICTURES[experiment.name][-1]}: test pictures, first seed"
    save_panels(rows, heads, path, caption=f"{title}. {describe(experiment)}")


def save_claims(
    experiments: Mapping[str, outcomes.Experiment], bright: LabelledBrightness, folder: Path
) -> None:
    """Draw Figure 1, and what the claims on the full set and on the rates rest on, a point a seed."""
    words = "Figure 1: normalised brightness (equation 7) of labelled pictures, sorted."
    save_brightness(bright.night, bright.day, folder / "figure_1.png", caption=words)
    one, two, three = (experiments.get(f"paper-{number}") for number in (1, 2, 3))
    sums = {
        f"experiment {x.name[-1]}: {_size(x)}": list(x.values("loss").values())
        for x in (one, two)
        if x
    }
    if one and two and all(sums.values()):
        line = {
            "25 % below experiment 1's mean": 0.75 * outcomes.spread(next(iter(sums.values())))[0]
        }
        words = (
            "The sum of the losses over the last epoch, a point a seed; the bar is mean and spread."
        )
        save_dots(
            sums, folder / f"{FULL_SET}.png", upwards="sum of losses", lines=line, caption=words
        )
    if three and three.outcomes:
        words = "Distance to real pictures by learning rate, a point a seed, lower is better; the bar is mean and spread."
        distances = {
            _rate(three, x): list(three.values("distance", x).values()) for x in three.rates
        }
        save_dots(distances, folder / f"{RATES}.png", upwards="distance", caption=words)


def _size(experiment: outcomes.Experiment) -> str:
    return f"{max(experiment.day, experiment.night):,} pictures, {experiment.epochs} epochs"


def _rate(experiment: outcomes.Experiment, rate: float) -> str:
    stopped = sum(bool(x.stopped) for x in experiment.arm(rate))
    return f"learning rate {rate:g}" + (f" ({stopped} stopped)" if stopped else "")


def describe(experiment: outcomes.Experiment) -> str:
    """Return a line of what an experiment had, beside what the paper's had."""
    pictures, epochs = PAPER[experiment.name]
    so_far = " so far" if experiment.missing else ""
    source = "a stand-in for NEXET 2017" if experiment.stand_in else "as many as NEXET 2017 has"
    return (
        f"Experiment {experiment.name[-1]} with {experiment.day:,} day and {experiment.night:,} night pictures "
        f"(paper: {pictures}), {source}; {count(experiment.epochs, 'epoch')} (paper: {epochs}), {experiment.size_px} px "
        f"(paper: 256), {count(experiment.seeds, 'seed')}{so_far}."
    )


def _sum(experiment: outcomes.Experiment, rate: float) -> list[outcomes.Point]:
    curves = [experiment.mean_curves(rate)[name] for name in outcomes.LOSSES]
    return [
        (points[0][0], sum(value for _, value in points)) for points in zip(*curves, strict=True)
    ]


def _by_rate(panels: Mapping[float, arm.Panels]) -> tuple[dict[str, list[Tensor | str]], list[str]]:
    """The same test picture with each learning rate, as in Figure 6."""
    real = next((rows["real day"][:1] for rows in panels.values() if "real day" in rows), [])
    fakes = [panels[rate]["fake night"][0] for rate in sorted(panels)]
    heads = [*(["real day"] if real else []), *(f"{rate:g}" for rate in sorted(panels))]
    return {"day to night by learning rate": [*real, *fakes]}, heads


def count(number: int, noun: str) -> str:
    """A number of things, in words."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
