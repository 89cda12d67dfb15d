"""What a render is asked for: one dataclass for the library and the command line."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal, get_args

from nightfx.errors import UsageError
from nightfx.light.tiling import TilePx
from nightfx.network.backends import Backend
from nightfx.network.model import MULTIPLE_PX, DeviceName
from nightfx.network.presets import Method
from nightfx.options.look import Look, Value, check_value
from nightfx.source.interlace import Scan
from nightfx.source.probe import MAX_PIXELS
from nightfx.source.sequence import Missing
from nightfx.target.codecs import EncodeOptions

MOST_FEATHER_PX = 1000


@dataclass(frozen=True)
class RenderOptions:
    """How to render; everything besides the input, the output and the preset."""

    method: Method | None = None
    """How the generator's light reaches the plate; None is the preset's own choice."""
    tile_px: TilePx = None
    """Side of a tile's core, a multiple of 8; "whole" is one tile; None the largest that memory allows."""
    working_height: int | None = None
    """The height at which the relight method shows a frame to the generator, in px; None is the preset's own."""
    steady: float | None = None
    """The share of the past in a relight field, 0 to below 1; None is the preset's own."""
    field_every: Literal["auto", 1, 2, 4] = 1
    """Compute a relight field for every so many frames and carry it by motion between; "auto" chooses by the shot."""
    lock: bool = False
    """Hold the exposure and tint of the shot, and write them beside the output as NAME.lock.json."""
    lock_to: Path | None = None
    """Hold the exposure and tint of another shot: the .lock.json that its --lock wrote."""
    draft: bool = False
    """Render with the preset's draft: a network of a twentieth of the work, near the full one. For relight only."""
    strength: Value = 1.0
    """Dissolves between the plate, 0, and the preset with its look, 1; a number or keyframes (see look.py)."""
    look: Look = field(default_factory=Look)
    """Exposure, temperature and the like; what it leaves out is as the preset says."""
    matte: Path | None = None
    """A clip, sequence or picture, white where the look applies; black leaves the plate as it is."""
    matte_invert: bool = False
    """Black is where the look applies."""
    matte_feather: float = 0.0
    """How far the matte is blurred, in px of the source."""
    seed: int = 0
    """Seeds the grain."""
    device: DeviceName = "auto"
    """Where the generator runs."""
    backend: Backend = "torch"
    """What runs it; openvino and openvino-int8 need the extra nightfx[openvino]."""
    start_seconds: float | None = None
    """First moment rendered, counted from the first shown frame."""
    end_seconds: float | None = None
    """First moment no longer rendered."""
    frames: tuple[int, int] | None = None
    """First and last frame rendered, in place of times: numbers of a sequence's files; those of a clip count from 1001."""
    encode: EncodeOptions = field(default_factory=EncodeOptions)
    """Codec and quality; by default they follow the source."""
    interlaced: Scan = "deinterlace"
    """Fill up the first field of interlaced frames, or keep both and light them one by one."""
    passes: Path | None = None
    """Folder for the relight field of each frame, for compositing (see engine/passes.py)."""
    missing: Missing = "stop"
    """What becomes of the missing numbers of a sequence: refused, left out (skip), or the frame before again (hold)."""
    fps: Fraction | None = None
    """Frames a second of a sequence; None takes what its files say."""
    input_space: str | None = None
    """What the source's signal stands for: sdr, linear, pq, hlg, or a colour space of OpenColorIO; None goes by its tags."""
    ocio: str | None = None
    """OpenColorIO config, a path or ocio://…; None is the built-in studio config."""
    overwrite: bool = False
    """Replace an existing output."""
    max_pixels: int = MAX_PIXELS
    """Refuse a picture of more pixels than this, before memory is taken for it."""
    fresh: bool = False
    """Begin anew where an earlier render of the same was stopped."""
    verify: bool = False
    """Compare the render with its source before it gets its name; where something is lost, write nothing."""
    keep_going: bool = False
    """Render what decodes of a damaged clip."""

    def __post_init__(self) -> None:
        check_value("strength", self.strength)
        self._check_matte()
        if self.working_height is not None and not 64 <= self.working_height <= 2160:
            raise UsageError(f"--working-height must be 64 to 2160 px, got {self.working_height}")
        if self.steady is not None and not 0 <= self.steady <= 0.99:
            raise UsageError(f"--steady must be from 0 to 0.99, got {self.steady}")
        if self.max_pixels < 1:
            raise UsageError(f"--max-pixels must be at least 1, got {self.max_pixels}")
        self._check_choices()
        if self.interlaced == "keep" and self.passes:
            raise UsageError("--passes are for whole frames: leave out --interlaced keep")
        if self.lock and self.lock_to:
            raise UsageError("--lock measures a lock, --lock-to takes one: give one of them")
        self._check_tiles()
        self._check_times()
        self._check_source()

    def _check_choices(self) -> None:
        if self.method not in (None, *get_args(Method)):
            raise UsageError(f"--method must be tiles or relight, got {self.method!r}")
        if self.backend not in get_args(Backend):
            known = ", ".join(get_args(Backend))
            raise UsageError(f"--backend must be one of {known}, got {self.backend!r}")
        if self.field_every not in ("auto", 1, 2, 4):
            raise UsageError(f"--field-every must be auto, 1, 2 or 4, got {self.field_every!r}")
        if self.interlaced not in get_args(Scan):
            raise UsageError(f"--interlaced must be deinterlace or keep, got {self.interlaced!r}")
        if self.draft and self.method == "tiles":
            raise UsageError(
                "--draft needs --method relight: it knows pictures of that height only"
            )

    def _check_matte(self) -> None:
        if not 0 <= self.matte_feather <= MOST_FEATHER_PX:
            raise UsageError(
                f"--matte-feather must be 0 to {MOST_FEATHER_PX} px, got {self.matte_feather}"
            )
        if self.matte is None and (self.matte_invert or self.matte_feather):
            raise UsageError("--matte-invert and --matte-feather need --matte FILE")
        if self.matte and self.interlaced == "keep":
            raise UsageError("--matte is for whole frames: leave out --interlaced keep")

    def _check_tiles(self) -> None:
        if isinstance(self.tile_px, int) and (
            self.tile_px < MULTIPLE_PX or self.tile_px % MULTIPLE_PX
        ):
            raise UsageError(
                f"--tile-px must be a multiple of {MULTIPLE_PX}, or whole, got {self.tile_px}"
            )

    def _check_times(self) -> None:
        start, end = self.start_seconds or 0.0, self.end_seconds
        if not math.isfinite(start) or not math.isfinite(end or 0.0):
            raise UsageError(f"--start and --end are seconds, got {start} and {end}")
        if start < 0 or (end is not None and end <= start):
            raise UsageError(
                f"--end must be after --start, and both from 0 up, got {start} and {end}"
            )

        if self.frames is None:
            return
        first, last = self.frames
        if last < first:
            raise UsageError(f"--frames must be FIRST-LAST, such as 1001-1048, got {first}-{last}")
        if self.start_seconds is not None or end is not None:
            raise UsageError("--frames and --start or --end both say where to begin: give one")

    def _check_source(self) -> None:
        if self.missing not in get_args(Missing):
            raise UsageError(f"--missing must be stop, skip or hold, got {self.missing!r}")
        if self.fps is not None and not 0 < self.fps <= 1000:
            raise UsageError(f"--fps must be above 0 and at most 1000, got {float(self.fps):g}")
        if self.ocio and not self.input_space:
            raise UsageError(
                "--ocio needs --input-space: which of its colour spaces the source is in"
            )
