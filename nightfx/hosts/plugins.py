"""The plugins: what each is compiled of, and what its file is called."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from nightfx.hosts.compile import NATIVE, compile_library


class Plugin(NamedTuple):
    """A plugin in C."""

    source: str
    """The file of `native/` that is its own."""
    library: str
    """What it is called by hosts of Linux."""


PLUGINS: Mapping[str, Plugin] = {
    "frei0r": Plugin("frei0r.c", "nightfx.so"),
    "ofx": Plugin("ofx.c", "nightfx.ofx"),
}
"""By the name of the interface."""


def compile_plugin(name: str, target: Path) -> None:
    """Compile a plugin of `PLUGINS` to a file; raises UsageError where that cannot be done here."""
    compile_library([NATIVE / PLUGINS[name].source], target)
