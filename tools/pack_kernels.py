"""Compile nightfx's kernels for a wheel, so that a render's first frame waits for none.

python tools/pack_kernels.py [--out nightfx/kernels_bundled]

Renders a few frames of the example clip in each way a picture may be coded, by nightfx as it is installed, keeps what is
compiled meanwhile, and puts it where `python -m build --wheel` takes it from. It is for one Python and one numba: with
others nightfx compiles for itself. About ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from numba.core.caching import UserWideCacheLocator

ROOT = Path(__file__).parents[1]
STREET = ROOT / "examples" / "street.mp4"
PACKAGE = ROOT / "nightfx"
FRAMES = 3
CODED = {
    "yuv420p.mp4": ("libx264", "yuv420p"),
    "yuv422p.mp4": ("libx264", "yuv422p"),
    "yuv444p.mp4": ("libx264", "yuv444p"),
    "yuv420p10.mkv": ("libx265", "yuv420p10le"),
    "yuv422p10.mov": ("prores_ks", "yuv422p10le"),
    "yuva444p10.mov": ("prores_ks", "yuva444p10le"),
    "yuv444p10.mkv": ("libx264", "yuv444p10le"),
    "rgb.mkv": ("ffv1", "bgr0"),
    "rgb16.mkv": ("ffv1", "gbrp16le"),
}
"""Clips that are rendered, and how they are coded."""
RENDERS: dict[str, list[str]] = {
    "": [],
    ".draft": ["--draft", "--field-every", "4"],
    ".tiles": ["--method", "tiles"],
    ".grain": ["--grain", "0.02", "--strength", "0.5"],
    ".moon": ["--to", "day-for-night"],
}
"""What else each is rendered with."""
LOOKS: dict[str, list[str]] = {
    ".passes.mkv": ["--passes", "passes"],
    ".log.mkv": ["--input-space", "slog3-sgamut3cine"],
    ".pq.mkv": ["--input-space", "pq"],
    ".hlg.mkv": ["--input-space", "hlg"],
}
"""What one clip alone is rendered with."""


def main() -> None:
    """Compile, and put what was compiled into the package."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=PACKAGE / "kernels_bundled")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder)
        kept = made / "kernels"
        for command in commands(made):
            run(command, kept)
        count = gather(kept, args.out)
    print(f"{args.out}: {count} kernels")


def commands(folder: Path) -> Iterator[list[str]]:
    """Yield the renders, as what follows `nightfx`."""
    for name, (codec, pix_fmt) in CODED.items():
        source = folder / name
        write_clip(source, codec, pix_fmt)
        for kind, options in RENDERS.items():
            target = source.with_suffix(f"{kind}.out{source.suffix}")
            to = [] if "--to" in options else ["--to", "night"]
            yield ["render", str(source), "-o", str(target), *to, *options]
    source = folder / "yuv420p10.mkv"
    for kind, options in LOOKS.items():
        extra = [str(folder / x) if x == "passes" else x for x in options]
        yield ["render", str(source), "-o", f"{source}{kind}", "--to", "night", *extra]
    for suffix in (".png", ".exr"):
        first = folder / f"still{suffix}"
        yield ["render", str(folder / "rgb16.mkv"), "-o", str(folder / f"seq.####{suffix}")]
        yield ["render", str(folder / f"seq.1001{suffix}"), "-o", str(first)]
    yield ["mattes", str(folder / "yuv420p.mp4"), "-o", str(folder / "mattes")]


def write_clip(path: Path, codec: str, pix_fmt: str) -> None:
    """Write the first frames of the example clip in another coding."""
    with av.open(str(STREET)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream(codec, 24, pix_fmt=pix_fmt, width=640, height=360)
        assert isinstance(stream, av.VideoStream)
        for _, frame in zip(range(FRAMES), source.decode(video=0), strict=False):
            picture = frame.to_ndarray(format="rgb24")[::2, ::2].astype(np.uint8)
            target.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        target.mux(stream.encode())


def run(command: list[str], kept: Path) -> None:
    """Run nightfx with no kernels but those that were compiled before in here."""
    print("nightfx", *command, flush=True)
    env = os.environ | {"NUMBA_CACHE_DIR": str(kept)}
    done = subprocess.run(
        [sys.executable, "-m", "nightfx", *command],
        env=env, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        print(done.stderr.strip().splitlines()[-1:])


def gather(kept: Path, out: Path) -> int:
    """Copy what numba keeps by a hash of each folder to the folder's own name; returns how many kernels there are."""
    shutil.rmtree(out, ignore_errors=True)
    for folder in (PACKAGE, *(x for x in PACKAGE.rglob("*") if x.is_dir())):
        found = kept / UserWideCacheLocator.get_suitable_cache_subpath(str(folder / "x.py"))
        if found.is_dir():
            shutil.copytree(found, out / folder.relative_to(PACKAGE))
    return sum(1 for _ in out.rglob("*.nbc"))


if __name__ == "__main__":
    main()
