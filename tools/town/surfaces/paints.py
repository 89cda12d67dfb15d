"""The surfaces of a whole town by name: the street's, and what other places add."""

from itertools import product

from tools.town.shapes.mesh import Rgb
from tools.town.surfaces.looks import looks
from tools.town.surfaces.shading import Look

PANES: dict[str, Rgb] = {
    "dark": (0.02, 0.026, 0.032),
    "drape": (0.17, 0.16, 0.14),
    "blind": (0.34, 0.33, 0.30),
    "mirror": (0.42, 0.46, 0.50),
}  # by day
GLOWS: dict[str, tuple[float, float, float, float]] = {  # of a window by night
    "warm": (1.0, 0.62, 0.30, 1.6), "amber": (1.0, 0.48, 0.18, 0.8),
    "white": (1.0, 0.84, 0.62, 1.9), "screen": (0.62, 0.80, 1.0, 0.7),
}  # fmt: skip
GLASSES: list[Rgb] = [
    (0.22, 0.28, 0.33),
    (0.12, 0.15, 0.17),
    (0.30, 0.34, 0.33),
    (0.16, 0.24, 0.30),
]
BOARDS: list[Rgb] = [
    (0.75, 0.04, 0.04), (0.03, 0.30, 0.10), (0.03, 0.10, 0.55), (0.85, 0.55, 0.03),
    (0.75, 0.75, 0.72), (0.45, 0.03, 0.30), (0.03, 0.45, 0.55),
]  # fmt: skip
PLASTERS: list[Rgb] = [
    (0.80, 0.80, 0.78), (0.78, 0.74, 0.66), (0.74, 0.62, 0.42), (0.72, 0.45, 0.32),
    (0.62, 0.66, 0.66), (0.80, 0.68, 0.60), (0.55, 0.60, 0.48), (0.86, 0.85, 0.82),
]  # fmt: skip
DRESSES: list[Rgb] = [
    (0.02, 0.02, 0.03), (0.05, 0.07, 0.16), (0.5, 0.5, 0.5), (0.4, 0.05, 0.05),
    (0.15, 0.12, 0.08), (0.65, 0.62, 0.55), (0.05, 0.2, 0.12), (0.7, 0.4, 0.05),
]  # fmt: skip
LIVERIES: list[Rgb] = [
    (0.7, 0.7, 0.68),
    (0.55, 0.04, 0.03),
    (0.04, 0.16, 0.42),
    (0.75, 0.5, 0.04),
    (0.05, 0.28, 0.12),
]


def town_looks() -> dict[str, Look]:
    """Every surface of a town by name."""
    table = looks() | {
        "grass": Look((0.10, 0.15, 0.035), 0.9, vary=0.45, scale=0.6),
        "soil": Look((0.22, 0.18, 0.12), 0.95, vary=0.4, scale=0.3),
        "sand": Look((0.52, 0.43, 0.29), 0.95, vary=0.25, scale=0.5),
        "gravel": Look((0.40, 0.37, 0.32), 0.95, vary=0.3, scale=2.0),
        "water": Look((0.03, 0.07, 0.08), 0.12, vary=0.4, scale=0.05),
        "cobble": Look((0.30, 0.28, 0.26), 0.7, vary=0.4, scale=1.2, plane="XY", size=(0.32, 0.2)),
        "concrete": Look((0.46, 0.45, 0.43), 0.85, vary=0.3, scale=0.5),
        "steel": Look((0.42, 0.44, 0.45), 0.45, 0.6),
        "red": Look((0.62, 0.06, 0.03), 0.5),
        "wood": Look((0.20, 0.14, 0.09), 0.9, vary=0.4, scale=3),
        "yellow": Look((0.72, 0.46, 0.03), 0.5),
        "road_sign": Look((0.02, 0.12, 0.45), 0.5),
        "hedge": Look((0.06, 0.11, 0.025), 0.8, vary=0.5, scale=6),
        "hill": Look((0.09, 0.13, 0.06), 0.95, vary=0.5, scale=0.02),
        "skin": Look((0.45, 0.28, 0.20), 0.6),
        "hair": Look((0.05, 0.035, 0.025), 0.6),
        "shop_off": Look((0.035, 0.038, 0.04), 0.04, vary=0.8, scale=1.4),
        "globe": Look((0.85, 0.85, 0.82), 0.3, glow=(1, 1, 1, 14.0)),
        "bulb": Look((0.8, 0.8, 0.76), 0.3, glow=(1, 1, 1, 45.0)),
        "bulb_off": Look((0.8, 0.8, 0.76), 0.3),
        "board_ink": Look((0.8, 0.8, 0.78), 0.5, glow=(1, 0.97, 0.9, 4.0)),
        "board_red": Look((0.5, 0.02, 0.02), 0.3, glow=(1, 0.05, 0.03, 14.0)),
        "board_green": Look((0.02, 0.4, 0.2), 0.3, glow=(0.05, 1, 0.45, 10.0)),
    }
    metal = {day: 0.6 if day == "mirror" else 0.0 for day in PANES}  # what mirrors the sky
    table |= {f"pane_{day}": Look(PANES[day], 0.04, metal[day], coat=1.0) for day in PANES}
    for (day, color), (glow, light) in product(PANES.items(), GLOWS.items()):
        table[f"pane_{day}_{glow}"] = Look(
            color, 0.04, metal[day], coat=1.0, vary=0.7, scale=1.7, glow=light
        )
    for i, color in enumerate(GLASSES):
        table[f"glass{i}"] = Look(color, 0.04, 0.75)
        for glow in ("white", "warm"):
            light = GLOWS[glow]
            table[f"glass{i}_{glow}"] = Look(color, 0.04, 0.75, vary=0.7, scale=0.9, glow=light)
    for i, color in enumerate(BOARDS):
        table[f"board{i}"] = Look(color, 0.5, glow=(*color, 2.5))
        table[f"board{i}_off"] = Look(color, 0.5)
    table |= {f"plaster{i}": Look(c, vary=0.15, scale=0.5) for i, c in enumerate(PLASTERS)}
    table |= {f"dress{i}": Look(c, 0.8) for i, c in enumerate(DRESSES)}
    return table | {f"livery{i}": Look(c, 0.35, coat=0.5) for i, c in enumerate(LIVERIES)}
