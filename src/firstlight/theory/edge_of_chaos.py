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

from firstlight.errors import OptionError, not_negative
from firstlight.theory.activations import Activation, label
from firstlight.theory.layer_maps import NEAR_ZERO, LayerMaps

#: Variances between which a fixed point is sought.
VARIANCES = np.logspace(-8, 6, 57)


def edge_of_chaos(
    activation: Activation, bias_variance: float = 0.0, *, zero_sum: bool = False
) -> float:
    """Weight variance sigma_w^2 with chi = 1 at a fixed point q that attracts.

    The fixed point must attract: GELU and SiLU have chi = 1 at q = 0 too, but there the least
    signal grows without bound. Of several fixed points, the one of least variance counts.

    Rows that sum to zero pass Var f and not E[f^2], while chi stays; as Var f <= q E[f'^2], with
    equality for straight lines alone, the signal of any other activation then dies out at the
    edge unless biases feed it.

    Args:
        activation: a name or an elementwise callable.
        bias_variance: sigma_b^2, 0 or more.
        zero_sum: whether every row of the weights sums to zero.

    Raises:
        OptionError: there is no such variance, or the bias variance is negative.

    Example:
        >>> round(edge_of_chaos("tanh"), 6), round(edge_of_chaos("relu"), 6)
        (1.0, 2.0)
        >>> round(edge_of_chaos("tanh", bias_variance=0.05), 4)
        1.761

    Reference: Poole et al., arXiv 1606.05340; Schoenholz et al., arXiv 1611.01232.
    """
    bias_variance = not_negative(bias_variance, "bias_variance")
    find = _find_by_name if isinstance(activation, str) else _find
    return find(activation, bias_variance, zero_sum)


def _find(activation: Activation, bias_variance: float, zero_sum: bool) -> float:
    from scipy.optimize import brentq  # slow to import, so only here

    edge = _Edge(LayerMaps(activation, 1.0, zero_sum=zero_sum))
    if bias_variance == 0 and edge.passes_zero:
        weight_variance = edge.critical(NEAR_ZERO)
        if weight_variance * edge.unit.variance(1e-4) <= 1e-4 * (1 + 1e-9):
            return weight_variance
    for low, high in itertools.pairwise(VARIANCES):
        if edge.bias_for(low) < bias_variance <= edge.bias_for(high):
            q = brentq(lambda q: edge.bias_for(q) - bias_variance, low, high, rtol=1e-12)
            if edge.attracts(q):
                return edge.critical(q)
    attracting = list(itertools.takewhile(edge.attracts, VARIANCES[::-1]))
    least = edge.bias_for(attracting[-1]) if attracting else 0.0
    hint = f"; from a bias variance of about {least:.2g} on, it has one"
    raise OptionError(
        f"activation {label(activation)} has no edge of chaos at bias variance "
        f"{bias_variance:g}: no weight variance gives chi = 1 at a fixed point that attracts"
        + (hint if least > bias_variance else "")
    )


_find_by_name = lru_cache(maxsize=None)(_find)


class _Edge:
    """Where chi = 1, from the maps at sigma_w^2 = 1 and sigma_b^2 = 0."""

    def __init__(self, unit: LayerMaps) -> None:
        self.unit = unit

    @property
    def passes_zero(self) -> bool:
        """Whether q = 0 is a fixed point without biases."""
        return self.unit.variance(NEAR_ZERO) < 1e3 * NEAR_ZERO

    def critical(self, q: float) -> float:
        """Weight variance with chi = 1 where the pre-activations have variance q."""
        slope = self.unit.chi(q)
        if slope == 0:
            name = label(self.unit.activation)
            raise OptionError(f"activation {name} is flat: no gradient passes it")
        return 1 / slope

    def bias_for(self, q: float) -> float:
        """Bias variance that makes q a fixed point with chi = 1; negative if there is none."""
        return q - self.critical(q) * self.unit.variance(q)

    def attracts(self, q: float) -> bool:
        """Whether a variance near the fixed point q with chi = 1 comes nearer."""
        weight_variance = self.critical(q)
        above, below = (weight_variance * self.unit.variance(q * s) for s in (1.001, 0.999))
        return abs(above - below) <= 0.002 * q * (1 + 1e-8)
