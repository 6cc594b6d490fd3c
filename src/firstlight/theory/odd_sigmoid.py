"""Odd sigmoid activations under a gain: where their fixed points split, and where they lie.

Odd sigmoids are odd, bounded, strictly increasing, and steepest at 0: tanh, erf, arctan, softsign.
Iterating x -> f(a x) takes every x to 0 up to the critical gain omega = 1 / f'(0); beyond it 0
repels, and two fixed points xi_a and -xi_a attract: a pitchfork bifurcation (arXiv 2509.23085).
"""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from firstlight.errors import OptionError, positive
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


def fixed_point(gain: float, activation: Activation) -> float:
    """Positive fixed point xi_a of x -> f(a x); 0 up to the critical gain, where there is none.

    In u = a xi_a it solves f(u) / u = 1 / a. Next to omega, where f is nearly straight and both
    sides nearly equal, it solves instead

        1 - omega f(u) / u = -(omega / u) * integral over s from 0 to u of (u - s) f''(s)
                           = 1 - omega / a,

    in which nothing cancels: the error is that of omega, eps / (a / omega - 1), relative.

    Args:
        gain: a, above 0.
        activation: a name or an elementwise callable; odd, bounded, steepest at 0.

    Raises:
        OptionError: the gain is not above 0, or the activation is not odd or not bounded.

    Example:
        >>> fixed_point(1.0, "tanh"), round(fixed_point(1.5, "tanh"), 6)
        (0.0, 0.85856)
        >>> round(fixed_point(1 + 3e-12, "tanh") / 3e-6, 3)  # sqrt(3 (a - 1)) next to 1
        1.0

    Reference: arXiv 2509.23085.
    """
    gain = positive(gain, "gain")
    omega = (_omega_by_name if isinstance(activation, str) else critical_gain)(activation)
    if gain <= omega:
        return 0.0
    return _root(elementwise(activation), gain, omega, label(activation))


_omega_by_name = lru_cache(maxsize=None)(critical_gain)

#: Gauss-Legendre's rule on [0, 1].
_PLACES, _WEIGHTS = (part / 2 for part in np.polynomial.legendre.leggauss(20))
_PLACES = _PLACES + 0.5


def _root(f: Callable[[Tensor], Tensor], gain: float, omega: float, name: str) -> float:
    from scipy.optimize import brentq  # slow to import, so only here

    target = (gain - omega) / gain

    def excess(u: float) -> float:
        """1 - omega f(u) / u, less its target: grows from below 0 to omega / gain."""
        if u < 0.5 * omega:
            return _sag(f, u) * omega - target
        value = float(f(torch.tensor([u], dtype=torch.float64, device="cpu")).detach())
        return omega * (1 / gain - value / u)

    high = omega
    while excess(high) < 0:
        high *= 2
        if high > 1e30:
            raise OptionError(f"expected a bounded activation, {name} has no fixed point but 0")
    low = high / 2
    while excess(low) > 0:
        low /= 2
    return float(brentq(excess, low, high, xtol=1e-300, rtol=4 * np.finfo(float).eps)) / gain


def _sag(f: Callable[[Tensor], Tensor], u: float) -> float:
    """How far f(u) / u falls short of f'(0), from the curvature f''."""
    with torch.inference_mode(False), torch.enable_grad():
        s = (u * torch.from_numpy(_PLACES)).requires_grad_()
        slope = torch.autograd.grad(f(s.clone()).sum(), s, create_graph=True)[0]
        if not slope.requires_grad:  # straight pieces
            return 0.0
        curvature = torch.autograd.grad(slope.sum(), s, allow_unused=True)[0]
    if curvature is None:  # straight, with a slope to be learned
        return 0.0
    return float(-u * (_WEIGHTS * (1 - _PLACES) * curvature.numpy()).sum())
