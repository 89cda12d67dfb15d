"""The street of the example clip in Blender, by day, by night, or as the picture of its lights."""

import math
import random
from pathlib import Path
from typing import Any

import bpy

# isort: split
from mathutils import Vector

from tools.street.layout import FPS, FRAMES, furniture, ground, rows, skyline, traffic
from tools.town.shapes.mesh import put
from tools.town.surfaces.looks import looks
from tools.town.surfaces.shading import Look, math_node, mix, node, surface

SPEED = 8.0  # of the camera, metres a second
SUN = Vector((-0.36, -0.62, 0.76)).normalized()  # towards the sun: behind us, from the left
LAMP, WINDOW, CAR = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)  # in the picture of lights


def haze(tree: Any, shader: Any, night: bool) -> Any:
    """Return a shader that far surfaces lose to the air before them."""
    far = node(tree, "CameraData").outputs["View Distance"]
    kept = math_node(tree, "EXPONENT", math_node(tree, "DIVIDE", far, -1300.0))
    share = math_node(tree, "SUBTRACT", 1.0, kept)
    seen = math_node(tree, "MULTIPLY", share, node(tree, "LightPath").outputs["Is Camera Ray"])
    air = (0.006, 0.006, 0.008, 1) if night else (0.62, 0.72, 0.86, 1)
    glow = node(tree, "Emission", {"Color": air}).outputs[0]
    return node(tree, "MixShader", {0: seen, 1: shader, 2: glow}).outputs[0]


def light_material(name: str, look: Look) -> None:
    """Make one material of the picture of lights: black, or the colour of its kind where it glows by night."""
    made = bpy.data.materials.new(name)
    made.node_tree.nodes.clear()
    kind = {"bulb": LAMP, "head_on": CAR, "tail_on": CAR}.get(name, WINDOW)
    color = kind if look.glow else (0.0, 0.0, 0.0)
    glow = node(made.node_tree, "Emission", {"Color": (*color, 1)}).outputs[0]
    node(made.node_tree, "OutputMaterial", {"Surface": glow})


def material(name: str, look: Look, night: bool) -> None:
    """Make one material, found later by its name."""
    made = bpy.data.materials.new(name)
    made.node_tree.nodes.clear()
    lit = night and look.glow is not None
    shader = surface(made.node_tree, look, lit)
    node(made.node_tree, "OutputMaterial", {"Surface": haze(made.node_tree, shader, night)})
    made.cycles.emission_sampling = "AUTO" if lit else "NONE"


def clouds(tree: Any, sky: Any) -> Any:
    """Return the sky with loose white clouds."""
    way = node(tree, "SeparateXYZ", {0: node(tree, "TexCoord").outputs["Generated"]}).outputs
    height = math_node(tree, "ADD", math_node(tree, "MAXIMUM", way[2], 0.0), 0.12)
    flat_way = [math_node(tree, "DIVIDE", way[i], height) for i in (0, 1)]
    spot_at = node(tree, "CombineXYZ", dict(enumerate(flat_way))).outputs[0]
    inputs = {"Vector": spot_at, "Scale": 1.1, "Detail": 3.0, "Roughness": 0.6}
    span = {"Value": node(tree, "TexNoise", inputs).outputs[0], "From Min": 0.5, "From Max": 0.62}
    cover = node(tree, "MapRange", span).outputs[0]
    return mix(tree, cover, sky, (5.2, 5.4, 5.7, 1))


def day_sky(tree: Any) -> Any:
    """Return the sky: clouds where the camera looks, a plain gradient where light is gathered."""
    turn: dict[str, Any] = {
        "sun_elevation": math.asin(SUN.z),
        "sun_rotation": math.atan2(SUN.x, SUN.y),
    }
    sky = node(tree, "TexSky", sky_type="MULTIPLE_SCATTERING", sun_disc=False, **turn)
    way = node(tree, "SeparateXYZ", {0: node(tree, "TexCoord").outputs["Generated"]}).outputs
    up = node(tree, "MapRange", {"Value": way[2], "From Max": 0.7}).outputs[0]
    plain = mix(tree, up, (0.74, 0.80, 0.88, 1), (0.30, 0.46, 0.78, 1))
    seen = node(tree, "Background", {"Color": clouds(tree, sky.outputs[0]), "Strength": 0.2})
    cast = node(tree, "Background", {"Color": plain, "Strength": 0.85})
    eye = node(tree, "LightPath").outputs["Is Camera Ray"]
    return node(tree, "MixShader", {0: eye, 1: cast.outputs[0], 2: seen.outputs[0]}).outputs[0]


def night_sky(tree: Any) -> Any:
    """Return a dark sky that the city warms near the horizon."""
    way = node(tree, "SeparateXYZ", {0: node(tree, "TexCoord").outputs["Generated"]}).outputs
    up = node(tree, "MapRange", {"Value": way[2], "From Max": 0.55}).outputs[0]
    color = mix(tree, up, (0.024, 0.018, 0.014, 1), (0.004, 0.0058, 0.012, 1))
    return node(tree, "Background", {"Color": color}).outputs[0]


