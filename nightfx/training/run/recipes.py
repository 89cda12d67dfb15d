"""Recipes: named settings of a training run, and the words that change them.

The paper's recipes follow its text; where that cannot be taken literally, the reading is named here or where the code
follows it: `model.py` (row 4, SAME padding, sigmoid, ReLU output), `objective.py` (λC once), `trainer.py` (order).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from nightfx.errors import UsageError
from nightfx.training.run.train_options import RELIT_ONLY, TrainOptions

_Recipe = Mapping[str, TrainOptions]
"""The runs of an experiment by name; most have a single one, without a name."""

PAPER = TrainOptions(
    architecture="paper",
    batch=1,
    draw="passes",
    mirror=False,
    crop_px=256,
    scale=(1.0, 1.0),
    learning_rate=2e-4,
    decay_after=1.0,
    cycle_weight=10.0,
    spectral_norm=False,
    warm_start_steps=0,
    pool_size=0,
    ema=0.0,
)
"""Settings that the paper's experiments share.

Named there: the networks, the losses, λ = 10, the learning rate. Readings: Adam with β₁ = 0.5, batch 1; no pool, no
identity loss, no decay, no mean of weights, no mirroring, since none is mentioned; an epoch is one pass over the larger
set, the smaller is drawn anew; weights begin as TensorFlow's do. bf16 beside float32 weights is ours: the paper's
program computed in float32 throughout, which `precision=float32` does.
"""

RECIPES: Mapping[str, _Recipe] = {
    # what ships
    "relit": {"": TrainOptions()},
    # a custom look in an hour on a laptop's GPU
    "quick": {
        "": TrainOptions(recipe="quick", steps=4000, warm_start_steps=1000, batch=2, every=200)
    },
    # Figures 2 and 3
    "paper-1": {"": replace(PAPER, recipe="paper-1", limit=1000, epochs=100, every=10_000)},
    # Figures 4 and 5
    "paper-2": {"": replace(PAPER, recipe="paper-2", epochs=20, every=10_000)},
    # Figure 6
    "paper-3": {
        f"learning-rate-{rate:g}": replace(
            PAPER, recipe="paper-3", limit=1000, epochs=20, every=10_000, learning_rate=rate
        )
        for rate in (2e-4, 2e-3, 2e-2)
    },
}


def get_recipe(name: str, settings: Iterable[str] = ()) -> dict[str, TrainOptions]:
    """The runs of recipe `name`, each changed by `settings`, words of the form key=value. Raises `UsageError`."""
    if name not in RECIPES:
        raise UsageError(f"unknown recipe {name!r}; known: {', '.join(RECIPES)}")
    changes = _parse_settings(settings)
    recipe = RECIPES[name]
    if len(recipe) > 1 and "learning_rate" in changes:
        rates = ", ".join(f"{options.learning_rate:g}" for options in recipe.values())
        raise UsageError(
            f"{name} compares the learning rates {rates}; for one of your own take paper-1 with epochs=20"
        )
    return {arm: _change_options(options, changes) for arm, options in recipe.items()}


def _parse_settings(settings: Iterable[str]) -> dict[str, Any]:
    """Read words of the form key=value as fields of `TrainOptions`. Raises `UsageError`."""
    changes: dict[str, Any] = {}
    for word in settings:
        key, equals, text = (part.strip() for part in word.partition("="))
        if not equals:
            raise UsageError(f"a setting is written key=value, got {word!r}")
        if key in changes:
            raise UsageError(f"{key} is set twice: {changes[key]} and {text}")
        changes[key] = _parse(key, text)
    return changes


def _change_options(options: TrainOptions, changes: Mapping[str, Any]) -> TrainOptions:
    """`options` with `changes`; steps take the place of epochs. Raises `UsageError` for contradictions."""
    if changes.get("steps") and changes.get("epochs"):
        raise UsageError(
            f"steps={changes['steps']} and epochs={changes['epochs']} both say how long; give one"
        )
    if "steps" in changes:
        changes = {"epochs": 0, **changes}
    if changes.get("start"):
        changes = {**_fine(options, changes), **changes}
    changed = replace(options, **changes)
    for key in RELIT_ONLY:
        if changed.architecture == "paper" and changes.get(key):
            raise UsageError(f"{key} is for the relit architecture; {changed.recipe} has none")
    return changed


def _fine(options: TrainOptions, changes: Mapping[str, Any]) -> dict[str, Any]:
    """What a run that begins as a preset is, unless somebody says otherwise: a tenth as long, without a warm start."""
    every = max(options.every // 10, 1)
    short = {} if changes.get("epochs") else {"steps": max(options.steps // 10, 1)}
    return {"warm_start_steps": 0, "every": every, **short}


def _parse(key: str, text: str) -> Any:
    defaults = {field.name: field.default for field in fields(TrainOptions)}
    if key not in defaults or key == "recipe":
        known = ", ".join(sorted(set(defaults) - {"recipe"}))
        raise UsageError(f"unknown setting {key!r}; known: {known}")
    default = defaults[key]
    try:
        return _convert(text, default)
    except (KeyError, ValueError):
        raise UsageError(f"{key}={text}: not a {_kind(default)}, such as {default}") from None


def _convert(text: str, default: Any) -> Any:
    if isinstance(default, bool):
        return {"true": True, "false": False}[text.lower()]
    if isinstance(default, tuple):
        return tuple(float(part) for part in text.strip("()[]").split(","))
    return type(default)(text)


def _kind(default: Any) -> str:
    kinds = {bool: "truth", int: "whole number", float: "number", tuple: "pair of numbers"}
    return kinds.get(type(default), "word")
