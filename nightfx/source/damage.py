"""Tell a damaged clip from a sound one, and count what of it decodes.

Signs, none of which a sound file shows: the container ends before its own index or size says;
a packet or picture is flagged corrupt by FFmpeg; the demuxer or decoder fails; the stream ends
well before its own duration. Packets that merely give no picture are not a sign.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
from av.video.stream import VideoStream

_HEAD_BYTES = 4096
_LAST_SECONDS = 0.5  # a stream may end this much before its duration tag without being cut


@dataclass
class Signs:
    """Signs of damage, gathered while a clip is read."""

    found: list[str] = field(default_factory=list)
    """Signs of damage, in the order seen."""
    patched: int = 0
    """Pictures that decoded only in part."""

    def __bool__(self) -> bool:
        return bool(self.found) or self.patched > 0

    def clear(self) -> None:
        """Forget what was seen."""
        self.found.clear()
        self.patched = 0

    def add(self, sign: str) -> None:
        """Note a sign once."""
        if sign not in self.found:
            self.found.append(sign)


def missing_tail(path: Path, container_name: str, stream: VideoStream) -> bool:
    """Say, without decoding, whether the file ends before its own index or header says it does."""
    size_bytes = path.stat().st_size
    if "matroska" in container_name:
        with path.open("rb") as file:
            return matroska_end(file.read(_HEAD_BYTES)) > size_bytes
    if container_name == "avi":
        return _riff_end(path) > size_bytes
    # an index that was built while reading (MPEG-TS, raw streams) cannot lie past the end
    return any(entry.pos + entry.size > size_bytes for entry in stream.index_entries)


def ends_early(stream: VideoStream, end_seconds: Fraction) -> bool:
    """Say whether a Matroska stream, read to its end, stopped well before its duration tag."""
    claimed = next((v for k, v in stream.metadata.items() if k.startswith("DURATION")), None)
    return claimed is not None and _seconds(claimed) - float(end_seconds) > _LAST_SECONDS


def describe_error(error: av.FFmpegError) -> str:
    """Return the short reason of an FFmpeg error."""
    return (error.strerror or "unknown error").lower()


def matroska_end(head: bytes) -> int:
    """Return where a file's segment ends by the bytes it begins with; 0 where they do not say."""
    start = head.find(b"\x18\x53\x80\x67")  # the id of the segment element
    if start < 0 or len(head) < start + 12:
        return 0
    first = head[start + 4]
    length = 9 - first.bit_length()
    value = int.from_bytes(head[start + 4 : start + 4 + length]) & ((1 << 7 * length) - 1)
    unknown = value == (1 << 7 * length) - 1
    return 0 if unknown else start + 4 + length + value


def _riff_end(path: Path) -> int:
    """Return where the first chunk of an AVI file ends, in bytes; 0 if it was never closed."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8)[4:], "little")
    return 0 if length in (0, 0xFFFFFFFF) else length + 8


def _seconds(clock: str) -> float:
    """Seconds of `HH:MM:SS.fraction`; 0 for anything else."""
    try:
        hours, minutes, seconds = clock.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return 0.0
