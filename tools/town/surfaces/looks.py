"""What each surface of a town looks like, by its name."""

from tools.town.shapes.mesh import Rgb
from tools.town.surfaces.shading import Look

WARM, COOL = (1.0, 0.62, 0.30), (0.75, 0.86, 1.0)
PANES = {  # name: colour by day, glow by night, share
    "pane_dark": ((0.020, 0.026, 0.032), None, 9),
    "pane_drape": ((0.17, 0.16, 0.14), None, 5),
    "pane_blind": ((0.34, 0.33, 0.30), None, 3),
    "pane_warm": ((0.05, 0.05, 0.05), (*WARM, 1.6), 3),
    "pane_amber": ((0.20, 0.18, 0.15), (1.0, 0.48, 0.18, 0.8), 2),
    "pane_cool": ((0.03, 0.04, 0.05), (*COOL, 0.9), 1),
}
WALLS: list[Rgb] = [
    (0.62, 0.55, 0.43), (0.70, 0.66, 0.58), (0.55, 0.40, 0.28), (0.66, 0.50, 0.36),
    (0.48, 0.50, 0.50), (0.72, 0.60, 0.40), (0.52, 0.56, 0.50), (0.60, 0.36, 0.28),
]  # fmt: skip
BRICKS: list[Rgb] = [(0.36, 0.13, 0.08), (0.42, 0.22, 0.13), (0.30, 0.15, 0.11)]
LEAVES: list[Rgb] = [(0.09, 0.17, 0.03), (0.06, 0.13, 0.03), (0.13, 0.19, 0.04)]
CLOTHS: list[Rgb] = [(0.45, 0.05, 0.04), (0.04, 0.16, 0.10), (0.05, 0.09, 0.22), (0.6, 0.5, 0.33)]
PAINTS: list[Rgb] = [
    (0.02, 0.02, 0.022), (0.55, 0.56, 0.57), (0.80, 0.80, 0.79), (0.03, 0.08, 0.22),
    (0.38, 0.02, 0.02), (0.12, 0.13, 0.14), (0.25, 0.27, 0.28), (0.05, 0.16, 0.12),
]  # fmt: skip


def looks() -> dict[str, Look]:
    """Return every surface of the street by name."""
    table = {
        "asphalt": Look((0.155, 0.153, 0.155), 0.8, vary=0.3, scale=2.6),
        "patch": Look((0.095, 0.095, 0.10), 0.75, vary=0.3, scale=3),
        "paint": Look((0.62, 0.62, 0.59), 0.6, vary=0.45, scale=5),
        "slabs": Look((0.36, 0.35, 0.33), vary=0.35, scale=0.9, plane="XY", size=(0.8, 0.5)),
        "kerb": Look((0.42, 0.41, 0.39), vary=0.3, scale=2),
        "stone": Look((0.62, 0.59, 0.52), vary=0.3, scale=1.2),
        "plinth": Look((0.30, 0.29, 0.27), vary=0.35, scale=1.5),
        "white": Look((0.72, 0.72, 0.70), 0.5),
        "brown": Look((0.11, 0.055, 0.03), 0.5),
        "iron": Look((0.03, 0.032, 0.034), 0.45, 0.4),
        "zinc": Look((0.23, 0.25, 0.27), 0.5, 0.3, vary=0.25),
        "tiles": Look((0.34, 0.12, 0.07), 0.8, vary=0.4, scale=2.5),
        "slate": Look((0.11, 0.12, 0.14), 0.55, vary=0.35, scale=2),
        "shop": Look((0.035, 0.038, 0.04), 0.04, vary=0.8, scale=1.4, glow=(1.0, 0.74, 0.45, 1.1)),
        "bark": Look((0.12, 0.09, 0.065), vary=0.5, scale=6),
        "tint": Look((0.010, 0.013, 0.015), 0.02),
        "rubber": Look((0.014, 0.014, 0.015), 0.7),
        "rim": Look((0.5, 0.5, 0.51), 0.3, 0.9),
        "plate": Look((0.75, 0.75, 0.72), 0.5),
        "head": Look((0.75, 0.77, 0.80), 0.08, 0.5, coat=1.0),
        "head_on": Look((0.75, 0.77, 0.80), 0.08, 0.5, coat=1.0, glow=(1.0, 0.93, 0.82, 60.0)),
        "tail": Look((0.35, 0.008, 0.008), 0.12, coat=1.0),
        "tail_on": Look((0.35, 0.008, 0.008), 0.12, coat=1.0, glow=(1.0, 0.03, 0.015, 12.0)),
        "bulb": Look((0.8, 0.8, 0.76), 0.3, glow=(*WARM, 45.0)),
        "tower": Look((0.30, 0.33, 0.37), 0.4, vary=0.3, scale=0.05, plane="XZ", size=(6, 3.2)),
        "sign_blue": Look((0.02, 0.09, 0.42), 0.4),
        "sign_red": Look((0.55, 0.02, 0.02), 0.4),
    }
    table |= {f"wall{i}": Look(c, vary=0.22, scale=0.8) for i, c in enumerate(WALLS)}
    table |= {f"brick{i}": Look(c, vary=0.3, scale=1, plane="YZ") for i, c in enumerate(BRICKS)}
    table |= {f"car{i}": Look(c, 0.25, 0.2, coat=1.0) for i, c in enumerate(PAINTS)}
    table |= {f"leaf{i}": Look(c, 0.5, leaf=0.35) for i, c in enumerate(LEAVES)}
    table |= {f"cloth{i}": Look(c, 0.8) for i, c in enumerate(CLOTHS)}
    return table | {name: Look(c, 0.03, glow=g) for name, (c, g, _) in PANES.items()}
