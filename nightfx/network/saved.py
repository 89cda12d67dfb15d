"""Presets written: those of training, drafts beside them, and looks of the user's own. None gets a name before it is whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nightfx.disk import own_presets, partial_file
from nightfx.errors import PresetError
from nightfx.network.draft import DRAFT_FILE, DraftFacts
from nightfx.network.presets import (
    NAME,
    Preset,
    PresetFacts,
    bundled_names,
    check_facts,
    load_preset,
)
from nightfx.options import Look

if TYPE_CHECKING:
    from nightfx.network import model


def save_preset(folder: Path, generator: model.Generator, card: str, **facts: Any) -> None:
    """Write `generator` (weights as float16) as a preset folder; `facts` are the fields of `PresetFacts`."""
    from nightfx.network.weights import pack_weights

    weights, sha256 = pack_weights(generator)
    complete = PresetFacts(
        **facts,
        architecture=generator.architecture,
        weights_sha256=sha256,
    )
    files = {
        "weights.safetensors": weights,
        "preset.toml": _to_toml(asdict(complete)).encode(),
        "CARD.md": card.encode(),
    }
    _write(folder, files)


def save_draft(preset: Preset, student: model.RelitGenerator, folder: Path, **facts: Any) -> None:
    """Write `preset` with `student` (weights as float16) as its draft to `folder`, which may be its own.

    `facts` are those fields of `DraftFacts` that the weights do not say.
    """
    from nightfx.network.weights import pack_weights

    weights, sha256 = pack_weights(student)
    draft = DraftFacts(
        **facts,
        weights_sha256=sha256,
        teacher_sha256=preset.facts.weights_sha256,
    )
    kept = ("weights.safetensors", "CARD.md") if folder != preset.folder else ()
    files = {
        name: (preset.folder / name).read_bytes()
        for name in kept
        if (preset.folder / name).exists()
    }
    files[DRAFT_FILE] = weights
    files["preset.toml"] = _to_toml(asdict(replace(preset.facts, draft=draft))).encode()
    _write(folder, files)


def save_narrow(
    preset: Preset, student: model.RelitGenerator, folder: Path, **training: Any
) -> None:
    """Write `preset` to the new `folder` with `student` (weights as float16) in the place of its network, and without a draft.

    `training` tells how that came to be.
    """
    from nightfx.network.weights import pack_weights

    weights, sha256 = pack_weights(student)
    told = {**(preset.facts.training or {}), "distilled": training}
    facts = replace(preset.facts, weights_sha256=sha256, draft=None, training=told)
    words = f"\nIts network is a narrower one, distilled from another; {training['decibels']} dB from it on stills kept out.\n"
    card = preset.folder / "CARD.md"
    said = card.read_text("utf-8", errors="replace") if card.exists() else f"# {preset.name}\n"
    files = {"weights.safetensors": weights, "CARD.md": f"{said.rstrip()}\n{words}".encode()}
    _write(folder, files | {"preset.toml": _to_toml(asdict(facts)).encode()})


def save_look(
    base: Preset,
    name: str,
    look: Look,
    *,
    overwrite: bool = False,
    said: Mapping[str, Any] | None = None,
    **facts: Any,
) -> Preset:
    """Write a preset of the user's own: the network of `base` under a `name`, with `look` over its own.

    `facts` are fields of `PresetFacts` that change, where they are not None; `said` is what else its description tells.
    Raises `PresetError`.
    """
    folder = own_presets() / name
    if not NAME.fullmatch(name) or name in bundled_names():
        words = "comes with nightfx" if name in bundled_names() else "is no name for a preset"
        raise PresetError(f"{name} {words}: choose another, of letters, digits, - and _")
    if folder.exists() and not overwrite:
        raise PresetError(f"{folder}: exists already; --overwrite replaces it")
    if look.is_keyed:
        raise PresetError("keyframes belong to one shot: save numbers, and give keyframes by flags")
    changed = {key: value for key, value in facts.items() if value is not None}
    complete = replace(
        base.facts,
        name=name,
        description=_described(base, look, changed | dict(said or {})),
        look=look.over(base.facts.look),
        **changed,
    )
    check_facts(complete)
    kept = ("weights.safetensors", DRAFT_FILE)
    files = {x: (base.folder / x).read_bytes() for x in kept if (base.folder / x).exists()}
    files["CARD.md"] = _card_of_look(base, complete).encode()
    _write(folder, files | {"preset.toml": _to_toml(asdict(complete)).encode()})
    return load_preset(folder)


def _card_of_look(base: Preset, own: PresetFacts) -> str:
    card = base.folder / "CARD.md"
    words = card.read_text("utf-8", errors="replace") if card.exists() else "It has no card.\n"
    return f"# {own.name}\n\n{own.description} What is said below is of {base.name}.\n\n{words}"


def _described(base: Preset, look: Look, changed: Mapping[str, Any]) -> str:
    said = {key: value for key, value in vars(look).items() if value is not None} | dict(changed)
    numbers = ", ".join(f"{key} {value}" for key, value in said.items())
    return f"{base.name}, with {numbers}." if numbers else f"A copy of {base.name}."


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as each:  # none gets its name before all are written
        for name, data in files.items():
            each.enter_context(partial_file(folder / name)).write_bytes(data)


def _to_toml(table: dict[str, Any], above: str = "") -> str:
    # JSON's text, numbers, booleans and lists are TOML too
    plain = {
        key: value
        for key, value in table.items()
        if value is not None and not isinstance(value, dict)
    }
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in plain.items()]
    for key, value in table.items():
        if isinstance(value, dict):
            lines += ["", f"[{above}{key}]", _to_toml(value, f"{above}{key}.").rstrip()]
    return "\n".join(lines) + "\n"
