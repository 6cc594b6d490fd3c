"""The arcsine law: how the values of a sine at a uniform phase are distributed.

So are the entries of sinusoidal weights (arXiv 2505.12909) and the activations of SIREN (arXiv
2006.09661), which weight scaling keeps (arXiv 2410.04779).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from torch import Tensor

from firstlight.errors import OptionError, positive
from firstlight.theory._arguments import each, whole

Values = TypeVar("Values", float, np.ndarray, Tensor)


@dataclass(frozen=True)
class ArcsineLaw:
    """Distribution of a sin(t) with t uniform over a turn.

    Methods map numbers to numbers, arrays to arrays and tensors to tensors, in float64.

    Attributes:
        amplitude: a, above 0; values lie in [-a, a].

    Raises:
        OptionError: the amplitude is not above 0.

    Example:
        >>> law = ArcsineLaw.of_variance(0.02)
        >>> round(law.amplitude, 3), round(law.cdf(0.1), 3), round(law.expected_maximum(10), 4)
        (0.2, 0.667, 0.1858)

    Reference: arXiv 2505.12909, arXiv 2006.09661.
    """

    amplitude: float = 1.0

    def __post_init__(self) -> None:
        positive(self.amplitude, "amplitude")

    @classmethod
    def of_variance(cls, variance: float) -> "ArcsineLaw":
        """Return the law of this variance: a = sqrt(2 variance).

        Raises:
            OptionError: the variance is not above 0.
        """
        return cls(math.sqrt(2 * positive(variance, "variance")))

    @property
    def variance(self) -> float:
        """a^2 / 2; the mean is 0."""
        return self.amplitude**2 / 2

    @property
    def mean_absolute(self) -> float:
        """E|x| = 2 a / pi."""
        return 2 * self.amplitude / math.pi

    @property
    def kurtosis(self) -> float:
        """E[x^4] / E[x^2]^2 = 3/2, where a Gaussian has 3."""
        return 1.5

    @property
    def entropy(self) -> float:
        """Differential entropy ln(pi a / 2), in nats."""
        return math.log(math.pi * self.amplitude / 2)

    def density(self, x: Values) -> Values:
        """Density 1 / (pi sqrt(a^2 - x^2)); infinite at ±a and 0 beyond."""

        def of(values: np.ndarray) -> np.ndarray:
            inside = np.maximum((self.amplitude - values) * (self.amplitude + values), 0.0)
            with np.errstate(divide="ignore"):
                height = 1 / (np.pi * np.sqrt(inside))
            return np.where(np.abs(values) > self.amplitude, 0.0, height)

        return each(of, x)

    def cdf(self, x: Values) -> Values:
        """Probability 1/2 + arcsin(x / a) / pi of a value of at most x."""
        a = self.amplitude
        return each(lambda values: 0.5 + np.arcsin(np.clip(values / a, -1, 1)) / np.pi, x)

    def quantile(self, p: Values) -> Values:
        """Value a sin(pi (p - 1/2)) below which a share p lies.

        Raises:
            OptionError: a share is not in [0, 1].
        """

        def of(shares: np.ndarray) -> np.ndarray:
            if not ((shares >= 0) & (shares <= 1)).all():
                raise OptionError("p must lie between 0 and 1")
            return self.amplitude * np.sin(np.pi * (shares - 0.5))

        return each(of, p)

    def shares(self, edges: Sequence[float] | np.ndarray) -> np.ndarray:
        """Expected shares of the values between neighbouring edges: a histogram's.

        Args:
            edges: shape (bins + 1,), in ascending order; what lies beyond them is not counted.

        Raises:
            OptionError: the edges do not ascend.

        Example:
            >>> ArcsineLaw(1.0).shares([-1, -0.5, 0.5, 1]).round(6)
            array([0.333333, 0.333333, 0.333333])
        """
        ends = np.asarray(edges, dtype=np.float64)
        if ends.ndim != 1 or len(ends) < 2 or not (np.diff(ends) > 0).all():
            raise OptionError("edges must be two or more numbers in ascending order")
        return np.diff(self.cdf(ends))

    def expected_maximum(self, draws: int) -> float:
        """Expected largest of n independent values; the smallest is its negative.

            a (1 - pi integral of p^n sin(pi p)) = a (1 - sum_k (-1)^k pi^(2k+2) n! / (n + 2k + 2)!)

        About a (1 - pi^2 / n^2). The largest of a full period of a sine is nearer to a still.

        Args:
            draws: n, 1 or more.

        Raises:
            OptionError: draws is not a whole number of 1 or more.

        Example:
            >>> round(ArcsineLaw(1.0).expected_maximum(2), 6)  # 4 / pi^2
            0.405285
        """
        n = whole(draws, "draws")
        short, term, k = 0.0, 1.0, n
        while abs(term) > 1e-20:
            term *= math.pi**2 / ((k + 1) * (k + 2)) * (-1 if k > n else 1)
            short, k = short + term, k + 2
        return self.amplitude * (1 - short)
