"""Broken files end as whole ones do: rendered, or refused in one line; nothing else, and no file left behind.

`NIGHTFX_MUTANTS=500 python -m pytest tests/test_fuzz.py` breaks more of them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from media import LATE, Clip, make_clip
from mutants import mutant
from PIL import Image
from streams import make_sound
from worker import Worker

from nightfx.presets import Preset

COUNT = int(os.environ.get("NIGHTFX_MUTANTS", "40"))
TIMEOUT_SECONDS = 60
MOST_MB = 2500  # torch, its kernels and small pictures take about 600


def plates(folder: Path) -> list[Path]:
    """Twenty small files of the kinds that the project reads."""
    pcm = ((make_sound(folder / "pcm.wav", seconds=0.2), "ita"),)
    x265 = {"x265-params": "log-level=none"}
    clips = {
        "a.mp4": Clip(sound=True),
        "b.mp4": Clip(times=LATE, chapters=True, metadata={"title": "Day"}),
        "c.mp4": Clip("libx265", "yuv420p10le", options=x265),
        "d.mov": Clip("prores", "yuv422p10le", timecode="01:00:00:00", tracks=pcm),
        "e.mov": Clip("png", "rgba", tags=(1, 13, 0, 2)),
        "f.mov": Clip("mjpeg", "yuvj420p", tags=(1, 1, 1, 2)),
        "g.mov": Clip(rotation=90),
        "h.mkv": Clip("ffv1", "yuv420p10le"),
        "i.mkv": Clip("ffv1", "gbrp16le", tags=(1, 1, 0, 2)),
        "j.mkv": Clip(sound=True, chapters=True),
        "k.webm": Clip("libvpx-vp9", options={"deadline": "realtime"}),
        "l.avi": Clip("mpeg4"),
        "m.ts": Clip(sound=True),
        "o.mkv": Clip("libsvtav1", "yuv420p10le", size=(64, 64)),
        "p.mov": Clip("prores_ks", "yuva444p10le", options={"profile": "4444"}),
        "q.mp4": Clip(cover=True),
    }
    made = [make_clip(folder / name, clip) for name, clip in clips.items()]
    for suffix in ("png", "jpg", "tif", "webp"):
        Image.effect_noise((48, 32), 60).convert("RGB").save(folder / f"r.{suffix}")
        made.append(folder / f"r.{suffix}")
    return made


def test_a_broken_file_is_rendered_or_refused(
    tmp_path: Path, identity: Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SVT_LOG", "1")  # its banner does not go through FFmpeg
    (tmp_path / "whole").mkdir()
    whole = plates(tmp_path / "whole")
    out = tmp_path / "out"
    ends = {"rendered": 0, "refused": 0}
    with Worker(TIMEOUT_SECONDS) as worker:
        for seed in range(COUNT):
            source = whole[seed % len(whole)]
            broken = tmp_path / f"broken{source.suffix}"
            broken.write_bytes(mutant(source.read_bytes(), seed))
            out.mkdir()
            keep = ["--keep-going"] if seed % 2 else []
            words = ["render", broken, "--to", identity.folder, "-o", out, "--end", 1]
            answer = worker.call(*words, "--speed", "ultrafast", "--working-height", 64, *keep)
            left = sorted(path.name for path in out.iterdir())
            ending = "rendered" if answer.code == 0 else "refused" if answer.refusal else "broke"
            assert ending in ends, (seed, source.name, answer)
            assert len(left) == (ending == "rendered"), (seed, source.name, left)
            assert answer.peak_mb < MOST_MB, (seed, source.name, answer.peak_mb)
            ends[ending] += 1
            for path in out.iterdir():
                path.unlink()
            out.rmdir()
    assert sum(ends.values()) == COUNT
    assert min(ends.values()) > 0, ends


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.png"])
def test_a_picture_of_too_many_pixels_is_refused(
    tmp_path: Path, identity: Preset, name: str
) -> None:
    import nightfx
    from nightfx.errors import SourceError

    source = tmp_path / name
    if name.endswith("png"):
        Image.new("RGB", (64, 48)).save(source)
    else:
        make_clip(source, Clip("ffv1") if name == "a.mkv" else Clip())
    options = nightfx.RenderOptions(max_pixels=64 * 48 - 1)
    with pytest.raises(SourceError, match=r"3071 pixels"):
        nightfx.render(source, preset=identity, options=options)
    assert nightfx.render(
        source, preset=identity, options=nightfx.RenderOptions(max_pixels=64 * 48)
    ).exists()
