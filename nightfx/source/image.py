"""Read single pictures as frames: 8 and 16 bits, alpha, and all that stands beside the pixels, PNG's chunks as they are.

Pillow reads what has 8 bits; it would cut 16-bit RGB down silently, so OpenCV reads that.
"""

from __future__ import annotations

import warnings
import zlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nightfx.errors import SourceError
from nightfx.options import MAX_PIXELS
from nightfx.picture import ColorTags, Frame, rgb_coding

if TYPE_CHECKING:  # where it is used, Pillow is imported: clips do without
    from PIL import Image

Pixels = NDArray[Any]
"""A picture (H, W, 3 or 4), red first, uint8 or uint16."""

SUFFIXES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
SUFFIXES |= {".tif": "TIFF", ".tiff": "TIFF"}
_PNG = b"\x89PNG\r\n\x1a\n"
_LARGEST_CHUNK = 1 << 26
_ORIENTATION = 0x0112  # EXIF tag; 1 is upright
_BITS_PER_SAMPLE = 258  # TIFF tag


# of a picture's colour and pixels, and true of the lit one: all others say themselves if they may be copied
_KEPT_CHUNKS = {b"cICP", b"mDCV", b"iCCP", b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"oFFs", b"sCAL"}
# written anew, of palettes and animations, or of the file's last change
_OWN_CHUNKS = {b"eXIf", b"tRNS", b"hIST", b"sPLT", b"acTL", b"fcTL", b"fdAT", b"tIME"}
_LINEAR_GAMMA = 100_000
_GREY = ("1", "L", "LA", "La", "I")  # modes of Pillow


class Chunk(NamedTuple):
    """One chunk of a PNG."""

    kind: bytes
    """Its four letters."""
    data: bytes


@dataclass(frozen=True)
class PictureExtras:
    """Everything that a picture file holds beside its pixels."""

    icc_profile: bytes | None
    """Colour profile."""
    exif: bytes | None
    """EXIF block, its orientation reset: the pixels are upright."""
    dpi: tuple[float, float] | None
    """Pixels an inch, horizontally and vertically."""
    xmp: bytes | None = None
    """XMP packet."""
    comment: bytes | None = None
    """A JPEG's comment."""
    chunks: tuple[Chunk, ...] = ()
    """Those of a PNG that mean the same in a lit one, in order; EXIF is not among them."""
    left: tuple[str, ...] = ()
    """In words, what is not written of it."""
    is_grey: bool = False
    """Whether it has no colour, not even one that is grey."""

    def options(self) -> dict[str, Any]:
        """Return what there is as arguments of Pillow's `save`."""
        others = ("chunks", "left", "is_grey")
        own = {name: x for name, x in vars(self).items() if name not in others}
        return {name: value for name, value in own.items() if value}


def is_picture(path: Path) -> bool:
    """Say, by its suffix, whether a file is a single picture."""
    return path.suffix.lower() in SUFFIXES


def read_picture(path: Path, max_pixels: int = MAX_PIXELS) -> Frame:
    """Read a picture upright, as planes R, G, B[, A] of 8 or 16 bits; raises SourceError, for a larger one too."""
    from PIL import Image

    if not path.is_file():
        raise SourceError(f"{path}: {'is a folder' if path.is_dir() else 'no such file'}")
    try:
        with _opened(path) as image:
            if image.width * image.height > max_pixels:
                size = f"{image.width}x{image.height}"
                raise ValueError(f"{size} is more than {max_pixels} pixels: see --max-pixels")
            _refuse_several(image)
            orientation = image.getexif().get(_ORIENTATION, 1)
            pixels = _deep_pixels(path) if _depth(image, path) > 8 else _pixels(image)
    except (Image.DecompressionBombError, OSError, SyntaxError, ValueError, cv2.error) as error:
        raise SourceError(f"{path}: not readable as a picture ({error})") from error
    return _frame(_upright(pixels, orientation))


def read_extras(path: Path) -> dict[str, Any]:
    """Return what a picture file holds beside its pixels, by names: `icc_profile`, `exif`, `dpi`, a PNG's `tEXt`…"""
    extras = picture_extras(path)
    kinds = dict.fromkeys(chunk.kind for chunk in extras.chunks)
    chunks = {
        kind.decode(): tuple(c.data for c in extras.chunks if c.kind == kind) for kind in kinds
    }
    return extras.options() | chunks


def read_tags(path: Path) -> ColorTags:
    """Return what a picture file says of its colours: PNG's cICP, or gAMA where nothing else speaks; raises SourceError."""
    chunks = {chunk.kind: chunk.data for chunk in read_chunks(path)}
    spoken = chunks.get(b"cICP", b"")
    if len(spoken) == 4:
        primaries, transfer, matrix, is_full = spoken
        if matrix or not is_full:
            words = f"its cICP is {primaries}/{transfer}/{matrix}/{is_full}, not RGB of full range"
            raise SourceError(f"{path}: {words}: convert it first")
        return ColorTags(primaries, transfer, 0, 2)
    gamma = chunks.get(b"gAMA") if not {b"iCCP", b"sRGB"} & set(chunks) else None
    linear = gamma is not None and int.from_bytes(gamma, "big") == _LINEAR_GAMMA
    return ColorTags(2, 8 if linear else 2, 0, 2)