def light(night: bool) -> None:
    """Add sun and sky, or the moon and the glow of the city."""
    world = bpy.data.worlds.new("sky")
    bpy.context.scene.world = world
    tree = world.node_tree
    tree.nodes.clear()
    node(tree, "OutputWorld", {"Surface": night_sky(tree) if night else day_sky(tree)})
    sun = bpy.data.lights.new("sun", "SUN")
    sun.energy, sun.angle = (0.012, 0.01) if night else (5.6, 0.009)
    sun.color = (0.6, 0.75, 1.0) if night else (1.0, 0.93, 0.83)
    put(sun).rotation_euler = SUN.to_track_quat("Z", "Y").to_euler()


def camera() -> None:
    """Add the camera and drive it along the street with a slight sway."""
    data = bpy.data.cameras.new("camera")
    data.lens, data.clip_end = 27.0, 3000.0
    made = put(data)
    bpy.context.scene.camera = made
    for frame in range(FRAMES + 2):
        t = frame / FPS
        drift, bump = 0.03 * math.sin(1.9 * t), 0.012 * math.sin(7.1 * t)
        made.location = (1.45 + drift, SPEED * t, 1.5 + bump)
        sway = 0.12 * math.sin(5.3 * t), 0.10 * math.sin(2.9 * t + 1), 0.35 * math.sin(1.3 * t)
        made.rotation_euler = [math.radians(a) for a in (94.5 + sway[0], sway[1], 1.0 + sway[2])]
        for path in ("location", "rotation_euler"):
            made.keyframe_insert(path, frame=frame)


def setup(size: tuple[int, int], samples: int, night: bool) -> None:
    """Choose Cycles with few samples, a denoiser and a photographic tone curve."""
    scene = bpy.context.scene
    render, cycles = scene.render, scene.cycles
    render.engine, render.use_persistent_data = "CYCLES", True
    render.resolution_x, render.resolution_y = size
    render.image_settings.file_format = "PNG"
    render.use_motion_blur, render.motion_blur_shutter = True, 0.25
    cycles.samples, cycles.adaptive_threshold, cycles.use_denoising = samples, 0.03, True
    cycles.denoising_prefilter, cycles.denoising_quality = "FAST", "FAST"
    cycles.use_fast_gi, cycles.ao_bounces_render = not night, 1
    cycles.use_light_tree = night
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 3, 2, 2
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_direct, cycles.sample_clamp_indirect = 30.0, 3.0
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Punchy"
    scene.view_settings.exposure = 1.4 if night else 0.95


def glare() -> None:
    """Spread light around what is brighter than white, as a lens does; by day little is."""
    scene = bpy.context.scene
    tree = bpy.data.node_groups.new("glare", "CompositorNodeTree")
    tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    kinds = ("CompositorNodeRLayers", "CompositorNodeGlare", "NodeGroupOutput")
    layers, bloom, out = (tree.nodes.new(kind) for kind in kinds)
    for name, value in {"Type": "Bloom", "Threshold": 1.0, "Strength": 0.7, "Size": 0.75}.items():
        bloom.inputs[name].default_value = value
    tree.links.new(layers.outputs["Image"], bloom.inputs["Image"])
    tree.links.new(bloom.outputs["Image"], out.inputs[0])
    scene.compositing_node_group, scene.render.use_compositing = tree, True


def show_lights() -> None:
    """Show what stands in the middle of each pixel, in the middle of the exposure, as it is."""
    scene = bpy.context.scene
    scene.cycles.samples, scene.cycles.use_denoising = 1, False
    scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BOX", 0.01
    scene.render.use_motion_blur, scene.render.dither_intensity = False, 0
    scene.view_settings.view_transform, scene.view_settings.look = "Raw", "None"
    scene.view_settings.exposure = 0


def build(seed: int, street: int, night: bool, lights: bool) -> None:
    """Build the whole street; by night, and in the picture of lights, only lights and glow differ."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.edit.keyframe_new_interpolation_type = "LINEAR"
    rng = random.Random(1000 * seed + street)
    for name, look in looks().items():
        light_material(name, look) if lights else material(name, look, night)
    ground(rng)
    rows(rng)
    skyline(rng)
    furniture(rng, night)
    traffic(rng, night)
    if not lights:
        light(night)
    camera()


def render(paths: dict[int, Path]) -> None:
    """Render the frames whose files are not there yet."""
    scene = bpy.context.scene
    for frame, path in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            scene.frame_set(frame)
            scene.render.filepath = str(path.resolve())
            bpy.ops.render.render(write_still=True)


def frame_paths(out: Path, frames: range, webp: int | None) -> dict[int, Path]:
    """Return where each frame is kept."""
    return {frame: out / f"{frame:04}.{'webp' if webp else 'png'}" for frame in frames}
