"""An OpenFX host in Python: enough of one to load a filter, describe it, make an instance and render pictures."""

from __future__ import annotations

import ctypes as c
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Handle, Text = c.c_void_p, c.c_char_p
Place = c.POINTER(c.c_void_p)
OK, FAILED, UNKNOWN = 0, 1, 3
DEPTHS = {np.dtype(np.float32): b"OfxBitDepthFloat", np.dtype(np.uint8): b"OfxBitDepthByte"}
KINDS = {3: b"OfxImageComponentRGB", 4: b"OfxImageComponentRGBA"}
TYPES: dict[str, Any] = {"OfxParamTypeString": Text, "OfxParamTypeDouble": c.c_double}


class HostStruct(c.Structure):
    """As `OfxHost`."""

    _fields_ = (("host", Handle), ("fetch", Handle))


class PluginStruct(c.Structure):
    """As `OfxPlugin`."""

    _fields_ = (
        ("api", Text),
        ("api_version", c.c_int),
        ("id", Text),
        ("major", c.c_uint),
        ("minor", c.c_uint),
        ("set_host", c.CFUNCTYPE(None, Handle)),
        ("main", c.CFUNCTYPE(c.c_int, Text, Handle, Handle, Handle)),
    )


class OfxHost:
    """A host with one effect in it; handles are numbers of what it holds."""

    def __init__(self, library: Path) -> None:
        self._held: list[Any] = [None]
        self._kept: list[Any] = []
        self.effect, self.param_props = self.hold({}), self.hold({})
        self.clips: dict[str, int] = {}
        self.images: dict[int, dict[str, list[Any]]] = {}
        self.regions: dict[int, tuple[float, ...]] = {}
        self.params: dict[str, int] = {}
        self.values: dict[str, Any] = {}
        self.released = 0
        self._suites = self._made_suites()
        self._host = HostStruct(None, self._function(self._fetch, Handle, Handle, Text, c.c_int))
        self._library = c.CDLL(str(library))
        self._library.OfxGetPlugin.restype = c.POINTER(PluginStruct)
        assert self._library.OfxGetNumberOfPlugins() == 1
        self.plugin = self._library.OfxGetPlugin(0)[0]
        self.plugin.set_host(c.addressof(self._host))

    def hold(self, thing: Any) -> int:
        self._held.append(thing)
        return len(self._held) - 1

    def act(self, action: str, asked: dict[str, list[Any]] | None = None) -> int:
        """Call the plugin; `asked` are the properties that go with it."""
        handle = self.hold(asked) if asked is not None else None
        of = None if action == "OfxActionLoad" else self.effect
        return int(self.plugin.main(action.encode(), of, handle, None))

    def begin(self) -> list[int]:
        """Load, describe, and make an instance."""
        inside = "OfxImageEffectActionDescribeInContext"
        actions = "OfxActionLoad", "OfxActionDescribe", inside, "OfxActionCreateInstance"
        return [self.act(action) for action in actions]

    def end(self) -> int:
        return self.act("OfxActionDestroyInstance")

    def shown(
        self,
        picture: NDArray[Any],
        time: float,
        *,
        window: tuple[int, int, int, int] | None = None,
        place: tuple[int, int] = (0, 0),
        scale: float = 1.0,
        region: tuple[float, ...] = (),
    ) -> NDArray[Any]:
        """Render a picture (h, w, 3 or 4), rows from the top, whose lower left corner is at a place."""
        own, out = np.ascontiguousarray(picture[::-1]), np.zeros_like(picture)
        x, y = place
        bounds = [x, y, x + own.shape[1], y + own.shape[0]]
        for name, pixels in (("Source", own), ("Output", out)):
            self.images[self.clips[name]] = self._image(pixels, bounds)
        self.regions = {self.clips["Source"]: region} if region else {}
        asked = {
            "OfxPropTime": [time],
            "OfxImageEffectPropRenderWindow": list(window or bounds),
            "OfxImageEffectPropRenderScale": [scale, scale],
        }
        assert self.act("OfxImageEffectActionRender", asked) == OK
        assert self.released == 2
        self.released = 0
        return out[::-1]

    def _image(self, pixels: NDArray[Any], bounds: list[int]) -> dict[str, list[Any]]:
        return {
            "OfxImagePropBounds": bounds,
            "OfxImagePropRowBytes": [pixels.strides[0]],
            "OfxImagePropData": [pixels.ctypes.data],
            "OfxImageEffectPropPixelDepth": [DEPTHS[pixels.dtype]],
            "OfxImageEffectPropComponents": [KINDS[pixels.shape[2]]],
        }

    # suites

    def _function(self, made: Callable[..., Any], result: Any, *kinds: Any) -> int:
        held = c.CFUNCTYPE(result, *kinds)(made)
        self._kept.append(held)
        return int(c.cast(held, Handle).value or 0)

    def _suite(self, *functions: int) -> int:
        table = (Handle * len(functions))(*functions)
        self._kept.append(table)
        return c.addressof(table)

    def _fetch(self, _: int, name: bytes, version: int) -> int:
        return self._suites[name.decode()] if version == 1 else 0

    def _made_suites(self) -> dict[str, int]:
        kinds = Handle, Text, c.c_double, c.c_int
        missing = self._function(lambda *_: FAILED, c.c_int, Handle)
        one = [self._function(self._set, c.c_int, Handle, Text, c.c_int, kind) for kind in kinds]
        read = [
            self._function(self._get, c.c_int, Handle, Text, c.c_int, c.POINTER(k)) for k in kinds
        ]
        many = [
            self._function(self._get_all, c.c_int, Handle, Text, c.c_int, c.POINTER(k))
            for k in (c.c_double, c.c_int)
        ]
        return {
            "OfxPropertySuite": self._suite(
                *one, *[missing] * 4, *read, *[missing] * 2, *many, *[missing] * 2
            ),
            "OfxImageEffectSuite": self._suite(
                self._function(self._give(lambda of: of), c.c_int, Handle, Place),
                self._function(self._give(lambda _: self.param_props), c.c_int, Handle, Place),
                self._function(self._define_clip, c.c_int, Handle, Text, Place),
                self._function(self._clip, c.c_int, Handle, Text, Place, Place),
                missing,
                self._function(self._open, c.c_int, Handle, c.c_double, Handle, Place),
                self._function(self._release, c.c_int, Handle),
                self._function(self._region, c.c_int, Handle, c.c_double, c.POINTER(c.c_double)),
                self._function(lambda _: 0, c.c_int, Handle),
                *[missing] * 4,
            ),
            "OfxParameterSuite": self._suite(
                self._function(self._define, c.c_int, Handle, Text, Text, Place),
                self._function(self._param, c.c_int, Handle, Text, Place, Place),
                *[missing] * 2,
                # variadic in C: on x86-64 and Windows a pointer is handed over the same way
                self._function(lambda of, out: self._value(of, out), c.c_int, Handle, Handle),
                self._function(
                    lambda of, _, out: self._value(of, out), c.c_int, Handle, c.c_double, Handle
                ),
                *[missing] * 12,
            ),
        }

    def _set(self, of: int, name: bytes, index: int, value: Any) -> int:
        row = self._held[of].setdefault(name.decode(), [])
        row.extend([None] * (index + 1 - len(row)))
        row[index] = value
        return OK

    def _get(self, of: int, name: bytes, index: int, out: Any) -> int:
        row = self._held[of].get(name.decode(), [])
        if index >= len(row):
            return UNKNOWN
        out[0] = row[index]
        return OK

    def _get_all(self, of: int, name: bytes, count: int, out: Any) -> int:
        row = self._held[of].get(name.decode(), [])
        if len(row) != count:
            return UNKNOWN
        for index, value in enumerate(row):
            out[index] = value
        return OK

    def _give(self, found: Callable[[int], int]) -> Callable[[int, Any], int]:
        def give(of: int, out: Any) -> int:
            out[0] = found(of)
            return OK

        return give

    def _define_clip(self, _: int, name: bytes, out: Any) -> int:
        out[0] = self.clips.setdefault(name.decode(), self.hold({}))
        return OK

    def _clip(self, _: int, name: bytes, out: Any, __: Any) -> int:
        out[0] = self.clips[name.decode()]
        return OK

    def _open(self, of: int, _: float, __: int, out: Any) -> int:
        out[0] = self.hold(self.images[of])
        return OK

    def _release(self, _: int) -> int:
        self.released += 1
        return OK

    def _region(self, of: int, _: float, out: Any) -> int:
        for index, value in enumerate(self.regions.get(of, ())):
            out[index] = value
        return OK if of in self.regions else FAILED

    def _define(self, _: int, kind: bytes, name: bytes, out: Any) -> int:
        self.params[name.decode()] = out[0] = self.hold({"type": [kind.decode()]})
        return OK

    def _param(self, _: int, name: bytes, out: Any, __: Any) -> int:
        out[0] = self.params[name.decode()]
        return OK

    def _value(self, of: int, out: int) -> int:
        facts = self._held[of]
        name = next(key for key, held in self.params.items() if held == of)
        value = self.values.get(name, facts["OfxParamPropDefault"][0])
        kind = TYPES.get(facts["type"][0], c.c_int)
        held = kind(value)
        self._kept.append(held)
        c.memmove(out, c.addressof(held), c.sizeof(held))
        return OK
