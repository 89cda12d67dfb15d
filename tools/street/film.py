"""The example clip as a file: its frames as video, and the sound of a street."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

RATE, BT709, LIMITED = 48000, 1, 1  # of the sound; the tags of the video


def encode(paths: list[Path], target: Path, rate: Fraction, crf: int) -> None:
    """Write the clip as H.264 with sound and a start timecode."""
    with av.open(str(target), "w", options={"movflags": "+faststart"}) as file:
        video = file.add_stream("libx264", rate=rate, options={"crf": str(crf), "preset": "slow"})
        first = next(pictures(paths, rate))
        video.width, video.height, video.pix_fmt = first.width, first.height, "yuv420p"
        context = video.codec_context
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = LIMITED
        video.metadata["timecode"] = "01:00:00:00"
        audio = file.add_stream("aac", rate=RATE, layout="stereo")
        for frame in pictures(paths, rate):
            file.mux(video.encode(frame))
        file.mux(video.encode())
        sound_track(file, audio, len(paths) / float(rate))


def pictures(paths: list[Path], rate: Fraction) -> Iterator[av.VideoFrame]:
    """Yield the rendered frames as BT.709 video."""
    for i, path in enumerate(paths):
        with av.open(str(path)) as image:
            frame = next(image.decode(video=0))
        spaces: dict[str, Any] = {"src_colorspace": "ITU709", "dst_colorspace": "ITU709"}
        ranges: dict[str, Any] = {"src_color_range": "JPEG", "dst_color_range": "MPEG"}
        made = frame.reformat(format="yuv420p", **spaces, **ranges)
        made.color_primaries = made.color_trc = BT709
        made.pts, made.time_base = i, 1 / rate
        yield made


def sound_track(file: Any, stream: Any, seconds: float) -> None:
    """Write the sound of the street."""
    sound = av.AudioFrame.from_ndarray(ambience(seconds, RATE), "fltp", "stereo")
    sound.rate = RATE
    file.mux(stream.encode(sound))
    file.mux(stream.encode())


def ambience(seconds: float, rate: int) -> np.ndarray:
    """Return a stereo street: a soft rumble and a car that passes from left to right."""
    rng, n = np.random.default_rng(7), int(seconds * rate)
    hertz = np.fft.rfftfreq(n, 1 / rate)

    def noise(middle: float) -> np.ndarray:
        raw = np.fft.rfft(rng.standard_normal(n)) / (1 + (hertz / middle) ** 2) * (hertz > 30)
        wave = np.fft.irfft(raw, n)
        return np.asarray(wave / np.abs(wave).max())

    t = np.arange(n) / rate
    swell = np.exp(-(((t - 0.6 * seconds) / 0.45) ** 2))
    pan = np.clip((t - 0.6 * seconds) / 1.2 + 0.5, 0, 1)
    swoosh, fade = noise(900) * swell * 0.45, np.clip(np.minimum(t, seconds - t) / 0.15, 0, 1)
    sides = [noise(160) * 0.22 + swoosh * np.cos(s * np.pi / 2) for s in (pan, 1 - pan)]
    return (np.stack(sides) * fade).astype(np.float32)
