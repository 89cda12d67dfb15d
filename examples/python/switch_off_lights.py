"""List the lights of a shot, put some out, and render by the list.

python examples/python/switch_off_lights.py SHOT OUT
"""

import sys
from dataclasses import replace
from pathlib import Path

import nightfx


def without_windows_below(shot: Path, out: Path, row: float = 0.5) -> Path:
    """Render a shot with every window out whose middle begins in the lower part of the picture, from `row` of its height on."""
    path = nightfx.list_lights(shot, out.with_suffix(".lights.json"))
    found = nightfx.read_lights(path)
    height = found.size_px[1]
    lights = tuple(
        replace(light, on=False)
        if light.kind == "window" and light.track.quads[0][:, 1].mean() > row * height
        else light
        for light in found.lights
    )
    nightfx.write_lights(replace(found, lights=lights), path)
    options = nightfx.RenderOptions.of(lights=path, overwrite=True)
    return nightfx.render(shot, out, preset="night", options=options)


if __name__ == "__main__":
    print(without_windows_below(Path(sys.argv[1]), Path(sys.argv[2])))
