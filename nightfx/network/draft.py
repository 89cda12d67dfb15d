"""The draft: a small network that was distilled from a preset's own, for renders that must be quick.

It lies in the preset's folder as `draft.safetensors`, and the table `[draft]` of `preset.toml` tells of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nightfx.errors import PresetError
from nightfx.network.trunk import BLOCKS, WIDTH

DRAFT_FILE = "draft.safetensors"
_POOR_DECIBELS = 25.0  # an error of a seventeenth of full scale: plainly another picture
_GOOD_DECIBELS = 35.0  # of a fifty-sixth


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


def is_poor(decibels: float) -> bool:
    """Whether a draft's pictures are plainly others than the full network's."""
    return not decibels >= _POOR_DECIBELS


def tell_draft(decibels: float, size: str = "draft") -> str:
    """Say how near to the full network's those of a draft are, or of a narrow one: PSNR over stills, which more is better of."""
    words = "good" if decibels >= _GOOD_DECIBELS else "fair"
    if is_poor(decibels):
        words = "poor: a render will look otherwise"
    name = "draft" if size == "draft" else f"{size} network"
    return f"its {name} is {decibels:.1f} dB from the full network (PSNR, more is nearer), {words}"


def check_draft(facts: DraftFacts) -> None:
    """Raise `PresetError` for a network that cannot be."""
    for name, least, most in (("width", 2, WIDTH), ("blocks", 0, BLOCKS)):
        if not least <= (value := getattr(facts, name)) <= most:
            raise PresetError(
                f"[draft] {name} must be a number from {least} to {most}, got {value}"
            )
    if facts.width % 2:
        raise PresetError(f"[draft] width must be even, got {facts.width}")
