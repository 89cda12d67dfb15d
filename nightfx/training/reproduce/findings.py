"""A reproduction as its reader meets it: the paper's Figures 2 to 6, and `report.md`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from nightfx.disk import partial_file
from nightfx.training.data.charts import save_curves
from nightfx.training.data.drawings import save_panels
from nightfx.training.reproduce import arm, claims, outcomes
from nightfx.training.run.progress import LOSS_NAMES

_PAPER = {
    "paper-1": ("1,000 of each", 100),
    "paper-2": ("10,000 and 4,500", 20),
    "paper-3": ("1,000 of each", 20),
}
"""Day and night pictures, and epochs, as printed."""
_CURVES = {"paper-1": "figure_2", "paper-2": "figure_4", "paper-3": "figure_6_losses"}
_PICTURES = {"paper-1": "figure_3", "paper-2": "figure_5", "paper-3": "figure_6"}

READINGS = {
    "Row 4 of Table I": "Stride 2 is printed between two 32×32 shapes: stride 1.",
    "Softmax": "Over a single score it is the constant 1: sigmoid, in the discriminators' last layer.",
    "ReLU at the output": "Pictures are in [0, 1], and clipped only where they are written. A generator whose ReLU gives 0 "
    "everywhere is dead: its run is stopped, and reported as such.",
    "Residual blocks": "Two 3×3 convolutions, a ReLU between them and one at the exit. No normalisation layer anywhere.",
    "Padding": "TensorFlow's SAME: at stride 2 one row and column more at the bottom and right.",
    "First weights": "Not named; TensorFlow's: Glorot uniform, biases zero.",
    "Equation (2)": "G_AB(b) is printed, G_AB(a) is meant.",
    "Equations (5) and (6)": "Each generator receives λC once, λ = 10. No identity loss and no image pool.",
    "Discriminators' losses": "Without a factor ½.",
    "Order": "Generators first, then discriminators.",
    "Optimiser": "Not named; Adam with β₁ = 0.5. Batch 1. The rate stays what it is.",
    "Precision": "bf16 beside float32 weights where the device has it natively; the paper's was float32 throughout.",
    "An epoch": "One pass over the larger class; the smaller is drawn anew.",
    "The sum of the losses": "Both generators' and both discriminators', averaged over the last epoch. A point of a curve is "
    "the mean of 20 steps.",
    "The full set": "All that there is. Shrunk, experiment 2 takes --scale times 10,000 of each class, or what there is of it.",
    "Crops": "The largest square, anywhere along the longer side, scaled to the size; no mirroring.",
    "--size": "Below 256 the generators work on smaller pictures; the discriminators, whose four strides of 4 need "
    "256, see them enlarged to that (bilinear).",
    "Test pictures": "The test split of a prepared set, else every tenth of each source; about 96 of each class are "
    "measured. Networks are measured as the run left them.",
    "Best of the learning rates": "Nearest to real pictures: sliced Wasserstein distance of colours plus that of 16×16 "
    "patches, to night plus to day. A run that stopped is worse than any that ended.",
    "The sky": "What the top edge reaches without crossing an edge. It is unstylised where its mean brightness "
    "(equation 7) goes less than half of the way from real days' to real nights'. A generator that still paints all dark "
    "turns the sky as well: see the distance, and the pictures.",
    "Some elements": "From 1 % to half of the picture outside the sky is brighter by 0.05 of full scale or more.",
    "Signs of light sources": "Pixels from 0.6 of full scale up, and 0.25 above what is around them, that were not so "
    "before; they appear from a tenth of real nights' share on.",
    "25 %": "It holds where mean plus spread of the drop reaches it, and mean minus spread is above zero.",
}
"""Each place where the paper cannot be taken literally, or says nothing, and what is done there."""


def save_figures(
    experiment: outcomes.Experiment, panels: Mapping[float, arm.Panels], folder: Path
) -> None:
    """Draw an experiment's figures, `panels` being the pictures of its first seed by learning rate."""
    number, rates = experiment.name[-1], experiment.rates
    if number == "3":
        curves = {f"learning rate {rate:g}": _sum(experiment, rate) for rate in rates}
        title = "Beside Figure 6: the sum of the losses"
        rows, heads = _by_rate(panels)
    else:
        curves = {LOSS_NAMES[name]: x for name, x in experiment.mean_curves(rates[0]).items()}
        title = f"Figure {_CURVES[experiment.name][-1]}: the losses"
        rows, heads = panels[rates[0]], []
    path = folder / f"{_CURVES[experiment.name]}.png"
    save_curves(curves, path, along="epochs", caption=f"{title}. {_describe(experiment)}")
    path = folder / f"{_PICTURES[experiment.name]}.png"
    title = f"Figure {_PICTURES[experiment.name][-1]}: test pictures, first seed"
    save_panels(rows, heads, path, caption=f"{title}. {_describe(experiment)}")


