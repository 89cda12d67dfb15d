"""Compiled kernels of all test runs, in one place: each is compiled once for what its source says, by whichever process needs it first.

numba goes by the folder of a source, so every fresh checkout would compile for minutes what another one has, and by the
text of one file, so it would not see a change in what a kernel calls in others. To be imported before nightfx is.
"""

import hashlib
import os
import shutil
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from numba.core import config
from numba.core.caching import UserProvidedCacheLocator
from platformdirs import user_cache_path

ALL = user_cache_path("nightfx-tests", appauthor=False) / "kernels"
KEPT_SECONDS = 14 * 86_400.0  # of code that no run asked for


def packages() -> list[Path]:
    """The folders of nightfx that hold kernels."""
    spec = find_spec("nightfx")
    assert spec is not None
    assert spec.origin is not None
    sources = Path(spec.origin).parent.rglob("*.py")
    return sorted({path.parent for path in sources if "@kernel" in path.read_text("utf-8")})


def key_of(folders: list[Path]) -> str:
    """What compiled code depends on, of ours: all sources beside kernels, whose constants are compiled in."""
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(path for folder in folders for path in folder.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def share() -> Path:
    """Make the place of these sources' kernels, with a link for each folder by the name that numba has for it."""
    folders = packages()
    place = ALL / key_of(folders)
    for folder in folders:
        (place / folder.name).mkdir(parents=True, exist_ok=True)
        name = UserProvidedCacheLocator.get_suitable_cache_subpath(str(folder / "a.py"))
        with suppress(FileExistsError):
            (place / name).symlink_to(folder.name)
    os.utime(place)
    return place


def forget_old() -> None:
    """Remove what no run has asked for in weeks."""
    for place in ALL.iterdir():
        if place.stat().st_mtime < time.time() - KEPT_SECONDS:
            shutil.rmtree(place, ignore_errors=True)


def shared_place() -> str:
    """Where kernels are kept; empty where nothing can be, and each checkout keeps its own."""
    with suppress(OSError):
        if "NUMBA_CACHE_DIR" not in os.environ:
            os.environ["NUMBA_CACHE_DIR"] = str(
                share()
            )  # processes that tests start look there too
            config.reload_config()
            forget_old()
    return os.environ.get("NUMBA_CACHE_DIR", "")


PLACE = shared_place()
