"""Surfaces as shader nodes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import bpy

from tools.town.shapes.mesh import Rgb, Span


@dataclass(frozen=True)
class Look:
    """What a surface looks like."""

    color: Rgb
    rough: float = 0.8
    metal: float = 0.0
    coat: float = 0.0
    vary: float = 0.0
    scale: float = 1.0
    plane: str = ""
    size: Span = (0.25, 0.08)
    leaf: float = 0.0
    glow: tuple[float, float, float, float] | None = None


def node(tree: Any, kind: str, inputs: Mapping[Any, Any] | None = None, **props: Any) -> Any:
    """Add a shader node; an input is a value or another node's output."""
    made = tree.nodes.new("ShaderNode" + kind)
    for name, value in props.items():
        setattr(made, name, value)
    for key, value in (inputs or {}).items():
        if isinstance(value, bpy.types.NodeSocket):
            tree.links.new(value, made.inputs[key])
        else:
            made.inputs[key].default_value = value
    return made


def mix(tree: Any, share: Any, first: Any, second: Any, blend: str = "MIX") -> Any:
    """Return the mix of two colours."""
    inputs = {0: share, 6: first, 7: second}
    return node(tree, "Mix", inputs, data_type="RGBA", blend_type=blend).outputs[2]


def math_node(tree: Any, operation: str, *inputs: Any) -> Any:
    """Return the result of an arithmetic node."""
    return node(tree, "Math", dict(enumerate(inputs)), operation=operation).outputs[0]


def weathered(tree: Any, color: Rgb, vary: float, scale: float) -> Any:
    """Return a colour that coarse and fine noise darken."""
    spot = node(tree, "NewGeometry").outputs["Position"]
    inputs = {"Vector": spot, "Scale": scale, "Detail": 2.0, "Roughness": 0.7}
    noise = node(tree, "TexNoise", inputs).outputs[0]
    span = {"Value": noise, "From Min": 0.3, "From Max": 0.7, "To Min": 1 - vary}
    shade = node(tree, "MapRange", span).outputs[0]
    return mix(tree, 1.0, (*color, 1), shade, "MULTIPLY")


def bricked(tree: Any, color: Any, plane: str, size: Span) -> Any:
    """Return a colour with the joints of bricks or slabs."""
    spot = node(tree, "NewGeometry").outputs["Position"]
    split = node(tree, "SeparateXYZ", {0: spot}).outputs
    vector = node(tree, "CombineXYZ", {i: split["XYZ".index(axis)] for i, axis in enumerate(plane)})
    greys = {"Color1": (1, 1, 1, 1), "Color2": (0.72,) * 3 + (1,), "Mortar": (0.54,) * 3 + (1,)}
    sizes = {"Scale": 1.0, "Brick Width": size[0], "Row Height": size[1], "Mortar Size": 0.012}
    brick = node(tree, "TexBrick", {"Vector": vector.outputs[0], **greys, **sizes})
    return mix(tree, 1.0, color, brick.outputs[0], "MULTIPLY")


def surface(tree: Any, look: Look, lit: bool) -> Any:
    """Return the shader of a surface."""
    color: Any = (*look.color, 1)
    color = weathered(tree, look.color, look.vary, look.scale) if look.vary else color
    color = bricked(tree, color, look.plane, look.size) if look.plane else color
    made = node(tree, "BsdfPrincipled", {"Base Color": color, "Roughness": look.rough})
    made.inputs["Metallic"].default_value = look.metal
    made.inputs["Coat Weight"].default_value = look.coat
    if lit and look.glow:
        glow = weathered(tree, look.glow[:3], look.vary, look.scale)
        tree.links.new(glow, made.inputs["Emission Color"])
        made.inputs["Emission Strength"].default_value = look.glow[3]
    if not look.leaf:
        return made.outputs[0]
    thin = node(tree, "BsdfTranslucent", {"Color": color}).outputs[0]
    return node(tree, "MixShader", {0: look.leaf, 1: made.outputs[0], 2: thin}).outputs[0]
