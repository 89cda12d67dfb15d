"""Final Cut Pro's FCPXML: a clip refers to an asset, so a render is a new asset whose start is later.

Times are rational seconds. Retimes, titles, audio, roles and what is disabled are not touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from fractions import Fraction
from itertools import count, pairwise
from pathlib import Path

from nightfx.batch.shots.document import Render, TimelineClip
from nightfx.batch.shots.xml_text import Element, XmlText, fraction_of

_SHOWS = ("asset-clip", "video")
_HOLDERS = ("clip", "sync-clip")  # of the elements that show, with a range of their own


class FcpXml:
    """An FCPXML."""

    def __init__(self, path: Path, content: bytes, rate: Fraction) -> None:
        self._xml = XmlText(path, content, "fcpxml")
        self._assets = {each.get("id", ""): each for each in self._xml.root.iter("asset")}
        self._formats = {each.get("id", ""): each for each in self._xml.root.iter("format")}
        self._shown = list(self._elements())
        self.clips = [self._clip(element) for element in self._shown]
        self._made: dict[tuple[str, Path, int], str] = {}

    def repoint(self, index: int, render: Render) -> None:
        """Let a clip refer to an asset of the render."""
        element = self._shown[index]
        old = element.get("ref", "")
        key = old, render.path, render.base
        if key not in self._made:
            self._made[key] = self._add_asset(self._assets[old], render)
        element.set("ref", self._made[key])
        if later := self._later(self._assets[old], render):
            holder = self._xml.parents[element]
            moved = holder if _holds(holder) else element
            first = _seconds(self._assets[old].get("start"), Fraction(0))
            moved.set("start", _written(_seconds(moved.get("start"), first) - later))

    def save(self, path: Path) -> None:
        """Write it, without the assets that nothing shows any more."""
        used = {each.get("ref") for each in self._xml.root.iter()}
        for old in {key[0] for key in self._made} - used:
            asset = self._assets[old]
            self._xml.parents[asset].remove(asset)
        self._xml.save(path)

    def _elements(self) -> Iterator[Element]:
        used = {each.get("ref") for each in self._xml.root.iter()}
        for element in self._xml.root.iter():
            if element.tag not in _SHOWS or element.get("ref") not in self._assets:
                continue
            asset = self._assets[element.get("ref", "")]
            if asset.get("hasVideo") == "0" or element.get("srcEnable") == "audio":
                continue
            if self._is_shown(element, used):
                yield element

    def _is_shown(self, element: Element, used: set[str | None]) -> bool:
        """Whether it is in a sequence that stands in a project or in one that does, and nothing turns it off."""
        way = [element, *self._xml.ancestors(element)]
        if not any(each.tag in ("sequence", "multicam") for each in way):
            return False
        if any(each.tag == "media" and each.get("id") not in used for each in way):
            return False
        # of an audition, the first is shown
        firsts = pairwise(way)
        if any(each.tag == "audition" and each[0] is not child for child, each in firsts):
            return False
        return all(each.get("enabled", "1") != "0" for each in way)

    def _clip(self, element: Element) -> TimelineClip:
        asset = self._assets[element.get("ref", "")]
        name = element.get("name") or asset.get("name") or "a clip"
        paths = tuple(_sources(asset))
        clip = TimelineClip(name, "", paths=paths, names=(asset.get("name", ""),))
        if any(each.tag == "multicam" for each in self._xml.ancestors(element)):
            return replace(clip, refusal="is an angle of a multicam clip: flatten it to render it")
        try:
            return self._timed(clip, element, asset)
        except ValueError as error:
            return replace(clip, refusal=f"a time is not one ({error})")

    def _timed(self, clip: TimelineClip, element: Element, asset: Element) -> TimelineClip:
        rate = self._rate_of(asset)
        first = _seconds(asset.get("start"), Fraction(0))
        start = _seconds(element.get("start"), first)
        length = _seconds(element.get("duration"), _seconds(asset.get("duration"), Fraction(0)))
        place = f"at {float(_seconds(element.get('offset'), Fraction(0))):.2f} s"
        holder = self._xml.parents[element]
        if _holds(holder):
            place = f"at {float(_seconds(holder.get('offset'), Fraction(0))):.2f} s"
            # the time of a holder is that in which its children stand
            begin = _seconds(element.get("offset"), Fraction(0))
            shown = _seconds(holder.get("start"), begin)
            end = first + _seconds(asset.get("duration"), length)
            # OpenTimelineIO counts it in the time of the file
            start = start + shown - begin if start + shown - begin < end else shown
            length = _seconds(holder.get("duration"), length)
        curve = next(
            (each for one in (element, holder) if (each := one.find("timeMap")) is not None), None
        )
        speed: float | None = 1.0
        from_first = False
        if curve is not None:
            points = _points(curve)
            low, high = _range_through(points, start, start + length)
            speed = float((high - low) / length) if length and len(points) == 2 else None
            absolute = first > 0 and points and min(value for _, value in points) >= first
            start, length, from_first = low + (0 if absolute else first), high - low, not absolute
        return replace(
            clip,
            place=place,
            rate=rate,
            start=start * rate,
            length=length * rate,
            known=first * rate,
            speed=speed,
            from_first=from_first,
            anchored=_counts_time(holder if _holds(holder) else element),
        )

    def _rate_of(self, asset: Element) -> Fraction:
        shape = self._formats.get(asset.get("format", ""))
        frame = _seconds(shape.get("frameDuration") if shape is not None else None, Fraction(0))
        return 1 / frame if frame > 0 else Fraction(1)

    def _later(self, asset: Element, render: Render) -> Fraction:
        """How many seconds earlier a clip begins, since its render has no timecode."""
        first = _seconds(asset.get("start"), Fraction(0))
        return Fraction(0) if render.timed or not render.base else first + render.base / render.rate

    def _add_asset(self, old: Element, render: Render) -> str:
        ids = {each.get("id") for each in self._xml.root.iter()}
        name = next(f"r{n}" for n in count(1) if f"r{n}" not in ids)
        made = deepcopy(old)
        for key in ("uid", "src"):
            made.attrib.pop(key, None)
        for tag in ("media-rep", "bookmark"):
            for each in made.findall(tag):
                made.remove(each)
        url = render.file.absolute().as_uri()
        if old.find("media-rep") is None:
            made.set("src", url)
        else:
            made.insert(0, Element("media-rep", kind="original-media", src=url))
        first = _seconds(old.get("start"), Fraction(0)) + render.base / render.rate
        first -= self._later(old, render)
        made.set("id", name)
        made.set("name", render.path.name)
        made.set("start", _written(first))
        made.set("duration", _written(render.length / render.rate))
        parent = self._xml.parents[old]
        parent.insert(list(parent).index(old) + 1, made)
        self._xml.parents[made] = parent
        return name


def _holds(element: Element) -> bool:
    """Whether it is what its one child shows, with a range of its own."""
    return element.tag in _HOLDERS and element.find("spine") is None


def _counts_time(element: Element) -> bool:
    """Whether what is in a clip counts in its time: markers, keyframes, sound, what is connected to it."""
    own = [each for each in element.iter() if each is not element and isinstance(each.tag, str)]
    return any(
        each.tag != "video" and {"start", "offset", "time"} & set(each.keys()) for each in own
    )


def _sources(asset: Element) -> Iterator[str]:
    kinds = sorted(asset.findall("media-rep"), key=lambda rep: rep.get("kind") != "original-media")
    for each in (asset, *kinds):
        if source := each.get("src"):
            yield source


def _points(curve: Element) -> list[tuple[Fraction, Fraction]]:
    return sorted(
        (_seconds(each.get("time"), Fraction(0)), _seconds(each.get("value"), Fraction(0)))
        for each in curve.iter("timept")
    )


def _range_through(
    points: list[tuple[Fraction, Fraction]], start: Fraction, end: Fraction
) -> tuple[Fraction, Fraction]:
    """What a retime shows between two times: all values of the points around them."""
    if len(points) < 2:
        return start, end
    shown: list[Fraction] = []
    for (t0, v0), (t1, v1) in pairwise(points):
        a, b = max(start, t0), min(end, t1)
        if a <= b and t1 > t0:
            shown += [v0 + (v1 - v0) * (t - t0) / (t1 - t0) for t in (a, b)]
    values = shown or [value for _, value in points]
    return min(values), max(values)


def _seconds(text: str | None, default: Fraction) -> Fraction:
    return default if text is None else fraction_of(text.strip().removesuffix("s"), default)


def _written(seconds: Fraction) -> str:
    whole = seconds.denominator == 1
    return f"{seconds.numerator}s" if whole else f"{seconds.numerator}/{seconds.denominator}s"
