"""Hold what each picture of a clip says of itself against the source's: size, colour, scan, aspect, side data."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

import av

from nightfx.check.clip.contents import Contents
from nightfx.check.clip.looks import PictureSays, in_step
from nightfx.check.table import Held
from nightfx.check.verdict import RenderedPart, Verdict, VerdictRow, equal, excused, worst
from nightfx.picture import TRANSFER_PQ, coding_of

_DYNAMIC = {"DOVI_METADATA", "DOVI_RPU_BUFFER", "DYNAMIC_HDR_PLUS", "DYNAMIC_HDR_VIVID"}
_ENCODERS_OWN = {"SEI_UNREGISTERED", "MOTION_VECTORS", "VIDEO_ENC_PARAMS", "VIDEO_HINT"}
_HAS_A_ROW = {"DISPLAYMATRIX", "MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL", "A53_CC"}
_UNSAID = (2, 2, 2)  # colour tags that say nothing
LIMITED, FULL = 1, 2  # ranges, by FFmpeg's numbers
_STEP = 2e-4  # of chromaticities and nits, about 1/2 of what codecs round to
_ALPHA_TAG = "alpha_mode"

Runs = list[tuple[int, PictureSays]]


def picture_rows(
    old: Contents, new: Contents, part: RenderedPart, held: Held
) -> Iterator[VerdictRow]:
    """Yield a row for each thing that pictures say."""
    a, b = old.picture.looks.within(part.first, part.last), new.picture.looks.within(0, 1 << 62)
    count = part.last - part.first
    if not a or not b:
        return
    yield _shape(old, new, a, b, count)
    yield from _alpha(old, new, a, b, held)
    aspect = _aspect(old, new, a, b)
    yield excused(aspect, held) if aspect.render == "1" else aspect
    flipped = any(look.turn[0] * look.turn[3] < look.turn[1] * look.turn[2] for _, look in a)
    turned = _each("rotation", a, b, count, _turn_words, _same_turn)
    yield excused(turned, held) if flipped else turned
    yield _each("colour tags", a, b, count, _tag_words, _same_colour)
    yield _each("scan", a, b, count, lambda look: look.scan, _same_scan)
    yield from _said_twice(new, b)
    yield from (excused(row, held) for row in _side_data(old, new, part))
    if any(look.metadata for _, look in a):
        yield excused(_each("frame metadata", a, b, count, _metadata_words, _same_said), held)


def _each(
    what: str,
    old: Runs,
    new: Runs,
    count: int,
    words: Callable[[PictureSays], str],
    judge: Callable[[PictureSays, PictureSays], Verdict],
) -> VerdictRow:
    """Judge every picture beside its own, and name what the pictures say, one run after another."""
    pairs = in_step(old, new, count)
    verdicts = [judge(a, b) for _, a, b in pairs]
    bad = next((i for i, verdict in enumerate(verdicts) if verdict == worst(verdicts)), 0)
    at = f" from frame {pairs[bad][0]}" if pairs[bad][0] and verdicts[bad] != "kept" else ""
    was, now = (_told(words, each) for each in ([a for _, a, _ in pairs], [b for _, _, b in pairs]))
    return VerdictRow(what, was, f"{now}{at}", worst(verdicts))


def _told(words: Callable[[PictureSays], str], looks: list[PictureSays]) -> str:
    said: list[str] = []
    for look in looks:
        if not said or said[-1] != words(look):
            said.append(words(look))
    return ", ".join(said[:4]) + (f" and {len(said) - 4} more" if len(said) > 4 else "")


def _shape(old: Contents, new: Contents, a: Runs, b: Runs, count: int) -> VerdictRow:
    crop = old.headers.crop or (0, 0, 0, 0)

    def judge(was: PictureSays, now: PictureSays) -> Verdict:
        cut = (was.width - crop[0] - crop[2], was.height - crop[1] - crop[3])
        if (now.width, now.height) not in ((was.width, was.height), cut):
            return "lost"
        return "changed" if _holds_less(was.pix_fmt, now.pix_fmt) else "kept"

    return _each("picture", a, b, count, _size_words, judge)


def _size_words(look: PictureSays) -> str:
    return f"{look.width}x{look.height} {look.pix_fmt.replace('yuvj', 'yuv')}"


def _holds_less(old: str, new: str) -> bool:
    if old == new:
        return False
    a, b = (coding_of(av.VideoFrame(64, 64, name)) for name in (old, new))
    worse = b.depth < a.depth or b.sub_x > a.sub_x or b.sub_y > a.sub_y
    return worse or (a.matrix == "rgb" and b.matrix != "rgb")


def _alpha(old: Contents, new: Contents, a: Runs, b: Runs, held: Held) -> Iterator[VerdictRow]:
    """An alpha plane, or one that a tag tells of, must come out of the decoder: a tag alone is a false claim."""
    had, has = (_has_alpha(runs[0][1].pix_fmt) for runs in (a, b))
    if not had and not _claims_alpha(old):
        return
    was, is_false = "there" if had else "there by its tag", not has and _claims_alpha(new)
    if has or is_false:
        words = "none, but said to be there" if is_false else "there"
        yield VerdictRow("alpha", was, words, "lost" if is_false else "kept")
    else:
        yield excused(VerdictRow("alpha", was, "none", "lost"), held)


def _has_alpha(name: str) -> bool:
    return any(component.is_alpha for component in av.VideoFormat(name, 64, 64).components)


def _claims_alpha(clip: Contents) -> bool:
    return any(k.lower() == _ALPHA_TAG and v == "1" for k, v in clip.picture_metadata.items())


def _aspect(old: Contents, new: Contents, a: Runs, b: Runs) -> VerdictRow:
    """Compare pixel aspects: the container's, where that says one, then each change that the codec tells."""
    # a container says the aspect of what it crops to; where that is not carried, pixels have their own
    own = bool(old.headers.crop) and not new.headers.crop
    was, now = _aspects(old, a, own=own), _aspects(new, b, own=False)
    words = [", ".join(str(each) for each in said) for said in (was, now)]
    return VerdictRow("pixel aspect", words[0], words[1], "kept" if was == now else "lost")


