"""Panels on which a function is a polynomial, and the places where it has kinks or steps.

A kink at a place that nobody names is closed in on by halving, and becomes an edge itself. Halving
ends where rounding hides the kink, so its place is a little off; what lies within that is not
searched again, or the panel that has the true place inside would be halved to the end once more.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from firstlight.errors import OptionError
from firstlight.theory.expectation import KINKS, LIMIT

Function = Callable[[Tensor], Tensor]

#: A function must be a polynomial of this degree on each panel, to this part of its size.
DEGREE, TOLERANCE = 14, 1e-12
#: What is finer than this many standard deviations is a kink, and is located to the last digit.
FINE = 1e-3
ROUNDING = 4e-15
MAX_HALVINGS = 56
#: The first edges. No round numbers: a kink must lie inside a panel to be noticed.
_START = LIMIT * np.sin([-np.pi / 2, -0.641, -0.203, 0.207, 0.653, np.pi / 2])
#: Panels while a function is searched for kinks, and those that an integral can afford.
MAX_SEARCHED, MAX_PANELS = 2**15, 2**10

_NODES = np.cos(np.pi * np.arange(DEGREE + 3) / (DEGREE + 2))
#: Values at those nodes -> the last two coefficients, which say whether the degree is enough.
_TAIL = np.linalg.inv(np.polynomial.chebyshev.chebvander(_NODES, DEGREE + 2))[-2:]


def apply(f: Function, h: np.ndarray) -> np.ndarray:
    """Evaluate ``f`` on a float64 vector; raise ``OptionError`` unless it is finite there.

    Example:
        >>> float(apply(torch.relu, np.array([2.0]))[0])
        2.0
    """
    with torch.no_grad():
        values = f(torch.from_numpy(h)).numpy()
    if not np.isfinite(values).all():
        raise OptionError(f"activation is not finite everywhere on ±{np.abs(h).max():.3g}")
    return values


def panels(f: Function, std: float, *, mirrored: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Edges between which f(std z) is a polynomial, and where it has kinks or steps.

    Args:
        f: maps a float64 vector to a vector of the same length, element by element.
        std: of the Gaussian under which f counts; edges and kinks are in units of it.
        mirrored: whether f(-std z) shall be a polynomial there, too.

    Raises:
        OptionError: f is not finite, or needs more than a thousand panels.

    Example:
        >>> panels(torch.relu, 1.0)[1]
        array([0.])
    """
    named = np.array([kink / std for kink in KINKS if abs(kink) < LIMIT * std])
    size = _size(f, std, named)
    kinks = named[_rough(f, std, size, named, np.full(len(named), FINE))]
    gaps = ROUNDING * (1 + np.abs(kinks))
    edges = _halve(f, std, size, kinks, gaps)
    found, off = _narrowest(edges)
    if len(found):
        kinks = np.append(kinks, _meeting(f, std, found, off))
        edges = _halve(f, std, size, kinks, np.append(gaps, off))
        kinks = np.unique(kinks)
    if len(edges) > MAX_PANELS:
        raise OptionError("the activation oscillates too fast: no expectation over two Gaussians")
    if mirrored:
        return np.union1d(edges, -edges), np.union1d(kinks, -kinks)
    return edges, kinks


def graded(edges: np.ndarray) -> np.ndarray:
    """Halve panels that are more than about twice as wide as a neighbour.

    Example:
        >>> graded(np.array([0.0, 8.0, 9.0]))
        array([0., 4., 6., 8., 9.])
    """
    while True:
        width = np.diff(edges)
        least = np.minimum(np.append(width[1:], np.inf), np.append(np.inf, width[:-1]))
        wide = width > 2.1 * least
        if not wide.any():
            return edges
        edges = np.union1d(edges, (edges[:-1] + edges[1:])[wide] / 2)


def _size(f: Function, std: float, named: np.ndarray) -> float:
    """Largest |f| under the root of the Gaussian, looked for between the named places, too."""
    edges = np.union1d(np.linspace(-LIMIT, LIMIT, 49), named)
    z = np.concatenate([edges, (edges[1:] + edges[:-1]) / 2])
    return float(np.abs(apply(f, std * z) * np.exp(-0.25 * z**2)).max())


def _halve(f: Function, std: float, size: float, kinks: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """Halve panels until f is a polynomial on each, or they are as narrow as floats allow.

    The first edges and the kinks are edges; within the gaps of those, f does not count.
    """
    kept = np.union1d(_START, kinks)
    gap = np.zeros(len(kept))
    np.maximum.at(gap, np.searchsorted(kept, kinks), gaps)
    left, right = kept[:-1] + gap[:-1], kept[1:] - gap[1:]
    left, right = left[left < right], right[left < right]
    for _ in range(MAX_HALVINGS):
        middle = (left + right) / 2
        rough = _rough(f, std, size, middle, (right - left) / 2)
        left, middle, right = left[rough], middle[rough], right[rough]
        if len(left) == 0 or len(kept) > MAX_SEARCHED:
            break
        kept = np.union1d(kept, middle)
        left, right = np.append(left, middle), np.append(middle, right)
    return kept


def _rough(
    f: Function, std: float, size: float, middle: np.ndarray, half: np.ndarray
) -> np.ndarray:
    """Whether f(std z) is no polynomial on each panel, to a part of its weighted size."""
    z = middle + np.outer(_NODES, half)
    values = apply(f, (std * z).ravel()).reshape(z.shape)
    # Its square is integrated under a Gaussian, so it counts by the root of that.
    weight = np.exp(-0.25 * np.maximum(np.abs(middle) - half, 0) ** 2)
    # Close to a kink only what f and z lose in rounding will do: then its place is known, too.
    change = np.ptp(values, axis=0)
    lost = 1e-8 * change + ROUNDING * (np.abs(values).max(0) + change * np.abs(middle) / half)
    tolerance = np.where(half < FINE, lost * weight, TOLERANCE * size)
    return np.abs(_TAIL @ values).sum(0) * weight > tolerance


def _narrowest(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Middles of the narrowest panels, and how far off a kink may be.

    One for each heap of panels that were halved to the end.
    """
    width = np.diff(edges)
    narrow = np.flatnonzero(width < 1e-3 * FINE)
    if len(narrow) == 0:
        return np.empty(0), np.empty(0)
    heaps = np.split(narrow, np.flatnonzero(np.diff(edges[narrow]) > 1e-2 * FINE) + 1)
    least = [heap[np.isclose(width[heap], width[heap].min(), rtol=0.5, atol=0)] for heap in heaps]
    middles = [(edges[heap] + edges[heap + 1]).mean() / 2 for heap in least]
    # The last panel that looked rough was twice as wide as these, with its middle here.
    return np.array(middles), np.array([2 * width[heap].max() for heap in least])


def _meeting(f: Function, std: float, places: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """Where the sides of a kink meet: closer to it than halving comes.

    Parabolas through three points on each side; steps, whose sides do not meet, stay.
    """
    reach = 8 * gaps
    z = places[:, None] + reach[:, None] * [-3, -2, -1, 1, 2, 3]
    values = apply(f, (std * z).ravel()).reshape(z.shape)
    jump, turn = values @ [-1, 3, -3, 3, -3, 1], values @ [-1.5, 4, -2.5, -2.5, 4, -1.5] / reach
    meet = np.abs(jump) < gaps * np.abs(turn)
    places = places.copy()
    places[meet] -= jump[meet] / turn[meet]
    return places
