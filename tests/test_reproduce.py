"""The paper's experiments at toy size: verdicts on constructed numbers, figures, runs that resume or die."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from test_training import paint
from typer.testing import CliRunner, Result

from nightfx.cli import app
from nightfx.errors import TrainingError, UsageError
from nightfx.options.reproduce import ReproduceOptions
from nightfx.training.data.drawings import GAP_PX, HEAD_PX, NAME_PX, save_panels
from nightfx.training.reproduce.asked import arms_of, find_sides
from nightfx.training.reproduce.claims import (
    Claim,
    judge_claims,
    judge_elements,
    judge_full_set,
    judge_gap,
    judge_lights,
    judge_rates,
    judge_sky,
    show,
)
from nightfx.training.reproduce.experiments import reproduce
from nightfx.training.reproduce.findings import save_report
from nightfx.training.reproduce.labelled import LabelledBrightness
from nightfx.training.reproduce.outcomes import (
    LOSSES,
    POINTS,
    Experiment,
    Outcome,
    Point,
    load_experiments,
    save_experiment,
    spread,
    tail_mean,
    thin,
)
from nightfx.training.reproduce.readings import READINGS
from nightfx.training.reproduce.signs import find_signs

TINY = ReproduceOptions(images=3, epochs=2, size_px=96, seeds=1)


def nightfx(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def experiment(name: str, *, seeds: int = 3, steps: int = 5000, **facts: Any) -> Experiment:
    """An experiment whose runs all measured the same; see `told` for others."""
    known: dict[str, Any] = {"day": 1000, "night": 1000, "epochs": 100, "stand_in": True}
    if name == "paper-2":
        known |= {"day": 10_000, "night": 4_500, "epochs": 20}
    known |= {"test": (96, 96), "test_sha256": "a", "size_px": 256, "device": "cpu"}
    rates = (2e-4, 2e-3, 2e-2) if name == "paper-3" else (2e-4,)
    curve: dict[str, list[Point]] = {loss: [(steps / 2, 2.0), (steps, 1.0)] for loss in LOSSES}
    runs = [Outcome(rate, seed, steps, "", {}, curve) for rate in rates for seed in range(seeds)]
    whole = {"versions": "", "planned_steps": steps, "outcomes": runs, **known, **facts}
    return Experiment(name=name, **whole)


def told(whole: Experiment, measure: str, *values: float, rate: float = 2e-4) -> Experiment:
    """`whole` with a measure of one arm, a value for each seed; NaN is a run that stopped."""
    runs = []
    for run in whole.outcomes:
        if run.learning_rate == rate and np.isnan(values[run.seed]):
            run = replace(run, stopped="the night generator is dead", measures={})
        elif run.learning_rate == rate:
            run = replace(run, measures={**run.measures, measure: values[run.seed]})
        runs.append(run)
    return replace(whole, outcomes=runs)


def full_set(before: tuple[float, ...], after: tuple[float, ...], **facts: Any) -> Claim:
    one = told(experiment("paper-1", seeds=len(before)), "loss", *before)
    two = experiment("paper-2", seeds=len(after), **facts)
    return judge_full_set(one, told(two, "loss", *after))


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ((4.0, 4.2, 3.8), (2.8, 3.0, 2.7), "holds"),  # lower by 30, 29 and 29 %
        ((4.0, 4.0, 4.0), (3.0, 3.0, 3.0), "holds"),  # by 25 %
        ((4.0, 4.0, 4.0), (3.6, 3.5, 3.7), "lower, but by less than 25 %"),
        ((4.0, 4.0, 4.0), (4.2, 4.3, 4.1), "does not hold"),
        ((4.0, 4.0, 4.0), (1.0, 4.0, 6.0), "undecided: the seeds spread too far"),
    ],
)
def test_the_full_set_is_judged_by_its_drop(
    before: tuple[float, ...], after: tuple[float, ...], verdict: str
) -> None:
    assert full_set(before, after).verdict == verdict


def test_the_drop_stands_beside_its_spread() -> None:
    claim = full_set((4.0, 4.0, 4.0), (3.6, 3.5, 3.7))  # drops of 10, 12.5 and 7.5 %
    assert claim.measured == (
        "4.000 ± 0.000 (3 seeds) after 100 epochs, 3.600 ± 0.100 (3 seeds) after 20: "
        "a change of -10.0 ± 2.5 % (3 seeds)"
    )


def test_below_three_seeds_a_verdict_says_from_how_many() -> None:
    good = (2.8, 3.0, 2.7)
    one, two = full_set((4.0,), good[:1]), full_set((4.0, 4.2), good[:2])
    assert one.verdict == "holds (from one seed: no spread)"
    assert one.measured.count("(one seed: no spread)") == 3
    assert two.verdict == "holds (from 2 of 3 seeds)"
    stopped = full_set((4.0, 4.2, float("nan")), good).verdict
    assert stopped == "holds (from 2 of 3 seeds)"
    none = full_set((float("nan"),), good[:1]).verdict
    assert none == "not testable yet (0 of 3 seeds, 5,000 of 5,000 steps an arm)"


def test_below_5000_steps_nothing_is_said() -> None:
    short = full_set((4.0, 4.2, 3.8), (2.8, 3.0, 2.7), steps=4999).verdict
    assert short == "not testable at this scale (3 of 3 seeds, 4,999 of 5,000 steps an arm)"
    small = {f"paper-{n}": experiment(f"paper-{n}", seeds=1, steps=60) for n in (1, 2, 3)}
    assert all(claim.verdict.startswith("not testable") for claim in judge_claims(small))


def test_the_rates_are_judged_when_each_has_a_seed() -> None:
    whole = told(experiment("paper-3", seeds=1), "distance", 0.1)
    lacking = replace(whole, outcomes=[x for x in whole.outcomes if x.learning_rate < 1e-2])
    lacking = told(lacking, "distance", 0.2, rate=2e-3)
    assert judge_rates(lacking).verdict.startswith("not testable yet (0 of 3 seeds")
    assert rates((0.1,), (0.2,), (0.3,)) == "holds (from one seed: no spread)"


def bright(day: list[float], night: list[float], by_rule: bool = False) -> LabelledBrightness:
    return LabelledBrightness(day, night, by_rule, "a")


def test_the_gap_is_judged_by_labelled_pictures() -> None:
    apart, over = (
        bright([0.6, 0.9], [0.1, 0.3]),
        bright([0.3, 0.7, 0.8, 0.9], [0.1, 0.2, 0.3, 0.65]),
    )
    assert judge_gap(apart).verdict == "holds"
    assert apart.best_border() == (0.6, 1)
    assert judge_gap(over).verdict == "does not hold"
    assert over.by_papers_rule() == (6, 2, 0)
    assert over.best_border()[1] == 7 / 8
    assert "7 right" not in judge_gap(over).measured
    by_rule = bright([0.6, 0.9], [0.1, 0.3], by_rule=True)
    assert judge_gap(by_rule).verdict == "not testable: the rule itself made these classes"
    assert judge_gap(None).verdict == "not run yet"


def test_experiments_must_be_comparable() -> None:
    numbers = (4.0, 4.2, 3.8), (2.8, 3.0, 2.7)
    assert "differ in their test pictures" in full_set(*numbers, size_px=128).verdict
    assert "differ in their test pictures" in full_set(*numbers, test_sha256="b").verdict
    assert full_set(*numbers, day=500).verdict == "holds"  # 5,000 pictures against 2,000
    assert "no more pictures" in full_set(*numbers, day=500, night=900).verdict
    assert "no fewer epochs" in full_set(*numbers, epochs=100).verdict


def test_what_was_not_run_is_said() -> None:
    claims = judge_claims({"paper-1": experiment("paper-1")})
    said = {claim.verdict for claim in claims}
    assert "not run yet" in said
    assert "not run yet: it needs experiments 1 and 2" in said


def rates(*distances: tuple[float, ...]) -> str:
    whole = experiment("paper-3", seeds=len(distances[0]))
    for rate, values in zip((2e-4, 2e-3, 2e-2), distances, strict=True):
        whole = told(whole, "distance", *values, rate=rate)
    return judge_rates(whole).verdict


NAN = float("nan")


@pytest.mark.parametrize(
    ("distances", "verdict"),
    [
        (((0.1, 0.11, 0.12), (0.2, 0.2, 0.21), (0.3, 0.3, 0.3)), "holds"),
        (((0.1, 0.11, 0.12), (0.2, 0.2, 0.21), (NAN, NAN, 0.05)), "holds"),  # stopped is worse
        (((0.2, 0.2, 0.21), (0.1, 0.11, 0.12), (0.3, 0.3, 0.3)), "does not hold"),
        (((0.1, 0.2, 0.3), (0.2, 0.21, 0.2), (0.3, 0.3, 0.3)), "undecided: the seeds spread"),
        (((NAN, 0.1, 0.1), (0.2, 0.2, 0.2), (0.3, 0.3, 0.3)), "does not hold"),
        (((NAN, 0.1, 0.1), (0.2, NAN, 0.2), (NAN, 0.3, 0.3)), "undecided: runs stopped"),
        (((0.1, 0.1), (0.2, 0.2), (0.3, 0.3)), "holds (from 2 of 3 seeds)"),
    ],
)
def test_the_best_rate_is_nearest_to_real_pictures(
    distances: tuple[tuple[float, ...], ...], verdict: str
) -> None:
    assert rates(*distances).startswith(verdict)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ((0.1, 0.2, 0.3), "holds"),
        ((0.8, 0.9, 0.7), "does not hold"),
        ((0.3, 0.5, 0.6), "undecided: the seeds spread too far"),
    ],
)
def test_the_sky_is_unstylised_below_half_of_the_way(
    values: tuple[float, ...], verdict: str
) -> None:
    assert judge_sky(told(experiment("paper-1"), "sky", *values)).verdict == verdict


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ((0.1, 0.2, 0.15), "holds"),
        ((0.0, 0.001, 0.002), "does not hold"),
        ((0.8, 0.9, 0.85), "does not hold"),
        ((0.4, 0.55, 0.45), "undecided: the seeds spread too far"),
    ],
)
def test_some_elements_are_more_than_none_and_less_than_half(
    values: tuple[float, ...], verdict: str
) -> None:
    assert judge_elements(told(experiment("paper-1"), "raised", *values)).verdict == verdict


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ((0.0, 0.01, 0.02), (0.5, 0.6, 0.4), "holds"),
        ((0.5, 0.6, 0.4), (0.5, 0.6, 0.4), "does not hold"),
        ((0.0, 0.01, 0.02), (0.0, 0.01, 0.02), "does not hold"),
        ((0.0, 0.01, 0.02), (0.0, 0.3, 0.1), "undecided: the seeds spread too far"),
    ],
)
def test_lights_must_come_after_2_and_not_after_1(
    before: tuple[float, ...], after: tuple[float, ...], verdict: str
) -> None:
    one, two = experiment("paper-1"), experiment("paper-2")
    assert (
        judge_lights(told(one, "lights", *before), told(two, "lights", *after)).verdict == verdict
    )


def test_numbers_are_shown_with_their_spread() -> None:
    assert show([1.0, 2.0, 3.0]) == "2.000 ± 1.000 (3 seeds)"
    assert show([0.25], percent=True) == "25.0 % (one seed: no spread)"
    assert show([]) == "not measured"


def test_the_mean_over_the_last_epoch_by_hand() -> None:
    # steps 1 to 20 at 8, 21 to 30 at 4, 31 to 50 at 2; of the last 25: five of 4, twenty of 2
    curve = [(20.0, 8.0), (30.0, 4.0), (50.0, 2.0)]
    assert tail_mean(curve, 25) == pytest.approx((5 * 4 + 20 * 2) / 25)
    assert tail_mean(curve, 0) == pytest.approx((20 * 8 + 10 * 4 + 20 * 2) / 50)


@settings(deadline=None)  # the machine may be busy
@given(st.integers(1, 2000), st.floats(0.1, 100))
def test_thinning_keeps_the_end_and_the_level(count: int, level: float) -> None:
    thinned = thin([(20.0 * index, level) for index in range(1, count + 1)])
    assert len(thinned) <= POINTS
    assert thinned[-1][0] == 20 * count
    assert all(value == pytest.approx(level) for _, value in thinned)
    assert tail_mean(thinned, 10 * count) == pytest.approx(level)


def scene(sky: float, ground: float, lamps: float | None = None) -> torch.Tensor:
    """A picture with a sky over a ground, a wall between that keeps them apart, and perhaps two lamps."""
    picture = torch.full((1, 3, 96, 96), ground)
    picture[:, :, :48] = sky
    picture[:, :, 44:48] = 0.5 if sky < 0.5 else 0.1
    if lamps is not None:
        picture[:, :, 70:73, 20:23] = picture[:, :, 60:63, 60:63] = lamps
    return picture


def test_signs_of_night_by_construction() -> None:
    day, night = scene(0.8, 0.3), scene(0.1, 0.15, lamps=0.95)
    unchanged = find_signs(day, day, night)
    assert unchanged["sky"] == pytest.approx(0)
    assert (unchanged["raised"], unchanged["lights"]) == (0, 0)
    half = day.clone()
    half[:, :, :40] = 0.45  # half of the way from 0.8 to 0.1
    assert find_signs(day, half, night)["sky"] == pytest.approx(0.5, abs=0.06)
    brighter = day.clone()
    brighter[:, :, 72:] = 0.5  # half of the ground
    assert find_signs(day, brighter, night)["raised"] == pytest.approx(0.5, abs=0.06)
    assert find_signs(day, brighter, night)["lights"] == 0  # bright, but as wide as the picture


def test_lights_are_those_that_came_on() -> None:
    day, night = scene(0.8, 0.3), scene(0.1, 0.15, lamps=0.95)
    lit = scene(0.8, 0.3, lamps=0.95)
    came_on = find_signs(day, lit, night)["lights"]
    assert find_signs(lit, lit, night)["lights"] == 0  # they shone before
    assert came_on == pytest.approx(1)  # the same two lamps
    nowhere = find_signs(day, lit, scene(0.1, 0.15) * 0.5)
    assert np.isnan(nowhere["lights"])  # nights without a light say nothing
    assert np.isnan(find_signs(day, lit, day)["sky"])  # nor do those as bright as days


def test_panels_lie_in_rows_and_columns(tmp_path: Path) -> None:
    red, blue = torch.zeros(3, 64, 64), torch.zeros(3, 64, 64)
    red[0], blue[2] = 1, 2  # clipped to 1
    rows: dict[str, list[torch.Tensor | str]] = {"real": [red, blue], "fake": [blue, "it stopped"]}
    save_panels(rows, ["a", "b"], tmp_path / "x.png", caption="what this is")
    with Image.open(tmp_path / "x.png") as image:
        pixels = np.asarray(image)
    caption_px = pixels.shape[0] - (HEAD_PX + 2 * (64 + GAP_PX))
    assert caption_px > 20
    assert (pixels[:caption_px] < 128).any()  # words
    at = {
        (row, column): pixels[
            caption_px + HEAD_PX + row * (64 + GAP_PX) + 60, NAME_PX + column * (64 + GAP_PX) + 60
        ].tolist()
        for row in range(2)
        for column in range(2)
    }
    assert at[0, 0] == [255, 0, 0]
    assert at[0, 1] == at[1, 0] == [0, 0, 255]
    assert at[1, 1] == [0xEE, 0xEE, 0xEE]


def test_arms_are_the_recipes_shrunk() -> None:
    (whole,) = arms_of("paper-2", ReproduceOptions()).values()
    assert (whole.limit, whole.epochs, whole.crop_px) == (0, 20, 256)
    (one,) = arms_of("paper-1", ReproduceOptions(scale=0.05)).values()
    (two,) = arms_of("paper-2", ReproduceOptions(scale=0.05, epochs=3, size_px=128)).values()
    assert (one.limit, one.epochs) == (50, 100)  # 5,000 steps
    assert (two.limit, two.epochs, two.crop_px) == (500, 3, 128)
    three = arms_of("paper-3", ReproduceOptions(images=7)).values()
    assert [(arm.limit, arm.learning_rate) for arm in three] == [(7, 2e-4), (7, 2e-3), (7, 2e-2)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    paint(tmp_path / "data/day", 5, 170)
    paint(tmp_path / "data/night", 5, 60)
    return tmp_path / "data"


class Killed(Exception):
    """Stands for a signal: it comes in the middle of a run."""


@pytest.mark.usefixtures("small_reports")
def test_a_killed_reproduction_goes_on_to_the_same_numbers(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightfx.training.reproduce.runs.EVERY", 2)

    def kill(done: int, total: int) -> None:
        assert total == 8
        if done == 7:  # in the second run, after its checkpoint at step 2
            raise Killed

    options = replace(TINY, images=2, seeds=2)
    out = tmp_path / "broken"
    with pytest.raises(Killed):
        reproduce("paper-1", data, out, options, device="cpu", on_progress=kill)
    assert not (out / "paper-1.json").exists()
    reproduce("paper-1", data, out, options, device="cpu")
    reproduce("paper-1", data, tmp_path / "whole", options, device="cpu")
    broken, whole = (load_experiments(x)["paper-1"] for x in (out, tmp_path / "whole"))
    assert broken == whole
    assert [run.seed for run in whole.outcomes] == [0, 1]
    assert whole.outcomes[0].measures != whole.outcomes[1].measures
    for run in whole.outcomes:  # the last of two epochs: steps 3 and 4
        parts = [tail_mean(run.curves[name], 2) for name in LOSSES]
        assert run.measures["loss"] == pytest.approx(sum(parts), rel=1e-5)


@pytest.mark.usefixtures("small_reports")
def test_runs_of_several_processes_come_together_and_what_is_missing_is_said(
    tmp_path: Path, data: Path
) -> None:
    out, options = tmp_path / "out", replace(TINY, epochs=1, seeds=2)
    rate = "learning-rate-0.002"
    told = reproduce("paper-3", data, out, replace(options, report_only=True), device="cpu")
    lines = told.read_text(encoding="utf-8")
    assert lines.count(": not begun") == 6
    assert "- Experiment 1, no run of it" in lines
    steps: list[tuple[int, int]] = []
    one = replace(options, arm=rate, seed_index=1)
    reproduce("paper-3", data, out, one, device="cpu", on_progress=lambda *told: steps.append(told))
    assert steps[-1] == (3, 3)
    record = out / "paper-3" / rate / "seed-1/run/outcome.json"
    assert [x.relative_to(out) for x in out.rglob("outcome.json")] == [record.relative_to(out)]
    lines = told.read_text(encoding="utf-8")
    assert lines.count(": not begun") == 5
    assert "- Experiment 3, learning rate 0.0002, seed 1: not begun" in lines
    (found,) = load_experiments(out).values()
    assert [(run.learning_rate, run.seed) for run in found.outcomes] == [(2e-3, 1)]
    # what an older version left has no record of its own: it is measured anew, to the same numbers
    record.unlink()
    reproduce("paper-3", data, out, replace(options, report_only=True), device="cpu")
    assert load_experiments(out)["paper-3"] == found
    assert record.is_file()


@pytest.mark.usefixtures("small_reports")
def test_experiments_come_together_in_one_report(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightfx.training.reproduce.runs.EVERY", 1)
    out = tmp_path / "out"
    words = ["--data", data, "--out", out, "--size", 96, "--seeds", 1, "--device", "cpu"]
    result = nightfx("reproduce", "paper-1", *words, "--images", 2, "--epochs", 2)
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(out / "report.md")
    # from the second of the three rates on, every generator is found dead
    faults = iter([("the night generator is dead", "lower the rate")] * 5)
    monkeypatch.setattr(
        "nightfx.training.run.watch.find_faults",
        lambda run, *_: [next(faults)] if run.generators.defaults["lr"] == 2e-3 else [],
    )
    result = nightfx("reproduce", "paper-3", *words, "--images", 2, "--epochs", 3)
    assert result.exit_code == 0, result.output
    report = (out / "report.md").read_text(encoding="utf-8")
    assert (
        "Experiment 3, learning rate 0.002, seed 0 stopped: step 5: the night generator" in report
    )
    assert "0 of 1 ended" in report
    assert "**The pictures are a stand-in for NEXET 2017**" in report
    assert "Experiment 1 with 2 day and 2 night pictures (paper: 1,000 of each)" in report
    assert report.count("not testable at this scale (1 of 3 seeds") == 3
    assert report.count("not run yet: it needs experiments 1 and 2") == 2
    assert "- Experiment 2, no run of it" in report
    assert "| Normalised brightness has a gap" in report
    assert all(f"| {name} | " in report for name in READINGS)
    assert str(tmp_path) not in report + (out / "paper-3.json").read_text(encoding="utf-8")
    panels = {3: (1, 4), 6: (4, 1)}  # columns and rows; one test picture of each class
    for number, (columns, rows) in panels.items():
        with Image.open(out / f"figure_{number}.png") as image:
            assert image.width == NAME_PX + columns * (96 + GAP_PX)
            assert image.height > HEAD_PX + rows * (96 + GAP_PX) + 30  # and the caption
    for name in ("figure_1", "figure_2", "figure_6_losses", "claim_rates"):
        assert f"({name}.png)" in report
        assert (out / f"{name}.png").is_file()
    assert sorted(x.name for x in out.glob("figure_[45]*")) == []


@pytest.mark.usefixtures("small_reports")
def test_a_prepared_set_is_trained_on_its_train_split_and_shown_by_its_test_split(
    tmp_path: Path,
) -> None:
    rows = ["path,class,source,split"]
    for name, level in (("day", 170), ("night", 60)):
        for split, count in (("train", 4), ("test", 2)):
            folder = paint(tmp_path / "set" / split / name, count, level, (100, 100))
            rows += [
                f"{x.relative_to(tmp_path / 'set')},{name},a,{split}" for x in folder.iterdir()
            ]
    (tmp_path / "set/manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    reproduce(
        "paper-2", tmp_path / "set", tmp_path / "out", replace(TINY, images=None), device="cpu"
    )
    (found,) = load_experiments(tmp_path / "out").values()
    assert (found.day, found.night, found.test, found.planned_steps) == (4, 4, (2, 2), 8)
    for number in (4, 5):
        assert (tmp_path / f"out/figure_{number}.png").is_file()


def test_a_report_reads_the_same_from_its_json(tmp_path: Path) -> None:
    one = told(experiment("paper-1"), "loss", 4.0, 4.2, NAN)
    save_experiment(one, tmp_path)
    assert load_experiments(tmp_path) == {"paper-1": one}
    text = save_report({"paper-1": one}, tmp_path).read_text(encoding="utf-8")
    assert "| 1 | 0.0002 | 2 of 3 ended | 5,000 | 4.100 ± 0.141 (2 seeds) |" in text


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"outcomes": [{}]}', '{"outcomes": 3}'])
def test_a_damaged_json_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "paper-2.json").write_text(text, encoding="utf-8")
    with pytest.raises(TrainingError, match=r"paper-2\.json: not what an experiment left here"):
        load_experiments(tmp_path)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"scale": 0.0}, "scale must be above 0 and at most 1, got 0"),
        ({"scale": 1.5}, "scale must be above 0 and at most 1, got 1.5"),
        ({"scale": NAN}, "scale must be above 0"),
        ({"scale": 0.5, "images": 4}, "--images 4 and --scale 0.5 both say how many pictures"),
        ({"seeds": 0}, "--seeds must be from 1 up, got 0"),
        ({"epochs": -1}, "--epochs must be from 1 up, got -1"),
        ({"seed_index": 3}, "--seed-index 3: seeds count from 0 to 2; raise --seeds for more"),
        ({"seed_index": -1}, "--seed-index must be from 0 up, got -1"),
        ({"report_only": True, "seed_index": 0}, "--report-only runs nothing"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    facts: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        ReproduceOptions(**facts)


def test_a_folder_without_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"neither day/ and night/ nor a manifest\.csv"):
        find_sides(tmp_path)


@pytest.mark.parametrize(
    ("name", "words", "code", "message"),
    [
        ("paper-4", [], 2, "unknown experiment 'paper-4'; known: paper-1, paper-2, paper-3"),
        ("relit", [], 2, "unknown experiment 'relit'"),
        ("paper-1", ["--size", 300], 2, "crop_px must be 256 or less, got 300"),
        ("paper-1", ["--size", 100], 2, "crop_px must be a multiple of 8"),
        ("paper-1", ["--scale", 2], 2, "scale must be above 0 and at most 1, got 2"),
        ("paper-1", ["--images", 5, "--scale", 0.5], 2, "both say how many pictures"),
        (
            "paper-3",
            ["--arm", "fast"],
            2,
            "--arm fast: no arm of paper-3; its arms: learning-rate-0.0002",
        ),
        ("paper-1", ["--arm", "fast"], 2, "no arm of paper-1; it has one: leave --arm out"),
        ("paper-1", ["--data", "nowhere"], 1, "nowhere: holds neither day/ and night/"),
        ("paper-1", ["--device", "tpu"], 2, "--device must be auto, cpu, cuda or mps, got 'tpu'"),
        ("paper-1", ["--out", "file"], 1, "file: is a file: name a folder"),
        ("paper-1", ["--size", 256], 1, "0 usable pictures of 5"),  # they have 100 lines
    ],
)
def test_bad_input_gets_one_line(
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    words: list[object],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(data.parent)
    Path("file").write_text("x")
    result = nightfx("reproduce", name, "--data", data, "--out", "out", *words)
    assert (result.exit_code, message in result.stderr) == (code, True), result.output
    said = result.stderr.strip().splitlines()
    assert [line for line in said if not line.endswith(": reading")] == said[-1:]
    assert not Path("out").exists()


@pytest.mark.usefixtures("small_reports")
def test_other_settings_in_the_same_folder_are_refused(tmp_path: Path, data: Path) -> None:
    out = tmp_path / "out"
    reproduce("paper-1", data, out, TINY, device="cpu")
    before = json.loads((out / "paper-1.json").read_text(encoding="utf-8"))
    with pytest.raises(TrainingError, match=r"limit was 3, is 2.*use another --out"):
        reproduce("paper-1", data, out, replace(TINY, images=2), device="cpu")
    with pytest.raises(TrainingError, match=r"steps was 6, is 3.*use another --out"):
        reproduce("paper-1", data, out, replace(TINY, epochs=1), device="cpu")
    assert json.loads((out / "paper-1.json").read_text(encoding="utf-8")) == before


def test_curves_average_over_seeds_that_ended() -> None:
    whole = experiment("paper-1", seeds=2)
    runs = whole.outcomes
    runs[1] = replace(runs[1], curves={name: [(2500.0, 4.0), (5000.0, 3.0)] for name in LOSSES})
    assert whole.mean_curves(2e-4)["D_A"] == [(50, 3.0), (100, 2.0)]  # over epochs
    runs[1] = replace(runs[1], stopped="dead")
    assert whole.mean_curves(2e-4)["D_A"] == [(50, 2.0), (100, 1.0)]
    assert spread([3.0]) == (3.0, 0.0)
