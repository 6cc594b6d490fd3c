"""Triangle meshes in a box, and the questions they answer: what is inside, and how far away."""

import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from firstlight.errors import FirstlightError
from firstlight.fields.signals.signal import check_readable, unreadable

#: Endings of mesh files, which are read and written.
SUFFIXES = (".obj", ".ply", ".stl", ".off", ".glb")
#: Half of the longest side after normalising; what is left of the box is a rim of outside.
FILL = 0.9
#: Points that are asked about at once, which bounds the memory.
_AT_ONCE = 2**20


@dataclass(frozen=True)
class Solid:
    """A triangle mesh whose bounding box's longest side is [-0.9, 0.9].

        file's coordinates = centre + unit x

    A point is inside where the winding number is above 1/2, which is exact for a closed mesh and
    closes the holes of others by the smoothest guess (arXiv 1804.04166).

    Attributes:
        vertices: (v, 3), float64.
        faces: triangles of some area, (f, 3), int64, normals outwards.
        centre: of the bounding box, in the file's units.
        unit: what 1 is in the file's units.
        rim: open edges as pairs of vertices, (e, 2), int64; empty for a closed mesh.
        notes: what is assumed about it.
    """

    vertices: np.ndarray = field(repr=False)
    faces: np.ndarray = field(repr=False)
    centre: tuple[float, float, float]
    unit: float
    rim: np.ndarray = field(repr=False)
    notes: tuple[str, ...]

    def winding(self, points: np.ndarray) -> np.ndarray:
        """How often the surface goes around points, (n, 3), to within 0.01."""
        import igl

        parts = [
            igl.fast_winding_number(self.vertices, self.faces, part) for part in _parts(points)
        ]
        return np.concatenate(parts)

    def inside(self, points: np.ndarray) -> np.ndarray:
        """Which of the points, (n, 3), are inside."""
        inside: np.ndarray = self.winding(points) > 0.5
        return inside

    def signed_distance(self, points: np.ndarray) -> np.ndarray:
        """Distances of points, (n, 3), to the surface, below 0 inside, float64."""
        return np.where(self.inside(points), -1, 1) * self.distance(points)

    def distance(self, points: np.ndarray, simplices: np.ndarray | None = None) -> np.ndarray:
        """Distances of points, (n, 3), to the surface or the rim, float64."""
        import igl

        to = self.faces if simplices is None else simplices
        parts = [
            igl.point_mesh_squared_distance(part, self.vertices, to)[0] for part in _parts(points)
        ]
        return np.sqrt(np.concatenate(parts).clip(0))

    def surface_points(self, count: int, generator: np.random.Generator) -> np.ndarray:
        """Random points of the triangles, (count, 3), evenly by area."""
        corners = self.vertices[self.faces]
        share = np.cumsum(_areas(corners))
        chosen = np.searchsorted(share, generator.random(count) * share[-1], side="right")
        corners = corners[np.minimum(chosen, len(share) - 1)]
        root, other = np.sqrt(generator.random((count, 1))), generator.random((count, 1))
        a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
        return (1 - root) * a + root * ((1 - other) * b + other * c)


def _parts(points: np.ndarray) -> list[np.ndarray]:
    """The points in a few arrays of contiguous rows, one even if there are none."""
    points = np.asarray(points, dtype=np.float64)
    starts = range(0, max(1, len(points)), _AT_ONCE)
    return [np.ascontiguousarray(points[start : start + _AT_ONCE]) for start in starts]


def _areas(corners: np.ndarray) -> np.ndarray:
    sides = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    areas: np.ndarray = np.linalg.norm(np.cross(*sides), axis=1) / 2
    return areas


def load(path: Path) -> Any:
    """A mesh file as one ``trimesh.Trimesh``, in the file's units, as it is written.

    Raises:
        FirstlightError: it cannot be read.
    """
    import trimesh

    if path.suffix.lower() not in SUFFIXES:
        raise FirstlightError(
            f"{path} must end in {', '.join(SUFFIXES)}, which are the meshes that are read"
        )
    check_readable(path, "a mesh")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return trimesh.load_mesh(path, process=False)
    # a parser that is given anything may raise anything: an ImportError for a package that guesses
    # encodings where text was expected and bytes came
    except Exception as error:
        reason = "it is cut off, or not what its ending says"
        more = "" if isinstance(error, ImportError) else f" ({error})"
        raise unreadable(path, "a mesh", reason + more) from error


