"""`nightfx`, and `python -m nightfx`."""

import gc
import sys
from pathlib import Path

_OF_SHOTS = frozenset(("render", "batch", "plan", "join", "lights", "mattes", "preview", "verify"))


def run() -> None:
    """Run the command line."""
    _say_at_once(sys.argv[1:])
    gc.disable()  # what is imported lives as long as the program: looking through it took a sixth of the start
    from nightfx.cli import main

    gc.enable()
    main()


def _say_at_once(words: list[str]) -> None:
    """Name what a command works on, on a terminal, while what knows commands is loaded; bars and errors are written over it."""
    if (
        words
        and words[0] in _OF_SHOTS
        and not {"--help", "--json"} & {*words}
        and sys.stderr.isatty()
    ):
        shots = (Path(word).name for word in words[1:] if _is_there(word))
        name = next(shots, "nightfx")
        sys.stderr.write(f"  {name}\r")
        sys.stderr.flush()


def _is_there(word: str) -> bool:
    try:
        return word.isprintable() and Path(word).exists()
    except (OSError, ValueError):
        return False


if __name__ == "__main__":
    run()
