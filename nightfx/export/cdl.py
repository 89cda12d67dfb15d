"""A look as an ASC CDL: slope, offset and power of each channel, then saturation, fitted to pairs of colours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from xml.etree import ElementTree as Xml

import numpy as np

from nightfx.export.bins import Binned, binned, trust
from nightfx.picture import BT709, Float64

_SPACE = "urn:ASC:CDL:v1.01"
# slope, offset and power of red, green and blue, then saturation
_LEAST = np.array([*[0.0] * 3, *[-1.0] * 3, *[0.2] * 3, 0.0])
_MOST = np.array([*[8.0] * 3, *[1.0] * 3, *[5.0] * 3, 4.0])
_POWERS = (1.0, 2.0)  # from which the search begins
_ROUNDS, _STEPS = 2, 80
_STEP = 1e-6  # of a derivative
_NEAR_ENOUGH = 1e-14
_LUMA = np.array(BT709)


@dataclass(frozen=True)
class Cdl:
    """The ten numbers of the American Society of Cinematographers' color decision list."""

    slope: tuple[float, float, float]
    offset: tuple[float, float, float]
    power: tuple[float, float, float]
    saturation: float

    def of_colours(self, colours: Float64) -> Float64:
        """Return what colours (N, 3) become, clamped to [0, 1] before the power and at the end."""
        numbers = [*self.slope, *self.offset, *self.power, self.saturation]
        return _applied(np.array(numbers), colours).clip(0, 1)


def fit_cdl(plate: Float64, render: Float64, share: Float64) -> Cdl:
    """Return the CDL that brings colours of the plate (N, 3) nearest to those of the render, each by its share (N,)."""
    pairs = binned(plate, render, share)
    found = min((_found(pairs, _begun(pairs, x)) for x in _POWERS), key=lambda x: _cost(x, pairs))
    for _ in range(_ROUNDS):
        weight = share * trust(_applied(found, plate).clip(0, 1) - render)
        found = _found(binned(plate, render, weight), found)
    slope, offset, power = (tuple(map(float, found[i : i + 3].round(6))) for i in (0, 3, 6))
    return Cdl(slope, offset, power, float(found[9].round(6)))  # type: ignore[arg-type]


def cdl_text(cdl: Cdl, name: str, description: str, suffix: str) -> str:
    """Return a CDL as XML: a ColorCorrection alone (.cc), in a collection (.ccc), or in a ColorDecisionList (.cdl)."""
    correction = _correction(cdl, _plain(name), _plain(description))
    root = correction
    if suffix == ".ccc":
        root = Xml.Element("ColorCorrectionCollection")
        root.append(correction)
    elif suffix == ".cdl":
        root = Xml.Element("ColorDecisionList")
        Xml.SubElement(root, "ColorDecision").append(correction)
    root.set("xmlns", _SPACE)
    Xml.indent(root)
    told: str = Xml.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{told}\n'


def _correction(cdl: Cdl, name: str, description: str) -> Xml.Element:
    root = Xml.Element("ColorCorrection", id=name)
    sop = Xml.SubElement(root, "SOPNode")
    Xml.SubElement(sop, "Description").text = description
    for tag, values in (("Slope", cdl.slope), ("Offset", cdl.offset), ("Power", cdl.power)):
        Xml.SubElement(sop, tag).text = " ".join(f"{x:.6f}" for x in values)
    sat = Xml.SubElement(root, "SatNode")
    Xml.SubElement(sat, "Saturation").text = f"{cdl.saturation:.6f}"
    return root


def _plain(text: str) -> str:
    """Text that XML takes."""
    told = "".join(c if c.isprintable() else "?" for c in text)
    return told.encode("utf-8", "replace").decode()


def _applied(numbers: Float64, colours: Float64) -> Float64:
    slope, offset, power = numbers[:9].reshape(3, 3)
    bright = (colours * slope + offset).clip(0, 1) ** power
    grey = (bright @ _LUMA)[:, None]
    mixed: Float64 = grey + numbers[9] * (bright - grey)
    return mixed


def _begun(pairs: Binned, power: float) -> Float64:
    """Ten numbers from which to search: gains and a power."""
    means = pairs.weight @ pairs.render, pairs.weight @ pairs.plate**power
    gain = (means[0] / np.maximum(means[1], 1e-6)) ** (1 / power)
    begun: Float64 = np.array([*gain, 0, 0, 0, *[power] * 3, 1.0]).clip(_LEAST, _MOST)
    return begun


def _found(pairs: Binned, numbers: Float64) -> Float64:
    """The ten numbers that Levenberg and Marquardt's method finds from others."""
    caution, cost = 1e-3, _cost(numbers, pairs)
    for _ in range(_STEPS):
        step = _step(lambda n: _errors(n, pairs), numbers, caution)
        tried = (numbers + step).clip(_LEAST, _MOST)
        there = _cost(tried, pairs)
        caution = caution / 4 if there < cost else caution * 4
        if there < cost:
            numbers, cost = tried, there
        if caution > 1e9 or cost < _NEAR_ENOUGH:
            break
    return numbers


def _step(errors: Callable[[Float64], Float64], numbers: Float64, caution: float) -> Float64:
    here = errors(numbers)
    tried = [(errors(numbers + _STEP * one) - here) / _STEP for one in np.eye(len(numbers))]
    slopes = np.stack(tried, 1).astype(np.float64)
    square = slopes.T @ slopes
    damped = square + caution * np.diag(square.diagonal() + 1e-9)
    return np.linalg.solve(damped, -slopes.T @ here).astype(np.float64)


def _errors(numbers: Float64, pairs: Binned) -> Float64:
    missed = _applied(numbers, pairs.plate) - pairs.render
    weighted: Float64 = (missed * np.sqrt(pairs.weight)[:, None]).ravel()
    return weighted


def _cost(numbers: Float64, pairs: Binned) -> float:
    return float(np.square(_errors(numbers, pairs)).sum())
