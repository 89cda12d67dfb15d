"""Where the weights of the scene network lie, known without torch."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
# a wheel carries the weights inside the package; a source tree (and so an editable install) beside it
_BUNDLED = (_PACKAGE / "scene_bundled", _PACKAGE.parent / "scene")


def bundled_scene() -> Path:
    """The file of the weights that come along."""
    files = [folder / "weights.safetensors" for folder in _BUNDLED]
    return next((path for path in files if path.is_file()), files[-1])
