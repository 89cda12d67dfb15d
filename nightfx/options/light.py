"""Options of how a frame is lit: the method, the network and what runs it, and where the light applies."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from nightfx.errors import UsageError, install_words
from nightfx.options.option import option, settle

Method = Literal["tiles", "relight"]
"""How the generator's light reaches the plate: at full size in tiles, or by a field from a small picture."""
DeviceName = Literal["auto", "cpu", "cuda", "mps"]
"""Where the network runs."""
Backend = Literal["torch", "openvino", "openvino-int8"]
"""The library that runs the network."""
LIGHTS = ("auto", "on", "off")
"""Whether lights come on: where the shot shows a town, always, never; all else names a list of them."""
TilePx = int | Literal["whole"] | None
"""Side of a tile's core in px; `whole` is one tile, None the largest that memory allows."""

BACKEND_NEEDS: Mapping[Backend, tuple[str, ...]] = {
    "torch": (),
    "openvino": ("openvino",),
    "openvino-int8": ("openvino", "nncf"),
}
"""Modules that each needs, besides torch."""
DRIVERS: Mapping[DeviceName, tuple[str, ...]] = {
    "cuda": ("libcuda.so.1", "nvcuda.dll", "/dev/kfd"),
    "mps": ("/System/Library/Frameworks/Metal.framework",),
}
"""Libraries, or places on the disk, of which a device needs one: AMD's cards are called cuda too."""
MULTIPLE_PX = 8  # sides of tiles: the networks halve three times
_MOST_FEATHER_PX = 1000


def has_driver(device: DeviceName) -> bool:
    """Whether what a device needs besides torch is here."""
    return device not in DRIVERS or any(_is_here(driver) for driver in DRIVERS[device])


def _is_here(driver: str) -> bool:
    if driver.startswith("/"):
        return Path(driver).exists()
    try:
        ctypes.CDLL(driver)
    except OSError:
        return False
    return True


def lights_from(text: str | float) -> str:
    """Return one of `LIGHTS`, or the place of a list from anywhere; raises ValueError."""
    if not isinstance(text, str) or not text:
        raise ValueError(text)
    return text if text in LIGHTS else str(Path(text).absolute())


@dataclass(frozen=True)
class LightOptions:
    """How a frame is lit."""

    method: Method | None = option(None, "relight or tiles; by default the preset's own.")
    tile_px: TilePx = option(
        None,
        "Side of a tile, a multiple of 8, or whole; by default what memory allows.",
        words="a multiple of 8, or whole",
        unit="px",
    )
    draft: bool = option(False, "Render with the preset's small network, for speed.")
    seed: int = option(0, "Seeds the grain.")
    matte: Path | None = option(
        None, "Clip, sequence or picture that is white where the look applies.", is_file=True
    )
    matte_invert: bool = option(False, "Black is where the look applies.")
    matte_feather: float = option(
        0.0,
        "How far the matte is blurred, in px of the source.",
        limits=(0, _MOST_FEATHER_PX),
        unit="px",
    )
    sky_matte: Path | None = option(
        None,
        "Clip, sequence or picture that is white where the sky is; by default it is found.",
        is_file=True,
    )
    sky_edits: Path | None = option(
        None, "Polygons that are sky or none, as nightfx studio writes them.", is_file=True
    )
    lights: str = option(
        "auto",
        "Lamps and windows: auto, on, off, or a list that `nightfx lights` wrote.",
        words="auto, on, off or a path",
        metavar="auto|on|off|FILE",
        parse=lights_from,
        is_file=True,
        no_files=LIGHTS,
    )
    light_seed: int = option(0, "Seeds which lights are on, and their colours.")
    lit_windows: float | None = option(
        None, "Share of windows that are lit; by default the preset's.", limits=(0, 1)
    )
    baked: Path | None = option(
        None, "Light by this file of nightfx bake, and look at nothing.", is_file=True
    )
    device: DeviceName = option("auto", "auto, cpu, cuda or mps.", in_files=False)
    backend: Backend = option("torch", "torch, openvino or openvino-int8: what runs the network.")

    @property
    def light_list(self) -> Path | None:
        """The list that says which lights there are, where one is given."""
        return None if self.lights in LIGHTS else Path(self.lights)

    def check_machine(self) -> None:
        """Raise `UsageError` where what runs the network is not here; torch, which takes seconds to import, may know of more."""
        if not has_driver(self.device):
            words = "here is no driver for it (see nightfx doctor)"
            raise UsageError(f"--device {self.device}: {words}")
        missing = [name for name in BACKEND_NEEDS[self.backend] if find_spec(name) is None]
        if missing:
            words = f"--backend {self.backend} needs {missing[0]}: {install_words('openvino')}"
            raise UsageError(words)

    def __post_init__(self) -> None:
        settle(self)
        if self.sky_matte and self.sky_edits:
            words = "edits are of the sky that is found: leave one of both out"
            raise UsageError(f"--sky-edits and --sky-matte exclude each other: {words}")
        if isinstance(self.tile_px, int) and (
            self.tile_px < MULTIPLE_PX or self.tile_px % MULTIPLE_PX
        ):
            words = f"a multiple of {MULTIPLE_PX}, or whole"
            raise UsageError(f"--tile-px must be {words}, got {self.tile_px}")
        if self.draft and self.method == "tiles":
            raise UsageError(
                "--draft needs --method relight: it knows pictures of that height only"
            )
        if self.matte is None and (self.matte_invert or self.matte_feather):
            raise UsageError("--matte-invert and --matte-feather need --matte FILE")
        if self.lights == "off" and self.lit_windows is not None:
            raise UsageError("--lit-windows needs lights, and --lights is off")
        assert math.isfinite(self.matte_feather), "its limits say so"