def read_chunks(path: Path) -> list[Chunk]:
    """Return the ancillary chunks of a PNG whose sums are right; none of other files."""
    chunks = []
    with path.open("rb") as file:
        if file.read(8) != _PNG:
            return []
        while len(head := file.read(8)) == 8 and head[4:] != b"IEND":
            size, kind = int.from_bytes(head[:4], "big"), head[4:]
            if kind[:1].isupper() or size > _LARGEST_CHUNK:
                file.seek(size + 4, 1)
                continue
            data, checksum = file.read(size), file.read(4)
            if zlib.crc32(kind + data).to_bytes(4, "big") == checksum and kind.isalpha():
                chunks.append(Chunk(kind, data))
    return chunks


def _opened(path: Path) -> Image.Image:
    from PIL import Image

    with warnings.catch_warnings():  # from 89 million pixels on; it refuses from 179 million on
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(path)


def _refuse_several(image: Image.Image) -> None:
    count = getattr(image, "n_frames", 1)
    if count > 1:
        raise ValueError(f"it holds {count} pictures: make a clip of them, or files of their own")


def _depth(image: Image.Image, path: Path) -> int:
    if image.format == "PNG":
        with path.open("rb") as file:
            return file.read(25)[24]  # signature 8, length 4, "IHDR" 4, size 8, then the depth
    if image.format == "TIFF":
        bits: Any = image.getexif().get(_BITS_PER_SAMPLE, 8)
        return max(bits) if isinstance(bits, tuple) else int(bits)
    return 8


def _pixels(image: Image.Image) -> Pixels:
    if image.mode in ("I", "F"):
        raise ValueError(f"mode {image.mode} is neither 8 nor 16 bits")
    alpha = "A" in image.mode or "transparency" in image.info
    return np.asarray(image.convert("RGBA" if alpha else "RGB"))


def _deep_pixels(path: Path) -> Pixels:
    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        raise ValueError("neither 8 nor 16 bits")
    if pixels.ndim == 2:
        return np.repeat(pixels[..., None], 3, axis=2)
    return np.asarray(pixels[..., [2, 1, 0, 3][: pixels.shape[2]]])


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """Undo an EXIF orientation: 5 to 8 are transposed, the others only flipped."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def _frame(pixels: Pixels) -> Frame:
    alpha, deep = pixels.shape[2] == 4, pixels.dtype == np.uint16
    coding = rgb_coding(16 if deep else 8, alpha=alpha)
    planes = tuple(np.array(plane, order="C") for plane in np.moveaxis(pixels, 2, 0))
    return Frame(planes, coding, pts=0, time_base=Fraction(1))


def picture_extras(like: Path) -> PictureExtras:
    """Return what a picture file holds beside its pixels."""
    with _opened(like) as image:
        exif = image.getexif()
        if _ORIENTATION in exif:
            exif[_ORIENTATION] = 1
        for tag in (_BITS_PER_SAMPLE, *range(256, 260), 262, 273, 277, 278, 279, 284):
            exif.pop(tag, None)  # TIFF's own layout, not a description of the picture
        block = exif.tobytes() if exif else None
        info, is_grey = image.info, image.mode in _GREY or image.mode.startswith("I;16")
    profile = info.get("icc_profile") or b""
    # the picture is written as RGB: a profile of grey or CMYK would be wrong (ICC.1, bytes 16 to 19)
    is_rgb = profile[16:20] == b"RGB "
    chunks = read_chunks(like)
    kept = tuple(c for c in chunks if _is_kept(c.kind) and (is_rgb or c.kind != b"iCCP"))
    left = sorted(
        {c.kind.decode() for c in chunks if c.kind not in _OWN_CHUNKS}
        - {c.kind.decode() for c in kept}
    )
    words = (
        *left,
        *(["its ICC profile, not of RGB"] if profile and not is_rgb else []),
        *(["IPTC"] if "photoshop" in info else []),
    )
    return PictureExtras(
        profile if is_rgb else None,
        block,
        info.get("dpi"),
        info.get("xmp"),
        info.get("comment"),
        kept,
        words,
        is_grey,
    )


def _is_kept(kind: bytes) -> bool:
    """Whether a chunk is as true of the lit picture: the case of its last letter says if it may be copied unread."""
    brightness = kind.lower() == b"clli"  # of the plate
    return kind in _KEPT_CHUNKS or (
        kind not in _OWN_CHUNKS and kind[3:].islower() and not brightness
    )
