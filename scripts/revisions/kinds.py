"""The kinds of renders that two revisions are compared in: what is said to `nightfx`, in a folder with the inputs in `in`."""

from __future__ import annotations

from dataclasses import dataclass, field

SMALL = ("--working-height", "64", "--speed", "ultrafast")
TILES = ("--method", "tiles", "--speed", "ultrafast")
LONG = ("in/long.mp4", "--working-height", "64", "--speed", "ultrafast")
GRADE = ("--exposure", "-0.5", "--temperature", "-40", "--tint", "5", "--saturation", "0.8", "--black", "0.02")  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One command."""

    words: tuple[str, ...]
    """What follows `nightfx`."""
    kill_at: str = ""
    """It is killed as soon as a file like this glob is there; by default it ends by itself."""


@dataclass(frozen=True)
class Kind:
    """One kind of render: its results lie in `out`."""

    name: str
    steps: tuple[Step, ...]
    old_steps: tuple[Step, ...] = ()
    """What the older revision is told, where that is said in other words."""
    needs: tuple[str, ...] = field(default=())
    """Packages without which it is left out."""


def steps(*commands: str) -> tuple[Step, ...]:
    """The commands, each a line of words."""
    return tuple(Step(tuple(command.split())) for command in commands)


def render(name: str, source: str, target: str, *flags: str, needs: str = "") -> Kind:
    """The render of `in/SOURCE` to `out/TARGET` with these flags."""
    words = ("render", f"in/{source}", "-o", f"out/{target}", *flags)
    return Kind(name, (Step(words),), needs=tuple(needs.split()))


METHODS = (
    render("relight, a street", "street.mp4", "a.mp4", "--end", "0.2"),
    render("relight", "plain.mp4", "a.mp4", *SMALL),
    render("relight at another height", "plain.mp4", "a.mp4", "--working-height", "88"),
    render("tiles", "plain.mp4", "a.mp4", *TILES),
    render("tiles of 64 px", "wide.mp4", "a.mp4", *TILES, "--tile-px", "64"),
    render("tiles of 128 px", "wide.mp4", "a.mp4", *TILES, "--tile-px", "128"),
    render("tile: the whole", "wide.mp4", "a.mp4", *TILES, "--tile-px", "whole"),
    render("draft", "plain.mp4", "a.mp4", *SMALL, "--draft"),
    render("a field every 2", "plain.mp4", "a.mp4", *SMALL, "--field-every", "2"),
    render("a field every 4", "plain.mp4", "a.mp4", *SMALL, "--field-every", "4"),
    render("a field every auto", "plain.mp4", "a.mp4", *SMALL, "--field-every", "auto"),
    render("steady 0", "plain.mp4", "a.mp4", *SMALL, "--steady", "0"),
    render("steady 0.8", "plain.mp4", "a.mp4", *SMALL, "--steady", "0.8"),
    render("to day", "plain.mp4", "a.mp4", *SMALL, "--to", "day"),
    render("to blue-hour", "plain.mp4", "a.mp4", *SMALL, "--to", "blue-hour"),
    render("to night-neon", "plain.mp4", "a.mp4", *SMALL, "--to", "night-neon"),
    render("OpenVINO", "plain.mp4", "a.mp4", *SMALL, "--backend", "openvino", needs="openvino"),
    render("OpenVINO, int8", "plain.mp4", "a.mp4", *SMALL, "--backend", "openvino-int8", needs="openvino nncf"),
)  # fmt: skip

LOOKS = (
    render("lock", "plain.mp4", "a.mp4", *SMALL, "--lock"),
    Kind("lock to", steps(
        f"render in/plain.mp4 -o out/a.mp4 --lock {' '.join(SMALL)}",
        f"render in/vfr.mkv -o out/b.mkv --lock-to out/a.lock.json {' '.join(SMALL)}",
    )),
    render("grade", "plain.mp4", "a.mp4", *SMALL, *GRADE),
    render("grade by tiles", "plain.mp4", "a.mp4", *TILES, *GRADE),
    render("keyframes", "plain.mp4", "a.mp4", *SMALL, "--exposure", "0:0,6:-1", "--sky", "0:0,4:1"),
    Kind("strength",
        steps(f"render in/plain.mp4 -o out/a.mp4 --strength 0.25 {' '.join(SMALL)}"),
        # it was given twice, and so counted squared
        old_steps=steps(f"render in/plain.mp4 -o out/a.mp4 --strength 0.5 {' '.join(SMALL)}"),
    ),
    render("strength from 0 to 1", "plain.mp4", "a.mp4", *SMALL, "--strength", "2:0,3:1"),
    render("sky", "plain.mp4", "a.mp4", *SMALL, "--sky", "0.5"),
    render("glow", "plain.mp4", "a.mp4", *SMALL, "--glow", "1"),
    render("grain", "plain.mp4", "a.mp4", *SMALL, "--grain", "0.05", "--seed", "7"),
    render("glow and grain by tiles", "plain.mp4", "a.mp4", *TILES, "--glow", "1", "--grain", "0.05"),
    render("all of the look", "ten.mov", "a.mov", *SMALL, *GRADE, "--sky", "0.7", "--glow", "0.5", "--grain", "0.02"),
    render("matte", "plain.mp4", "a.mp4", *SMALL, "--matte", "in/matte.png"),
    render("matte that moves, inverted, feathered", "plain.mp4", "a.mp4", *SMALL, "--matte", "in/matte.mkv", "--matte-invert", "--matte-feather", "3"),
    render("matte by tiles", "plain.mp4", "a.mp4", *TILES, "--matte", "in/matte.png"),
)  # fmt: skip

CODECS = (
    render("H.264, 10 bit", "plain.mp4", "a.mp4", *SMALL, "--codec", "h264", "--depth", "10"),
    render("H.265", "plain.mp4", "a.mp4", *SMALL, "--codec", "h265", "--crf", "20"),
    render("H.265, 12 bit", "ten.mov", "a.mp4", *SMALL, "--codec", "h265", "--depth", "12"),
    render("AV1, 10 bit", "plain.mp4", "a.mkv", *SMALL, "--codec", "av1", "--depth", "10"),
    render("ProRes", "plain.mp4", "a.mov", *SMALL, "--codec", "prores"),
    render("ProRes 4444 with alpha", "alpha.mov", "a.mov", *SMALL, "--codec", "prores-4444"),
    render("DNxHR", "big.mxf", "a.mov", *SMALL, "--codec", "dnxhr"),
    render("FFV1", "ten.mov", "a.mkv", *SMALL, "--codec", "ffv1"),
    render("FFV1, 12 bit", "twelve.mkv", "a.mkv", *SMALL),
    render("FFV1, 16 bit", "sixteen.mkv", "a.mkv", *SMALL),
    render("16 bit by tiles", "sixteen.mkv", "a.mkv", *TILES),
    render("alpha, 8 bit", "alpha.mkv", "a.mkv", *SMALL),
    render("RGB, 8 bit", "rgb8.mkv", "a.mkv", *SMALL),
    render("RGB, 10 bit", "rgb.mkv", "a.mkv", *SMALL),
    render("RGB by tiles", "rgb.mkv", "a.mkv", *TILES),
    render("grey, 8 bit", "grey.mkv", "a.mkv", *SMALL),
    render("grey, 16 bit", "grey16.mkv", "a.mkv", *SMALL),
    render("full range, 4:4:4", "full.mp4", "a.mp4", *SMALL),
    render("no tags, wide pixels", "untagged.mp4", "a.mp4", *SMALL),
    render("turned", "turned.mp4", "a.mp4", *SMALL),
    render("times that vary", "vfr.mkv", "a.mkv", *SMALL),
    render("deinterlaced", "fields.mov", "a.mov", *SMALL),
    render("fields kept", "fields.mov", "a.mov", *SMALL, "--interlaced", "keep"),
    render("PQ with a mastering display", "pq.mp4", "a.mp4", *SMALL),
    render("PQ by tiles", "pq.mp4", "a.mp4", *TILES),
    render("PQ to AV1, glow and grain", "pq.mp4", "a.mkv", *SMALL, "--codec", "av1", "--glow", "1", "--grain", "0.02"),
    render("HLG", "hlg.mp4", "a.mp4", *SMALL),
    render("S-Log3", "log.mov", "a.mov", *SMALL, "--input-space", "slog3"),
)  # fmt: skip

FILES = (
    render("EXR, half", "exr/shot.####.exr", "shot.####.exr", *SMALL),
    render("EXR, float with alpha", "float/shot.####.exr", "shot.####.exr", *SMALL),
    render("EXR by tiles", "exr/shot.####.exr", "shot.####.exr", *TILES),
    render("EXR, glow, grain and a matte", "exr/shot.####.exr", "shot.####.exr", *SMALL, "--glow", "1", "--grain", "0.02", "--matte", "in/matte.png"),
    render("EXR to a clip", "exr/shot.####.exr", "a.mov", *SMALL, "--codec", "prores", "--fps", "24"),
    render("DPX", "dpx/shot.####.dpx", "shot.####.dpx", *SMALL),
    render("PNG, a gap skipped", "png/shot.####.png", "shot.####.png", *SMALL, "--missing", "skip"),
    render("PNG, a gap held", "png/shot.####.png", "shot.####.png", *SMALL, "--missing", "hold"),
    render("a clip to PNG", "ten.mov", "shot.####.png", *SMALL),
    render("still: JPEG", "still.jpg", "a.jpg", *SMALL),
    render("still: PNG with alpha", "alpha.png", "a.png", *SMALL),
    render("still: PNG, 16 bit", "deep.png", "a.png", *SMALL),
    render("still: TIFF", "still.tif", "a.tif", *SMALL),
    render("still: TIFF, 16 bit, by tiles", "deep.tif", "a.tif", *TILES),
    render("still: WebP", "still.webp", "a.webp", *SMALL),
    render("still: glow, grain and a matte", "deep.png", "a.png", *SMALL, "--glow", "1", "--grain", "0.02", "--matte", "in/matte.png"),
    render("passes", "plain.mp4", "a.mp4", *SMALL, "--passes", "out/passes"),
    render("passes of EXR", "exr/shot.####.exr", "shot.####.exr", *SMALL, "--passes", "out/passes"),
)  # fmt: skip

TIMES = (
    render("some frames", "ten.mov", "a.mov", *SMALL, "--frames", "1003-1006"),
    render("some files", "exr/shot.####.exr", "shot.####.exr", *SMALL, "--frames", "1002-1004"),
    render("from a second to another", "plain.mp4", "a.mp4", *SMALL, "--start", "0.1", "--end", "0.25"),
    render("sound and timecode, mov", "ten.mov", "a.mov", *SMALL),
    render("sound and timecode, MXF", "big.mxf", "a.mxf", *SMALL),
    render("sound, subtitles and chapters, mkv", "box.mkv", "a.mkv", *SMALL),
    render("mkv to mp4", "box.mkv", "a.mp4", *SMALL),
    render("verified", "plain.mp4", "a.mp4", *SMALL, "--verify"),
    render("cut short", "damaged.mkv", "a.mkv", *SMALL, "--keep-going"),
)  # fmt: skip

KILLED = ("render", *LONG, "-o", "out/a.mp4")
KILLED_FILES = ("render", "in/many/f.####.png", "-o", "out/f.####.png", "--working-height", "64")
RUNS = (
    Kind("two segments", (Step(KILLED),)),
    Kind("two segments, killed and resumed", (Step(KILLED, "out/.*/00000.json"), Step(KILLED))),
    Kind("two segments by tiles", (Step(("render", "in/long.mp4", "-o", "out/a.mp4", *TILES)),)),
    Kind("files, killed and resumed", (Step(KILLED_FILES, "out/*0030.png"), Step(KILLED_FILES))),
    Kind("plan, segments, join", steps(
        f"plan {' '.join(LONG)} -o out/plan.json --target out/a.mp4",
        "render --plan out/plan.json --segment 1",
        "render --plan out/plan.json --segment 0",
        "join out/plan.json",
    )),
    Kind("a plan run by workers", steps(
        f"plan {' '.join(LONG)} -o out/plan.json --target out/a.mp4 --field-every 2",
        "farm run out/plan.json --workers 1",
    )),
    Kind("a batch", steps(f"batch in/shots -o out --workers 1 {' '.join(SMALL)}")),
    Kind("a batch of a timeline", steps(
        f"batch in/cut.otio --media in/media --handles 2 -o out --workers 1 {' '.join(SMALL)}",
    ), needs=("opentimelineio",)),
    Kind("a preview", steps("preview in/plain.mp4 -o out/a.png --frame 3")),
    Kind("a preview with scopes and a look", steps(
        "preview in/pq.mp4 -o out/a.png --scopes --exposure 0.5 --glow 0.5",
    )),
    Kind("a preview by tiles", steps("preview in/deep.png -o out/a.png --method tiles")),
)  # fmt: skip

KINDS = (*METHODS, *LOOKS, *CODECS, *FILES, *TIMES, *RUNS)
