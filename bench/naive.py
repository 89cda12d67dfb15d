"""What one would write without nightfx: OpenCV in and out, and the network over tiles, one at a time."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from nightfx.network.model import Generator

TILE_PX = 256
OVERLAP_PX = 32  # with less, the seams show; they are not gone with it


@torch.inference_mode()
def naive_picture(generator: Generator, rgb: np.ndarray) -> np.ndarray:
    """A picture (3, H, W) in [0, 1] in tiles of 256 px that overlap by 32, eager float32, as the weights lie."""
    x = torch.from_numpy(rgb)[None]
    out, edge = torch.empty_like(x), OVERLAP_PX // 2
    for top in _starts(x.shape[2]):
        for left in _starts(x.shape[3]):
            tile = slice(top, top + TILE_PX), slice(left, left + TILE_PX)
            lit = generator(x[(..., *tile)])
            up, aside = (edge if start else 0 for start in (top, left))
            out[..., top + up : tile[0].stop, left + aside : tile[1].stop] = lit[..., up:, aside:]
    return out[0].numpy()


def _starts(length: int) -> list[int]:
    """Where tiles begin; the last one is moved back to end with the picture."""
    step = TILE_PX - OVERLAP_PX
    return [min(start, length - TILE_PX) for start in range(0, length - OVERLAP_PX, step)]


def naive_render(generator: Generator, source: Path, target: Path, most_frames: int) -> int:
    """Light the first frames of a clip: cv2.VideoCapture to cv2.VideoWriter; returns how many."""
    clip = cv2.VideoCapture(str(source))
    size = int(clip.get(cv2.CAP_PROP_FRAME_WIDTH)), int(clip.get(cv2.CAP_PROP_FRAME_HEIGHT))
    code = cv2.VideoWriter.fourcc(*"mp4v")
    out = cv2.VideoWriter(str(target), code, clip.get(cv2.CAP_PROP_FPS), size)
    assert clip.isOpened(), f"cv2 does not read {source}"
    assert out.isOpened(), "cv2 has no encoder for mp4v"
    done = 0
    while done < most_frames and (read := clip.read())[0]:
        bgr = read[1].astype(np.float32) / 255
        lit = naive_picture(generator, np.ascontiguousarray(bgr[..., ::-1].transpose(2, 0, 1)))
        codes = (lit.clip(0, 1) * 255 + 0.5).astype(np.uint8)
        out.write(np.ascontiguousarray(codes.transpose(1, 2, 0)[..., ::-1]))
        done += 1
    clip.release()
    out.release()
    return done
