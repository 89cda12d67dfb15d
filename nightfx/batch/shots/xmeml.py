"""Final Cut 7's XML, as Premiere and Resolve write it: a clip's in and out count from the first frame of its file.

A file is described where its id stands first; later ones only name it.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from nightfx.batch.shots.document import Render, TimelineClip
from nightfx.batch.shots.xml_text import Element, XmlText, said
from nightfx.source import count_frames, shift_timecode

_FRAMES = ("in", "out")  # of a clip and of its markers
_TICKS = ("pproTicksIn", "pproTicksOut")  # Premiere reads these first
_TICKS_A_SECOND = 254_016_000_000


class Xmeml:
    """An XML of Final Cut 7."""

    def __init__(self, path: Path, content: bytes, rate: Fraction) -> None:
        self._xml = XmlText(path, content, "xmeml")
        self._rate = rate
        files = [each for each in self._xml.root.iter("file") if len(each)]
        self._files = {each.get("id", ""): each for each in reversed(files)}
        self._shown = list(self._elements())
        self.clips = [self._clip(element) for element in self._shown]
        self._made: dict[tuple[str, Path], str] = {}

    def repoint(self, index: int, render: Render) -> None:
        """Let a clip have the render for its file, and count from its first frame."""
        item = self._shown[index]
        old = item.find("file")
        full = self._file_of(item)
        if old is None or full is None:
            return
        key = full.get("id", ""), render.path
        place = list(item).index(old)
        if key in self._made:
            made = Element("file", id=self._made[key])
        else:
            made = _file_for(full, render, self._unused_id(len(self._made) + 1))
            self._made[key] = made.get("id", "")
        made.tail = old.tail
        self._keep_description(old)
        item.remove(old)
        item.insert(place, made)
        self._shift(item, render)

    def save(self, path: Path) -> None:
        """Write it."""
        self._xml.save(path)

    def _elements(self) -> Iterator[Element]:
        for sequence in self._xml.root.iter("sequence"):
            for item in sequence.findall("./media/video/track/clipitem"):
                if (
                    said(item, "enabled", "TRUE").upper() != "FALSE"
                    and item.find("file") is not None
                ):
                    yield item

    def _file_of(self, item: Element) -> Element | None:
        found = item.find("file")
        return (
            None if found is None else found if len(found) else self._files.get(found.get("id", ""))
        )

    def _clip(self, item: Element) -> TimelineClip:
        file = self._file_of(item)
        file = Element("file") if file is None else file
        name = said(item, "name") or said(file, "name") or "a clip"
        url = said(file, "pathurl")
        clip = TimelineClip(
            name,
            self._place(item),
            rate=_rate_of(item) or _rate_of(file) or self._rate,
            known=Fraction(0),
            paths=(url,) if url else (),
            names=tuple(filter(None, (said(file, "name"), said(item, "name")))),
            reel=said(file, "timecode/reel/name"),
        )
        try:
            return _timed(clip, item, file)
        except ValueError as error:
            return replace(clip, refusal=f"a time is not one ({error})")

    def _place(self, item: Element) -> str:
        start = said(item, "start")
        rate = _rate_of(item) or self._rate
        seconds = int(start) / float(rate) if start.isdigit() else 0.0
        return f"at {seconds:.2f} s"

    def _keep_description(self, old: Element) -> None:
        """Where this clip describes its file, let the next that names it do so."""
        name = old.get("id", "")
        if not len(old):
            return
        for other in self._xml.root.iter("file"):
            if other is not old and other.get("id") == name and not len(other):
                other.extend(deepcopy(list(old)))
                other.text = old.text
                return

    def _unused_id(self, number: int) -> str:
        ids = {each.get("id") for each in self._xml.root.iter("file")}
        while f"file-render-{number}" in ids:
            number += 1
        return f"file-render-{number}"

    def _shift(self, item: Element, render: Render) -> None:
        rate = _rate_of(item) or self._rate
        frames = round(_scaled(Fraction(render.base), render.rate, rate))
        spots = [item, *item.findall("marker")]
        for tag in (tag for tag in _FRAMES if frames):
            for spot in spots:
                found = spot.find(tag)
                if found is not None and int(found.text or -1) >= 0:
                    found.text = str(int(found.text or 0) - frames)
        if frames:
            for when in item.findall("./filter/effect/parameter/keyframe/when"):
                when.text = str(int(when.text or 0) - frames)
            for tag in _TICKS:
                if (found := item.find(tag)) is not None:
                    ticks = round(render.base / render.rate * _TICKS_A_SECOND)
                    found.text = str(int(found.text or 0) - ticks)
        length = item.find("duration")
        if length is not None and _speed_of(item) == 1:
            length.text = str(round(_scaled(Fraction(render.length), render.rate, rate)))


def _timed(clip: TimelineClip, item: Element, file: Element) -> TimelineClip:
    start, end = Fraction(int(said(item, "in", "0"))), Fraction(int(said(item, "out", "0")))
    speed = _speed_of(item)
    if end <= start:
        raise ValueError(f"in {start}, out {end}")
    if said(item, "subclipinfo/startoffset", "0") != "0":
        return replace(clip, refusal="is a subclip, whose frames count from elsewhere")
    clip = replace(clip, start=start, length=end - start)
    if speed is None:
        return replace(clip, speed=None, refusal="its retime is not at one speed forwards")
    if speed == 1:
        return clip
    # in and out of a retimed clip count frames as they are shown
    return replace(
        clip, start=start * speed, length=(end - start) * speed, speed=float(speed), from_first=True
    )


def _speed_of(item: Element) -> Fraction | None:
    for effect in item.findall("./filter/effect"):
        if said(effect, "effectid") == "timeremap":
            words = {said(p, "parameterid"): said(p, "value") for p in effect.findall("parameter")}
            varies = words.get("variablespeed", "0") not in ("", "0", "FALSE")
            speed = Fraction(words.get("speed") or 100) / 100
            if varies or words.get("reverse", "FALSE").upper() == "TRUE" or speed <= 0:
                return None
            return speed
    return Fraction(1)


def _rate_of(element: Element) -> Fraction | None:
    base = said(element, "rate/timebase")
    if not base.isdigit() or not 0 < int(base) <= 1000:
        return None
    ntsc = said(element, "rate/ntsc").upper() == "TRUE"
    return Fraction(int(base) * 1000, 1001) if ntsc else Fraction(int(base))


def _scaled(frames: Fraction, of: Fraction, to: Fraction) -> Fraction:
    return frames * max(round(to), 1) / max(round(of), 1)


def _file_for(old: Element, render: Render, name: str) -> Element:
    made = deepcopy(old)
    made.set("id", name)
    for tag, text in (("name", render.path.name), ("pathurl", render.file.absolute().as_uri())):
        if (found := made.find(tag)) is None:
            found = Element(tag)
            made.insert(0, found)
        found.text = text
    rate = _rate_of(made) or render.rate
    if (length := made.find("duration")) is not None:
        length.text = str(round(_scaled(Fraction(render.length), render.rate, rate)))
    if (timecode := made.find("timecode")) is not None:
        _move_timecode(timecode, render, rate)
    return made


def _move_timecode(timecode: Element, render: Render, rate: Fraction) -> None:
    rate = _rate_of(timecode) or rate
    frames = round(_scaled(Fraction(render.base), render.rate, rate))
    text, number = timecode.find("string"), timecode.find("frame")
    drop = said(timecode, "displayformat").upper() == "DF"
    if text is not None and text.text and (found := shift_timecode(text.text, frames, rate)):
        text.text = found
        count = count_frames(found, max(round(rate), 1), drop=drop)
        if number is not None and count is not None:
            number.text = str(count)
    elif number is not None and (number.text or "").strip().isdigit():
        number.text = str(int(number.text or 0) + frames)