def solid(mesh: Any, name: str) -> Solid:
    """A mesh moved into the box, its triangles turned so that normals point outwards.

    Args:
        mesh: a ``trimesh.Trimesh``; it is not changed.
        name: for messages.

    Raises:
        FirstlightError: it has no triangles, no volume, or coordinates that are not finite.

    Example:
        >>> import trimesh
        >>> box = solid(trimesh.creation.box((2, 4, 2)), "box")
        >>> box.unit.__round__(9), box.notes, box.inside(np.array([[0, 0.8, 0.0], [0, 1, 0]]))
        (2.222222222, ('watertight: inside is exact',), array([ True, False]))
    """
    vertices, faces = _welded(mesh, name)
    low, high = vertices.min(0), vertices.max(0)
    unit = float((high / 2 - low / 2).max()) / FILL
    if not 1e-30 <= unit <= 1e30:
        raise FirstlightError(f"{name} must be of a size from 1e-30 to 1e30, and is {2 * unit:g}")
    centre = low / 2 + high / 2
    vertices = (vertices - centre) / unit
    # libigl takes no triangle without area, but the mesh is closed by them all the same
    flat = _areas(vertices[faces]) == 0
    if flat.all():
        raise FirstlightError(f"{name} has no triangle of any area; mend the mesh")
    thickness = np.linalg.svd(vertices - vertices.mean(0), compute_uv=False)
    if len(thickness) < 3 or thickness[-1] <= 1e-9 * thickness[0]:
        raise FirstlightError(f"{name} is flat, so it has no inside; give a mesh around a volume")
    faces, turned = _turned(vertices, faces)
    rim = _rim(faces)
    holes = f"not watertight ({len(rim)} open edges): inside is where the winding number is"
    notes = (f"{holes} above 1/2" if len(rim) else "watertight: inside is exact", *turned)
    place = (float(centre[0]), float(centre[1]), float(centre[2]))
    return Solid(vertices, faces[~flat], place, unit, rim, notes)


def _welded(mesh: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Finite vertices, each place once, and the triangles that have three of them."""
    vertices = np.asarray(mesh.vertices, dtype=np.float64)
    faces = np.asarray(mesh.faces, dtype=np.int64)
    if len(faces) == 0:
        raise FirstlightError(f"{name} has no triangles; it must be a triangle mesh")
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise FirstlightError(
            f"{name} has triangles of vertices that are not there ({len(vertices)} vertices); "
            "write the mesh anew"
        )
    used, faces = np.unique(faces, return_inverse=True)
    vertices = vertices[used]
    if not np.isfinite(vertices).all():
        raise FirstlightError(f"{name} has vertices that are no finite numbers; mend the mesh")
    vertices, same = np.unique(vertices + 0.0, axis=0, return_inverse=True)  # -0 is 0
    faces = same.reshape(-1)[faces.reshape(-1, 3)]
    a, b, c = faces.T
    faces = faces[(a != b) & (b != c) & (c != a)]
    if len(faces) == 0:
        raise FirstlightError(f"{name} has no triangle of any area; mend the mesh")
    used, faces = np.unique(faces, return_inverse=True)
    return vertices[used], faces.reshape(-1, 3)


def _turned(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """The triangles so that they agree and the volume is above 0, and what was done for it."""
    import igl

    tails, heads = _halfedges(faces)
    if len(np.unique(tails * (tails.max() + 1) + heads)) < len(tails):
        faces, patch = igl.bfs_orient(faces)
        wrong = np.bincount(patch.ravel(), _volumes(vertices, faces)) < 0
        faces = np.where(wrong[patch.reshape(-1, 1)], faces[:, ::-1], faces)
        return faces, ("its triangles disagreed about the outside: they were turned to agree",)
    if _volumes(vertices, faces).sum() < 0:
        return faces[:, ::-1].copy(), ("inside out: its triangles were turned",)
    return faces, ()


def _volumes(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Signed volumes between the triangles and the box's centre."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    return np.einsum("ij,ij->i", a, np.cross(b, c)) / 6


def _halfedges(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tails and heads of the directed edges of all triangles."""
    return faces.ravel(), np.roll(faces, -1, axis=1).ravel()


def _rim(faces: np.ndarray) -> np.ndarray:
    """Edges that triangles do not go along as often forth as back, (e, 2), as often as that."""
    tails, heads = _halfedges(faces)
    size = int(faces.max()) + 1
    edges = np.minimum(tails, heads) * size + np.maximum(tails, heads)
    edges, edge = np.unique(edges, return_inverse=True)
    surplus = np.abs(np.bincount(edge.ravel(), np.where(tails < heads, 1, -1))).astype(np.int64)
    return np.stack(np.divmod(np.repeat(edges, surplus), size), -1)
