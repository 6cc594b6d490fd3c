"""Sign flips in deep products of random gains, and the noise behind them (arXiv 2509.23085).

A signal that passes L layers is multiplied by L gains a ~ N(omega, sigma_z^2). Each is negative
with probability q = Phi(-omega / sigma_z), and an odd number of negative ones turns the sign.
"""

import math

from scipy.special import log_ndtr, ndtri_exp

from firstlight.errors import OptionError, number, positive
from firstlight.theory._arguments import whole


def log_negative_rate(depth: int) -> float:
    """Logarithm of ``negative_rate``, for depths at which that is below the smallest float.

    Example:
        >>> round(log_negative_rate(10_000), 3)
        -1329.282
    """
    return min(math.log(0.4), math.log(2.05) - 0.133 * whole(depth, "depth"))


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
    depth = whole(depth, "depth")
    omega = positive(omega, "omega")
    if negative_rate is None:
        log_p = log_negative_rate(depth)
    elif 0 < number(negative_rate, "negative_rate") < 0.5:
        log_p = math.log(negative_rate)
    else:
        raise OptionError(f"negative_rate must lie between 0 and 0.5, got {negative_rate!r}")
    return -omega / float(ndtri_exp(_log_flip_rate(log_p, depth)))


def flip_probability(depth: int, omega: float, noise_scale: float) -> float:
    """Probability pi_L that a product of ``depth`` gains is negative; ``noise_scale`` inverts it.

        pi_L = (1 - (1 - 2 q)^depth) / 2,  q = Phi(-omega / sigma_z)

    Below 0.5, which it nears with depth; 0 in floating point where ``log_flip_probability`` is
    below -745. Exact for independent gains; in a network, for layers of width one.

    Args:
        depth: number of layers L, 1 or more.
        omega: mean of the gains, above 0; see ``critical_gain``.
        noise_scale: sigma_z, their standard deviation, above 0.

    Raises:
        OptionError: an argument is out of range.

    Example:
        >>> round(flip_probability(10, 1.0, noise_scale(10, 1.0, 0.3)), 12)
        0.3

    Reference: arXiv 2509.23085.
    """
    return math.exp(log_flip_probability(depth, omega, noise_scale))


def log_flip_probability(depth: int, omega: float, noise_scale: float) -> float:
    """Logarithm of ``flip_probability``, where that may be below the smallest float.

    Args:
        depth: number of layers L, 1 or more.
        omega: mean of the gains, above 0.
        noise_scale: sigma_z, their standard deviation, above 0.

    Raises:
        OptionError: an argument is out of range.

    Example:
        >>> round(log_flip_probability(1000, 1.0, 0.01), 3)
        -4998.616
    """
    depth = whole(depth, "depth")
    log_q = float(log_ndtr(-positive(omega, "omega") / positive(noise_scale, "noise_scale")))
    if log_q < -100:  # a second flip is out of sight: pi_L = q depth, exact to 1e-34
        return log_q + math.log(depth)
    return math.log(-math.expm1(depth * math.log1p(-2 * math.exp(log_q))) / 2)


def _log_flip_rate(log_p: float, depth: int) -> float:
    """Log q such that ``depth`` independent flips of probability q leave an odd number with p."""
    if log_p < -40:  # 1 - 2p is 1 in floating point, and q = p / depth exact to 1e-17
        return log_p - math.log(depth)
    return math.log(-math.expm1(math.log1p(-2 * math.exp(log_p)) / depth) / 2)
