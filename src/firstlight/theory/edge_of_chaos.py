"""Edge of chaos: the weight variance between order and chaos (arXiv 1606.05340, 1611.01232).

In a wide network with weights N(0, sigma_w^2 / n) and biases N(0, sigma_b^2), the variance q of
the pre-activations moves to a fixed point from layer to layer,

    q = sigma_w^2 E[f(sqrt(q) z)^2] + sigma_b^2,

where the distance of two close inputs grows by chi = sigma_w^2 E[f'(sqrt(q) z)^2] per layer, as
the gradients do. chi = 1 is the edge.
"""

import itertools
from functools import lru_cache

import numpy as np

from firstlight.errors import OptionError, number
from firstlight.theory.activations import Activation, derivative, elementwise, label
from firstlight.theory.expectation import gaussian_expectation

#: Variances between which a fixed point is sought.
VARIANCES = np.logspace(-8, 6, 57)
#: A variance that stands for 0.
NEAR_ZERO = 1e-20


def edge_of_chaos(activation: Activation, bias_variance: float = 0.0) -> float:
    """Weight variance sigma_w^2 with chi = 1 at a fixed point q that attracts.

    The fixed point must attract: GELU and SiLU have chi = 1 at q = 0 too, but there the least
    signal grows without bound. Of several fixed points, the one of least variance counts.

    Args:
        activation: a name or an elementwise callable.
        bias_variance: sigma_b^2, 0 or more.

    Raises:
        OptionError: there is no such variance, or the bias variance is negative.

    Example:
        >>> round(edge_of_chaos("tanh"), 6), round(edge_of_chaos("relu"), 6)
        (1.0, 2.0)
        >>> round(edge_of_chaos("tanh", bias_variance=0.05), 4)
        1.761

    Reference: Poole et al., arXiv 1606.05340; Schoenholz et al., arXiv 1611.01232.
    """
    bias_variance = number(bias_variance, "bias_variance")
    if bias_variance < 0:
        raise OptionError(f"bias_variance must be 0 or more, got {bias_variance}")
    find = _find_by_name if isinstance(activation, str) else _find
    return find(activation, bias_variance)


def _find(activation: Activation, bias_variance: float) -> float:
    from scipy.optimize import brentq  # slow to import, so only here

    field = _MeanField(activation)
    if bias_variance == 0 and field.passes_zero:
        weight_variance = field.critical(NEAR_ZERO)
        if field.next_variance(1e-4, weight_variance) <= 1e-4 * (1 + 1e-9):
            return weight_variance
    for low, high in itertools.pairwise(VARIANCES):
        if field.bias_for(low) < bias_variance <= field.bias_for(high):
            q = brentq(lambda q: field.bias_for(q) - bias_variance, low, high, rtol=1e-12)
            if field.attracts(q):
                return field.critical(q)
    attracting = list(itertools.takewhile(field.attracts, VARIANCES[::-1]))
    least = field.bias_for(attracting[-1]) if attracting else 0.0
    hint = f"; from a bias variance of about {least:.2g} on, it has one"
    raise OptionError(
        f"activation {label(activation)} has no edge of chaos at bias variance "
        f"{bias_variance:g}: no weight variance gives chi = 1 at a fixed point that attracts"
        + (hint if least > bias_variance else "")
    )


_find_by_name = lru_cache(maxsize=None)(_find)


class _MeanField:
    """How variances and distances move from one wide layer to the next."""

    def __init__(self, activation: Activation) -> None:
        self.activation = activation
        self.f = elementwise(activation)
        self.slope = derivative(self.f)

    @property
    def passes_zero(self) -> bool:
        """Whether f(0) = 0, which makes q = 0 a fixed point without biases."""
        return gaussian_expectation(lambda h: self.f(h) ** 2, NEAR_ZERO) < 1e3 * NEAR_ZERO

    def critical(self, q: float) -> float:
        """Weight variance with chi = 1 where the pre-activations have variance q."""
        slope = gaussian_expectation(lambda h: self.slope(h) ** 2, q)
        if slope == 0:
            raise OptionError(f"activation {label(self.activation)} is flat: no gradient passes it")
        return 1 / slope

    def next_variance(self, q: float, weight_variance: float) -> float:
        """Variance one layer on, before the biases add theirs."""
        return weight_variance * gaussian_expectation(lambda h: self.f(h) ** 2, q)

    def bias_for(self, q: float) -> float:
        """Bias variance that makes q a fixed point with chi = 1; negative if there is none."""
        return q - self.next_variance(q, self.critical(q))

    def attracts(self, q: float) -> bool:
        """Whether a variance near the fixed point q with chi = 1 comes nearer."""
        weight_variance = self.critical(q)
        above, below = (self.next_variance(q * s, weight_variance) for s in (1.001, 0.999))
        return abs(above - below) <= 0.002 * q * (1 + 1e-8)