def _aspects(clip: Contents, runs: Runs, *, own: bool) -> list[Fraction]:
    said = [runs[0][1].aspect if own else clip.picture.aspect]
    last = runs[0][1].aspect
    for _, look in runs[1:]:
        if look.aspect != last:
            said.append(look.aspect)
        last = look.aspect
    return said


def _turn_words(look: PictureSays) -> str:
    a, b, c, d = look.turn
    turned = {(1, 0): 0, (0, 1): -90, (-1, 0): 180, (0, -1): 90}
    signs = tuple(round(n / 65536) for n in (a, b))
    degrees = f"{turned.get((signs[0], signs[1]), '?')}°"
    return f"{degrees} mirrored" if a * d - b * c < 0 else degrees


def _metadata_words(look: PictureSays) -> str:
    return ", ".join(f"{key} {value}" for key, value in look.metadata) or "none"


def _same_turn(was: PictureSays, now: PictureSays) -> Verdict:
    return "kept" if was.turn == now.turn else "lost"


def _same_scan(was: PictureSays, now: PictureSays) -> Verdict:
    """Fields that were made whole frames are changed; frames that are no longer what they say they are, lost."""
    if was.scan == now.scan:
        return "kept"
    return "changed" if now.scan == "progressive" else "lost"


def _same_said(was: PictureSays, now: PictureSays) -> Verdict:
    return "kept" if was.metadata == now.metadata else "lost"


def _same_colour(was: PictureSays, now: PictureSays) -> Verdict:
    a, b = was.colour, now.colour
    lost = any(x != y and y == none for x, y, none in zip(a, b, _UNSAID, strict=False))
    wrong = any(x not in (y, 2) for x, y in zip(a[:2], b[:2], strict=True))
    # a range that is not said is limited
    same, full_to_limited = (a[3] or LIMITED) == (b[3] or LIMITED), a[3] == FULL and not b[3]
    kept = a[:3] == b[:3] and same
    return "lost" if lost or wrong or full_to_limited else "kept" if kept else "changed"


