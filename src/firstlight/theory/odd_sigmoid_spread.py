"""How much of a signal's size is left after many odd-sigmoid layers, and the noise that keeps it.

In the mean field of W = D + Z, with inputs of variance 1, the variance v of the activations goes

    v' = E[f(sqrt(q) z)^2],  q = (omega^2 + sigma_z^2) v,  z ~ N(0, 1),

from layer to layer. Without noise it falls for ever, as 1 / depth for tanh, whose f'' is 0 at 0,
and as 1 / depth^2 for softsign, whose f'' jumps there; noise stops it at a fixed point. Networks
keep somewhat more, as the diagonal keeps their units less mixed than a mean field has them.
"""

import math
from functools import lru_cache

import numpy as np
import torch

from firstlight.errors import OptionError, not_negative, number
from firstlight.theory._arguments import whole
from firstlight.theory.activations import Activation, elementwise
from firstlight.theory.odd_sigmoid_class import odd_sigmoid_gain, odd_sigmoid_name

#: Variances at which the map is worked out, in units of omega^2 for q, and read off between.
_VARIANCES = np.logspace(-12, 8, 801)
#: Rule for z > 0: f is smooth on either side of 0, and steep in z where q is large.
_PIECES = (0.0, 1e-3, 1e-2, 0.1, 1.0, 4.0, 12.0)


def spread_after(depth: int, activation: Activation, sigma: float) -> float:
    """Return the standard deviation after ``depth`` layers over that after the first.

    Args:
        depth: number of layers, 1 or more.
        activation: an odd sigmoid, by name or as a callable.
        sigma: noise sigma_z beside the critical gain omega, 0 or more.

    Raises:
        OptionError: an argument is out of range, or the activation is no odd sigmoid.

    Example:
        >>> round(spread_after(1000, "tanh", 0.0608), 3)
        0.069
        >>> round(spread_after(1000, "softsign", 0.0608), 4)
        0.0032

    Reference: arXiv 2509.23085, the variance map of its mean field.
    """
    depth = whole(depth, "depth")
    omega = odd_sigmoid_gain(activation)
    noise = not_negative(sigma, "sigma") / omega
    return _spread(_passed(activation), depth, noise)


def noise_for_spread(depth: int, activation: Activation, spread: float = 0.04) -> float:
    """Return the least noise sigma_z after which ``spread_after(depth, ...)`` is ``spread``.

    0 where none is needed.

    Args:
        depth: number of layers, 1 or more.
        activation: an odd sigmoid, by name or as a callable.
        spread: what is to be left of the first layer's standard deviation, between 0 and 0.5.

    Raises:
        OptionError: an argument is out of range, or the activation is no odd sigmoid.

    Example:
        >>> sigma = noise_for_spread(1000, "softsign")
        >>> round(sigma, 3), round(spread_after(1000, "softsign", sigma), 4)
        (0.239, 0.04)
        >>> noise_for_spread(10, "tanh")
        0.0
    """
    depth = whole(depth, "depth")
    if not 0 < number(spread, "spread") < 0.5:
        raise OptionError(f"spread must lie between 0 and 0.5, got {spread!r}")
    name = odd_sigmoid_name(activation)
    return _named_noise(depth, name, spread) if name else _noise(depth, activation, spread)


def _noise(depth: int, activation: Activation, spread: float) -> float:
    passed, low, high = _passed(activation), 0.0, 4.0
    if _spread(passed, depth, low) >= spread:
        return 0.0
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if _spread(passed, depth, middle) >= spread else (middle, high)
    return high * odd_sigmoid_gain(activation)


_named_noise = lru_cache(maxsize=None)(_noise)  # asked for once per layer


def _passed(activation: Activation) -> np.ndarray:
    """Return log(omega^2 E[f(sqrt(q) z)^2] / q) at each of the variances; at most 0."""
    f, omega = elementwise(activation), odd_sigmoid_gain(activation)
    node, weight = np.polynomial.legendre.leggauss(24)
    half = np.diff(_PIECES)[:, None] / 2
    z = (np.array(_PIECES[:-1])[:, None] + half * (node + 1)).ravel()
    density = (half * weight).ravel() * np.exp(-(z**2) / 2) * math.sqrt(2 / math.pi)
    x = omega * np.sqrt(_VARIANCES)[:, None] * z
    with torch.no_grad():
        y = f(torch.from_numpy(x).flatten()).double().numpy().reshape(x.shape)
    return np.minimum(np.log((y**2 @ density) / _VARIANCES), 0.0)


def _spread(passed: np.ndarray, depth: int, noise: float) -> float:
    """Return the spread after ``depth`` layers for a noise in units of omega.

    In v, the logarithm of the variance that a layer reads: v -> v + step(v). Twice as many layers
    are v -> v + step(v) + step(v + step(v)), so that a million take twenty doublings.
    """
    gain, places = math.log1p(noise**2), np.log(_VARIANCES)
    step = gain + np.interp(places + gain, places, passed)
    first = v = float(np.interp(0.0, places, step))  # inputs of variance 1
    left = depth - 1
    while left:
        if left % 2:
            v += float(np.interp(v, places, step))
        left //= 2
        step = step + np.interp(places + step, places, step)
    return math.exp((v - first) / 2)
