"""Diagonal plus noise for odd sigmoid activations: its gain and its noise (arXiv 2509.23085).

Odd sigmoids are odd, bounded, strictly increasing, and steepest at 0: tanh, erf, arctan, softsign.
"""

import math
import operator

import torch
from scipy.special import ndtri_exp

from firstlight.errors import OptionError, number, positive
from firstlight.theory.activations import Activation, derivative, elementwise, label


def critical_gain(activation: Activation) -> float:
    """Gain at which the fixed point 0 of x -> f(gain x) splits in three: omega = 1 / f'(0).

    Args:
        activation: a name or an elementwise callable.

    Raises:
        OptionError: the activation is not odd, or its slope at 0 is not above 0.

    Example:
        >>> critical_gain("tanh")
        1.0
        >>> round(critical_gain("erf"), 6)
        0.886227

    Reference: arXiv 2509.23085.
    """
    f = elementwise(activation)
    x = torch.linspace(0, 6, 61, dtype=torch.float64, device="cpu")
    with torch.no_grad():
        right, left = f(x.clone()), f(-x)
    if not torch.allclose(right, -left, rtol=1e-6, atol=1e-12):
        raise OptionError(
            f"expected an odd activation, f(-x) = -f(x), like tanh, erf or softsign; "
            f"{label(activation)} is not odd"
        )
    slope = float(derivative(f)(x[:1]))
    if not (math.isfinite(slope) and slope > 0):
        raise OptionError(
            f"expected an activation with a slope above 0 at 0, {label(activation)} has {slope:g}"
        )
    return 1 / slope


def log_negative_rate(depth: int) -> float:
    """Logarithm of ``negative_rate``, for depths at which that is below the smallest float.

    Example:
        >>> round(log_negative_rate(10_000), 3)
        -1329.282
    """
    return min(math.log(0.4), math.log(2.05) - 0.133 * _checked_depth(depth))


def negative_rate(depth: int) -> float:
    """Target probability that a signal changes its sign on its way through the network.

    min(0.4, 2.05 exp(-0.133 depth)); 0 in floating point beyond a depth of about 5600.

    Args:
        depth: number of layers, 1 or more.

    Raises:
        OptionError: the depth is not a whole number of 1 or more.

    Example:
        >>> negative_rate(10), round(negative_rate(50), 6)
        (0.4, 0.002653)

    Reference: arXiv 2509.23085.
    """
    return math.exp(log_negative_rate(depth))


def noise_scale(depth: int, omega: float, negative_rate: float | None = None) -> float:
    """Noise sigma_z at which a product of ``depth`` gains is negative with a given probability.

        sigma_z = -omega / Phi^-1(q),  q = (1 - (1 - 2 p)^(1 / depth)) / 2

    for independent gains a ~ N(omega, sigma_z^2). Worked out with log q, so it holds at a depth
    of a million, where p and q are far below the smallest float.

    Args:
        depth: number of layers, 1 or more.
        omega: mean of the gains, above 0; see ``critical_gain``.
        negative_rate: p, in (0, 0.5); None takes ``negative_rate(depth)``.

    Raises:
        OptionError: an argument is out of range.

    Example:
        >>> round(noise_scale(10, 1.0), 3), round(noise_scale(10_000, 1.0), 4)
        (0.692, 0.0194)

    Reference: arXiv 2509.23085.
    """
    depth = _checked_depth(depth)
    omega = positive(omega, "omega")
    if negative_rate is None:
        log_p = log_negative_rate(depth)
    elif 0 < number(negative_rate, "negative_rate") < 0.5:
        log_p = math.log(negative_rate)
    else:
        raise OptionError(f"negative_rate must lie between 0 and 0.5, got {negative_rate!r}")
    return -omega / float(ndtri_exp(_log_flip_rate(log_p, depth)))


def _log_flip_rate(log_p: float, depth: int) -> float:
    """Log q such that ``depth`` independent flips of probability q leave an odd number with p."""
    if log_p < -40:  # 1 - 2p is 1 in floating point, and q = p / depth exact to 1e-17
        return log_p - math.log(depth)
    return math.log(-math.expm1(math.log1p(-2 * math.exp(log_p)) / depth) / 2)


def _checked_depth(depth: int) -> int:
    try:
        whole = operator.index(depth)
    except TypeError:
        raise OptionError(f"depth must be a whole number, got {depth!r}") from None
    if not 1 <= whole <= 10**9:
        raise OptionError(f"depth must lie between 1 and 10^9, got {depth!r}")
    return whole
