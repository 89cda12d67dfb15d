"""The C core for tests, compiled where there is a compiler: opened, and asked for the light of a picture."""

from __future__ import annotations

import ctypes as c
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from nightfx.hosts.compile import compile_library, find_compiler
from nightfx.picture import Float32

needs_compiler = pytest.mark.skipif(
    find_compiler() is None, reason="needs_compiler: there is no C compiler here"
)


class Facts(c.Structure):
    """As `nfx_facts` of nfx.h."""

    _fields_ = (
        ("width", c.c_uint32),
        ("height", c.c_uint32),
        ("rate_num", c.c_uint32),
        ("rate_den", c.c_uint32),
        ("first", c.c_int32),
        ("frames", c.c_uint32),
        ("plate_first", c.c_int32),
        ("plate_frames", c.c_uint32),
        ("rotation", c.c_uint32),
    )


class Core:
    """The functions of nfx.h."""

    def __init__(self, library: Path) -> None:
        self.c = c.CDLL(str(library))
        self.c.nfx_open.restype = self.c.nfx_frame_new.restype = c.c_void_p
        self.c.nfx_facts_of.restype = Facts
        for name in ("close", "facts_of", "frame_new", "frame_free"):
            getattr(self.c, f"nfx_{name}").argtypes = [c.c_void_p]
        self.c.nfx_frame_read.argtypes = [c.c_void_p, c.c_int64, c.c_void_p]
        rows = c.c_void_p, c.c_ssize_t
        self.c.nfx_light.argtypes = [c.c_void_p, *[c.c_int] * 4, *rows, *rows, c.c_int, c.c_float]
        self.c.nfx_decoded.argtypes = self.c.nfx_encoded.argtypes = [c.c_float, c.c_int]
        self.c.nfx_decoded.restype = self.c.nfx_encoded.restype = c.c_float

    def open(self, path: Path) -> Opened:
        """Open a bake; raises ValueError with the line that the core says."""
        why = c.create_string_buffer(300)
        file = self.c.nfx_open(str(path).encode(), why, len(why))
        if not file:
            raise ValueError(why.value.decode())
        return Opened(self, file)


class Opened:
    """A bake that the core has open, and a frame of it."""

    def __init__(self, core: Core, file: int) -> None:
        self._c, self._file = core.c, file
        self._frame = self._c.nfx_frame_new(file)
        self.facts: Facts = self._c.nfx_facts_of(file)

    def close(self) -> None:
        self._c.nfx_frame_free(self._frame)
        self._c.nfx_close(self._file)

    def lit(
        self,
        rgb: Float32,
        number: int,
        strength: float = 1.0,
        groups: Sequence[float] | None = None,
        box: tuple[int, int, int, int] | None = None,
    ) -> Float32:
        """The picture (3, h, w), or a box (left, top, right, bottom) of it, under a frame's light; raises ValueError where that cannot be read."""
        turned = None if groups is None else (c.c_float * 5)(*groups)
        if not self._c.nfx_frame_read(self._frame, number, turned):
            raise ValueError(number)
        left, top, right, bottom = box or (0, 0, rgb.shape[2], rgb.shape[1])
        part = np.ascontiguousarray(np.moveaxis(rgb[:, top:bottom, left:right], 0, -1), np.float32)
        out, row = np.zeros_like(part), part.shape[1] * 3
        asked = left, top, right, bottom, part.ctypes.data, row, out.ctypes.data, row, 3, strength
        assert self._c.nfx_light(self._frame, *asked)
        return np.moveaxis(out, -1, 0)


def compiled(folder: Path, *flags: str) -> Core:
    compile_library([], folder / "core.so", flags=flags, exports_all=True)
    return Core(folder / "core.so")
