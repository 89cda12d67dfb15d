"""A matte: where a look applies, white being inside; a clip or sequence frame for frame, or one still for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from nightfx.errors import SourceError
from nightfx.job.source_target import find_source, frames_expected, open_shot
from nightfx.options import LightOptions, SourceOptions
from nightfx.picture import Float32, Frame, as_coded, luma, to_rgb, upright
from nightfx.source import ClipInfo, is_picture, is_sequence, read_picture

if TYPE_CHECKING:
    from nightfx.apply import Steps
    from nightfx.light import Beside, Borders

_ROUNDING = 1e-4


class MatteFile:
    """The frames of a matte by their place in the shot; read as they are asked for, in order is fastest."""

    def __init__(
        self, path: Path, light: LightOptions, source: SourceOptions, info: ClipInfo | None
    ) -> None:
        self.path, self._light, self._source = find_source(path), light, source
        self._still = is_picture(self.path) and not is_sequence(self.path)
        # a sequence of mattes has the rate of the shot, whatever its files say
        rate = info.rate if info and info.rate else source.fps
        options = replace(source, fps=rate, keep_going=False, layer=None, view=None)
        self._shot = None if self._still else open_shot(self.path, options)
        self._frames, self._next = self._open(), 0
        self._last: Frame | None = None

    def __enter__(self) -> MatteFile:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shot:
            self._shot.close()

    def at(self, index: int, frame: Frame) -> Float32:
        """The matte (H, W) in [0, 1] of `frame`, the `index`-th of the shot, at its size; raises SourceError."""
        if index < self._next - 1:
            self._frames, self._next = self._open(), 0
        while self._next <= index or self._last is None:
            self._last = next(self._frames, None)
            if self._last is None:
                raise SourceError(self._too_short(self._next))
            self._next += 1
        return self._fitted(self._last, frame)

    def check_length(self, frames: int) -> None:
        """Raise SourceError where its header says that it has fewer than so many frames."""
        if self._shot is None or self._shot.info.frames_claimed is None:
            return
        has = frames_expected(self._shot.info, self._source)
        if has is not None and has < frames:
            raise SourceError(self._too_short(has))

    def _too_short(self, has: int) -> str:
        words = f"has {has} frames, fewer than are rendered"
        return f"{self.path}: {words}: give a longer matte, or --end before it"

    def _open(self) -> Iterator[Frame]:
        if self._shot is None:
            return repeat(read_picture(self.path, self._source.max_pixels))
        return self._shot.frames(self._source.start_seconds, self._source.end_seconds)

    def _fitted(self, matte: Frame, frame: Frame) -> Float32:
        light = self._light
        grey = luma(to_rgb(matte))[None]
        shape = upright(np.empty((1, frame.height, frame.width), bool), frame).shape[1:]
        whole = _settled(_scaled(upright(grey, matte)[0], *shape))
        inside = feathered(1 - whole if light.matte_invert else whole, light.matte_feather)
        fitted: Float32 = as_coded(inside[None], frame)[0]
        return fitted


class Mattes(NamedTuple):
    """The mattes that were asked for."""

    look: MatteFile | None = None
    """Where the look applies."""
    sky: MatteFile | None = None
    """Where the sky is."""

    def beside(
        self, borders: Borders | None, on_change: Callable[[Frame, Steps], None] | None = None
    ) -> Beside:
        """Return who looks on while frames are lit, these mattes among them."""
        from nightfx.light import Beside

        look, sky = (matte.at if matte else None for matte in self)
        return Beside(borders, look, on_change, sky)


@contextmanager
def open_mattes(
    light: LightOptions, source: SourceOptions, info: ClipInfo | None = None
) -> Iterator[Mattes]:
    """Open the mattes that were asked for, for a shot that `info` tells of. Raises SourceError."""
    plain = replace(light, matte_invert=False, matte_feather=0.0)
    with ExitStack() as opened:
        yield Mattes(
            *(
                opened.enter_context(MatteFile(path, how, source, info)) if path else None
                for path, how in ((light.matte, light), (light.sky_matte, plain))
            )
        )


def check_mattes(light: LightOptions, source: SourceOptions, info: ClipInfo) -> None:
    """Raise SourceError for mattes that cannot be read, or whose headers say that they end before the shot of `info`."""
    with open_mattes(light, source, info) as mattes:
        frames = frames_expected(info, source) if info.frames_claimed is not None else None
        for one in mattes:
            if one is not None and frames is not None:
                one.check_length(frames)


def feathered(matte: Float32, radius_px: float) -> Float32:
    """A matte (H, W) blurred by a Gaussian that ends `radius_px` away."""
    radius = round(radius_px)
    if not radius:
        return matte
    side = 2 * radius + 1
    blurred = cv2.GaussianBlur(matte, (side, side), radius / 2, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.float32).clip(0, 1)


def _scaled(matte: Float32, height: int, width: int) -> Float32:
    smaller = height * width < matte.size
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(matte, (width, height), interpolation=how), np.float32)


def _settled(matte: Float32) -> Float32:
    """Within [0, 1], and exactly 0 or 1 where rounding alone kept it from that."""
    matte = np.where(matte < _ROUNDING, 0, np.where(matte > 1 - _ROUNDING, 1, matte))
    return matte.astype(np.float32)
