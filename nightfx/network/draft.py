"""The draft: a small network that was distilled from a preset's own, for renders that must be quick.

It lies in the preset's folder as `draft.safetensors`, and the table `[draft]` of `preset.toml` tells of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nightfx.errors import PresetError
from nightfx.network.model import BLOCKS, WIDTH

DRAFT_FILE = "draft.safetensors"


@dataclass(frozen=True)
class DraftFacts:
    """What `[draft]` says."""

    width: int
    """Channels of the network's first layer."""
    blocks: int
    """Its residual blocks."""
    weights_sha256: str
    """Hash of `draft.safetensors`."""
    teacher_sha256: str
    """Hash of the `weights.safetensors` that it was distilled from."""
    decibels: float
    """Its pictures beside the full network's, mean over stills that were kept out."""
    training: dict[str, Any] | None = None
    """How it came to be: steps, seed, stills, versions."""


def read_draft(table: Any) -> DraftFacts:
    """The facts in `[draft]`; raises `PresetError`, or `TypeError` for missing ones."""
    known = {key: table[key] for key in DraftFacts.__dataclass_fields__ if key in table}
    facts = DraftFacts(**known)
    for name, least, most in (("width", 2, WIDTH), ("blocks", 0, BLOCKS)):
        value = getattr(facts, name)
        if type(value) is not int or not least <= value <= most:
            raise PresetError(
                f"[draft] {name} must be a number from {least} to {most}, got {value!r}"
            )
    if facts.width % 2:
        raise PresetError(f"[draft] width must be even, got {facts.width}")
    if not all(isinstance(x, str) for x in (facts.weights_sha256, facts.teacher_sha256)):
        raise PresetError("[draft] weights_sha256 and teacher_sha256 must be text")
    if not isinstance(facts.decibels, int | float):
        raise PresetError(f"[draft] decibels must be a number, got {facts.decibels!r}")
    return facts
