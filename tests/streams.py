"""Makers of what stands beside the picture: click tracks, subtitles, files of several streams."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

RATE = 48000
SUBTITLES = "1\n00:00:00,100 --> 00:00:00,300\nBlue <i>hour</i>\n\n2\n00:00:00,500 --> 00:00:00,900\nNight & day\n"


def make_sound(
    path: Path,
    codec: str = "pcm_s16le",
    seconds: float = 1.0,
    clicks: Sequence[float] = (),
    seed: int = 0,
    rate: int = RATE,
) -> Path:
    """A mono file of soft noise with a click of one sample at each of these seconds."""
    wave = np.random.default_rng(seed).normal(0, 0.01, round(seconds * rate)).astype(np.float32)
    for click in clicks:
        wave[round(click * rate)] = 0.9
    with av.open(path, "w") as out:
        stream = out.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, av.AudioStream)
        for start in range(0, len(wave), 1024):
            frame = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], "fltp", "mono")
            frame.pts, frame.rate, frame.time_base = start, rate, Fraction(1, rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def click_times(path: Path, track: int = 0) -> list[float]:
    """When a click is heard, in seconds after the first picture is shown."""
    with av.open(path) as container:
        shown = next(container.decode(video=0)).time or 0.0
    found: list[float] = []
    with av.open(path) as container:
        flat = av.AudioResampler(format="flt")
        for frame in container.decode(container.streams.audio[track]):
            samples = np.concatenate([f.to_ndarray().reshape(-1) for f in flat.resample(frame)])
            step = frame.sample_rate
            at = [(frame.time or 0.0) + float(i) / step for i in np.flatnonzero(samples > 0.3)]
            found += [time - shown for time in at if not found or time - shown > found[-1] + 0.01]
    return found


def make_subtitles(path: Path, text: str = SUBTITLES) -> Path:
    """A file of subtitles."""
    path.write_text(text, encoding="utf-8")
    return path
