"""NEXET, the data set of the paper: what its 2017 release looks like, and what is missing of it.

Nexar released it for its second challenge in July 2017. It may not be passed on, so nightfx cannot fetch it.
"""

from __future__ import annotations

from pathlib import Path

from nightfx.errors import TrainingError
from nightfx.training.data.decode import PICTURE_SUFFIXES
from nightfx.training.data.listed import read_rows

FOLDER, TABLE = "nexet_2017_1", "train.csv"
_COLUMNS = ("image_filename", "lighting")
PICTURES = 17_000  # what the paper found in it, about; 1280×720
ASK = (
    "NEXET may not be passed on. Ask Nexar (https://www.getnexar.com), who released it in 2017 for the"
    " Nexar Challenge II, or whoever holds a copy under their terms; unpack it so that DIR holds"
    f" {FOLDER}/ with the pictures and {TABLE} with the columns {' and '.join(_COLUMNS)}."
)


def check_nexet(root: Path) -> tuple[list[str], list[str]]:
    """Return what was found of NEXET in `root` or up to two folders below, and what is missing, a line each."""
    if not root.is_dir():
        return [], [f"{root}: no such folder"]
    found: list[str] = []
    missing: list[str] = []
    pictures = _find(root, FOLDER)
    if pictures is None:
        missing.append(f"{FOLDER}/: about {PICTURES} pictures of 1280x720")
    else:
        count = sum(path.suffix.lower() in PICTURE_SUFFIXES for path in pictures.rglob("*"))
        line = f"{pictures}: {count} pictures; the paper had about {PICTURES}"
        (found if count >= 0.95 * PICTURES else missing).append(line)
    _check_table(_find(root, TABLE), found, missing)
    return found, missing


def _find(root: Path, name: str) -> Path | None:
    places = (root, *sorted(root.glob("*")), *sorted(root.glob("*/*")))
    return next((place / name for place in places if (place / name).exists()), None)


def _check_table(table: Path | None, found: list[str], missing: list[str]) -> None:
    if table is None:
        missing.append(f"{TABLE}: labels of lighting, needed only for --labels")
        return
    try:
        found.append(f"{table}: {len(read_rows(table, _COLUMNS))} labels")
    except TrainingError as error:
        missing.append(str(error))


def commands(root: Path) -> list[str]:
    """How to prepare it: as the paper did, by brightness, or by its own labels."""
    pictures, table = _find(root, FOLDER), _find(root, TABLE)
    call = f"nightfx dataset prepare {pictures or root / FOLDER} --out nexet"
    return [call, *([f"{call} --labels {table}"] if table else [])]
