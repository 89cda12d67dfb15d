"""Presets: a folder with `preset.toml`, `weights.safetensors`, `CARD.md`, and where there is a draft `draft.safetensors`.

A preset comes from others as often as from us: TOML is validated, weights are safetensors whose hash
must match, names cannot leave the folder of presets. What a preset says of itself is read without torch.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from nightfx.disk import from_json_types, own_presets
from nightfx.errors import PresetError, UsageError
from nightfx.network.draft import DRAFT_FILE, DraftFacts, check_draft
from nightfx.network.trunk import BLOCKS, WIDTH, Architecture
from nightfx.options import (
    LightTable,
    Look,
    Method,
    Moonlight,
    NightSky,
    check_lights,
    check_moonlight,
    check_sky,
    read_look,
)

if TYPE_CHECKING:
    import torch

    from nightfx.network import model

_Stored = Literal[Architecture, "graded", "resnet"]
_log = logging.getLogger(__name__)
_Plate = Literal["day", "night"]
NO_TILES = "its network has instance norm, by which each tile would get an exposure of its own"
_NO_TILES: dict[str, str] = {
    "resnet": NO_TILES,
    "graded": "its grade is one of places in the whole frame, which a tile does not know",
}
"""Why a network renders no tiles, by its architecture."""

NAME = re.compile(r"[\w-]+")
_PACKAGE = Path(__file__).parents[1]
# a wheel carries the presets inside the package; a source tree (and so an editable install) beside it
_BUNDLED = (_PACKAGE / "presets_bundled", _PACKAGE.parent / "presets")
_FIELD_LIMITS = {
    "working_height_px": (64, 2160),
    "fit_radius_cells": (0, 64),
    "fit_epsilon": (1e-6, 1.0),
    "steady": (0.0, 0.99),
    "white": (0.05, 1.0),
}


@dataclass(frozen=True)
class PresetFacts:
    """Facts of a preset, as `preset.toml` has them."""

    name: str
    """Return the name that `--to` takes."""
    description: str
    """One line for `nightfx presets list`."""
    architecture: _Stored
    """Which network the weights are for; resnet is that of imported ones."""
    heights_px: tuple[int, int]
    """Frame heights that the training covered; the tiles method warns outside."""
    weights_sha256: str
    """Hash of `weights.safetensors`."""
    plate: _Plate = "day"
    """Whether it is for footage of the day, which becomes night, or for night, which becomes day."""
    darkens: bool = False
    """Whether it, its own look included, makes nothing brighter than the plate."""
    white: float | None = None
    """What the largest of red, green and blue comes near in its night where no lamp lights it, in the working encoding; None for any."""
    method: Method = "tiles"
    """The default of `--method`."""
    working_height_px: int = 256
    """The height at which the relight method shows a frame to the generator."""
    fit_radius_cells: int = 4
    """Half the side of the windows that the relight field is fitted to."""
    fit_epsilon: float = 1e-3
    """Contrast (variance) below which a window follows the generator's own gain."""
    steady: float = 0.8
    """The share of the past in a relight field, at 24 frames a second."""
    look: Look | None = None
    """The preset's own look."""
    sky: NightSky | None = None
    """Its night sky, where that is not the usual one."""
    lights: LightTable | None = None
    """Its lamps and windows, where it lights any."""
    moonlight: Moonlight | None = None
    """What becomes of its night where nothing shows a town; None leaves it as it is."""
    training: dict[str, Any] | None = None
    """How the weights came to be: recipe, steps, seed, data, versions."""
    draft: DraftFacts | None = None
    """The small network of `--draft`, where there is one."""


