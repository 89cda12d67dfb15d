"""Let night fall within a shot: a look whose values are keyframes.

python examples/python/keyframed_look.py SHOT OUT
"""

import sys
from pathlib import Path

import nightfx

FIRST = 1001  # a clip's frames count from it


def night_falls(shot: Path, out: Path, frames: int = 48) -> Path:
    """Render a clip that begins by day and is night after so many frames, its glow coming last."""
    look = nightfx.Look(
        strength=((FIRST, 0.0), (FIRST + frames, 1.0)),
        glow=((FIRST + frames // 2, 0.0), (FIRST + frames, 0.4)),
    )
    options = nightfx.RenderOptions.of(look=look, overwrite=True)
    return nightfx.render(shot, out, preset="night", options=options)


if __name__ == "__main__":
    print(night_falls(Path(sys.argv[1]), Path(sys.argv[2])))
