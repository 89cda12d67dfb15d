"""Put plugins where hosts look for them, and take them away again, without a trace."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from nightfx.disk import partial_file, translated
from nightfx.errors import UsageError
from nightfx.hosts.compile import find_compiler
from nightfx.hosts.plugins import PLUGINS, compile_plugin


class Interface(NamedTuple):
    """A plugin interface: where its hosts look, and which programs may be among them."""

    folder: str
    """The user's own folder of it, in the home."""
    inside: str
    """The plugin's place in that."""
    programs: tuple[str, ...]
    """Programs, or folders of them, that load such plugins."""
    words: str
    """What a user does then."""


INTERFACES: Mapping[str, Interface] = {
    "frei0r": Interface(
        *(".frei0r-1/lib", "", ("ffmpeg", "melt", "kdenlive", "shotcut")),
        "hosts find it there; ffmpeg where its frei0r looks in the home",
    ),
    "ofx": Interface(
        *("OFX/Plugins", "nightfx.ofx.bundle/Contents/Linux-x86-64"),
        ("Natron", "/opt/resolve/bin/resolve", "nuke"),
        "start the host with OFX_PLUGIN_PATH naming the folder, or --into /usr/OFX/Plugins",
    ),
}
"""By the name of the plugin."""


class FoundHost(NamedTuple):
    """What there is of one interface on this machine."""

    name: str
    place: Path
    """Where its plugin is, or would be."""
    is_installed: bool
    programs: tuple[str, ...]
    """Hosts that were found."""


def place_of(name: str, into: Path | None = None) -> Path:
    """Return where the plugin of an interface stands; raises UsageError for a name that is none."""
    if name not in INTERFACES:
        known = " or ".join(sorted(INTERFACES))
        raise UsageError(f"unknown host {name!r}: {known}")
    one = INTERFACES[name]
    folder = (into or Path.home() / one.folder).absolute()
    return folder / one.inside / PLUGINS[name].library


def find_hosts(into: Path | None = None) -> Iterator[FoundHost]:
    """Yield what is found of each interface."""
    for name, one in INTERFACES.items():
        programs = tuple(filter(None, map(shutil.which, one.programs)))
        place = place_of(name, into)
        yield FoundHost(name, place, place.is_file(), programs)


def install(name: str, into: Path | None = None) -> Path:
    """Compile a plugin into its place, replacing an older one; raises UsageError where it cannot be compiled here, TargetError."""
    place = place_of(name, into)
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        words = "is tried on Linux on x86-64 alone: compile nightfx/hosts/native yourself"
        raise UsageError(f"{name}: {words}")
    if find_compiler() is None:
        words = "needs a C compiler: install gcc or clang (Debian, Ubuntu: build-essential)"
        raise UsageError(f"{name}: {words}")
    with translated(place):
        place.parent.mkdir(parents=True, exist_ok=True)
    try:
        with partial_file(place) as part:
            compile_plugin(name, part)
    finally:
        _tidy(name, place)
    return place


def uninstall(name: str, into: Path | None = None) -> Path:
    """Remove a plugin, and the folders that are empty then; raises UsageError where there is none."""
    place = place_of(name, into)
    if not place.is_file():
        raise UsageError(f"{name}: is not installed: there is no {place}")
    with translated(place):
        place.unlink()
    _tidy(name, place)
    return place


def _tidy(name: str, place: Path) -> None:
    """Remove what is empty of the folders that an installation makes in the home."""
    one = INTERFACES[name]
    tail = len(Path(one.inside).parts)
    own = Path.home() / one.folder
    if own.absolute() in place.parents:
        tail += len(Path(one.folder).parts)
    for folder in place.parents[:tail]:
        if any(folder.iterdir()):
            return
        folder.rmdir()


def problems(found: FoundHost) -> Iterator[str]:
    """Yield a line for each thing that stands in the way of a plugin."""
    if not found.is_installed:
        yield f"{found.name}: not installed: nightfx hosts install {found.name}"
        if find_compiler() is None:
            yield f"{found.name}: no C compiler: install gcc or clang"
        return
    # in another process: a library that breaks takes no other with it
    code = "import ctypes, sys; ctypes.CDLL(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", code, str(found.place)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it ended"])[-1]
        yield f"{found.name}: {found.place} does not load ({reason}): install it again"
