"""The working encoding: what the generator sees of any picture, in which its light is fitted and applied.

For SDR it is the signal itself. Everything else is taken to linear light of Rec.709 primaries whose 1.0 is reference
white (203 cd/m² in PQ and HLG, BT.2408; scene 1.0 in linear and log), and then along sRGB's curve, continued above 1
and mirrored below 0: monotone, invertible, with headroom. The generator sees a copy with its highlights rolled off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from nightfx.errors import UsageError, install_words
from nightfx.picture import curves, matrices
from nightfx.picture.coding import ColorTags
from nightfx.picture.frame import Coding, Float32, Float64

# pinned, so that a look is the same next year; its aliases stay when names change
STUDIO_CONFIG = "ocio://studio-config-v2.2.0_aces-v1.3_ocio-v2.4"
_LINEAR_709 = "lin_rec709"
_SHORT_NAMES = {"slog3": "slog3_sgamut3cine", "logc4": "arri_logc4", "logc3": "arri_logc3_ei800"}
_SHORT_NAMES |= {"vlog": "vlog_vgamut", "srgb": "srgb_tx"}
_KNEE = 0.8  # where highlights begin to be rolled off for the generator
# x, y of red, green, blue and white _D65 (ITU-T H.273 table 2)
_D65 = (0.3127, 0.3290)
_PRIMARIES = {
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
}
_Change = Callable[[Float32], Float32]


@dataclass(frozen=True)
class Encoding:
    """The meaning of a picture's RGB signal."""

    name: str
    """As a user writes it."""
    to_linear: _Change | None = None
    """From signal (3, H, W) to linear light of Rec.709, 1.0 being reference white; None for SDR."""
    from_linear: _Change | None = None
    """The way back."""
    is_linear: bool = False
    """The signal is light already, of whatever primaries."""


class Encodings(NamedTuple):
    """The encodings of what is read and of what is written."""

    source: Encoding
    target: Encoding


SDR = Encoding("sdr")
LINEAR = Encoding("linear", np.asarray, np.asarray, is_linear=True)
PLAIN = Encodings(SDR, SDR)


def to_working(rgb: Float32, encoding: Encoding) -> Float32:
    """A signal (3, H, W) in the working encoding; what is not finite becomes so."""
    if encoding.to_linear is None:
        return rgb
    return curves.curve(encoding.to_linear(rgb), curves.SRGB)


def from_working(work: Float32, encoding: Encoding) -> Float32:
    """The signal (3, H, W) of what is in the working encoding."""
    if encoding.from_linear is None:
        return work
    return encoding.from_linear(curves.curve(work, curves.LINEAR_OF_SRGB))


def rolled_off(work: Float32, encoding: Encoding) -> Float32:
    """Return a picture as the generator sees it: within [0, 1], the same up to `_KNEE` and smooth above; SDR as it is."""
    if encoding.to_linear is None:
        return work
    over = np.maximum(work - _KNEE, 0) / (1 - _KNEE)
    seen: Float32 = np.clip(work, 0, _KNEE) + np.float32(1 - _KNEE) * -np.expm1(-over)
    return seen


def finite(rgb: Float32) -> Float32:
    """Without what renderers leave behind: not-a-number is black, infinite is the largest half float."""
    return np.nan_to_num(rgb, nan=0.0, posinf=curves.MOST, neginf=-curves.MOST)


def encoding_by_tags(tags: ColorTags, coding: Coding) -> Encoding:
    """Return the encoding of a source's signal by its tags; float without any is light."""
    transfer = {16: "pq", 18: "hlg"}.get(tags.transfer)
    if transfer:
        return hdr(transfer, tags.primaries)
    return LINEAR if coding.is_float or tags.transfer == 8 else SDR


