"""The draft: a small network that was distilled from a preset's own, for renders that must be quick.

It lies in the preset's folder as `draft.safetensors`, and the table `[draft]` of `preset.toml` tells of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nightfx.errors import PresetError
from nightfx.network.trunk import BLOCKS, WIDTH

DRAFT_FILE = "draft.safetensors"


@dataclass(frozen=True)
class DraftFacts:
    """Facts of a draft, as `[draft]` of preset.toml has them."""

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


def check_draft(facts: DraftFacts) -> None:
    """Raise `PresetError` for a network that cannot be."""
    for name, least, most in (("width", 2, WIDTH), ("blocks", 0, BLOCKS)):
        if not least <= (value := getattr(facts, name)) <= most:
            raise PresetError(
                f"[draft] {name} must be a number from {least} to {most}, got {value}"
            )
    if facts.width % 2:
        raise PresetError(f"[draft] width must be even, got {facts.width}")
