"""The file of a network whose features tell sets of pictures apart."""

from __future__ import annotations

from pathlib import Path

from nightfx.errors import SourceError, UsageError

_TORCHSCRIPT = {".pt", ".pth", ".ts", ".torchscript"}


def check_features(path: Path, *, trusted: bool = False) -> None:
    """Raise `UsageError` for a file of another kind, or of TorchScript that is not `trusted`, and `SourceError` for none.

    TorchScript is a program, which loading runs with your rights.
    """
    kind = path.suffix.lower()
    if kind != ".onnx" and kind not in _TORCHSCRIPT:
        raise UsageError(f"{path}: features come from TorchScript (.pt) or ONNX (.onnx)")
    if kind in _TORCHSCRIPT and not trusted:
        raise UsageError(
            f"{path}: TorchScript can run any code: add --trust-features if you know where it is from"
        )
    if not path.is_file():
        raise SourceError(f"{path}: no such file")
