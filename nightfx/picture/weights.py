"""Luma is the brightness of a signal as a sum of its red, green and blue; the weights of the sum, once for all."""

from __future__ import annotations

import numpy as np

from nightfx.picture.frame import Float32

BT709 = (0.2126, 0.7152, 0.0722)
BT601 = (0.299, 0.587, 0.114)  # those of the brightness HSP too, which the paper sorts by

_BT709 = np.array(BT709, np.float32)


def luma(rgb: Float32) -> Float32:
    """BT.709 luma (H, W) of a picture (3, H, W)."""
    found: Float32 = np.tensordot(_BT709, rgb, axes=1)
    return found