@dataclass(frozen=True)
class Preset:
    """A preset on disk; the weights are read when `generator` is first asked for."""

    folder: Path
    facts: PresetFacts

    @property
    def name(self) -> str:
        """Return the name that `--to` takes."""
        return self.facts.name

    @cached_property
    def sha256(self) -> str:
        """A hash of all that it says of itself, the hashes of its weights among it: two renders with the same one look alike."""
        words = json.dumps(asdict(self.facts), sort_keys=True, default=str)
        return hashlib.sha256(words.encode()).hexdigest()

    @property
    def renders_tiles(self) -> bool:
        """Whether the tiles method may be asked for."""
        return not self.no_tiles

    @property
    def no_tiles(self) -> str:
        """Why the tiles method may not be asked for; empty where it may."""
        return _NO_TILES.get(self.facts.architecture, "")

    def method(self, asked: Method | None) -> Method:
        """The method to render by: what was `asked` for, else the preset's own. Raises `UsageError`."""
        if asked == "tiles" and not self.renders_tiles:
            raise UsageError(
                f"--method tiles is not for {self.name}: {self.no_tiles}; leave it out"
            )
        return asked or self.facts.method

    @cached_property
    def generator(self) -> model.Generator:
        """The network in float32 on the CPU, ready to infer. Raises `PresetError` for damaged weights."""
        return self.network(draft=False)

    @cached_property
    def draft(self) -> model.Generator:
        """The small network, as `generator`. Raises `UsageError` where there is none, `PresetError` for a damaged or old one."""
        return self.network(draft=True)

    def network(self, *, draft: bool) -> model.Generator:
        """The full network or its draft, read anew: a copy for a backend need not stay beside it. Raises as they do."""
        return self._read_draft() if draft else self._read_generator()

    def _read_generator(self) -> model.Generator:
        from nightfx.network.weights import read_weights

        kind = self.facts.architecture
        path, sha256 = self.folder / "weights.safetensors", self.facts.weights_sha256
        return read_weights(path, sha256, kind, lambda tensors: _with_weights(kind, tensors))

    def check_draft(self) -> DraftFacts:
        """Return what is said of the small network. Raises `UsageError` where there is none, `PresetError` for an old one."""
        facts, again = self.facts.draft, f"nightfx presets distill {self.folder} --stills DIR"
        if facts is None:
            raise UsageError(f"{self.name} has no draft weights: leave --draft out, or run {again}")
        if facts.teacher_sha256 != self.facts.weights_sha256:
            path = self.folder / DRAFT_FILE
            raise PresetError(f"{path}: was distilled from other weights; run {again}")
        return facts

    def _read_draft(self) -> model.Generator:
        from nightfx.network import model
        from nightfx.network.weights import filled, read_weights

        facts, path = self.check_draft(), self.folder / DRAFT_FILE
        student = model.RelitGenerator(facts.width, facts.blocks)
        return read_weights(path, facts.weights_sha256, "draft", lambda x: filled(student, x))


def load_preset(name_or_folder: str | Path) -> Preset:
    """Load a bundled preset by name, or any preset by its folder. Raises `PresetError`."""
    folder = _find(str(name_or_folder))
    return Preset(folder, _read_facts(folder / "preset.toml"))


def list_presets() -> Iterator[Preset]:
    """The bundled presets by name, then the user's own; one of these that is damaged is left out, and a line says so."""
    for name in bundled_names():
        yield load_preset(name)
    for name in _own_names():
        try:
            yield load_preset(own_presets() / name)
        except PresetError as error:
            _log.warning("left out: %s", error)


def verify_preset(name_or_folder: str | Path) -> str:
    """Read the weights, check their hash, and run the network once; returns a line of facts. Raises `PresetError`."""
    preset = load_preset(name_or_folder)
    stops = _stops_on_noise(preset, preset.generator)
    only = "" if preset.renders_tiles else "relight only, "
    found = f"ok, {preset.facts.architecture}, {only}hash matches, {stops:+.2f} stops on noise"
    if preset.facts.draft is None:
        return found
    stops = _stops_on_noise(preset, preset.draft)
    return f"{found}; draft ok, hash matches, {stops:+.2f} stops, {preset.facts.draft.decibels:.1f} dB from it on stills"


def _stops_on_noise(preset: Preset, network: model.Generator) -> float:
    import torch

    noise = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        light = network.light(noise)
    if not all(bool(tensor.isfinite().all()) for tensor in light):
        raise PresetError(f"{preset.folder}: the generator's output is not finite; train it anew")
    lit = noise * light.gain + light.offset
    return float((lit.mean().clamp(min=1e-3) / noise.mean()).log2())


