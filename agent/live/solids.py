"""The parts of a scene as triangles, and the scene at the size a page likes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.extras import require
from agent.interfaces import Array
from envs import Part


def triangles(part: Part, scale: float) -> tuple[Array, NDArray[np.int32]]:
    """Vertices (V, 3), ``scale`` times as large, and faces (F, 3) of a part in its own frame."""
    mesh = _mesh(part)
    return np.asarray(mesh.vertices, np.float64) * scale, np.asarray(mesh.faces, np.int32)


def _mesh(part: Part) -> Any:
    trimesh: Any = require("trimesh")
    made, size = trimesh.creation, part.size
    if part.shape == "mesh":
        return trimesh.Trimesh(part.vertices, part.faces, process=False)
    if part.shape == "box":
        return made.box([2 * half for half in size])
    if part.shape == "cylinder":
        return made.cylinder(size[0], 2 * size[1], sections=24)
    if part.shape == "capsule":
        capsule = made.capsule(height=2 * size[1], radius=size[0], count=[12, 12])
        return capsule.apply_translation([0, 0, -capsule.bounds.mean(0)[2]])
    sphere = made.icosphere(subdivisions=2)
    return sphere.apply_scale(size if part.shape == "ellipsoid" else size[0])
