"""Periodic equations in one dimension to many digits: ETDRK4 in time, Fourier in space."""

from collections.abc import Callable
from typing import Any

import numpy as np

from firstlight.physics.reference.solution import Array

#: Points of the circle over which the coefficients' contour integrals are taken.
_CIRCLE = 64


def etdrk4(
    initial: Array,
    length: float,
    linear: Callable[[Any], Any],
    nonlinear: Callable[[Array, Callable[[Array], Array]], Array],
    times: Array,
    step: float,
) -> Array:
    """Solve u_t = L u + N(u) on a periodic grid.

    L is diagonal in Fourier space and is integrated exactly; N goes by the fourth-order
    exponential Runge-Kutta scheme of Cox and Matthews, its coefficients by the contour integrals
    of Kassam and Trefethen. Products are free of aliasing up to the cubic: N is computed on a grid
    twice as fine.

    Args:
        initial: u at the grid points -length/2 + length i/n and at times[0].
        length: of the period.
        linear: L's symbol as a function of the wave number k.
        nonlinear: N(u, derivative) on the fine grid; ``derivative(v)`` is v_x.
        times: equally spaced, increasing, at which u is wanted.
        step: longest time step.

    Returns:
        (len(initial), len(times)) values.

    Example:
        >>> import numpy as np
        >>> from firstlight.physics.reference.etdrk4 import etdrk4
        >>> x = -1 + 2 * np.arange(32) / 32
        >>> heat = etdrk4(np.sin(np.pi * x), 2, lambda k: -(k**2) + 0j,
        ...               lambda u, dx: 0 * u, np.array([0.0, 0.1]), 0.1)
        >>> bool(np.allclose(heat[:, 1], np.exp(-0.1 * np.pi**2) * np.sin(np.pi * x)))
        True

    Reference: Kassam and Trefethen, SIAM J. Sci. Comput. 26 (2005) 1214-1233.
    """
    count = len(initial)
    waves = 2 * np.pi / length * np.arange(count // 2 + 1)
    fine = _Fine(count, length)
    gap = float(times[1] - times[0])
    steps = max(1, int(np.ceil(gap / step - 1e-9)))
    advance = _scheme(np.asarray(linear(waves), dtype=complex), gap / steps)
    state = np.fft.rfft(initial)
    found = [initial]
    for _ in times[1:]:
        for _ in range(steps):
            state = advance(state, lambda v: fine(v, nonlinear))
        found.append(np.fft.irfft(state, count))
    return np.stack(found, axis=1)


class _Fine:
    """Products on a grid twice as fine, back in the coarse grid's waves."""

    def __init__(self, count: int, length: float) -> None:
        self._count = count
        self._ik = 2j * np.pi / length * np.arange(count + 1)
        self._ik[-1] = 0  # the wave of the grid's own frequency has no derivative there

    def __call__(self, state: np.ndarray, nonlinear: Callable[..., Array]) -> np.ndarray:
        padded = np.zeros(self._count + 1, dtype=complex)
        padded[: self._count // 2] = 2 * state[: self._count // 2]
        values = np.fft.rfft(nonlinear(np.fft.irfft(padded, 2 * self._count), self._derivative))
        kept = values[: self._count // 2 + 1] / 2
        kept[-1] = 0
        return kept

    def _derivative(self, values: Array) -> Array:
        return np.fft.irfft(self._ik * np.fft.rfft(values), 2 * self._count)


def _scheme(symbol: np.ndarray, h: float) -> Callable[..., np.ndarray]:
    """One step of ETDRK4."""
    circle = np.exp(2j * np.pi * (np.arange(_CIRCLE) + 0.5) / _CIRCLE)
    z = h * symbol[:, None] + circle
    whole, half = np.exp(h * symbol), np.exp(h * symbol / 2)
    q = h * np.mean((np.exp(z / 2) - 1) / z, axis=1)
    f1 = h * np.mean((-4 - z + np.exp(z) * (4 - 3 * z + z**2)) / z**3, axis=1)
    f2 = h * np.mean((2 + z + np.exp(z) * (z - 2)) / z**3, axis=1)
    f3 = h * np.mean((-4 - 3 * z - z**2 + np.exp(z) * (4 - z)) / z**3, axis=1)

    def advance(v: np.ndarray, n: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        nv = n(v)
        a = half * v + q * nv
        na = n(a)
        b = half * v + q * na
        nb = n(b)
        c = half * a + q * (2 * nb - nv)
        return whole * v + f1 * nv + 2 * f2 * (na + nb) + f3 * n(c)

    return advance
