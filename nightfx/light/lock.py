"""The lock of a shot: its global exposure and tint, measured once, held over the shot and carried to others.

A generator that judges frame by frame lets exposure breathe when something bright walks through the picture. A locked
shot has one exposure and one tint: each field is scaled so that it darkens each channel by the same number of stops.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np

from nightfx.apply import Field
from nightfx.disk import load_json, partial_file, to_line
from nightfx.errors import PresetError
from nightfx.picture import Float32

_SHADOW = 1e-3  # of white; keeps the stops of a black frame finite
_VERSION = 1
_MOST_STOPS = 16.0


@dataclass(frozen=True)
class Lock:
    """Stops by which a shot's red, green and blue change on the whole; of values as encoded, not of linear light."""

    stops: tuple[float, float, float]

    def save(self, path: Path) -> None:
        """Write the sidecar, JSON; an unfinished one never has the name. Raises as `partial_file`."""
        with partial_file(path) as part:
            part.write_text(to_line(_Sidecar(_VERSION, self.stops)) + "\n", "utf-8")


@dataclass(frozen=True)
class _Sidecar:
    lock: int
    """The version of such files."""
    stops: tuple[float, float, float]


def load_lock(path: Path) -> Lock:
    """Read a sidecar, `.lock.json`. Raises `PresetError` for what is none."""
    try:
        found = load_json(_Sidecar, path)
    except OSError as error:
        raise PresetError(
            f"{path}: cannot be read ({error.strerror}): --lock writes one"
        ) from error
    except ValueError as error:
        raise PresetError(f"{error}: not a lock: --lock writes one") from error
    if found.lock != _VERSION:
        raise PresetError(f"{path}: a lock of version {found.lock}, {_VERSION} is known")
    if not all(isfinite(stop) and abs(stop) <= _MOST_STOPS for stop in found.stops):
        raise PresetError(f"{path}: stops must be from -16 to 16, got {list(found.stops)}")
    return Lock(found.stops)


def measure_stops(field: Field, cells: Float32) -> Float32:
    """Stops by which the means of red, green and blue of a picture `cells` (3, h, w) change under `field` (12, h, w)."""
    shares = field.reshape(3, 4, *cells.shape[1:])
    lit = (shares[:, :3] * cells).sum(1) + shares[:, 3]
    before, after = (np.maximum(x.mean((1, 2)), 0) + _SHADOW for x in (cells, lit))
    stops: Float32 = np.log2(after / before)
    return stops


def common_lock(stops: Iterable[Float32]) -> Lock:
    """The median over the frames of a shot: a flash or a passing lorry does not move it."""
    red, green, blue = np.median(np.stack(list(stops)), axis=0).round(4).tolist()
    return Lock((red, green, blue))


def hold(field: Field, cells: Float32, lock: Lock) -> Field:
    """`field`, scaled channel by channel so that the means of `cells` change by the stops of `lock`."""
    factors = np.exp2(np.asarray(lock.stops, np.float32) - measure_stops(field, cells))
    held: Field = (field.reshape(3, 4, -1) * factors[:, None, None]).reshape(field.shape)
    return held.astype(np.float32)
