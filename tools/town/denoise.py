"""Open Image Denoise, as Blender's module brings it, for arrays."""

from __future__ import annotations

import ctypes
from ctypes import c_bool, c_char_p, c_int, c_size_t, c_void_p

import bpy  # noqa: F401 it brings the library

# isort: split
import numpy as np

from tools.town.shot import Plane

LIBRARY = "libOpenImageDenoise.so.2"
CPU, FLOAT3, FAST = 1, 3, 4  # as oidn.h numbers them


class Denoiser:
    """Takes the noise out of pictures of one size, (width, height), on one thread."""

    def __init__(self, size: tuple[int, int]) -> None:
        """Load the library and bind its filter to this object's buffers."""
        width, height = size
        self.buffers = {
            name: np.zeros((height, width, 3), np.float32)
            for name in ("color", "albedo", "normal", "output")
        }
        self.library = _load()
        device = self.library.oidnNewDevice(CPU)
        self.library.oidnSetDeviceInt(device, b"numThreads", 1)
        self.library.oidnSetDeviceBool(device, b"setAffinity", False)
        self.library.oidnCommitDevice(device)
        self.device, self.filter = device, self.library.oidnNewFilter(device, b"RT")
        for name, buffer in self.buffers.items():
            self.library.oidnSetSharedFilterImage(
                self.filter, name.encode(), buffer.ctypes.data, FLOAT3, width, height, 0, 0, 0
            )
        self.library.oidnSetFilterBool(self.filter, b"hdr", True)
        self.library.oidnSetFilterInt(self.filter, b"quality", FAST)
        self.library.oidnCommitFilter(self.filter)

    def guide(self, albedo: Plane, normal: Plane) -> None:
        """Say what is seen, for all pictures that follow."""
        self.buffers["albedo"][:], self.buffers["normal"][:] = albedo, normal

    def __call__(self, color: Plane) -> Plane:
        """Return a picture (height, width, 3) without its noise; raises RuntimeError where the library fails."""
        self.buffers["color"][:] = color
        self.library.oidnExecuteFilter(self.filter)
        said = c_char_p()
        if self.library.oidnGetDeviceError(self.device, ctypes.byref(said)):
            raise RuntimeError(f"{LIBRARY}: {(said.value or b'').decode()}")
        return self.buffers["output"].copy()


def _load() -> ctypes.CDLL:
    library = ctypes.CDLL(LIBRARY)  # bpy has loaded it, so its name is enough
    handle, text = c_void_p, c_char_p
    library.oidnNewDevice.restype = library.oidnNewFilter.restype = handle
    library.oidnNewDevice.argtypes = [c_int]
    library.oidnNewFilter.argtypes = [handle, text]
    for name, kind in (("Int", c_int), ("Bool", c_bool)):
        for what in ("Device", "Filter"):
            getattr(library, f"oidnSet{what}{name}").argtypes = [handle, text, kind]
    sizes = [c_int, c_size_t, c_size_t, c_size_t, c_size_t, c_size_t]
    library.oidnSetSharedFilterImage.argtypes = [handle, text, c_void_p, *sizes]
    for name in ("oidnCommitDevice", "oidnCommitFilter", "oidnExecuteFilter"):
        getattr(library, name).argtypes = [handle]
    library.oidnGetDeviceError.argtypes = [handle, c_void_p]
    library.oidnGetDeviceError.restype = c_int
    return library
