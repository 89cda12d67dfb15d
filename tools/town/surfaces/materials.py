"""Materials of a town: how a surface takes light, and what it writes into the passes of kinds."""

from typing import Any

import bpy

from tools.town.labels import NEAR_METRES, cover_of, surface_of
from tools.town.surfaces.shading import Look, math_node, node, surface

WETTABLE = ("asphalt", "patch", "slabs", "cobble", "paint", "kerb")


def make_materials(looks: dict[str, Look]) -> None:
    """Make every material, found later by its name."""
    for name, look in looks.items():
        made = bpy.data.materials.new(name)
        tree = made.node_tree
        tree.nodes.clear()
        node(tree, "OutputMaterial", {"Surface": surface(tree, look, lit=True)})
        write_kinds(tree, name)
        # windows glow, but light reaches the ground from lamps set before them: found much sooner
        made.cycles.emission_sampling = "NONE"


def write_kinds(tree: Any, name: str) -> None:
    """Let a material write its kinds into the passes; how near it is goes into the one called so."""
    far = node(tree, "CameraData").outputs["View Distance"]
    near = math_node(tree, "EXPONENT", math_node(tree, "DIVIDE", far, -NEAR_METRES))
    for label, cover in cover_of(name).items():
        color: Any = (*cover, 1.0)
        if label == "kinds1":
            inputs: dict[str | int, Any] = {0: cover[0], 1: cover[1], 2: near}
            color = node(tree, "CombineXYZ", inputs).outputs[0]
        node(tree, "OutputAOV", {"Color": color}).aov_name = label


def wet_ground(share: float) -> None:
    """Make streets wet: 0 dry, 1 as after rain."""
    for made in bpy.data.materials:
        if surface_of(made.name) == "ground" and made.name.startswith(WETTABLE):
            shader = next(n for n in made.node_tree.nodes if n.type == "BSDF_PRINCIPLED")
            shader.inputs["Roughness"].default_value = 0.8 - 0.66 * share
            shader.inputs["Coat Weight"].default_value = 0.5 * share
