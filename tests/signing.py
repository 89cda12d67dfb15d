"""Checksums of a broken bake put right again, as far as its own numbers say where they are."""

from __future__ import annotations

import struct
import zlib

HEAD, ENTRY = 128, 24


def signed(data: bytes) -> bytes:
    """Return the bytes with a length and checksums that are right."""
    out = bytearray(data)
    if len(out) < HEAD + ENTRY + 4:
        return data
    struct.pack_into("<Q", out, 16, len(out))
    (frames,) = struct.unpack_from("<I", out, 52)
    if 0 < frames * ENTRY + 4 <= len(out) - HEAD:
        struct.pack_into("<Q", out, 24, len(out) - 4 - frames * ENTRY)
        _sign_frames(out, len(out) - 4 - frames * ENTRY)
    head = min(max(struct.unpack_from("<I", out, 12)[0], HEAD), len(out))
    struct.pack_into("<I", out, 124, zlib.crc32(out[HEAD:head], zlib.crc32(out[: HEAD - 4])))
    return bytes(out)


def _sign_frames(out: bytearray, index: int) -> None:
    for at in range(index, len(out) - 4, ENTRY):
        start, size = struct.unpack_from("<QI", out, at)
        if start + size <= index:
            struct.pack_into("<I", out, at + 12, zlib.crc32(out[start : start + size]))
    struct.pack_into("<I", out, len(out) - 4, zlib.crc32(out[index:-4]))
