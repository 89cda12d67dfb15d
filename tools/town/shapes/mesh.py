"""Faces gathered into meshes, and what is put into the scene."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import bpy  # first: it brings bmesh and mathutils

# isort: split
import bmesh
from mathutils import Matrix, Vector

Point = tuple[float, float, float]
Span = tuple[float, float]
Rgb = tuple[float, float, float]
Place = Callable[[float, float, float], Point]


@dataclass
class Build:
    """Faces gathered in local coordinates, later made one object."""

    place: Place = lambda u, d, z: (u, d, z)
    points: list[Point] = field(default_factory=list)
    faces: list[range] = field(default_factory=list)
    mats: list[str] = field(default_factory=list)

    def face(self, corners: Sequence[Point], mat: str) -> None:
        """Add one polygon."""
        start = len(self.points)
        self.points += [self.place(*corner) for corner in corners]
        self.faces.append(range(start, len(self.points)))
        self.mats.append(mat)

    def box(self, u: Span, d: Span, z: Span, mat: str) -> None:
        """Add an axis-aligned box."""
        c = [(u[i & 1], d[i >> 1 & 1], z[i >> 2]) for i in range(8)]
        for ids in ("0132", "4576", "0154", "2376", "0264", "1375"):
            self.face([c[int(i)] for i in ids], mat)

    def loft(self, rings: Sequence[Sequence[Point]], mat: Callable[[int, int], str]) -> None:
        """Join closed rings of equal length by quads and cap both ends."""
        n = len(rings[0])
        for i, (a, b) in enumerate(pairwise(rings)):
            for j in range(n):
                k = (j + 1) % n
                self.face([a[j], a[k], b[k], b[j]], mat(i, j))
        self.face(rings[0], mat(-1, 0))
        self.face(rings[-1], mat(-1, 0))

    def tube(self, path: Sequence[Point], radii: Sequence[float], mat: str, n: int = 10) -> None:
        """Add a round tube whose rings all face from the first point to the last."""
        axis = (Vector(path[-1]) - Vector(path[0])).normalized()
        side = axis.orthogonal().normalized()
        turns = [Matrix.Rotation(math.tau * j / n, 3, axis) @ side for j in range(n)]
        hoops = zip(path, radii, strict=True)
        rings = [[tuple(Vector(p) + r * t) for t in turns] for p, r in hoops]
        self.loft(rings, lambda i, j: mat)

    def blob(self, centre: Point, radii: Point, mat: str) -> None:
        """Add an ellipsoid."""
        rings = []
        for a in (math.pi * (i + 0.02) / 8.04 for i in range(9)):
            ring = [(math.tau * j / 14, math.sin(a)) for j in range(14)]
            unit = [Vector((s * math.cos(t), s * math.sin(t), math.cos(a))) for t, s in ring]
            rings.append([tuple(Vector(centre) + Vector(radii) * p) for p in unit])
        self.loft(rings, lambda i, j: mat)

    def mesh(self, name: str, *, smooth: bool = False) -> bpy.types.Mesh:
        """Return the gathered faces as a mesh."""
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata(self.points, [], [list(face) for face in self.faces])
        slots = {mat: i for i, mat in enumerate(dict.fromkeys(self.mats))}
        for mat in slots:
            mesh.materials.append(bpy.data.materials[mat])
        mesh.polygons.foreach_set("material_index", [slots[mat] for mat in self.mats])
        mesh.polygons.foreach_set("use_smooth", [smooth] * len(self.faces))
        return weld(mesh) if smooth else mesh

    def link(self, name: str) -> bpy.types.Object:
        """Put the gathered faces in the scene."""
        return put(self.mesh(name))


def weld(mesh: bpy.types.Mesh) -> bpy.types.Mesh:
    """Merge the corners that touch and turn all faces outwards."""
    work = bmesh.new()
    work.from_mesh(mesh)
    bmesh.ops.remove_doubles(work, verts=work.verts, dist=1e-4)
    bmesh.ops.recalc_face_normals(work, faces=work.faces)
    work.to_mesh(mesh)
    work.free()
    mesh.set_sharp_from_angle(angle=0.9)
    return mesh


def put(data: Any, place: Point = (0, 0, 0), turn: float = 0.0) -> bpy.types.Object:
    """Put mesh, lamp or camera data in the scene."""
    made = bpy.data.objects.new(data.name, data)
    made.location, made.rotation_euler = place, (0, 0, turn)
    bpy.context.scene.collection.objects.link(made)
    return made
