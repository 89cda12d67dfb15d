"""OpenTimelineIO's own files, which lose nothing: the original stays beside the render, as another media reference."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nightfx.batch.shots.document import Render, TimelineClip
from nightfx.errors import UsageError, install_words

_KEY = "nightfx"  # of the render among a clip's media references


class OtioFile:
    """A timeline of OpenTimelineIO, or a collection of them."""

    def __init__(self, path: Path, content: bytes, rate: Fraction) -> None:
        text = content.decode("utf-8-sig")
        self._content = otio_module().adapters.read_from_string(text, "otio_json")
        self._shown = list(_clips(self._content))
        self.clips = [_clip_of(clip) for clip in self._shown]

    def repoint(self, index: int, render: Render) -> None:
        """Let a clip show a render; its original stays as another media reference."""
        otio, clip = otio_module(), self._shown[index]
        rate, shown = clip.trimmed_range().start_time.rate, clip.trimmed_range()
        if render.moved:
            moved = otio.opentime.RationalTime(round(render.base / float(render.rate) * rate), rate)
            clip.source_range = otio.opentime.TimeRange(shown.start_time - moved, shown.duration)
        elif clip.source_range is None:
            clip.source_range = shown  # else it would show all of the render
        near = abs(rate - float(render.rate)) < 0.01 * rate
        file_rate = rate if near else float(render.rate)
        times = (otio.opentime.RationalTime(n, file_rate) for n in (render.start, render.length))
        available = otio.opentime.TimeRange(*times)
        # the map as it is given: references put into a new one end the process in OpenTimelineIO 0.18
        references = clip.media_references()
        make = _sequence_reference if render.is_sequence else _clip_reference
        references[_KEY] = make(render, available, clip.media_reference)
        clip.set_media_references(references, _KEY)

    def save(self, path: Path) -> None:
        """Write it."""
        text = otio_module().adapters.write_to_string(self._content, "otio_json")
        path.write_text(text, encoding="utf-8")


def otio_module() -> Any:
    """OpenTimelineIO; raises UsageError where it is not installed."""
    try:
        import opentimelineio
    except ImportError as error:
        raise UsageError(f"OpenTimelineIO needs {install_words('film')}") from error
    return opentimelineio


def _clips(content: Any) -> Iterator[Any]:
    otio = otio_module()
    timelines = [content] if isinstance(content, otio.schema.Timeline) else []
    for timeline in timelines or content.find_children(descended_from_type=otio.schema.Timeline):
        for track in timeline.video_tracks():
            for clip in track.find_clips():
                # black, bars and titles are the editor's own
                made = isinstance(clip.media_reference, otio.schema.GeneratorReference)
                if clip.enabled and not made:
                    yield clip


def _clip_of(clip: Any) -> TimelineClip:
    reference, shown = clip.media_reference, clip.visible_range()
    known = getattr(reference, "available_range", None)
    rate = Fraction(shown.start_time.rate).limit_denominator(1001)
    speed = _speed(clip)
    sequence = hasattr(reference, "name_prefix")
    return TimelineClip(
        clip.name or "a clip",
        f"at {clip.range_in_parent().start_time.to_seconds():.2f} s",
        rate=rate,
        start=_frames(shown.start_time, rate),
        length=_frames(shown.duration, rate)
        * Fraction(1 if speed is None else speed).limit_denominator(10_000),
        known=_frames(known.start_time, rate) if known else Fraction(0) if sequence else None,
        first_number=reference.start_frame if sequence else None,
        paths=tuple(_paths(reference)),
        names=tuple(filter(None, (clip.name, getattr(reference, "name", "")))),
        reel=str(clip.metadata.get("cmx_3600", {}).get("reel", "")),
        speed=speed,
        refusal="its retime is not at one speed forwards" if speed is None else "",
    )


def _frames(time: Any, rate: Fraction) -> Fraction:
    return Fraction(time.rescaled_to(float(rate)).value).limit_denominator(1000)


def _speed(clip: Any) -> float | None:
    """How fast a clip runs; None for what has no one speed, or runs backwards."""
    otio, speed = otio_module(), 1.0
    for effect in clip.effects:
        if isinstance(effect, otio.schema.LinearTimeWarp):
            speed *= effect.time_scalar
        elif isinstance(effect, otio.schema.TimeEffect):
            return None
    return speed if 0 <= speed < float("inf") else None


def _paths(reference: Any) -> Iterator[str]:
    """Where a reference points to, a sequence as its pattern."""
    if hasattr(reference, "name_prefix"):
        number = "#" * max(reference.frame_zero_padding, 1)
        base = reference.target_url_base.rstrip("/\\")
        yield f"{base}/{reference.name_prefix}{number}{reference.name_suffix}"
    elif url := getattr(reference, "target_url", None):
        yield url


def _clip_reference(render: Render, available: Any, old: Any) -> Any:
    reference = otio_module().schema.ExternalReference(render.path.as_uri(), available)
    reference.name = render.path.name
    return reference


def _sequence_reference(render: Render, available: Any, old: Any) -> Any:
    head = render.path.name[: render.path.name.index("#")]
    return otio_module().schema.ImageSequenceReference(
        target_url_base=f"{render.path.parent.as_uri()}/",
        name_prefix=quote(head),  # a part of the URL
        name_suffix=render.path.suffix,
        start_frame=int(render.number),
        frame_step=1,
        rate=available.duration.rate,
        frame_zero_padding=len(render.number),
        available_range=available,
    )
