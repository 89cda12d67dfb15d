"""A reproduction as its reader meets it: `report.md`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from nightfx.disk import partial_file
from nightfx.training.reproduce import claims, figures, outcomes
from nightfx.training.reproduce.labelled import LabelledBrightness
from nightfx.training.reproduce.readings import READINGS

_CHARTS = {
    "figure_1": "Figure 1: normalised brightness of labelled pictures",
    "figure_2": "Figure 2: losses of experiment 1",
    "figure_4": "Figure 4: losses of experiment 2",
    figures.FULL_SET: "The full set: the sum of the losses, seed by seed",
    "figure_6_losses": "Beside Figure 6: losses of experiment 3",
    figures.RATES: "The learning rates: distance to real pictures, seed by seed",
}
"""Charts by file, in the order of the paper."""


def save_report(
    experiments: Mapping[str, outcomes.Experiment],
    folder: Path,
    bright: LabelledBrightness | None = None,
) -> Path:
    """Write `report.md`: claims, runs, what is missing, figures and readings of all experiments that are there."""
    there = [experiments[name] for name in figures.PAPER if name in experiments]
    parts = [_head(there), _claims(experiments, bright), _runs(there), _missing(experiments)]
    parts += [_figures(there, folder), _readings()]
    path = folder / "report.md"
    with partial_file(path, folder) as part:
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
            f"- {figures.describe(x)} {x.test[0]} day and {x.test[1]} night pictures to test on.",
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


def _missing(experiments: Mapping[str, outcomes.Experiment]) -> str:
    """Name every run that is not over, and every experiment that was not begun."""
    lines = [
        f"- Experiment {name[-1]}, {line}"
        for name in figures.PAPER
        for line in (experiments[name].missing if name in experiments else ["no run of it"])
    ]
    return "\n".join(["## Missing", "", *(lines or ["Nothing: every run is over."])])


def _claims(
    experiments: Mapping[str, outcomes.Experiment], bright: LabelledBrightness | None
) -> str:
    judged = [*claims.judge_claims(experiments), claims.judge_gap(bright)]
    rows = [[claim.words, claim.measured, claim.verdict] for claim in judged]
    rule = (
        f"A full verdict rests on {claims.MIN_SEEDS} seeds and {claims.MIN_STEPS:,} steps an arm; numbers are the mean over seeds ± the "
        "sample standard deviation. With fewer seeds the verdict says from how many; with fewer steps a claim is not testable "
        "at this scale, whatever was measured."
    )
    table = _table(("the paper", "measured here", "verdict"), rows)
    return "\n".join(["## Claims", "", rule, "", *table])


def _figures(experiments: Sequence[outcomes.Experiment], folder: Path) -> str:
    """Show the charts that are there, each under a line of what it is; test pictures are named alone."""
    lines = [
        f"**{words}**\n\n![{words}]({name}.png)"
        for name, words in _CHARTS.items()
        if (folder / f"{name}.png").is_file()
    ]
    names = ", ".join(f"`{figures.PICTURES[x.name]}.png`" for x in experiments)
    note = f"Test pictures are in {names}, beside this report; pass them on only where the data set may be."
    return "\n\n".join(["## Figures", *lines, note])


def _readings() -> str:
    rows = [[name, words] for name, words in READINGS.items()]
    intro = "Where the paper cannot be taken literally, or says nothing:"
    return "\n".join(["## Readings", "", intro, "", *_table(("place", "reading"), rows)])


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [columns, ["---"] * len(columns), *rows]
    return [f"| {' | '.join(cell or 'none' for cell in line)} |" for line in lines]