def _describe(experiment: outcomes.Experiment) -> str:
    """Return a line of what an experiment had, beside what the paper's had."""
    pictures, epochs = _PAPER[experiment.name]
    source = "a stand-in for NEXET 2017" if experiment.stand_in else "as many as NEXET 2017 has"
    return (
        f"Experiment {experiment.name[-1]} with {experiment.day:,} day and {experiment.night:,} night pictures "
        f"(paper: {pictures}), {source}; {_count(experiment.epochs, 'epoch')} (paper: {epochs}), {experiment.size_px} px "
        f"(paper: 256), {_count(experiment.seeds, 'seed')}."
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


def save_report(experiments: Mapping[str, outcomes.Experiment], folder: Path) -> Path:
    """Write `report.md`: runs, claims, readings, figures of all experiments that are there."""
    there = [experiments[name] for name in _PAPER if name in experiments]
    parts = [_head(there), _runs(there), _claims(experiments), _figures(there), _readings()]
    path = folder / "report.md"
    with partial_file(path) as part:
        part.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return path


def _head(experiments: Sequence[outcomes.Experiment]) -> str:
    lines = ["# The paper's experiments, run again", ""]
    lines.append(
        "By `nightfx reproduce`: D. Ulyanov, D. Savelyev, The investigation of the using the cyclic "
        "generative-competitive neural networks for image stylization."
    )
    if any(experiment.stand_in for experiment in experiments):
        lines.append(
            "**The pictures are a stand-in for NEXET 2017**, which the paper used: a set of another size."
        )
    for x in experiments:
        lines += [
            "",
            f"- {_describe(x)} {x.test[0]} day and {x.test[1]} night pictures to test on.",
        ]
        lines.append(f"  {x.versions}; {x.device}.")
    return "\n".join(lines)


def _runs(experiments: Sequence[outcomes.Experiment]) -> str:
    columns = [
        *("experiment", "learning rate", "runs", "steps a run", "sum of the losses"),
        *("distance to real", "sky turned", "raised elsewhere", "lights"),
    ]
    rows = [_row(x, rate) for x in experiments for rate in x.rates]
    stopped = [
        f"- Experiment {x.name[-1]}, learning rate {run.learning_rate:g}, seed {run.seed} stopped: {run.stopped}."
        for x in experiments
        for run in x.outcomes
        if run.stopped
    ]
    return "\n".join(["## Runs", "", *_table(columns, rows), "", *stopped]).rstrip()


def _row(experiment: outcomes.Experiment, rate: float) -> list[str]:
    runs = experiment.arm(rate)
    ended = sum(not run.stopped for run in runs)
    numbers = [claims.show(experiment.values(x, rate).values()) for x in ("loss", "distance")]
    shares = [
        claims.show(experiment.values(x, rate).values(), percent=True)
        for x in ("sky", "raised", "lights")
    ]
    counted = f"{ended} of {len(runs)} ended" if ended < len(runs) else str(ended)
    steps = f"{experiment.planned_steps:,}"
    return [experiment.name[-1], f"{rate:g}", counted, steps, *numbers, *shares]


def _claims(experiments: Mapping[str, outcomes.Experiment]) -> str:
    rows = [
        [claim.words, claim.measured, claim.verdict] for claim in claims.judge_claims(experiments)
    ]
    rule = (
        f"A verdict needs {claims.MIN_SEEDS} seeds and {claims.MIN_STEPS:,} steps an arm; numbers are the mean over seeds ± the sample "
        "standard deviation. Below that, a claim is not testable at this scale, whatever was measured."
    )
    table = _table(("the paper", "measured here", "verdict"), rows)
    return "\n".join(["## Claims", "", rule, "", *table])


def _figures(experiments: Sequence[outcomes.Experiment]) -> str:
    lines = [f"![{_CURVES[x.name].replace('_', ' ')}]({_CURVES[x.name]}.png)" for x in experiments]
    names = ", ".join(f"`{_PICTURES[x.name]}.png`" for x in experiments)
    note = f"Test pictures are in {names}, beside this report; pass them on only where the data set may be."
    return "\n\n".join(["## Figures", *lines, note])


def _readings() -> str:
    rows = [[name, words] for name, words in READINGS.items()]
    intro = "Where the paper cannot be taken literally, or says nothing:"
    return "\n".join(["## Readings", "", intro, "", *_table(("place", "reading"), rows)])


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [columns, ["---"] * len(columns), *rows]
    return [f"| {' | '.join(cell or 'none' for cell in line)} |" for line in lines]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
