"""The size of pre-activations at which a network carries signals and gradients alike.

VI3NR (arXiv 2504.19270): weights of variance sigma_p^2 / (n E[f(sigma_p z)^2]) keep the
pre-activations at N(0, sigma_p^2). Squared gradients then change per layer by

    g = sigma_p^2 E[f'(sigma_p z)^2] / E[f(sigma_p z)^2]

and sigma_p is free: it is taken where g is nearest to 1.
"""

import math
from functools import lru_cache

import torch

from firstlight.theory.activations import Activation, elementwise
from firstlight.theory.expectation import gaussian_expectation
from firstlight.theory.layer_maps import squared_slope

#: Where sigma_p is looked for, and how finely before the best place is refined.
_LOW, _HIGH, _STEPS = 0.01, 10.0, 41


def balanced_gain(activation: Activation, scale: float) -> float:
    """Gain sigma_p / sqrt(E[f(sigma_p z)^2]) that keeps pre-activations at N(0, sigma_p^2).

    Args:
        activation: a name (``firstlight.theory.ACTIVATIONS``) or any elementwise callable.
        scale: sigma_p, above 0.

    Raises:
        OptionError: the activation is constant or not finite there.

    Example:
        >>> round(balanced_gain("relu", 3.0), 6)
        1.414214

    Reference: arXiv 2504.19270.
    """
    f = elementwise(activation)
    return scale / math.sqrt(gaussian_expectation(lambda h: f(h) ** 2, scale**2))


def balanced_scale(activation: Activation) -> float:
    """Scale sigma_p in [0.01, 10] at which the gradient factor g is nearest to 1.

    Args:
        activation: a name (``firstlight.theory.ACTIVATIONS``) or any elementwise callable.

    Raises:
        OptionError: the activation is constant, not finite or not differentiable.

    Example:
        >>> gauss = balanced_scale(lambda x: torch.exp(-(x**2) / 2))
        >>> round(gauss, 4), round(math.sqrt(1 + math.sqrt(2)), 4)
        (1.5538, 1.5538)

    Reference: arXiv 2504.19270.
    """
    find = _find_by_name if isinstance(activation, str) else _find
    return find(activation)


def _find(activation: Activation) -> float:
    from scipy.optimize import minimize_scalar  # loads more than all the rest of the library

    f = elementwise(activation)

    def far(logarithm: float) -> float:
        variance = math.exp(2 * logarithm)
        second = gaussian_expectation(lambda h: f(h) ** 2, variance)
        return math.log(variance * squared_slope(activation, variance) / second) ** 2

    low, high = math.log(_LOW), math.log(_HIGH)
    places = torch.linspace(low, high, _STEPS).tolist()
    best = min(places, key=far)
    step = (high - low) / (_STEPS - 1)
    found = minimize_scalar(far, bounds=(best - step, best + step), method="bounded")
    return math.exp(min(max(float(found.x), low), high))


_find_by_name = lru_cache(maxsize=None)(_find)
