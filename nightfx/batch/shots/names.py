"""What names and paths of other machines mean: URLs, Windows paths, and numbers of pictures written in many ways."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from unicodedata import normalize
from urllib.parse import unquote

from nightfx.source import (
    FORMATS,
    SUFFIXES,
    existing_files,
    is_pattern,
    lone_sequence,
    sequences_in,
)

_PICTURES = {*FORMATS, *SUFFIXES}  # whose names may be numbered
_FRAMES = {*FORMATS, ".png", ".tif", ".tiff"}  # JPEG files are more often photographs
_SCHEME = re.compile(r"[A-Za-z][\w+.-]+:")  # longer than the letter of a drive
_RANGE = re.compile(r"\[(-?\d+)-(-?\d+)\]")
_PADDING = re.compile(r"%0(\d)d|@+|#+|\$F(\d)")
_NUMBERED = re.compile(r"(.*?[._-]?)(-?\d+)(\.\w+)")


def said_paths(text: str) -> Iterator[str]:
    """What a URL or a path may mean: its `%20` read, and as it is. `#` and `?` are letters, for files have them."""
    scheme = _SCHEME.match(text)
    if not scheme:
        yield from dict.fromkeys((text, unquote(text)))
        return
    if scheme[0].lower() != "file:":
        yield text.partition("?")[0]  # of which the name counts
        return
    host, slash, path = text[5:].removeprefix("//").partition("/")
    if not text[5:].startswith("//"):
        host, slash, path = "", "", text[5:]
    path = f"{slash}{path}" if host in ("", "localhost") else f"//{host}/{path}"
    yield from dict.fromkeys((unquote(path), path))


def names_in(paths: Iterable[str]) -> list[str]:
    """The names at the end of paths, of whatever machine."""
    return [re.split(r"[\\/]", said)[-1] for text in paths for said in said_paths(text)]


def folders_in(path: str) -> list[str]:
    """The names of the folders above a file, the nearest first, as they are compared."""
    return [key_of(name) for name in re.split(r"[\\/]", path)[-2::-1]]


def first_number(paths: Iterable[str]) -> int | None:
    """The number of the first picture, where a path names it: `a.[0991-1030].png`, `a.0991.png`."""
    for name in names_in(paths):
        if found := _RANGE.search(name):
            return int(found[1])
        if as_pattern(name) and (numbered := _NUMBERED.fullmatch(name)):
            return int(numbered[2])
    return None


def on_disk(path: Path) -> Path | None:
    """The file, or the sequence, that a path names; one file of several that are numbered stands for all."""
    try:
        path = path.with_name(as_hashes(path.name)) if path.name and not path.exists() else path
        files = existing_files(path)
    except (OSError, ValueError):  # too long a name, a folder that is closed
        return None
    if not files:
        return None
    if path.suffix.lower() in _FRAMES and not is_pattern(path):
        found = (p for p in all_sequences(path.parent) if path in existing_files(p))
        return next((p for p in found if len(existing_files(p)) > 1), path)
    return path


def all_sequences(folder: Path) -> list[Path]:
    """The patterns of a folder's numbered pictures of any kind."""
    lone = lone_sequence(folder)
    found = {*sequences_in(folder), *([lone] if lone else [])}
    names = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in _FRAMES)
    patterns = {folder / as_hashes(name) for each in names if (name := as_pattern(each))}
    return sorted(found | {path for path in patterns if len(existing_files(path)) > 1})


def as_hashes(name: str) -> str:
    """A name whose number is written otherwise, with `#`: `a.[0991-1030].png`, `a.%04d.png`."""
    name = _RANGE.sub(lambda found: "#" * len(found[1]), name)
    return _PADDING.sub(lambda found: "#" * int(found[1] or found[2] or len(found[0])), name)


def as_pattern(name: str) -> str:
    """The pattern of a numbered picture's name; empty for other names."""
    found = _NUMBERED.fullmatch(name)
    if not found or found[3].lower() not in _PICTURES:
        return ""
    return f"{found[1]}{'#' * len(found[2])}{found[3]}"


def key_of(name: str) -> str:
    """A name as it is compared: letters of any case and any Unicode form, numbers of any length."""
    return re.sub(r"#+", "#", as_hashes(normalize("NFC", name)).casefold())
