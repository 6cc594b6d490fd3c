"""Mean-field theory: fixed points, phases and depth scales of wide random networks.

The maps of one layer are in ``layer_maps``. Over many layers the variance moves to a fixed point
q*, the correlation of two inputs to c*, and squared gradients grow by chi(q*) per layer. Where
chi < 1 all inputs become alike (ordered); where chi > 1 small differences grow (chaotic).
Of several q*, all but ``fixed_point`` take the one to which a first layer of variance 1 moves.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from firstlight.errors import not_negative, positive
from firstlight.theory._arguments import whole
from firstlight.theory.layer_maps import NEAR_ZERO, LayerMaps
from firstlight.theory.standstill import contraction_length, first_standstill

#: A variance that stands for growth without bound.
UNBOUNDED = 1e9
#: A factor per layer this close to 1 is critical: nothing changes within a million layers.
CRITICAL = 1e-6


@dataclass(frozen=True)
class MeanField(LayerMaps):
    """A wide random network whose layers are all alike.

    Exact as the width grows, for independent weights and as many layers as are small against the
    width. Convolutions follow it, too; skip connections, norms and attention do not.

    Attributes:
        activation: a name (``firstlight.theory.ACTIVATIONS``) or any elementwise callable.
        weight_variance: sigma_w^2 = fan_in Var(w), above 0.
        bias_variance: sigma_b^2, 0 or more.
        zero_sum: whether every row of the weights sums to zero.

    Raises:
        OptionError: an option is out of range, or the activation is unknown.

    Example:
        >>> field = MeanField("tanh", 1.5, 0.05)
        >>> round(field.fixed_point(), 4), round(field.chi(field.fixed_point()), 4), field.phase()
        (0.418, 0.9386, 'ordered')

    Reference: Poole et al., arXiv 1606.05340; Schoenholz et al., arXiv 1611.01232.
    """

    def fixed_point(self, start: float = 1.0) -> float:
        """Variance q* = V(q*) to which the one of the first layer moves.

        The first fixed point from ``start`` in the direction in which V moves it; ``start`` itself
        where every variance stands still, as for ReLU at sigma_w^2 = 2.

        Args:
            start: variance in the first layer, above 0.

        Returns:
            q*; 0.0 where the signal dies out, infinity where it grows past 1e9.

        Raises:
            OptionError: start is not above 0.

        Example:
            >>> MeanField("tanh", 0.9).fixed_point(), MeanField("relu", 2.5).fixed_point()
            (0.0, inf)
        """
        return first_standstill(self.variance, positive(start, "start"), UNBOUNDED)

    @cached_property
    def _settled(self) -> float:
        """q*, or the finite number above 0 that stands for it."""
        return min(max(self.fixed_point(), NEAR_ZERO), UNBOUNDED)

    def _correlation_slope(self, c: float) -> float:
        """dC/dc at q*; chi, but where q* is a limit and V(q) is not q."""
        return self.chi(self._settled, c) * self._settled / self.variance(self._settled)

    def correlation_fixed_point(self) -> float:
        """Correlation c* = C(c*, q*) to which those of all inputs move, but opposite ones.

        1 where C has a slope of at most 1 at c = 1, and below 1 otherwise, as C is convex. 1, too,
        where every correlation stands still: linear networks, and tanh where its signal dies out.

        Example:
            >>> round(MeanField("tanh", 4.0, 0.05).correlation_fixed_point(), 4)
            0.1651
        """
        from scipy.optimize import brentq  # slow to import, so only here

        slope = self._correlation_slope(1.0)
        at_zero = self.correlation(0.0, self._settled)
        if slope <= 1 + CRITICAL:
            return 1.0
        if at_zero <= 1e-12:
            return 0.0

        def excess(c: float) -> float:  # (C(c) - c) / (1 - c), which has no root at 1
            return 1 - (1 - self.correlation(c, self._settled)) / (1 - c) if c < 1 else 1 - slope

        return float(brentq(excess, 0.0, 1.0, xtol=1e-15))

    def variance_depth_scale(self) -> float:
        """Layers xi_q over which a variance comes nearer to q* by the factor e.

            xi_q = -1 / ln V'(q*)

        Infinite within 1e-6 of V' = 1 and where q* repels.

        Example:
            >>> round(MeanField("tanh", 1.5, 0.05).variance_depth_scale(), 3)
            1.683
        """
        q, step = self._settled, 1e-3
        far, near, above, beyond = (self.variance(q * (1 + k * step)) for k in (-2, -1, 1, 2))
        slope = (8 * (above - near) - (beyond - far)) / (12 * step * q)
        return contraction_length(slope, CRITICAL)

    def correlation_depth_scale(self) -> float:
        """Layers xi_c over which a correlation comes nearer to c* by the factor e.

            xi_c = -1 / ln C'(c*),  C'(c*) = chi(q*, c*) at a fixed point q* above 0

        Infinite within 1e-6 of C' = 1, at criticality. Networks train up to a depth of about
        6 xi_c (arXiv 1611.01232).

        Example:
            >>> round(MeanField("tanh", 1.5, 0.05).correlation_depth_scale(), 3)
            15.791
        """
        slope = self._correlation_slope(self.correlation_fixed_point())
        return contraction_length(slope, CRITICAL)

    def gradient_factor(self, depth: int) -> float:
        """Factor chi(q*)^depth by which squared gradients grow over ``depth`` layers.

        Args:
            depth: number of layers, 0 or more.

        Raises:
            OptionError: the depth is not a whole number.

        Example:
            >>> round(MeanField("relu", 1.0).gradient_factor(10) * 2**10, 9)
            1.0
        """
        depth, chi = whole(depth, "depth", least=0), self.chi(self._settled)
        try:
            return chi**depth
        except OverflowError:
            return math.inf

    def variances(self, q0: float, depth: int) -> list[float]:
        """Variances of ``depth`` layers, each after the one before: [q0, V(q0), V(V(q0)), ...].

        Args:
            q0: variance of the first layer's pre-activations, 0 or more.
            depth: how many layers follow, 0 or more.

        Returns:
            depth + 1 numbers; infinity for those beyond 1e30.

        Raises:
            OptionError: an argument is out of range.

        Example:
            >>> [round(q, 6) for q in MeanField("relu", 1.0).variances(1.0, 3)]
            [1.0, 0.5, 0.25, 0.125]
        """
        result = [not_negative(q0, "q0")]
        for _ in range(whole(depth, "depth", least=0)):
            following = self.variance(result[-1]) if result[-1] < math.inf else math.inf
            result.append(following if following <= 1e30 else math.inf)
        return result

    def phase(self) -> Literal["ordered", "chaotic", "critical"]:
        """Whether differences and gradients shrink (ordered), grow (chaotic), or neither.

        By chi(q*), which is critical within 1e-6 of 1.

        Example:
            >>> [MeanField("tanh", v).phase() for v in (0.9, 1.0, 1.1)]
            ['ordered', 'critical', 'chaotic']
        """
        chi = self.chi(self._settled)
        if abs(chi - 1) <= CRITICAL:
            return "critical"
        return "ordered" if chi < 1 else "chaotic"
