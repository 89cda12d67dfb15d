"""Names of numbered files: `shot.####.exr` is a pattern, with `@@@@`, `%04d` and `$F4` as fileseq reads them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from nightfx.errors import SourceError
from nightfx.picture import FIRST_FRAME
from nightfx.source import image, still

if TYPE_CHECKING:  # where it is used, fileseq is imported: clips do without
    from fileseq.filesequence import FileSequence

SUFFIXES = {*still.FORMATS, *image.SUFFIXES}
_LONE_SUFFIXES = {".png", ".tif", ".tiff"}  # JPEG files are more often photographs
_MOST_WORDS = 80  # for missing numbers, in a line for the user


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
    return known and bool(_named(path).padding())


def sequences_in(folder: Path) -> list[Path]:
    """The patterns of numbered EXR and DPX files in a folder."""
    films = [s for s in _all_in(folder) if s.extension().lower() in SUFFIXES - set(image.SUFFIXES)]
    return sorted(folder / _pattern(s) for s in films if not s.basename().startswith("."))


def lone_sequence(folder: Path) -> Path | None:
    """The pattern of a folder's PNG or TIFF files, where they are the frames of one name and nothing else of their kind."""
    alike = [s for s in _all_in(folder) if s.extension().lower() in _LONE_SUFFIXES]
    if len(alike) != 1 or len(alike[0]) < 2 or alike[0].basename().startswith("."):
        return None
    return folder / _pattern(alike[0])


def base_name(path: Path) -> str:
    """The name without number and suffix: `shot` of `shot.####.exr` and of `shot.mp4`."""
    return _named(path).basename().rstrip("._-") if is_pattern(path) else path.stem


def file_of(pattern: Path, number: int) -> Path:
    """The path of a frame."""
    return Path(_named(pattern).frame(number)) if is_pattern(pattern) else pattern


def frames_on_disk(pattern: Path) -> dict[int, Path]:
    """The files of a sequence by their numbers, in order; raises SourceError where there are none."""
    if not is_pattern(pattern):
        if not pattern.is_file():
            raise SourceError(f"{pattern}: no such file")
        return {_number_of(pattern): pattern}
    from fileseq import findSequenceOnDisk
    from fileseq.constants import PAD_STYLE_HASH1
    from fileseq.exceptions import FileSeqException

    try:
        found = findSequenceOnDisk(str(pattern), strictPadding=True, pad_style=PAD_STYLE_HASH1)
    except FileSeqException as error:
        raise SourceError(f"{pattern}: no such files") from error
    numbers = sorted(int(number) for number in found.frameSet() or ())
    return {number: Path(found.frame(number)) for number in numbers}


def existing_files(target: Path) -> list[Path]:
    """The files that stand where a sequence is to be written."""
    if not is_pattern(target):
        return [target] if target.exists() else []
    try:
        return list(frames_on_disk(target).values())
    except SourceError:
        return []


def _all_in(folder: Path) -> list[FileSequence]:
    from fileseq import findSequencesOnDisk
    from fileseq.constants import PAD_STYLE_HASH1

    return findSequencesOnDisk(str(folder), pad_style=PAD_STYLE_HASH1)


def _named(path: Path) -> FileSequence:
    from fileseq.constants import PAD_STYLE_HASH1
    from fileseq.filesequence import FileSequence

    return FileSequence(str(path), pad_style=PAD_STYLE_HASH1)


def _pattern(found: FileSequence) -> str:
    return f"{found.basename()}{found.padding()}{found.extension()}"


def _number_of(path: Path) -> int:
    numbers = [int(number) for number in _named(path).frameSet() or ()]
    return numbers[0] if numbers else FIRST_FRAME


def missing_numbers(numbers: list[int]) -> str:
    """Return the numbers missing between those in order, as `1003-1004,1008`; empty where none is."""
    gaps = [(a + 1, b - 1) for a, b in pairwise(numbers) if b - a > 1]
    words = ",".join(f"{a}-{b}" if b > a else str(a) for a, b in gaps)
    return words if len(words) <= _MOST_WORDS else f"{words[:_MOST_WORDS].rpartition(',')[0]},…"