def _said_twice(new: Contents, b: Runs) -> Iterator[VerdictRow]:
    """Some players believe the container and others the pictures: both must say the same of colour and scan."""
    shown, colour = b[0][1], new.headers.colour
    if colour and all(each not in (0, 2) for each in shown.colour[:3]):
        pictures = "/".join(str(tag) for tag in shown.colour[:3])
        yield equal("colour tags (container)", pictures, "/".join(str(tag) for tag in colour))
    if new.headers.interlaced is not None:
        scans = {look.scan != "progressive" for _, look in b}
        told = {True: "interlaced", False: "progressive"}
        said = " and ".join(sorted(told[scan] for scan in scans))
        agrees = new.headers.interlaced in scans
        verdict: Verdict = "kept" if agrees else "lost"
        yield VerdictRow("scan (container)", said, told[new.headers.interlaced], verdict)


def _tag_words(look: PictureSays) -> str:
    ranges = {0: "unsaid", 1: "limited", 2: "full"}
    return "/".join([*(str(tag) for tag in look.colour[:3]), ranges.get(look.colour[3], "?")])


def _side_data(old: Contents, new: Contents, part: RenderedPart) -> Iterator[VerdictRow]:
    was = _kinds(old.picture.looks.within(part.first, part.last))
    now = _kinds(new.picture.looks.within(0, 1 << 62))
    if "A53_CC" in was:
        yield _captions(old, new, part)
    if "MASTERING_DISPLAY_METADATA" in was:
        yield _mastering(old, new, part)
    if "CONTENT_LIGHT_LEVEL" in was:
        row = _there("content light", "CONTENT_LIGHT_LEVEL" in now)
        is_pq = old.picture.looks.runs[0][1].colour[1] == TRANSFER_PQ
        yield row if is_pq or row.verdict == "kept" else replace(row, verdict="left out")
    if _DYNAMIC & was or old.headers.dolby_vision:
        kept = bool(_DYNAMIC & now) or new.headers.dolby_vision
        yield _there("dynamic HDR", kept)
    for kind in sorted(was - _DYNAMIC - _ENCODERS_OWN - _HAS_A_ROW):
        yield _there(f"side data ({kind})", kind in now)
    for kind in sorted(now - was - _ENCODERS_OWN - _HAS_A_ROW - _DYNAMIC):
        yield VerdictRow(f"side data ({kind})", "none", "there", "changed")


def _kinds(runs: Runs) -> set[str]:
    return {kind for _, look in runs for kind in look.side_data}


def _there(what: str, kept: bool) -> VerdictRow:
    return VerdictRow(what, "there", "there" if kept else "none", "kept" if kept else "lost")


def _captions(old: Contents, new: Contents, part: RenderedPart) -> VerdictRow:
    was = old.picture.looks.payload_within("A53_CC", part.first, part.last)
    now = new.picture.looks.payload_within("A53_CC", 0, 1 << 62)
    same = sum(now.get(index) == data for index, data in was.items())
    words = f"on {len(now)} frames, {same} the same" if now else "none"
    verdict: Verdict = "kept" if same == len(was) == len(now) else "lost"
    return VerdictRow("captions", f"on {len(was)} frames", words, verdict)


def _mastering(old: Contents, new: Contents, part: RenderedPart) -> VerdictRow:
    kind = "MASTERING_DISPLAY_METADATA"
    was = list(old.picture.looks.payload_within(kind, 0, part.last).values())
    now = list(new.picture.looks.payload_within(kind, 0, 1 << 62).values())
    same = bool(was and now) and _near(was[-1], now[-1]) and len(set(now)) >= len(set(was))
    words = [_nits(each[-1]) if each else "none" for each in (was, now)]
    return VerdictRow("mastering display", words[0], words[1], "kept" if same else "lost")


def _near(old: bytes, new: bytes) -> bool:
    pairs = zip(_numbers(old), _numbers(new), strict=True)
    return all(abs(a - b) <= _STEP + abs(a) * 1e-3 for a, b in pairs)


def _numbers(data: bytes) -> list[float]:
    numbers = struct.unpack("<20i2i", data[:88])
    return [n / d if d else 0.0 for n, d in zip(numbers[:20:2], numbers[1:20:2], strict=True)]


def _nits(data: bytes) -> str:
    *_, low, high = _numbers(data)
    return f"{low:.4g} to {high:.4g} nits"
