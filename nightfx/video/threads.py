"""How many threads a decoder or an encoder takes: all cores, or fewer where several renders share a machine."""

from __future__ import annotations

import os

VARIABLE = "NIGHTFX_CODEC_THREADS"


def codec_threads() -> int:
    """What the environment says; 0 lets FFmpeg count the cores."""
    said = os.environ.get(VARIABLE, "")
    return int(said) if said.isdecimal() else 0
