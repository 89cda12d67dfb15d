"""Show a render's progress in a window of one's own: a function that is called, with a method for what comes before and after.

python examples/python/own_progress.py SHOT OUT
"""

import sys
from pathlib import Path

import nightfx


class Window:
    """Says what a window would show; `lines` are all that it said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, done: int, expected: int | None) -> None:
        """Hear that so many frames are done."""
        self._show(f"{done} of {expected or '?'} frames")

    def stage(self, name: str, done: int = 0, expected: int | None = None) -> None:
        """Hear of what is done before and after the frames, such as preparing and joining."""
        self._show(f"{name} {done}/{expected}" if expected else name)

    def _show(self, line: str) -> None:
        self.lines.append(line)
        print(line, end="\r", flush=True)


def render_in_a_window(shot: Path, out: Path) -> Window:
    """Render a shot, and return the window that showed it."""
    window = Window()
    options = nightfx.RenderOptions.of(overwrite=True)
    nightfx.render(shot, out, preset="night", options=options, on_progress=window)
    return window


if __name__ == "__main__":
    render_in_a_window(Path(sys.argv[1]), Path(sys.argv[2]))
