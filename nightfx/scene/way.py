"""The cheapest way into a picture from its top edge: what the finder of skies goes by."""

from __future__ import annotations

import numpy as np

from nightfx.picture import Float32, Float64, kernel


@kernel()
def cheapest_way(
    start: Float32,
    v: Float32,
    step: Float64,
    down: Float64,
    per_change: float,
    free: float,
    sweeps: int,
) -> Float32:
    """Return what the cheapest way from the top edge to each pixel of `v` (h, w) costs: (h, w).

    It costs `start` (w,) to enter at the top; then `step` (h, w) to enter a pixel, `down` (h,) more from above, and
    `per_change` for what `v` changes beyond `free`. Few `sweeps` to and fro are needed: skies are plain shapes.
    """
    height, width = v.shape
    d = np.full((height, width), np.float32(1e9))
    d[0] = start
    for _ in range(sweeps):
        for y in range(height):
            for x in range(width):
                if y > 0:
                    edge = per_change * max(abs(v[y, x] - v[y - 1, x]) - free, 0.0)
                    d[y, x] = min(d[y, x], d[y - 1, x] + step[y, x] + edge + down[y])
                if x > 0:
                    edge = per_change * max(abs(v[y, x] - v[y, x - 1]) - free, 0.0)
                    d[y, x] = min(d[y, x], d[y, x - 1] + step[y, x] + edge)
        for y in range(height - 1, -1, -1):
            for x in range(width - 1, -1, -1):
                if y < height - 1:
                    edge = per_change * max(abs(v[y, x] - v[y + 1, x]) - free, 0.0)
                    d[y, x] = min(d[y, x], d[y + 1, x] + step[y, x] + edge)
                if x < width - 1:
                    edge = per_change * max(abs(v[y, x] - v[y, x + 1]) - free, 0.0)
                    d[y, x] = min(d[y, x], d[y, x + 1] + step[y, x] + edge)
    return d
