"""Recipes: the paper's figures as data, and settings that contradict each other refused in a sentence."""

import pytest

from nightfx.errors import UsageError
from nightfx.training.run.recipes import RECIPES, get_recipe
from nightfx.training.run.train_options import TrainOptions


@pytest.mark.parametrize(
    ("name", "limit", "epochs", "rates"),
    [
        ("paper-1", 1000, 100, [2e-4]),
        ("paper-2", 0, 20, [2e-4]),
        ("paper-3", 1000, 20, [2e-4, 2e-3, 2e-2]),
    ],
)
def test_experiments_are_those_of_the_paper(
    name: str, limit: int, epochs: int, rates: list[float]
) -> None:
    arms = list(get_recipe(name).values())
    assert [arm.learning_rate for arm in arms] == rates
    for arm in arms:
        assert (arm.recipe, arm.limit, arm.epochs) == (name, limit, epochs)
        assert (arm.architecture, arm.crop_px, arm.batch, arm.cycle_weight) == ("paper", 256, 1, 10)


@pytest.mark.parametrize("name", ["paper-1", "paper-2", "paper-3"])
def test_what_the_paper_does_not_mention_is_off(name: str) -> None:
    for arm in get_recipe(name).values():
        extras = (arm.pool_size, arm.identity_weight, arm.r1_weight, arm.clip_norm, arm.ema)
        assert extras == (0, 0, 0, 0, 0)
        assert (arm.spectral_norm, arm.mirror, arm.decay_after) == (False, False, 1)


def test_relit_is_the_default_and_quick_is_a_short_one() -> None:
    assert get_recipe("relit") == {"": TrainOptions()}
    (quick,) = get_recipe("quick").values()
    assert quick.architecture == "relit"
    assert quick.steps < TrainOptions().steps


def test_settings_change_every_run_of_a_recipe_and_are_read_by_kind() -> None:
    words = ["batch=2", "ema=0.5", "mirror=True", "scale=1, 2.5", "precision=float32"]
    for arm in get_recipe("paper-3", words).values():
        assert (arm.batch, arm.ema, arm.mirror, arm.scale) == (2, 0.5, True, (1.0, 2.5))
        assert (arm.precision, arm.epochs) == ("float32", 20)


def test_steps_take_the_place_of_epochs() -> None:
    (options,) = get_recipe("paper-1", ["steps=200"]).values()
    assert (options.steps, options.epochs) == (200, 0)


@pytest.mark.parametrize(
    ("recipe", "words", "message"),
    [
        ("relith", [], "unknown recipe 'relith'; known: relit, quick, paper-1, paper-2, paper-3"),
        ("relit", ["lr=1"], "unknown setting 'lr'; known: architecture, batch, .*, warm_start"),
        ("relit", ["steps"], "written key=value, got 'steps'"),
        ("relit", ["steps=ten"], "steps=ten: not a whole number, such as 12000"),
        ("relit", ["mirror=perhaps"], "mirror=perhaps: not a truth"),
        ("relit", ["scale=1"], "scale must be two rising numbers"),
        ("relit", ["learning_rate=nan"], "learning_rate must be a number from 0 up, got nan"),
        ("relit", ["learning_rate=0"], "learning_rate must be above 0"),
        ("relit", ["ema=1.5"], "ema must be from 0 to 1, got 1.5"),
        ("relit", ["seed=-1"], "seed must be a number from 0 up, got -1"),
        ("relit", ["steps=5", "steps=6"], "steps is set twice: 5 and 6"),
        ("paper-1", ["steps=5", "epochs=6"], "steps=5 and epochs=6 both say how long"),
        ("paper-1", ["smooth_weight=1"], "smooth_weight is for the relit architecture"),
        ("paper-1", ["crop_px=512"], "sees 256 px: crop_px must be 256 or less, got 512"),
        ("paper-3", ["learning_rate=1e-3"], "compares the learning rates 0.0002, 0.002, 0.02"),
        ("relit", ["architecture=papper"], "architecture must be paper or relit, got 'papper'"),
        ("relit", ["draw=all"], "draw must be sources or passes"),
    ],
)
def test_contradictions_and_typing_errors_are_refused(
    recipe: str, words: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        get_recipe(recipe, words)


def test_a_recipe_records_its_name() -> None:
    assert {arm.recipe for recipe in RECIPES.values() for arm in recipe.values()} == set(RECIPES)
