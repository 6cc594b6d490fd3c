"""Windows of a lattice of samples that stand for the whole: together as rich in detail as it is."""

import numpy as np
import torch
from torch import Tensor

from firstlight.fields.signals.gridded import Gridded
from firstlight.fields.signals.samples import Samples

#: Windows that are looked at along each axis, by number of axes that have more than one.
_CANDIDATES = {1: 256, 2: 16, 3: 6, 4: 4}
#: Sets of windows that are drawn.
_DRAWS = 400
#: Sets among which the one that lies farthest apart is taken.
_ALIKE = 20
#: Detail that is none: two constant windows are alike.
_NOTHING = 1e-12


def windows(
    signal: Gridded, sides: list[int], window: list[int], count: int, seed: int = 0
) -> np.ndarray:
    """Choose windows of the trained lattice that do not overlap.

        detail = mean over cells and axes of (v_i - (v_(i-1) + v_(i+1)) / 2)^2

    Of many random sets those whose mean detail is nearest to that of all windows, by ratio, and of
    these the one that lies farthest apart: what a fit puts between samples is judged by its mean
    square, which a few rich places decide.

    Args:
        signal: what is to be fitted.
        sides: trained samples along each axis.
        window: samples of a window along each axis.
        count: windows that are wanted; fewer where no more fit.
        seed: of the draws.

    Returns:
        First corners, (windows, axes), in samples of the trained lattice.

    Example:
        >>> from firstlight.fields.signals.image import read_image
        >>> pixels = np.zeros((64, 64), np.uint8)
        >>> pixels[:, 32:] = np.arange(32) % 2  # two windows of four are rich
        >>> int((windows(read_image(pixels), [64, 64], [24, 24], 4)[:, 1] > 20).sum())
        2
    """
    corners = _candidates(sides, window)
    detail = _detail(signal, corners, window)
    corners, detail = corners[np.isfinite(detail)], detail[np.isfinite(detail)]
    if not len(corners):
        return corners
    generator = np.random.default_rng(seed)
    apart = (np.abs(corners[:, None] - corners[None]) >= window).any(-1)
    drawn = [_draw(apart, count, generator) for _ in range(_DRAWS)]
    most = max(map(len, drawn))
    drawn = [each for each in drawn if len(each) == most]
    ratios = [(detail[each].mean() + _NOTHING) / (detail.mean() + _NOTHING) for each in drawn]
    alike = np.argsort(np.abs(np.log(ratios)), kind="stable")[:_ALIKE]
    best = max(alike, key=lambda number: _nearest(corners[drawn[number]]))
    return np.asarray(corners[sorted(drawn[best])])


def trained(samples: Samples, numbers: Tensor) -> Tensor:
    """Which of the places are trained on: those of a map may have no value.

    Example:
        >>> from firstlight.fields.signals.image import read_image
        >>> trained(read_image(np.zeros((2, 2), np.uint8)).train, torch.arange(4)).tolist()
        [True, True, True, True]
    """
    if samples.chosen is None:
        return torch.ones(numbers.shape, dtype=torch.bool)
    return torch.isin(numbers, samples.chosen.long().cpu())


def window_cells(window: list[int], edge: int) -> tuple[np.ndarray, np.ndarray]:
    """Cells of a window, (n, axes), and which of them are no nearer to its border than ``edge``.

    Of a narrow window at least the middle half is inside.

    Example:
        >>> cells, inner = window_cells([8], 2)
        >>> cells[inner].ravel().tolist()
        [2, 3, 4, 5]
    """
    margin = [min(edge, side // 4) for side in window]
    cells = np.stack(np.meshgrid(*map(np.arange, window), indexing="ij"), -1)
    cells = cells.reshape(-1, len(window))
    inside = (cells >= margin) & (cells < np.subtract(window, margin))
    return cells, np.asarray(inside.all(axis=1))


def _nearest(corners: np.ndarray) -> float:
    """Squared distance of the two windows that are nearest to each other."""
    apart = np.square(corners[:, None] - corners[None]).sum(-1).astype(float)
    return float(apart[np.triu_indices(len(corners), 1)].min(initial=np.inf))


def _candidates(sides: list[int], window: list[int]) -> np.ndarray:
    """First corners of windows that overlap by two thirds, or less on large lattices."""
    most = _CANDIDATES[min(4, max(1, sum(side > 1 for side in sides)))]
    axes = [
        np.linspace(0, side - width, min(most, 1 + 3 * (side - width) // width)).astype(int)
        for side, width in zip(sides, window, strict=True)
    ]
    return np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(sides))


def _draw(apart: np.ndarray, count: int, generator: np.random.Generator) -> list[int]:
    """Numbers of windows in random order, without those that overlap one before."""
    chosen: list[int] = []
    free = np.ones(len(apart), bool)
    for number in generator.permutation(len(apart)):
        if free[number]:
            chosen.append(int(number))
            free &= apart[number]
        if len(chosen) == count:
            break
    return chosen


def _detail(signal: Gridded, corners: np.ndarray, window: list[int]) -> np.ndarray:
    """Of each window; not a number where too little of it is trained on."""
    cells = (corners[:, None] + window_cells(window, 0)[0]) * signal.every
    numbers = torch.from_numpy(np.ravel_multi_index(tuple(np.moveaxis(cells, -1, 0)), signal.shape))
    samples = signal.train
    values = samples.span.scaled(samples.values[numbers.to(samples.device)]).double().cpu()
    values[~trained(samples, numbers)] = torch.nan
    found = values.numpy().reshape(len(corners), *window, samples.outputs)
    total = np.zeros(len(corners))
    for axis, width in enumerate(window, 1):
        if width > 2:
            along = np.moveaxis(found, axis, 1)
            bent = along[:, 1:-1] - (along[:, :-2] + along[:, 2:]) / 2
            total += _means(np.square(bent).reshape(len(corners), -1))
    return total


def _means(values: np.ndarray) -> np.ndarray:
    """Means of rows, of what is a number there; not a number where nothing is."""
    known = np.isfinite(values)
    counts = known.sum(1)
    sums = np.where(known, values, 0).sum(1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
