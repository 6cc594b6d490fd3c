"""The gain that an activation asks of the weights before it.

With pre-activations z ~ N(0, 1), the second moment after the activation is E[f(z)^2]; weights of
variance gain^2 / fan_in bring it back to 1 (He et al., arXiv 1502.01852, for ReLU).
"""

import math
from functools import lru_cache

from firstlight.errors import OptionError
from firstlight.theory.activations import Activation, elementwise, label
from firstlight.theory.expectation import gaussian_expectation


def gain(activation: Activation, *, zero_sum: bool = False) -> float:
    """Gain that keeps the variance of the pre-activations at 1.

    1 / sqrt(E[f(z)^2]) with z ~ N(0, 1). Weights whose rows sum to zero do not pass the mean of
    the activation, so for them it is 1 / sqrt(Var f(z)).

    Args:
        activation: a name (``firstlight.theory.ACTIVATIONS``) or any elementwise callable.
        zero_sum: whether every row of the weights sums to zero.

    Raises:
        OptionError: the name is unknown, or the activation is constant or not finite.

    Example:
        >>> round(gain("relu"), 6), round(gain("relu", zero_sum=True), 6)
        (1.414214, 1.712859)
        >>> round(gain(lambda x: x.tanh() * 2), 6)
        0.796269
    """
    find = _find_by_name if isinstance(activation, str) else _find
    return find(activation, zero_sum)


def _find(activation: Activation, zero_sum: bool) -> float:
    f = elementwise(activation)
    mean = gaussian_expectation(f)
    second_moment = gaussian_expectation(lambda z: f(z) ** 2)
    # About the mean and not as a difference, which would cancel.
    variance = gaussian_expectation(lambda z: (f(z) - mean) ** 2)
    if variance <= 1e-18 * second_moment:
        raise OptionError(f"activation {label(activation)} is constant: no signal passes it")
    return 1 / math.sqrt(variance if zero_sum else second_moment)


_find_by_name = lru_cache(maxsize=None)(_find)  # asked for once per layer
