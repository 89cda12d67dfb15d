"""Options of how a render is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nightfx.errors import UsageError
from nightfx.options.option import option, settle

Family = Literal["h264", "h265", "av1", "prores", "dnxhr", "ffv1"]
"""Codecs of a kind."""
Codec = Literal[
    "h264",
    "h265",
    "av1",
    "prores-proxy",
    "prores-lt",
    "prores-422",
    "prores-hq",
    "prores-4444",
    "prores-xq",
    "dnxhr-lb",
    "dnxhr-sq",
    "dnxhr-hq",
    "dnxhr-hqx",
    "dnxhr-444",
    "ffv1",
]
"""A codec, with its profile."""
CodecChoice = Literal[Codec, "prores", "dnxhr"]
"""A codec, or a family whose profile follows the source."""
Speed = Literal[
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
]
"""Effort of an encoder, as x264 names it."""

QUALITY_FAMILIES: tuple[Family, ...] = ("h264", "h265", "av1")
"""Codecs whose quality, effort and depth are chosen."""


@dataclass(frozen=True)
class EncodeOptions:
    """Options of the encoder."""

    codec: CodecChoice | None = option(
        None,
        "h264, h265, av1, prores, prores-{proxy,lt,422,hq,4444,xq}, dnxhr,"
        " dnxhr-{lb,sq,hq,hqx,444} or ffv1; by default it follows the source.",
    )
    crf: int | None = option(
        None,
        "Quality of h264, h265 and av1, lower is better; 16 by default.",
        limits=(0, 51),
    )
    speed: Speed = option("fast", "Effort of h264, h265 and av1: ultrafast to veryslow.")
    depth: Literal[8, 10, 12] | None = option(
        None, "Bits of h264, h265 and av1; by default the source's or more."
    )

    def __post_init__(self) -> None:
        settle(self)
        if self.codec in (None, *QUALITY_FAMILIES):
            return
        if self.crf is not None:
            raise UsageError(f"--crf does not apply to {self.codec}: leave it out")
        if self.depth is not None:
            raise UsageError(f"--depth does not apply to {self.codec}: its profile decides")
