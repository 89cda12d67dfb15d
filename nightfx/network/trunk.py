"""Facts of the paper's trunk that a preset is checked by, without torch, which takes seconds to import."""

from typing import Literal

Architecture = Literal["paper", "relit"]
"""The generators of our own, by the name that presets have for them."""

WIDTH, BLOCKS = 32, 5
"""Channels of its first layer, and its residual blocks."""
