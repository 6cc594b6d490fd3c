"""Sine networks: harmonics, variances, gradients and spectra at the start.

A network x -> sin(W_l ... sin(omega_0 W_1 x + b_1) ...) as in SIREN (arXiv 2006.09661): first
weights U(-alpha / d, alpha / d), others with entries of variance c_w^2 / (3 n), which is
U(-c_w / sqrt n, c_w / sqrt n). c_w = sqrt 6 is SIREN, alpha sqrt 6 weight scaling (arXiv
2410.04779), and sqrt 3 gradient control (arXiv 2512.06427). Frequency factors are part of W.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import jv

from firstlight.errors import OptionError, check_choice, not_negative, number, positive
from firstlight.theory._arguments import whole

SIREN_SCALE = math.sqrt(6)

#: Weights in x, of mean square 1.
_WINDOWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "none": np.ones_like,
    "hann": lambda turn: math.sqrt(2 / 3) * (1 - np.cos(2 * np.pi * turn)),
}
#: Pairs of places at once, which bounds the memory.
_AT_ONCE = 2**20


def sine_harmonics(amplitude: float, orders: int | Sequence[int] | np.ndarray) -> np.ndarray:
    """Amplitudes of the harmonics that a sine makes of a sine (Jacobi-Anger).

        sin(A sin(t) + phi) = sum over all whole k of J_k(A) sin(k t + phi)

    Exact. With phi uniform, harmonic k >= 1 has the power J_k(A)^2, in both signs of k together;
    beyond k = A + 2 A^(1/3) there is next to nothing. Several inner sines multiply: frequency
    sum_j k_j omega_j has the amplitude prod_j J_{k_j}(A_j).

    Args:
        amplitude: A, of the inner sine, in radians.
        orders: k, whole numbers of either sign, of any shape.

    Returns:
        J_k(A), in the shape of ``orders``.

    Raises:
        OptionError: an argument is not a number, or an order is not whole.

    Example:
        >>> sine_harmonics(1.0, [0, 1, 2, 3]).round(4)
        array([0.7652, 0.4401, 0.1149, 0.0196])

    Reference: arXiv 2410.04779; Abramowitz and Stegun 9.1.42-43.
    """
    order = np.asarray(orders)
    if order.dtype.kind not in "iu":
        raise OptionError(f"orders must be whole numbers, got {orders!r}")
    return np.asarray(jv(order.astype(float), number(amplitude, "amplitude")))


def sine_variance(weight_scale: float, variance: float, bias_scale: float = 0.0) -> float:
    """Variance of the next layer's pre-activations.

        s' = c_w^2 / 6 * (1 - exp(-2 s)) + c_b^2

    Exact as the width grows, for Gaussian pre-activations: from the second layer on. The first
    layer's, omega_0 w x, are uniform; where they spread over many turns, s is as good as infinite.

    Args:
        weight_scale: c_w, above 0; the weights have variance c_w^2 / (3 fan_in).
        variance: s, of this layer's pre-activations, 0 or more.
        bias_scale: c_b, standard deviation of the biases, 0 or more.

    Raises:
        OptionError: an argument is out of range.

    Example:
        >>> round(sine_variance(math.sqrt(6), 1.0), 4)
        0.8647

    Reference: arXiv 2512.06427.
    """
    scale, bias = positive(weight_scale, "weight_scale"), not_negative(bias_scale, "bias_scale")
    return -math.expm1(-2 * not_negative(variance, "variance")) * scale**2 / 6 + bias**2


def sine_gradient_factor(weight_scale: float, variance: float) -> float:
    """Factor by which squared gradients grow per layer.

        g = c_w^2 / 6 * (1 + exp(-2 s))

    Holds as ``sine_variance`` does. 1 at c_w = sqrt 3 and s = 0, which is gradient control.

    Args:
        weight_scale: c_w, above 0.
        variance: s, of the layer's pre-activations, 0 or more.

    Raises:
        OptionError: an argument is out of range.

    Example:
        >>> round(sine_gradient_factor(math.sqrt(3), 0.0), 9)
        1.0

    Reference: arXiv 2512.06427.
    """
    shrunk = math.exp(-2 * not_negative(variance, "variance"))
    return positive(weight_scale, "weight_scale") ** 2 / 6 * (1 + shrunk)


def sine_spectrum(
    points: int,
    *,
    layers: int = 2,
    omega: float = 30.0,
    alpha: float = 1.0,
    inputs: int = 1,
    weight_scale: float | None = None,
    phase: float = 0.0,
    bias_scale: float = 0.0,
    window: str = "hann",
) -> np.ndarray:
    """Expected power spectrum of one neuron of the last sine layer, along one coordinate.

    Over random weights, E |FFT|^2 / points^2 at x = -1 + 2 m / points, the other coordinates 0,
    from the neuron's covariance A_l(x, y) = E[sin z_l(x) sin z_l(y)]:

        A_1 = (sinc(kappa (x - y)) - sinc(2 B) sinc(kappa (x + y))) / 2,  kappa = omega alpha / d
        A_l = exp(-(K(x, x) + K(y, y)) / 2) sinh K(x, y),  K = c_w^2 / 3 A_{l-1} + c_b^2

    with sinc t = sin(t) / t. One layer is exact. More take pre-activations to be Gaussian, exact
    as the width grows; sinh K = K + K^3 / 6 + ... are the odd harmonics. A linear last layer
    multiplies everything by fan_in Var(w).

    Args:
        points: number of samples of x in [-1, 1), 2 to 16384.
        layers: number of sine layers, 1 or more.
        omega: omega_0, above 0.
        alpha: weight scale of the first layer and, without ``weight_scale``, of all.
        inputs: d, number of coordinates.
        weight_scale: c_w of the layers after the first; None is alpha sqrt 6.
        phase: B; the first layer's biases, in radians, are U(-B, B). Half turns, as B = pi, make
            every place alike.
        bias_scale: c_b, standard deviation of the later biases, in radians.
        window: "hann", or "none", under which the ends of the interval show at all frequencies.

    Returns:
        Shape (points // 2 + 1,): the power at k cycles per interval, which is the angular
        frequency pi k. Both signs of a frequency count, so the sum is the mean square.

    Raises:
        OptionError: an argument is out of range.

    Example:
        >>> power = sine_spectrum(256, layers=2, phase=math.pi)
        >>> float(power.sum().round(4)), int((power.cumsum() < 0.99 * power.sum()).sum())
        (0.4323, 18)

    Reference: arXiv 2410.04779; arXiv 2006.09661.
    """
    if whole(points, "points", least=2) > 2**14:
        raise OptionError(f"points must lie between 2 and 16384, got {points}")
    check_choice(window, _WINDOWS, "window")
    kappa = positive(omega, "omega") * positive(alpha, "alpha") / whole(inputs, "inputs")
    scale = alpha * SIREN_SCALE if weight_scale is None else positive(weight_scale, "weight_scale")
    bias = not_negative(bias_scale, "bias_scale") ** 2
    mixed = float(np.sinc(2 * not_negative(phase, "phase") / np.pi))
    deeper = range(1, whole(layers, "layers"))

    def covariance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        first = (_sinc(kappa * (x - y)) - mixed * _sinc(kappa * (x + y))) / 2
        own = [(1 - mixed * _sinc(2 * kappa * place)) / 2 for place in (x, y)]
        for _ in deeper:
            k, kx, ky = (scale**2 / 3 * part + bias for part in (first, *own))
            first = (np.exp(k - (kx + ky) / 2) - np.exp(-k - (kx + ky) / 2)) / 2
            own = [-np.expm1(-2 * part) / 2 for part in (kx, ky)]
        return first

    return _periodogram(covariance, points, window)


def _sinc(angle: np.ndarray) -> np.ndarray:
    return np.sinc(angle / np.pi)


def _periodogram(
    covariance: Callable[[np.ndarray, np.ndarray], np.ndarray], points: int, window: str
) -> np.ndarray:
    """Expected |FFT|^2 / points^2: the FFT of the covariance, summed along each lag."""
    turn = np.arange(points) / points
    x, weight = 2 * turn - 1, _WINDOWS[window](turn)
    sums = np.empty(points)
    for lags in np.array_split(np.arange(points), -(-(points**2) // _AT_ONCE)):
        other = (np.arange(points) + lags[:, None]) % points
        sums[lags] = (covariance(x, x[other]) * weight * weight[other]).sum(1)
    power = np.fft.rfft(sums).real / points**2
    power[1 : (points + 1) // 2] *= 2
    return np.maximum(power, 0.0)
