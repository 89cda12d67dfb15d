"""What becomes of a pixel through a matte: partly ground, under one change of light, and partly sky, under another.

A pixel p that is sky to the share m is (1 − m) f + m B: what stands before the sky, and the sky's own colour there. With F
the ground's change of light, S the sky's, both affine, its night is (1 − m) F(f) + m S(B), which is F(p) + m (S(B) − F(B)).
Where the sky is clear, its clouds and its grain are the sky's own, and it becomes S(p). Between both w rises from 0 to 1:

    (1 − w) (F(p) + m (S(B) − F(B))) + w S(p)

That is affine in p. Where m is 0 it is F(p), bit for bit.
"""

from __future__ import annotations

import numpy as np

from nightfx.picture import BT709, Float32, kernel, prange

# of alpha: from here on what differs from the sky's colour is the sky's own
_OWN_FROM, _PER_OWN = np.float32(0.8), np.float32(5)
# of the sky's luma: what is this dark stands before the sky, whatever the matte says; and what is as bright as this need not
_DARK, _PER_CLEAR = np.float32(0.4), np.float32(1 / (0.7 - 0.4))
_NONE, _ONE, _TWO, _THREE = (
    np.float32(x) for x in range(4)
)  # a plain number makes all of it float64


@kernel()
def shares_of(
    alpha: np.float32, luma: np.float32, day: np.float32
) -> tuple[np.float32, np.float32]:
    """Return w and (1 − w) m of a pixel, by its matte, its luma and that of the sky by day.

    Nothing dark is clear sky: of a pixel half as bright as the sky no more than half can be. So no sky is taken from what
    never had any, and what is left is neither below black nor brighter than it was.
    """
    bright = max(luma, _NONE) / max(day, np.float32(1e-6))
    own = _smooth((bright - _DARK) * _PER_CLEAR) * _smooth((alpha - _OWN_FROM) * _PER_OWN)
    return own, (_ONE - own) * min(alpha, bright)


@kernel()
def _smooth(t: np.float32) -> np.float32:
    t = min(max(t, _NONE), _ONE)
    return t * t * (_THREE - _TWO * t)


@kernel(parallel=True)
def write_shares(work: Float32, day: Float32, alpha: Float32, shares: Float32) -> None:
    """Write to `shares` (2, h, w) those of a picture `work` (3, h, w), whose sky by day is `day` (3, h, w), all in one encoding."""
    red, green, blue = np.float32(BT709[0]), np.float32(BT709[1]), np.float32(BT709[2])
    _, height, width = work.shape
    for y in prange(height):
        for x in range(width):
            own = red * work[0, y, x] + green * work[1, y, x] + blue * work[2, y, x]
            around = red * day[0, y, x] + green * day[1, y, x] + blue * day[2, y, x]
            shares[0, y, x], shares[1, y, x] = shares_of(alpha[y, x], own, around)
