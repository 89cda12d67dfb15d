"""Broken files end as whole ones do: rendered, or refused in one line; nothing else, and no file left behind.

`NIGHTFX_MUTANTS=500 python -m pytest tests/test_fuzz.py` breaks more of them.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import Literal

import numpy as np
import OpenImageIO
import pytest
from media import LATE, Clip, make_clip
from mutants import mutant
from PIL import Image
from streams import make_sound
from worker import Worker

from nightfx.network.presets import Preset

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
            answer = worker.call(
                *words, "--speed", "ultrafast", "--method", "relight", "--working-height", 64, *keep
            )
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
    options = nightfx.RenderOptions.of(max_pixels=64 * 48 - 1)
    with pytest.raises(SourceError, match=r"3071 pixels"):
        nightfx.render(source, preset=identity, options=options)
    assert nightfx.render(
        source, preset=identity, options=nightfx.RenderOptions.of(max_pixels=64 * 48)
    ).exists()


def absurd(folder: Path, name: str) -> Path:
    """A small file whose header claims 60000 × 60000 px."""
    path, claim = folder / name, 60000
    if name.endswith(("exr", "dpx", "tif")):
        spec = OpenImageIO.ImageSpec(64, 48, 3, "half" if name.endswith("exr") else "uint16")
        out = OpenImageIO.ImageOutput.create(str(path))
        assert out
        assert out.open(str(path), spec)
        assert out.write_image(np.zeros((48, 64, 3), np.float32))
        assert out.close()
    elif name.endswith("png"):
        Image.new("RGB", (64, 48)).save(path)
    else:
        make_clip(path, Clip("rawvideo", "bgr24", size=(48, 64), count=2))
    data, edges = bytearray(path.read_bytes()), {".exr": (63, 47)}.get(path.suffix, (64, 48))
    order: Literal["big", "little"] = "big" if path.suffix == ".png" else "little"
    header, found = data[:2200], 0
    for size in {2, 4} if path.suffix == ".tif" else {4}:
        for old in edges:
            pattern = old.to_bytes(size, order)
            at = header.find(pattern, 4)
            while at >= 0:
                data[at : at + size] = claim.to_bytes(size, order)
                found += 1
                at = header.find(pattern, at + size)
    assert found >= 2, name
    if path.suffix == ".png":
        data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    path.write_bytes(data)
    return path


def test_a_file_that_claims_an_absurd_size_takes_no_memory(
    tmp_path: Path, identity: Preset
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with Worker(TIMEOUT_SECONDS) as worker:
        for name in ("a.png", "a.exr", "a.dpx", "a.tif", "a.avi"):
            source = absurd(tmp_path, name)
            answer = worker.call("render", source, "--to", identity.folder, "-o", out)
            assert answer.refusal, (name, answer)
            assert answer.peak_mb < MOST_MB, (name, answer.peak_mb)
            assert not list(out.iterdir())
