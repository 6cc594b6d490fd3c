"""Expectations over a Gaussian, by adaptive quadrature.

The rule is Clenshaw-Curtis and not Gauss-Kronrod, on which SciPy's adaptive integrators stand: it
looks at the ends of each panel. Gauss-Kronrod does not, and overlooks a kink or step that lies
just beside an end.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from firstlight.errors import OptionError, positive

#: Where activations tend to have kinks; any other kink is closed in on by bisection.
KINKS = (-6.0, -3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 6.0)
#: The Gaussian weighs less than 1e-31 beyond it.
LIMIT = 12.0
MAX_PANELS = 2**15
#: Halvings after which a panel is narrower than the spacing of floats.
MAX_HALVINGS = 56


def _clenshaw_curtis(intervals: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights on [-1, 1] that integrate the Chebyshev polynomials exactly."""
    nodes = np.cos(np.pi * np.arange(intervals + 1) / intervals)
    degree = np.arange(0, intervals + 1, 2)
    integrals = np.zeros(intervals + 1)
    integrals[::2] = 2 / (1 - degree**2)
    basis = np.polynomial.chebyshev.chebvander(nodes, intervals)
    return nodes, np.linalg.solve(basis.T, integrals)


NODES, FINE = _clenshaw_curtis(32)
_, COARSE = _clenshaw_curtis(16)  # on every second node
NODES *= 1 - 1e-13  # a step just at the end of a panel lies on its own side of it


def gaussian_expectation(f: Callable[[Tensor], Tensor], variance: float = 1.0) -> float:
    """Expectation of a function of a Gaussian variable with mean zero.

    E[f(h)] with h ~ N(0, variance), to about 1e-10, kinks and steps included.

    Args:
        f: maps a float64 vector to a vector of the same length, element by element.
        variance: variance of h, above 0.

    Raises:
        OptionError: the variance is not above 0, or the expectation is not finite.

    Example:
        >>> round(gaussian_expectation(torch.square, variance=3.0), 9)
        3.0
    """
    std = math.sqrt(positive(variance, "variance"))

    def integrand(z: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            values = f(torch.from_numpy(std * z)).numpy()
        if not np.isfinite(values).all():
            raise OptionError(f"activation is not finite everywhere on ±{LIMIT * std:.3g}")
        return values * np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)

    kinks = [kink / std for kink in KINKS if abs(kink) < LIMIT * std]
    edges = np.union1d(np.linspace(-LIMIT, LIMIT, 49), kinks)
    size = np.abs(integrand(edges))
    total = _integrate(integrand, edges, tolerance=1e-12 * size.max())
    if total is None or max(size[0], size[-1]) > 1e-10 * size.max():
        raise OptionError(
            "the expectation over a Gaussian did not converge: the activation grows or "
            "oscillates too fast"
        )
    return total


def _integrate(
    integrand: Callable[[np.ndarray], np.ndarray], edges: np.ndarray, tolerance: float
) -> float | None:
    """Integral over panels, all of which are halved together until each is within tolerance."""
    left, right = edges[:-1], edges[1:]
    total = 0.0
    for _ in range(MAX_HALVINGS):
        half = (right - left) / 2
        values = integrand(((left + half) + np.outer(NODES, half)).ravel()).reshape(-1, half.size)
        fine, coarse = half * (FINE @ values), half * (COARSE @ values[::2])
        rough = np.abs(fine - coarse) > tolerance
        total += float(fine[~rough].sum())
        left, right, half = left[rough], right[rough], half[rough]
        if left.size == 0:
            return total
        if left.size > MAX_PANELS:
            break
        left, right = np.append(left, left + half), np.append(left + half, right)
    return None
