"""The surface of a field on a lattice too large to hold: marching cubes, block by block."""

from collections.abc import Callable, Iterator

import numpy as np

from firstlight.errors import FirstlightError

#: Values of layers start to before stop of an n x n x n lattice, (stop - start, n, n), above 0
#: inside.
Layers = Callable[[int, int], np.ndarray]

#: Cells along a side of the blocks that are triangulated at once.
_SIDE = 64
#: Values that are asked for at once, which bounds the memory.
_AT_ONCE = 2**22
#: Values beyond are as good as these, and nearer to 0 count as these. So no vertex is less than
#: 1e-5 of a cell from a lattice point (float32 has 4e-6 in a block): it lies on one edge of the
#: lattice, by which blocks agree on it, and no two sheets touch in a point.
_MOST, _LEAST = 2.0, 2e-5


def surface(layers: Layers, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Triangles around where a field is above 0, at the middles of n x n x n cells of [-1, 1]^3.

    Around the box is outside, so the surface is closed: where the inside reaches the box it ends
    at the box. Every value is asked for once, in slabs of 2^22; beyond a slab, memory grows with
    the surface and not with n^3.

    Args:
        layers: the field's values, (stop - start, n, n), for layers start to before stop of the
            first coordinate.
        n: cells along a side, 2 or more.

    Returns:
        Vertices, (v, 3) float64 in [-1, 1], and triangles, (f, 3) int64, normals outwards.

    Raises:
        FirstlightError: a value is not finite, or no value is above 0.

    Example:
        >>> vertices, triangles = surface(lambda start, stop: np.ones((stop - start, 2, 2)), 2)
        >>> vertices.min(0).tolist(), vertices.max(0).tolist()
        ([-1.0, -1.0, -1.0], [1.0, 1.0, 1.0])

    Reference: T. Lewiner et al., Efficient implementation of marching cubes' cases with
    topological guarantees, Journal of Graphics Tools 8(2), 2003.
    """
    count = 0
    parts: tuple[list[np.ndarray], ...] = ([], [], [])
    for start, slab in _slabs(layers, n):
        for origin, block in _blocks(slab, start):
            vertices, faces, edges = _triangulated(block, origin, n)
            for part, each in zip(parts, (vertices, faces + count, edges), strict=True):
                part.append(each)
            count += len(vertices)
    if not count:
        raise FirstlightError(
            "the field is outside everywhere, so it has no surface; train it longer, or choose a "
            "level between its values"
        )
    vertices, faces = _welded(*(_joined(part) for part in parts))
    vertices *= 2
    vertices -= n + 1
    vertices /= n
    return vertices, faces


def _joined(part: list[np.ndarray]) -> np.ndarray:
    """All arrays as one, while the list gives up its own."""
    whole = np.concatenate(part)
    part.clear()
    return whole


def _slabs(layers: Layers, n: int) -> Iterator[tuple[int, np.ndarray]]:
    """Slabs that share a layer, with a layer of outside around the box, and their first layers."""
    step = max(1, min(_SIDE - 1, _AT_ONCE // n**2))
    before = None
    for start in range(0, n, step):
        stop = min(start + step, n)
        part = _prepared(layers(start, stop))
        # outside is the mirror image, so a surface that reaches the box ends half a cell further
        first = -np.abs(part[:1]) if before is None else before
        last = [-np.abs(part[-1:])] if stop == n else []
        before = part[-1:].copy()
        yield start, np.concatenate([first, part, *last])


def _prepared(values: np.ndarray) -> np.ndarray:
    """Finite values away from 0, float32, with the sides of the box."""
    if not np.isfinite(values).all():
        raise FirstlightError("the field has values that are no numbers, so it has no surface")
    values = np.clip(values, -_MOST, _MOST).astype(np.float32)
    small = np.abs(values) < _LEAST
    values[small] = np.where(values[small] > 0, _LEAST, -_LEAST)
    values = np.pad(values, ((0, 0), (1, 1), (1, 1)), mode="edge")
    for side in (values[:, 0], values[:, -1], values[:, :, 0], values[:, :, -1]):
        side[...] = -np.abs(side)
    return values


def _blocks(slab: np.ndarray, start: int) -> Iterator[tuple[tuple[int, int, int], np.ndarray]]:
    """The blocks of a slab that the surface goes through, sharing a layer, and their origins."""
    for row in range(0, slab.shape[1] - 1, _SIDE):
        for column in range(0, slab.shape[2] - 1, _SIDE):
            block = slab[:, row : row + _SIDE + 1, column : column + _SIDE + 1]
            if block.min() < 0 < block.max():
                yield (start, row, column), block


def _triangulated(
    block: np.ndarray, origin: tuple[int, int, int], n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices in cells, triangles, and the lattice's edge that a vertex lies on.

    The edge is -1 for vertices that no other block has.
    """
    from skimage.measure import marching_cubes

    local, faces, _, _ = marching_cubes(block, 0.0, gradient_direction="ascent")
    shared = ((local == 0) | (local == np.subtract(block.shape, 1))).any(1)
    vertices = local.astype(np.float64) + origin
    lower = np.floor(vertices[shared]).astype(np.int64)
    axis = (vertices[shared] - lower).argmax(1)
    edges = np.full(len(vertices), -1, dtype=np.int64)
    edges[shared] = np.ravel_multi_index(lower.T, (n + 2,) * 3) * 3 + axis
    return vertices, faces.astype(np.int64), edges


def _welded(
    vertices: np.ndarray, faces: np.ndarray, edges: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """One vertex for each edge of the lattice instead of one for each block that has it."""
    shared = np.flatnonzero(edges >= 0)
    _, first, again = np.unique(edges[shared], return_index=True, return_inverse=True)
    same = np.arange(len(vertices))
    same[shared] = shared[first][again]
    kept = same == np.arange(len(vertices))
    return vertices[kept], (np.cumsum(kept) - 1)[same][faces]
