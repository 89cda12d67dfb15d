"""How many threads a decoder or an encoder takes: all cores, or fewer where several renders share a machine."""

from __future__ import annotations

import os

VARIABLE = "NIGHTFX_CODEC_THREADS"
_MOST = 16  # FFmpeg warns of more


def codec_threads() -> int:
    """Return the environment's number, else one for each core; each more holds pictures of its own."""
    return asked_threads() or min(cores(), _MOST)


def decoder_threads() -> int:
    """Return the environment's number, else one for two cores: the light takes the others."""
    return asked_threads() or max(codec_threads() // 2, 1)


def asked_threads() -> int:
    """Return the environment's number; 0 lets FFmpeg choose."""
    said = os.environ.get(VARIABLE, "")
    return int(said) if said.isdecimal() else 0


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
