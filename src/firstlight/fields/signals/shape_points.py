"""Where a mesh is asked what is inside or how far its surface is, and the answers as tensors."""

import numpy as np
import torch
from torch import Tensor

from firstlight.fields.signals.inside_lattice import inside_lattice
from firstlight.fields.signals.mesh import Solid
from firstlight.fields.signals.places import Lattice, Places, Scattered

#: Points that are asked about at once, which bounds the memory.
_AT_ONCE = 2**20


def points_around(solid: Solid, count: int, near: float, seed: int, draw: int = 0) -> Scattered:
    """Half of the points all over [-1, 1]^3, then the others near the surface.

        x = surface point + near N(0, 1),  cut to the box

    Args:
        solid: the mesh.
        count: how many points; the even half is the larger one.
        near: standard deviation along each axis.
        seed: of the draw.
        draw: number of the draw; different ones are independent.

    Example:
        >>> import trimesh
        >>> from firstlight.fields.signals.mesh import solid
        >>> len(points_around(solid(trimesh.creation.box(), "box"), 9, near=0.01, seed=0))
        9
    """
    generator = np.random.default_rng([seed, draw])
    even = generator.uniform(-1, 1, (count - count // 2, 3))
    surface = solid.surface_points(count // 2, generator)
    surface += near * generator.standard_normal(surface.shape)
    points = np.concatenate([even, surface.clip(-1, 1)])
    return Scattered(torch.from_numpy(points.astype(np.float32)))


def insides(solid: Solid, places: Places) -> Tensor:
    """1 inside and -1 outside, (len(places), 1), int8."""
    if isinstance(places, Lattice):
        inside = inside_lattice(solid, len(places.ticks[0])).ravel()
    else:
        inside = solid.inside(_all(places))
    return torch.from_numpy(inside.astype(np.int8)).mul_(2).sub_(1)[:, None]


def distances(solid: Solid, places: Places) -> Tensor:
    """Signed distances in the file's units, (len(places), 1), float32."""
    values = torch.empty(len(places), 1)
    for start in range(0, len(places), _AT_ONCE):
        numbers = torch.arange(start, min(start + _AT_ONCE, len(places)))
        distance = solid.signed_distance(places.at(numbers).numpy())
        values[start : start + _AT_ONCE, 0] = torch.from_numpy(solid.unit * distance)
    return values


def _all(places: Places) -> np.ndarray:
    return places.at(torch.arange(len(places))).numpy()
