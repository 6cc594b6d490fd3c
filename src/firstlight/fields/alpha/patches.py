"""Small pieces of a signal's training samples, half known and half asked for.

What lies between training samples is unknown before a fit. Signals look alike at neighbouring
scales, so every second training sample stands for all of them: the pieces are drawn together until
the known ones are as near to each other as all training samples are.
"""

from dataclasses import dataclass

import numpy as np
import torch

from firstlight.fields.alpha.windows import window_cells
from firstlight.fields.signals.gridded import Gridded
from firstlight.fields.signals.signal import Signal

#: Known samples of a piece along each axis, and the margin inside which nothing is asked, by
#: number of coordinates.
_SIDES = {1: (128, 16), 2: (16, 6), 3: (7, 3), 4: (5, 2)}
#: Pieces of a lattice, and of scattered samples, whose kernels are computed one by one.
_LATTICE_PIECES, _SCATTERED_PIECES = 64, 8
#: Samples of a scattered piece.
_SCATTERED = 288


@dataclass(frozen=True)
class Patches:
    """Pieces whose points lie alike.

    Attributes:
        known: coordinates of the known samples, (m, inputs).
        asked: coordinates of those that are asked for, (q, inputs).
        known_values: (pieces, m, outputs), in [-1, 1].
        asked_values: (pieces, q, outputs).
    """

    known: np.ndarray
    asked: np.ndarray
    known_values: np.ndarray
    asked_values: np.ndarray


def patches(signal: Signal, level: int = 1, seed: int = 0) -> list[Patches]:
    """Pieces of a signal's training samples; empty where there are too few samples.

    Args:
        signal: what is to be fitted; nothing that is held out is looked at.
        level: 1 asks for every second sample, 2 for every second of every second ...
        seed: of the choice of pieces.

    Example:
        >>> from firstlight.fields.signals.image import read_image
        >>> (pieces,) = patches(read_image(np.zeros((64, 64), np.uint8)))
        >>> pieces.known.shape, pieces.known_values.shape
        ((256, 2), (25, 256, 1))
    """
    if isinstance(signal, Gridded) and _on_a_lattice(signal):
        return _of_lattice(signal, 2 ** (level - 1))
    return _of_scattered(signal, level, seed)


def _on_a_lattice(signal: Gridded) -> bool:
    """Whether training samples are a lattice in the coordinates, or most of one."""
    mostly = signal.every > 1 or 2 * len(signal.train) > len(signal.train.places)
    return mostly and signal.inputs == len(signal.shape)


def _of_lattice(signal: Gridded, step: int) -> list[Patches]:
    """Windows of the trained lattice, of which every ``step``-th sample is looked at."""
    stride = signal.every * step
    sides = [len(range(0, side, stride)) for side in signal.shape]
    most, edge = _SIDES[min(len([side for side in sides if side > 1]) or 1, 4)]
    window = [min(2 * most, side) for side in sides]
    local, inner = window_cells(window, edge)
    odd = (local % 2).any(1)
    known, asked = local[~odd], local[odd & inner]
    if len(known) < 4 or len(asked) < 4:
        return []
    seen = _seen(signal)
    pieces = [
        _lattice_values(signal, (start + local) * stride, window, seen)
        for start in _starts(sides, window)
    ]
    spread = np.array(signal.spacing) / 2
    return [
        Patches(
            known * spread,
            asked * spread,
            np.stack([piece[~odd] for piece in pieces]),
            np.stack([piece[odd & inner] for piece in pieces]),
        )
    ]


def _starts(sides: list[int], window: list[int]) -> np.ndarray:
    """Corners of evenly spread windows, even along every axis, at most 64 in all."""
    axes = [side for side, width in zip(sides, window, strict=True) if side > width]
    each = max(1, int(_LATTICE_PIECES ** (1 / max(1, len(axes))) + 1e-9))  # 64^(1/3) is 3.99...
    corners = [
        np.unique(np.linspace(0, side - width, min(each, 1 + 4 * (side - width) // width)))
        for side, width in zip(sides, window, strict=True)
    ]
    grid = np.stack(np.meshgrid(*corners, indexing="ij"), -1).reshape(-1, len(sides))
    return grid.astype(int) // 2 * 2


def _seen(signal: Gridded) -> torch.Tensor | None:
    """Which cells are trained on, where a random share is held out."""
    chosen = signal.train.chosen
    if signal.every > 1 or chosen is None:
        return None
    seen = torch.zeros(len(signal.train.places), dtype=torch.bool)
    seen[chosen.long().cpu()] = True
    return seen


def _lattice_values(
    signal: Gridded, cells: np.ndarray, window: list[int], seen: torch.Tensor | None
) -> np.ndarray:
    """Values of a window's cells, (n, axes) to (n, outputs); of the nearest seen for the others."""
    samples = signal.train
    numbers = torch.from_numpy(np.ravel_multi_index(tuple(cells.T), signal.shape))
    if seen is not None:
        from scipy.ndimage import distance_transform_edt

        unseen = ~seen[numbers].numpy().reshape(window)
        if unseen.all():
            return np.zeros((len(cells), samples.outputs))
        nearest = distance_transform_edt(unseen, return_distances=False, return_indices=True)
        numbers = numbers[np.ravel_multi_index(tuple(nearest), window).ravel()]
    values = samples.values[numbers.to(samples.device)]
    return samples.span.scaled(values).double().cpu().numpy()


def _of_scattered(signal: Signal, level: int, seed: int) -> list[Patches]:
    """The neighbourhoods of some samples, of a random part of all."""
    samples, generator = signal.train, torch.Generator().manual_seed(seed)
    order = torch.randperm(len(samples), generator=generator)[: 2**20]
    chosen = order[: len(order) // 2 ** (level - 1)]
    if len(chosen) < 64:
        return []
    batch = samples.at(chosen)
    places, values = batch.x.double(), batch.y.double().numpy()
    size = min(_SCATTERED, len(chosen))
    dimensions = 2 if _on_a_surface(places) else signal.inputs
    # fewer are known than are trained on, half of them at level 1: so much farther apart
    scale = (len(chosen) / 2 / len(samples)) ** (1 / dimensions)
    found = []
    for centre in range(_SCATTERED_PIECES):
        near = (places - places[centre]).square().sum(1).topk(size, largest=False).indices.numpy()
        near = near[np.argsort(near)]  # in the random order, so halves are random
        known, asked = near[: size // 2], near[size // 2 :]
        points = (places.numpy() - places[centre].numpy()) * scale
        found.append(
            Patches(points[known], points[asked], values[None, known], values[None, asked])
        )
    return found


def _on_a_surface(places: torch.Tensor) -> bool:
    """Whether points in space all lie on the unit sphere."""
    return places.shape[1] == 3 and bool(((places.norm(dim=1) - 1).abs() < 1e-4).all())
