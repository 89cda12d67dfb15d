"""Names of numbered files: `shot.####.exr` is a pattern, with `@@@@`, `%04d` and `$F4` as fileseq reads them.

The number may stand anywhere in the name: `sh_####_beauty.exr`, `sh_####_v002.exr`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

from nightfx.errors import SourceError
from nightfx.picture import FIRST_FRAME
from nightfx.source import image, still

SUFFIXES = {*still.FORMATS, *image.SUFFIXES}
_LONE_SUFFIXES = {".png", ".tif", ".tiff"}  # JPEG files are more often photographs
_MOST_WORDS = 80  # for missing numbers, in a line for the user
# what stands before the place may be the range that is meant, as fileseq writes it: `shot.1001-1048####.exr`
_PATTERN = re.compile(
    r"(?P<base>.*?)(?:(?<!\d)-?\d+-\d+)?(?P<place>#+|@+|%0?\d*d|\$F\d*)(?P<tail>[^#@%$]*\.\w+)"
)
_LAST_NUMBER = re.compile(r"(?:(?<=[._])-)?\d+$")
_INNER_NUMBER = re.compile(r"(?<![vV\d])\d{3,}(?=\D*(?:[vV]\d+\D*)?$)")  # a version may follow it


def is_sequence(path: Path) -> bool:
    """Say whether a path names a sequence: a pattern of numbers, or one file that OpenImageIO reads.

    That is any EXR and DPX, and TIFF where it is installed: it knows more kinds of them.
    """
    if path.suffix.lower() not in SUFFIXES:
        return False
    return is_pattern(path) or still.by_openimageio(path)


def is_pattern(path: Path) -> bool:
    """Say whether a name has a place for a number: `####`, `@@@@`, `%04d` or `$F4`."""
    known = path.suffix.lower() in SUFFIXES and not path.exists()
    return known and _PATTERN.fullmatch(path.name) is not None


def is_still(path: Path) -> bool:
    """Say whether a path names files of one picture each, by its suffix: one, or a pattern of them."""
    return path.suffix.lower() in SUFFIXES


def sequences_in(folder: Path) -> list[Path]:
    """The patterns of numbered EXR and DPX files in a folder."""
    films = SUFFIXES - set(image.SUFFIXES)
    return sorted(folder / name for name in _patterns_in(folder, films))


def lone_sequence(folder: Path) -> Path | None:
    """The pattern of a folder's PNG or TIFF files, where they are the frames of one name and nothing else of their kind."""
    alike = _patterns_in(folder, _LONE_SUFFIXES)
    (name, count), *others = [*alike.items(), ("", 0)]
    return folder / name if count > 1 and others == [("", 0)] else None


def base_name(path: Path) -> str:
    """The name without number and suffix: `shot` of `shot.####.exr` and of `shot.mp4`."""
    if not is_pattern(path):
        return path.stem
    named = _named(path)
    tail = named["tail"].removesuffix(path.suffix)
    return (named["base"].rstrip("._-") + tail).lstrip("" if named["base"] else "._-")


def padding_of(pattern: Path) -> str:
    """The place for a number in a pattern, as it is written: `####`."""
    return str(_named(pattern)["place"])


def file_of(pattern: Path, number: int) -> Path:
    """The path of a frame."""
    if not is_pattern(pattern):
        return pattern
    named = _named(pattern)
    return pattern.with_name(f"{named['base']}{_padded(number, named['place'])}{named['tail']}")


def frames_on_disk(pattern: Path) -> dict[int, Path]:
    """The files of a sequence by their numbers, in order; raises SourceError where there are none."""
    if not is_pattern(pattern):
        if not pattern.is_file():
            raise SourceError(f"{pattern}: no such file")
        return {_number_of(pattern): pattern}
    found = _numbered_like(pattern)
    if not found:
        raise SourceError(f"{pattern}: no such files")
    return dict(sorted(found.items()))


def _numbered_like(pattern: Path) -> dict[int, Path]:
    named, folder = _named(pattern), pattern.parent
    name = re.compile(f"{re.escape(named['base'])}(-?[0-9]+){re.escape(named['tail'])}")
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    numbers = [(int(match[1]), match) for match in map(name.fullmatch, names) if match]
    return {n: folder / m[0] for n, m in numbers if _padded(n, named["place"]) == m[1]}


def existing_files(target: Path) -> list[Path]:
    """The files that stand where a sequence is to be written."""
    if not is_pattern(target):
        return [target] if target.exists() else []
    try:
        return list(frames_on_disk(target).values())
    except SourceError:
        return []


def _patterns_in(folder: Path, suffixes: set[str]) -> dict[str, int]:
    """The names, patterns where they have numbers, of a folder's files with such suffixes, and how many each stands for."""
    from fileseq import findSequencesOnDisk
    from fileseq.constants import PAD_STYLE_HASH1

    found, inner = dict[str, int](), defaultdict[str, list[tuple[int, str]]](list)
    for one in findSequencesOnDisk(str(folder), pad_style=PAD_STYLE_HASH1):
        if one.extension().lower() not in suffixes or one.basename().startswith("."):
            continue
        name = f"{one.basename()}{one.padding()}{one.extension()}"
        found[name] = len(one)
        number = _INNER_NUMBER.search(Path(one.frame(one.start())).stem if len(one) == 1 else "")
        if number:
            hashes = "#" * len(number[0])
            pattern = f"{number.string[: number.start()]}{hashes}{number.string[number.end() :]}"
            inner[f"{pattern}{one.extension()}"].append((int(number[0]), name))
    for pattern, files in inner.items():
        if any(b - a == 1 for (a, _), (b, _) in pairwise(sorted(files))):
            found[pattern] = len(files)
            for _, name in files:
                found.pop(name, None)
    return found


def _named(pattern: Path) -> re.Match[str]:
    named = _PATTERN.fullmatch(pattern.name)
    assert named, pattern
    return named


def _padded(number: int, place: str) -> str:
    width = len(place) if place[0] in "#@" else int(place.strip("%d$F") or 1)
    return str(number).zfill(width)


def _number_of(path: Path) -> int:
    number = _INNER_NUMBER.search(path.stem) or _LAST_NUMBER.search(path.stem)
    return int(number[0]) if number else FIRST_FRAME


def missing_numbers(numbers: list[int]) -> str:
    """Return the numbers missing between those in order, as `1003-1004,1008`; empty where none is."""
    gaps = [(a + 1, b - 1) for a, b in pairwise(numbers) if b - a > 1]
    words = ",".join(f"{a}-{b}" if b > a else str(a) for a, b in gaps)
    return words if len(words) <= _MOST_WORDS else f"{words[:_MOST_WORDS].rpartition(',')[0]},…"
