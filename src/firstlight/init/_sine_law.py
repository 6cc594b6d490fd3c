"""What the weights of sine networks are drawn from: the first layer's, and all others'."""

import math
from collections.abc import Callable

from firstlight.errors import check_choice, positive
from firstlight.init.distributions import Distribution, Normal, Uniform

#: Each distribution, made from the bound that the uniform one has.
_LAWS: dict[str, Callable[[float], Distribution]] = {
    "uniform": Uniform,
    "normal": lambda bound: Normal(bound / math.sqrt(3)),
}


def sine_law(
    inputs: int, scale: float, first: bool, omega: float, alpha: float, distribution: str
) -> Distribution:
    """Return U(-c, c) or its normal twin: c = alpha / n for a first layer of n inputs.

    Else c = alpha scale / sqrt(n) / omega.

    Example:
        >>> sine_law(2, math.sqrt(6), True, 30.0, 1.5, "uniform").scale
        0.75
    """
    omega, alpha = positive(omega, "omega"), positive(alpha, "alpha")
    check_choice(distribution, _LAWS, "distribution")
    n = max(inputs, 1)
    bound = alpha / n if first else alpha * scale / math.sqrt(n) / omega
    return _LAWS[distribution](bound)
