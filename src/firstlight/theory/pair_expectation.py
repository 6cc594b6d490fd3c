"""Expectations over two correlated Gaussians, exact next to correlations of 1 and -1, too.

Two standard normal variables of correlation c >= 0 are alpha x + beta y and alpha x - beta y, with
x and y independent and alpha^2, beta^2 = (1 +- c) / 2. By their symmetry

    E[f(u) g(v)] = E[f g] - 1/2 E[(f(u) - f(v)) (g(u) - g(v))],

and the last term is what a correlation below 1 costs: it is small where beta is, and loses no
digits. It is integrated by Gauss-Legendre panels that end wherever f or its slope jumps: those
lines cut the plane of x and y aslant, so every x has its own panels in y.
"""

import math
from collections.abc import Callable

import numpy as np

from firstlight.errors import positive
from firstlight.theory._arguments import correlation_of
from firstlight.theory._panels import Function, apply, graded, panels
from firstlight.theory.expectation import LIMIT, gaussian_expectation

#: Nodes per panel, and Gauss-Legendre's rule on [-1, 1].
NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)
#: Panels of this many standard deviations resolve the Gaussian itself.
STEP = 2.0
_ANGLES, _ANGLE_WEIGHTS = np.polynomial.legendre.leggauss(8)
#: Points in the plane at once, which bounds the memory.
_AT_ONCE = 2**19


def pair_expectation(f: Function, correlation: float, variance: float = 1.0) -> float:
    """Expectation of a product, E[f(u) f(v)], of two Gaussians of one variance.

    To about 1e-10 of E[f^2], kinks and steps included.

    Args:
        f: maps a float64 vector to a vector of the same length, element by element.
        correlation: of u and v, in [-1, 1].
        variance: of u and of v, above 0.

    Raises:
        OptionError: an argument is out of range, or the expectation is not finite.

    Example:
        >>> import torch
        >>> # E[relu(u) relu(v)] = 1 / (2 pi) for independent u and v
        >>> round(pair_expectation(torch.relu, 0.0), 9)
        0.159154943
    """
    c = correlation_of(correlation)
    if c >= 0:
        own = gaussian_expectation(lambda h: f(h) ** 2, variance)
    else:
        own = gaussian_expectation(lambda h: f(h) * f(-h), variance)
    return own - separation(f, c, variance)


def separation(f: Function, correlation: float, variance: float = 1.0) -> float:
    """What a correlation other than ±1 takes from E[f(u) f(v)], with nearly all its digits.

        c >= 0:  1/2 E[(f(u) - f(v))^2]
        c < 0:   1/2 E[(f(u) - f(w)) (f(-u) - f(-w))],  w = -v

    Args:
        f: maps a float64 vector to a vector of the same length, element by element.
        correlation: c, of u and v, in [-1, 1].
        variance: of u and of v, above 0.

    Raises:
        OptionError: an argument is out of range, or f cannot be resolved by panels.

    Example:
        >>> import torch
        >>> round(separation(torch.relu, 1 - 2**-40) * 2**40, 5)  # E[relu'^2]
        0.5
    """
    c, std = correlation_of(correlation), math.sqrt(positive(variance, "variance"))
    alpha, beta = math.sqrt((1 + abs(c)) / 2), math.sqrt((1 - abs(c)) / 2)
    if beta == 0:
        return 0.0
    edges, kinks = panels(f, std, mirrored=c < 0)

    def cost(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        difference = apply(f, std * u) - apply(f, std * v)
        if c >= 0:
            return difference**2
        return difference * (apply(f, -std * u) - apply(f, -std * v))

    x, weight = _outer_nodes(edges, kinks, alpha, beta)
    rows = max(1, _AT_ONCE // (len(NODES) * (len(edges) + 8)))
    parts = np.split(alpha * x, range(rows, len(x), rows))
    return float(weight @ np.concatenate([_inner(cost, part, beta, edges) for part in parts]))


def covariance_by_slopes(slope: Function, correlation: float, variance: float) -> float:
    """Covariance of f(u) and f(v) from the slope of f alone, by Price's theorem.

        Cov = variance * integral over c' from 0 to c of E[f'(u) f'(v)]

    It keeps its digits where f varies little about a large mean. To about 1e-12 where f is smooth
    over a standard deviation or has its only kink at 0; f must be continuous.

    Args:
        slope: f', maps a float64 vector to a vector of the same length, element by element.
        correlation: c, of u and v, in [-1, 1].
        variance: of u and of v, above 0.

    Raises:
        OptionError: an argument is out of range, or the expectation is not finite.

    Example:
        >>> import torch
        >>> round(covariance_by_slopes(torch.cos, 0.5, 1.0), 6)  # sinh(0.5) / e
        0.1917

    Reference: Price, IRE Transactions on Information Theory 4 (1958).
    """
    end = math.acos(correlation_of(correlation))
    middle, half = (math.pi / 2 + end) / 2, (math.pi / 2 - end) / 2
    angles = middle + half * _ANGLES  # in the angle, kinks make no root at c = 1
    values = [pair_expectation(slope, math.cos(angle), variance) for angle in angles]
    return float(variance * half * np.sum(_ANGLE_WEIGHTS * values * np.sin(angles)))


def _gauss(z: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)


def _outer_nodes(
    edges: np.ndarray, kinks: np.ndarray, alpha: float, beta: float
) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights in x, which carry the Gaussian.

    Panels are finer beside kinks and other fine features, which y blurs by beta. They end halfway
    between any two kinks, where a line of constant x meets the corner of those in the plane.
    """
    blur = beta * np.array([-8.0, -4.0, -2.0, -1.0, 1.0, 2.0, 4.0, 8.0])
    corners = (kinks[:, None] + kinks) / 2
    marks = np.concatenate([graded(edges), (kinks[:, None] + blur).ravel(), corners.ravel()])
    marks = marks / alpha
    steps = np.arange(-LIMIT, LIMIT + STEP / 2, STEP)
    ends = np.union1d(steps, marks[np.abs(marks) < LIMIT].round(14))
    half = np.diff(ends)[:, None] / 2
    x = ends[:-1, None] + half + half * NODES
    return x.ravel(), (half * WEIGHTS * _gauss(x)).ravel()


def _inner(
    cost: Callable[[np.ndarray, np.ndarray], np.ndarray],
    centre: np.ndarray,
    beta: float,
    edges: np.ndarray,
) -> np.ndarray:
    """Half the integral over y of cost(centre + beta y, centre - beta y), which is even in y."""
    steps = np.arange(0, LIMIT + STEP / 2, STEP)
    meets = np.minimum(np.abs(edges - centre[:, None]) / beta, LIMIT)
    ends = np.sort(np.concatenate([np.tile(steps, (len(centre), 1)), meets], axis=1), axis=1)
    half = np.diff(ends, axis=1) / 2
    row, panel = np.nonzero(half)  # most edges lie beyond the Gaussian
    half = half[row, panel][:, None]
    y = ends[row, panel][:, None] + half + half * NODES
    middle = np.broadcast_to(centre[row][:, None], y.shape)
    values = cost((middle + beta * y).ravel(), (middle - beta * y).ravel()).reshape(y.shape)
    panels = (values * _gauss(y) * WEIGHTS).sum(1) * half[:, 0]
    return np.bincount(row, panels, len(centre))
