"""One render of a view: its light by groups, and what is seen, as linear arrays."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import bpy

# isort: split
import numpy as np
import OpenEXR
from mathutils import Vector

from tools.town.denoise import Denoiser
from tools.town.labels import GROUPS, LIGHTS, PASSES, SURFACES
from tools.town.layout.plan import Camera
from tools.town.shapes.mesh import put
from tools.town.shot import Plane, Shot
from tools.town.surfaces.shading import math_node, mix, node

LENS_MM = 36.0  # the width of Blender's sensor


class Renderer:
    """Cycles, set up for views of one size."""

    def __init__(self, size: tuple[int, int], samples: int) -> None:
        """Choose passes, groups and bounces; `size` is (width, height)."""
        self.size, self.denoiser = size, Denoiser(size)
        choose_engine(size, samples)
        choose_passes()
        self.world = make_world()
        self.folder = tempfile.TemporaryDirectory(prefix="town-")

    def shoot(self, views: Sequence[tuple[Camera, tuple[float, float]]]) -> Iterator[Shot]:
        """Render what cameras see, each by a sun at (azimuth, elevation) in radians.

        All are frames of one animation: geometry goes to Cycles once, which halves the time of a view.
        """
        scene = bpy.context.scene
        for frame, (camera, sun) in enumerate(views):
            self.aim(camera, frame)
            self.light(*sun, frame)
        scene.frame_start, scene.frame_end = 0, len(views) - 1
        scene.render.filepath = f"{self.folder.name}/####.exr"
        bpy.ops.render.render(animation=True)
        for frame in range(len(views)):
            yield self.read(Path(self.folder.name) / f"{frame:04}.exr")

    def light(self, azimuth: float, elevation: float, frame: int) -> None:
        """Turn the sun for a frame."""
        flat = math.cos(elevation)
        to_sun = Vector((flat * math.cos(azimuth), flat * math.sin(azimuth), math.sin(elevation)))
        made = bpy.data.objects.get("sun")
        if made is None:
            sun = bpy.data.lights.new("sun", "SUN")
            sun.energy, sun.angle = 4.0, 0.01
            made = put(sun)
            made.lightgroup = "sun"
        made.rotation_euler = to_sun.to_track_quat("Z", "Y").to_euler()
        made.keyframe_insert("rotation_euler", frame=frame)

    def aim(self, camera: Camera, frame: int) -> None:
        """Place the camera for a frame."""
        made = bpy.data.objects.get("camera")
        if made is None:
            made = put(bpy.data.cameras.new("camera"))
            bpy.context.scene.camera = made
        made.data.sensor_width, made.data.clip_end = LENS_MM, 5000.0
        made.data.lens = LENS_MM / 2 / math.tan(camera.fov / 2)
        made.location = (camera.x, camera.y, camera.z)
        made.rotation_euler = (
            math.pi / 2 + camera.pitch,
            camera.roll,
            camera.heading - math.pi / 2,
        )
        for path in ("location", "rotation_euler"):
            made.keyframe_insert(path, frame=frame)
        made.data.keyframe_insert("lens", frame=frame)

    def read(self, path: Path) -> Shot:
        """Read the passes of a render, the light of each group without its noise."""
        found = read_layers(path)
        alpha = np.clip(found["Combined"][..., 3], 0, 1)
        albedo, normal = found["Denoising Albedo"], found["Denoising Normal"]
        self.denoiser.guide(albedo, normal)
        groups = {group: self.denoiser(found[f"Combined_{group}"]) for group in GROUPS}
        maps = {"sky": 1 - alpha}
        for label, names in PASSES.items():
            maps |= {name: np.clip(found[label][..., i], 0, 1) for i, name in enumerate(names)}
        depth = found["Depth"]
        depth = np.where(depth > 1e6, np.inf, depth).astype(np.float32)
        kinds = {name: maps[name] for name in SURFACES + LIGHTS}
        return Shot(groups, kinds, maps["near"], depth, albedo)


def choose_engine(size: tuple[int, int], samples: int) -> None:
    """Choose Cycles with few samples on one thread."""
    render, cycles = bpy.context.scene.render, bpy.context.scene.cycles
    render.engine, render.use_persistent_data = "CYCLES", True
    render.resolution_x, render.resolution_y = size
    render.film_transparent = True
    render.threads_mode, render.threads = "FIXED", 1
    cycles.samples, cycles.use_adaptive_sampling, cycles.use_denoising = samples, False, False
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 2, 1, 1
    cycles.use_fast_gi, cycles.ao_bounces_render = True, 1
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_direct, cycles.sample_clamp_indirect = 60.0, 3.0
    cycles.use_light_tree = True
    cycles.pixel_filter_type, cycles.filter_width = "BLACKMAN_HARRIS", 1.3
    images = render.image_settings
    images.media_type, images.file_format = "MULTI_LAYER_IMAGE", "OPEN_EXR_MULTILAYER"
    images.exr_codec, images.color_depth = "NONE", "16"


def choose_passes() -> None:
    """Ask for the passes of kinds, the groups of light and what the denoiser needs."""
    layer = bpy.context.view_layer
    layer.use_pass_z, layer.cycles.denoising_store_passes = True, True
    for label in PASSES:
        layer.aovs.add().name = label
    for group in GROUPS:
        layer.lightgroups.add(name=group)


def make_world() -> Any:
    """Make the sky as a source of light and of reflections, brighter near the horizon, with clouds."""
    world = bpy.data.worlds.new("sky")
    bpy.context.scene.world = world
    world.lightgroup = "sky"
    # its map of importance is drawn anew each time: a small one saves two seconds a view
    world.cycles.sampling_method, world.cycles.sample_map_resolution = "MANUAL", 64
    tree = world.node_tree
    tree.nodes.clear()
    way = node(tree, "SeparateXYZ", {0: node(tree, "TexCoord").outputs["Generated"]}).outputs
    up = node(tree, "MapRange", {"Value": way[2], "From Max": 0.7}).outputs[0]
    plain = mix(tree, up, (1.05, 1.05, 1.05, 1), (0.62, 0.66, 0.72, 1))
    height = math_node(tree, "ADD", math_node(tree, "MAXIMUM", way[2], 0.0), 0.15)
    flat = [math_node(tree, "DIVIDE", way[i], height) for i in (0, 1)]
    spot = node(tree, "CombineXYZ", dict(enumerate(flat))).outputs[0]
    noise = node(tree, "TexNoise", {"Vector": spot, "Scale": 0.9, "Detail": 2.0}).outputs[0]
    cover = node(tree, "MapRange", {"Value": noise, "From Min": 0.5, "From Max": 0.65}).outputs[0]
    cloudy = mix(tree, cover, plain, (1.2, 1.2, 1.2, 1))
    node(tree, "OutputWorld", {"Surface": node(tree, "Background", {"Color": cloudy}).outputs[0]})
    return world


def read_layers(path: Path) -> dict[str, Plane]:
    """Read all passes of an EXR file of Blender's, each (height, width, channels), by name."""
    layers: dict[str, dict[str, Plane]] = {}
    with OpenEXR.File(str(path), separate_channels=True) as file:
        for part in file.parts:
            for name, channel in part.channels.items():
                _, layer, letter = name.split(".")
                layers.setdefault(layer, {})[letter] = np.asarray(channel.pixels, np.float32)
    orders = {name: [c for c in "RGBAXYZ" if c in found] for name, found in layers.items()}
    return {
        name: np.squeeze(np.stack([found[c] for c in orders[name]], -1), -1)
        if len(orders[name]) == 1
        else np.stack([found[c] for c in orders[name]], -1)
        for name, found in layers.items()
    }
