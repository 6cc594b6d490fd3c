"""Mean-field theory of one layer: what it does to variances, correlations and gradients.

With weights of variance sigma_w^2 / n and biases of variance sigma_b^2, pre-activations are
Gaussian as the width n grows, and one layer takes the variance q and the correlation c of two
inputs' pre-activations to (arXiv 1606.05340, 1611.01232)

    V(q) = sigma_w^2 E[f(u)^2] + sigma_b^2,
    C(c, q) = (sigma_w^2 E[f(u) f(v)] + sigma_b^2) / V(q),
    chi(q, c) = sigma_w^2 E[f'(u) f'(v)],

where u and v have variance q and correlation c. Rows of weights that sum to zero do not pass the
mean of the activation: then E[f(u)^2] and E[f(u) f(v)] are variance and covariance; chi stays.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch

from firstlight.errors import OptionError, not_negative, positive
from firstlight.theory._arguments import correlation_of
from firstlight.theory.activations import Activation, derivative, elementwise, label
from firstlight.theory.expectation import gaussian_expectation
from firstlight.theory.pair_expectation import (
    Function,
    covariance_by_slopes,
    pair_expectation,
    separation,
)

#: A variance that stands for 0.
NEAR_ZERO = 1e-20
#: Variances below which an activation about its mean may be lost in the rounding of f(0), and
#: the part of f(0)^2 that its variance must reach.
SMALL, DROWNING = 1e-2, 1e-5
_ZERO = torch.zeros(1, dtype=torch.float64, device="cpu")


@dataclass(frozen=True)
class LayerMaps:
    """One layer of a wide random network; ``MeanField`` puts many after each other.

    Attributes:
        activation: a name (``firstlight.theory.ACTIVATIONS``) or any elementwise callable.
        weight_variance: sigma_w^2 = fan_in Var(w), above 0.
        bias_variance: sigma_b^2, 0 or more.
        zero_sum: whether every row of the weights sums to zero.
    """

    activation: Activation
    weight_variance: float
    bias_variance: float = 0.0
    zero_sum: bool = False

    def __post_init__(self) -> None:
        positive(self.weight_variance, "weight_variance")
        not_negative(self.bias_variance, "bias_variance")
        elementwise(self.activation)

    @cached_property
    def _f(self) -> Function:
        return elementwise(self.activation)

    @cached_property
    def _slope(self) -> Function:
        return derivative(self._f)

    @cached_property
    def _at_zero(self) -> float:
        return float(self._f(_ZERO.clone()).detach())

    @cached_property
    def _slope_at_zero(self) -> float:
        return float(self._slope(_ZERO))

    def variance(self, q: float) -> float:
        """Variance of the next layer's pre-activations, V(q).

        Args:
            q: variance of this layer's, 0 to 1e30.

        Raises:
            OptionError: q is out of range, or the activation grows too fast for an expectation.

        Example:
            >>> round(LayerMaps("relu", 2.0).variance(3.0), 9)
            3.0
        """
        q = not_negative(q, "q")
        if q >= NEAR_ZERO:
            return self._variance(q)
        at_zero = self.bias_variance  # V is a straight line down there
        if not self.zero_sum:
            at_zero += self.weight_variance * self._at_zero**2
        return at_zero + max(self._variance(NEAR_ZERO) - at_zero, 0.0) * (q / NEAR_ZERO)

    def _variance(self, q: float) -> float:
        if self._drowns(q):
            return self._shared(1.0, q)
        f = self._centred(q)
        passed = gaussian_expectation(lambda h: f(h) ** 2, q)
        return self.weight_variance * passed + self.bias_variance

    def _centred(self, q: float) -> Function:
        """Return the activation, less its mean where the weights do not pass that."""
        if not self.zero_sum:
            return self._f
        mean = gaussian_expectation(self._f, q)
        return lambda h: self._f(h) - mean

    def _drowns(self, q: float) -> bool:
        """Whether f less its mean is so small that only f' still knows it."""
        if not self.zero_sum or q >= SMALL or self._at_zero == 0:
            return False
        return q * self._slope_at_zero**2 < DROWNING * self._at_zero**2

    def _shared(self, c: float, q: float) -> float:
        """Covariance of two inputs' next pre-activations, C(c, q) V(q)."""
        if self._drowns(q):
            passed = covariance_by_slopes(self._slope, c, q)
        else:
            passed = pair_expectation(self._centred(q), c, q)
        return self.weight_variance * passed + self.bias_variance

    def correlation(self, c: float, q: float) -> float:
        """Correlation of two inputs' pre-activations one layer on, C(c, q).

        To about 1e-12, kinked activations included; next to 1, 1 - C keeps nearly all its digits.

        Args:
            c: correlation of this layer's pre-activations, uncentred, in [-1, 1].
            q: variance of both, 0 or more; 0 is the limit of small ones.

        Raises:
            OptionError: an argument is out of range, or the activation is constant or oscillates
                too fast.

        Example:
            >>> round(LayerMaps("relu", 2.0).correlation(0.0, q=1.0), 6)  # 1 / pi
            0.31831
        """
        c, q = correlation_of(c), max(not_negative(q, "q"), NEAR_ZERO)
        total = self.variance(q)
        if total == 0:
            raise OptionError(f"activation {label(self.activation)} lets no signal pass")
        if c < 0 or self._drowns(q):
            result = self._shared(c, q) / total
        else:  # keeps the digits of 1 - C
            result = 1 - self.weight_variance * separation(self._f, c, q) / total
        return min(1.0, max(-1.0, result))

    def chi(self, q: float, c: float = 1.0) -> float:
        """Factor by which squared gradients grow per layer, at c = 1.

        Small differences of inputs grow by it, too. At other c it is the slope of the correlation
        map at a fixed point of the variance.

        Args:
            q: variance of the pre-activations, 0 or more; 0 is the limit of small ones.
            c: their correlation, in [-1, 1].

        Raises:
            OptionError: an argument is out of range, or the activation has no derivative.

        Example:
            >>> round(LayerMaps("relu", 2.0).chi(1.0), 9)
            1.0
        """
        q, c = max(not_negative(q, "q"), NEAR_ZERO), correlation_of(c)
        if c == 1:
            return self.weight_variance * gaussian_expectation(lambda h: self._slope(h) ** 2, q)
        return self.weight_variance * pair_expectation(self._slope, c, q)


def squared_slope(activation: Activation, variance: float) -> float:
    """Mean squared slope of an activation, E[f'(sqrt(variance) z)^2] with z ~ N(0, 1).

    chi for weights of variance 1 / fan_in. About a millisecond; names are remembered.

    Args:
        activation: a name or an elementwise callable.
        variance: of the pre-activations, 0 to 1e30; 0 is the limit of small ones.

    Raises:
        OptionError: the activation is unknown or has no derivative, or the variance is negative.

    Example:
        >>> round(squared_slope("relu", 1.0), 9)
        0.5

    Reference: arXiv 1606.05340.
    """
    variance = max(not_negative(variance, "variance"), NEAR_ZERO)
    find = _slope_by_name if isinstance(activation, str) else _squared_slope
    return find(activation, variance)


def _squared_slope(activation: Activation, variance: float) -> float:
    slope = derivative(elementwise(activation))
    return gaussian_expectation(lambda h: slope(h) ** 2, variance)


_slope_by_name = lru_cache(maxsize=4096)(_squared_slope)