def encoding_named(space: str, config: str | None = None) -> Encoding:
    """A built-in encoding, or a colour space of an OpenColorIO `config`; raises UsageError."""
    built_in = {"sdr": SDR, "rec709": SDR, "linear": LINEAR, _LINEAR_709: LINEAR}
    built_in |= {"pq": hdr("pq", 9), "hlg": hdr("hlg", 9)}
    if config is None and space.lower() in built_in:
        return built_in[space.lower()]
    return _ocio_encoding(_SHORT_NAMES.get(space.lower(), space), config or STUDIO_CONFIG)


def target_encoding(source: Encoding, *, was_float: bool, is_float: bool) -> Encoding:
    """Return the encoding of the render's signal: the source's, but files of float hold light, and codes of integers do not."""
    if is_float and not was_float:
        return LINEAR
    return SDR if source.is_linear and was_float and not is_float else source


def hdr(name: str, primaries: int) -> Encoding:
    """PQ or HLG with primaries of ITU-T H.273 (unknown ones count as BT.2020)."""
    there, back = (
        (curves.LINEAR_OF_PQ, curves.PQ) if name == "pq" else (curves.LINEAR_OF_HLG, curves.HLG)
    )
    known = _PRIMARIES.get(primaries, _PRIMARIES[9])
    matrix: Float64 = np.linalg.inv(_to_xyz(_PRIMARIES[1])) @ _to_xyz(known)
    inverse: Float64 = np.linalg.inv(matrix).astype(np.float64)
    return Encoding(
        name,
        lambda rgb: matrices.mixed(curves.curve(rgb, there), matrix),
        lambda light: curves.curve(matrices.mixed(light, inverse), back),
    )


def _ocio_encoding(space: str, config: str) -> Encoding:
    """A colour space of an OpenColorIO config, by name, alias or role; raises UsageError."""
    try:
        import PyOpenColorIO as ocio
    except ImportError as error:
        words = f"needs {install_words('film')} (without it: sdr, linear, pq, hlg)"
        raise UsageError(f"--input-space {space} {words}") from error
    try:
        chosen = ocio.Config.CreateFromFile(config)
        found = chosen.getColorSpace(space)
        if found is None or found.isData():
            raise UsageError(f"--input-space {space}: {_near(space, chosen)}")
        there, back = _processors(ocio, chosen, space)
    except (ocio.Exception, ocio.ExceptionMissingFile) as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"--ocio {config}: cannot be used ({reason})") from error
    is_linear = found.getEncoding() == "scene-linear"
    change, undo = partial(_apply, ocio, there), partial(_apply, ocio, back)
    return Encoding(space, change, undo, is_linear)


def _to_xyz(primaries: tuple[tuple[float, float], ...]) -> Float64:
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries]).T
    scale = np.linalg.solve(columns[:, :3], columns[:, 3])
    scaled: Float64 = columns[:, :3] * scale
    return scaled


def _processors(ocio: Any, config: Any, space: str) -> tuple[Any, Any]:
    if config.getColorSpace(_LINEAR_709):
        both = config.getProcessor(space, _LINEAR_709), config.getProcessor(_LINEAR_709, space)
    else:  # through the interchange spaces that both configs know
        studio = ocio.Config.CreateFromFile(STUDIO_CONFIG)
        across = ocio.Config.GetProcessorFromConfigs
        both = (
            across(config, space, studio, _LINEAR_709),
            across(studio, _LINEAR_709, config, space),
        )
    there, back = (processor.getDefaultCPUProcessor() for processor in both)
    return there, back


def _apply(ocio: Any, processor: Any, rgb: Float32) -> Float32:
    # plane by plane it takes a third of the time that it takes on pixels
    planes: Float32 = np.ascontiguousarray(finite(rgb), np.float32)
    processor.apply(ocio.PlanarImageDesc(*planes, rgb.shape[2], rgb.shape[1]))
    return planes


def _near(space: str, config: Any) -> str:
    names = [name for found in config.getColorSpaces() for name in found.getAliases()]
    names += [*config.getColorSpaceNames(), *_SHORT_NAMES, "sdr", "pq", "hlg"]
    near = get_close_matches(space, names, 3, 0.3)
    return f"no such colour space; near are {', '.join(near)}" if near else "no such colour space"
