"""OUI, the overfitting-underfitting indicator: how differently samples switch neurons on."""

import math

import torch
from scipy.special import betainc
from torch import Tensor

from firstlight.errors import OptionError
from firstlight.theory._arguments import correlation_of, whole
from firstlight.theory.skew import on_pattern


def oui(preactivations: Tensor) -> float:
    """Mean over pairs of samples of min(1, 2 d / width), d the Hamming distance of on/off patterns.

    1 where every two samples differ in half of the neurons or more, 0 where all switch alike.

    Args:
        preactivations: shape (samples, neurons), two samples or more.

    Raises:
        OptionError: the shape is another.

    Example:
        >>> oui(torch.tensor([[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, -1.0]]))
        0.5

    Reference: arXiv 2505.12909.
    """
    on = on_pattern(preactivations).float()
    samples, width = on.shape
    if samples < 2:
        raise OptionError("oui compares samples in pairs, so it needs two or more; got 1")
    count = on.sum(1)  # exact in float32 up to widths of 2^24
    total = 0.0
    for rows in torch.arange(samples, device=on.device).split(1024):
        distance = count[rows, None] + count - 2 * on[rows] @ on.T
        total += float((2 * distance / width).clamp(max=1).double().sum())
    return total / (samples * (samples - 1))


def expected_oui(correlation: float, width: int | None = None) -> float:
    """OUI of two samples in a layer with random weights.

    Pre-activations that correlate by c have different signs with probability p = arccos(c) / pi,
    so with d ~ Binomial(width, p)

        E min(1, 2 d / width) = 2 p P(d' < k) + P(d > k),  k = floor(width / 2),

    where d' ~ Binomial(width - 1, p); without end, min(1, 2 p). Holds for neurons whose weights
    are independent and Gaussian, or for any as the number of inputs grows.

    Args:
        correlation: c, uncentred, of the samples' pre-activations over random weights, which is
            that of their inputs if there are no biases; in [-1, 1].
        width: number of neurons, 1 or more; None is the limit of infinitely many.

    Raises:
        OptionError: an argument is out of range.

    Example:
        >>> round(expected_oui(0.5), 4), round(expected_oui(0.0, width=100), 4)
        (0.6667, 0.9602)

    Reference: arXiv 2505.12909; the angle is Grothendieck's identity.
    """
    p = math.acos(correlation_of(correlation)) / math.pi
    if width is None:
        return min(1.0, 2 * p)
    n = whole(width, "width")
    k = n // 2
    return 2 * p * _at_most(k - 1, n - 1, p) + 1 - _at_most(k, n, p)


def _at_most(k: int, n: int, p: float) -> float:
    """Probability of k successes or fewer in n trials."""
    if k < 0:
        return 0.0
    return 1.0 if k >= n else float(betainc(n - k, k + 1, 1 - p))