def _find(name: str) -> Path:
    named = [root / name for root in (*_BUNDLED, own_presets()) if NAME.fullmatch(name)]
    for folder in [*named, Path(name)]:  # a folder called night does not hide the preset night
        if name and (folder / "preset.toml").is_file():
            return folder
    if name and not NAME.fullmatch(name):
        raise PresetError(f"{name}: no preset.toml in this folder")
    known = ", ".join([*bundled_names(), *_own_names()]) or "none"
    raise PresetError(f"unknown preset {name!r}; known: {known}, or the path of a preset folder")


def bundled_names() -> list[str]:
    """The names of the presets that come with nightfx."""
    return sorted({path.parent.name for root in _BUNDLED for path in root.glob("*/preset.toml")})


def _own_names() -> list[str]:
    bundled = bundled_names()
    found = sorted(path.parent.name for path in own_presets().glob("*/preset.toml"))
    return [name for name in found if name not in bundled]


def _read_facts(path: Path) -> PresetFacts:
    try:
        return _facts_of(tomllib.loads(path.read_text(encoding="utf-8")))
    except PresetError as error:
        raise PresetError(f"{path}: {error}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise PresetError(f"{path}: not a preset: {error}") from error


def _facts_of(table: Mapping[str, Any]) -> PresetFacts:
    for name, kind in (("plate", _Plate), ("method", Method), ("architecture", _Stored)):
        _check_choice(name, table.get(name), get_args(kind))
    for name, part in (("sky", NightSky), ("lights", LightTable), ("moonlight", Moonlight)):
        _check_known(name, table.get(name), part)
    if isinstance(moon := table.get("moonlight"), Mapping):
        _check_known("moonlight.sky", moon.get("sky"), NightSky)
    # a look is written as users write one
    facts = from_json_types(PresetFacts, {**table, "look": None})
    check_facts(facts)
    if facts.draft:
        check_draft(facts.draft)
    return replace(facts, look=read_look(table["look"]) if "look" in table else None)


def _check_choice(name: str, value: Any, choices: Sequence[str]) -> None:
    if value is not None and value not in choices:
        known = " or ".join((", ".join(choices[:-1]), choices[-1]))
        raise PresetError(f"{name} must be {known}, got {value!r}; is nightfx too old?")


def _check_known(name: str, found: Any, part: type[Any]) -> None:
    known = [one.name for one in fields(part)]
    if isinstance(found, Mapping) and (unknown := found.keys() - set(known)):
        words = f"known: {', '.join(known)}; is nightfx too old?"
        raise PresetError(f"[{name}] has no {min(unknown)}; {words}")


def check_facts(facts: PresetFacts) -> None:
    """Raise `PresetError` for facts that cannot be."""
    if not NAME.fullmatch(facts.name):
        raise PresetError(f"a name is letters, digits, - and _, got {facts.name!r}")
    if facts.method == "tiles" and (why := _NO_TILES.get(facts.architecture)):
        raise PresetError(f"method must be relight, got 'tiles': {why}")
    if not 0 < facts.heights_px[0] <= facts.heights_px[1]:
        raise PresetError(f"heights_px must be two rising numbers, got {list(facts.heights_px)}")
    for name, (low, high) in _FIELD_LIMITS.items():
        value = getattr(facts, name)
        if value is not None and not low <= value <= high:
            raise PresetError(f"{name} must be from {low:g} to {high:g}, got {value!r}")
    if facts.sky:
        check_sky(facts.sky)
    if facts.lights:
        check_lights(facts.lights)
    if facts.moonlight:
        check_moonlight(facts.moonlight)


def _with_weights(architecture: _Stored, tensors: dict[str, torch.Tensor]) -> model.Generator:
    from nightfx.network import graded, model, resnet
    from nightfx.network.weights import filled

    if architecture == "resnet":
        return resnet.resnet_of(tensors)
    if architecture == "graded":
        return filled(graded.GradedGenerator(), tensors)
    size = model.size_of(tensors) if architecture == "relit" else (WIDTH, BLOCKS)
    return filled(model.build_generator(architecture, size), tensors)
