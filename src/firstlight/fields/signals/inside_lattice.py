"""Which points of a fine lattice are inside a mesh, asked only near its surface."""

from collections.abc import Iterator

import numpy as np

from firstlight.fields.signals.mesh import Solid

#: Lattice points along a side of the blocks that are decided as a whole where that is safe.
_SIDE = 8
#: Blocks whose points are asked about at once, which bounds the memory.
_BLOCKS_AT_ONCE = 2**11
#: How far the fast winding number may be from the exact one.
_DOUBT = 0.01


def inside_lattice(solid: Solid, n: int) -> np.ndarray:
    """Which middles of n x n x n cells of [-1, 1]^3 are inside, (n, n, n).

    A block of 8^3 points without a triangle has one winding number in a closed mesh. In another
    it changes along the block, but by the law of Biot and Savart no faster than

        |grad w| <= length of the rim / (4 pi distance to the rim^2),

    so most blocks of both are decided by one point.

    Example:
        >>> import trimesh
        >>> from firstlight.fields.signals.mesh import solid
        >>> int(inside_lattice(solid(trimesh.creation.box(), "box"), 20).sum()), 18**3
        (5832, 5832)
    """
    count = -(-n // _SIDE)
    inside = np.empty((count * _SIDE,) * 3, dtype=bool)
    # axes: block, place in the block, three times
    blocks = inside.reshape((count, _SIDE) * 3)
    within = _triples(np.arange(_SIDE**3), _SIDE)
    for numbers in _ranges(count**3, _BLOCKS_AT_ONCE * 16):
        firsts = _triples(numbers, count) * _SIDE
        decided, occupied = _decided(solid, firsts, n)
        i, j, k = firsts.T // _SIDE
        blocks[i, :, j, :, k, :] = occupied[:, None, None, None]
        for few in _ranges(int((~decided).sum()), _BLOCKS_AT_ONCE):
            places = (firsts[~decided][few][:, None] + within).reshape(-1, 3)
            inside[tuple(places.T)] = solid.inside(_coordinates(places, n))
    return inside[:n, :n, :n]


def _decided(solid: Solid, firsts: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Whether all points of the blocks are alike, and whether the middles are inside."""
    middles = _coordinates(firsts + (_SIDE - 1) / 2, n)
    radius = 1.001 * np.sqrt(3) * (_SIDE - 1) / n
    winding = solid.winding(middles)
    decided = solid.distance(middles) > radius
    if len(solid.rim):
        ends = solid.vertices[solid.rim]
        length = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).sum()
        away = (solid.distance(middles, solid.rim) - radius).clip(1e-9)
        change = radius * length / (4 * np.pi * away**2)
        decided &= np.abs(winding - 0.5) > change + _DOUBT
    return decided, winding > 0.5


def _coordinates(places: np.ndarray, n: int) -> np.ndarray:
    return (2 * places + 1) / n - 1


def _triples(numbers: np.ndarray, side: int) -> np.ndarray:
    return np.stack(np.unravel_index(numbers, (side,) * 3), -1)


def _ranges(count: int, most: int) -> Iterator[np.ndarray]:
    for start in range(0, count, most):
        yield np.arange(start, min(start + most, count))
