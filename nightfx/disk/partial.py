"""Write a file, or a folder of them, so that its final name only ever stands for a complete one."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nightfx.errors import RetryError, TargetError

_FULL = errno.ENOSPC, errno.EDQUOT
_OF_FILES = frozenset(
    [
        ".mp4",
        ".mov",
        ".m4v",
        ".mkv",
        ".mxf",
        ".avi",
        ".webm",
        ".png",
        ".exr",
        ".dpx",
        ".tif",
        ".tiff",
        ".jpg",
        ".jpeg",
        ".webp",
        ".json",
        ".edl",
        ".otio",
        ".safetensors",
    ]
)
"""Suffixes that no folder is named by."""
MOST_NAME_BYTES = 255
"""The longest name of a file that disks take."""


@contextmanager
def partial_file(target: Path, folder: Path | None = None) -> Iterator[Path]:
    """Give a temporary path beside the target; rename it when complete, remove it otherwise.

    In a `folder` on the same disk the path is one's own, so that several processes may write the same target.

    What FFmpeg or the system raises inside is turned into TargetError, or RetryError where the
    disk is full.
    """
    part = hidden_path(target, ".part")
    if folder is not None:
        part = folder / hidden_path(target, f".{os.getpid()}-{secrets.token_hex(4)}.part").name
    _check_folder(target)
    try:
        with translated(target):
            yield part
            _flush(part)
            part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def partial_folder(target: Path) -> Iterator[Path]:
    """Give an empty folder beside the target; rename it when complete, remove it otherwise. Raises as `partial_file`."""
    part = hidden_path(target, ".part")
    with translated(target):
        shutil.rmtree(part, ignore_errors=True)  # what a killed process left
        part.mkdir(parents=True)
        try:
            yield part
            part.replace(target)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def hidden_path(target: Path, ending: str) -> Path:
    """The absolute path beside a target of what is not it yet: `.NAME` and an ending, for a long name a hash of it."""
    name = f".{target.name}{ending}"
    if len(os.fsencode(name)) > MOST_NAME_BYTES:
        name = f".{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:32]}{ending}"
    # absolute: FFmpeg would take the beginning of `.file:x.mp4.part` for a protocol
    return target.absolute().with_name(name)


def make_folder_of(target: Path) -> None:
    """Make the folder of a target where it is missing, and see that it takes files; raises TargetError, or RetryError where the disk is full."""
    folder = target.parent
    with translated(target):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError, PermissionError) as error:
            words = f"cannot be made a folder ({error.strerror}): choose another"
            raise TargetError(f"{folder}: {words}") from error
        _try_folder(folder)


def _try_folder(folder: Path) -> None:
    """Write a file without a name: what a folder's mode and its disk allow is known then."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        if error.errno in _FULL:
            raise
        words = f"may not be written to ({error.strerror}): choose another folder"
        raise TargetError(f"{folder}: {words}") from error


def check_folder(folder: Path) -> None:
    """Raise TargetError where a folder that is to be made, or is there, takes no files, or is named as one of those."""
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if there == folder and not there.is_dir():
        raise TargetError(f"{folder}: is a file: name a folder")
    check_folder_name(folder)
    if not there.is_dir():
        raise TargetError(f"{there}: is a file, and no folder can be {folder}: choose another")
    with translated(folder):
        _try_folder(there)


def check_folder_name(folder: Path) -> None:
    """Raise TargetError where a folder that is to be made is named as a file would be."""
    if not folder.exists() and folder.suffix.lower() in _OF_FILES:
        words = "is named as a file, and is to be a folder: leave the suffix away"
        raise TargetError(f"{folder}: {words}")


def check_free(target: Path, *, overwrite: bool) -> None:
    """Raise TargetError where a file stands under a target's name that nobody asked to replace."""
    if target.exists() and not overwrite:
        raise TargetError(f"{target}: exists already; --overwrite replaces it")


def check_kind(target: Path) -> None:
    """Raise TargetError where something stands under a target's name that no file may take the place of."""
    if target.is_dir():
        raise TargetError(f"{target}: is a folder: name a file in it")
    if target.exists() and not target.is_file():
        raise TargetError(f"{target}: is a pipe or a device: name a file, which can be completed")


def _check_folder(target: Path) -> None:
    folder = target.parent
    check_kind(target)
    if not folder.is_dir():
        raise TargetError(f"{folder}: no such folder: create it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise TargetError(f"{folder}: may not be written to: choose another folder")


@contextmanager
def translated(target: Path) -> Iterator[None]:
    """Turn what FFmpeg or the system raises inside into TargetError, or RetryError where the disk is full."""
    try:
        yield
    except _raised_by_writers() as error:
        if error.errno in _FULL:
            raise RetryError(f"{target}: disk full: free some space and run again") from error
        reason = error.strerror or error
        raise TargetError(f"{target}: cannot be written ({reason})") from error


def _raised_by_writers() -> Any:
    """Errors of the system, and of FFmpeg where PyAV was imported at all, which takes long."""
    av = sys.modules.get("av")
    return (av.FFmpegError, OSError) if av else OSError


def _flush(path: Path) -> None:
    """Make sure that the bytes are on the disk before the name says so."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())
