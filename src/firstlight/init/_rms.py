"""What mean square a fill leaves, from its shape and arguments alone: nothing is filled."""

import math
from collections.abc import Callable
from typing import Any

from torch import Tensor

from firstlight import theory
from firstlight.init._odd_sigmoid import omega_and_sigma
from firstlight.init._tensor import Gain, fan, gain_value
from firstlight.init.looks_linear import POSITIONS
from firstlight.init.sinusoidal import sinusoidal_mean_square


def scaled(tensor: Tensor, *, gain: Gain = 1.0, mode: str = "fan_in", **_: Any) -> float:
    """Gain^2 / fan, of independent draws.

    Example:
        >>> import torch
        >>> scaled(torch.empty(4, 8), gain=2.0)
        0.5
    """
    return gain_value(gain) ** 2 / max(fan(tensor, mode), 1)


def harmonic(tensor: Tensor, *, gain: Gain = 1.0, mode: str = "fan_in", **_: Any) -> float:
    """Gain^2 / fan, the gain being that for zero-sum rows."""
    return gain_value(gain, zero_sum=True) ** 2 / max(fan(tensor, mode), 1)


def sinusoidal(tensor: Tensor, *, gain: Gain = 1.0, mode: str = "fan_avg", **_: Any) -> float:
    """Variance gain^2 / fan, and the square of what mean the formula has."""
    m, n = tensor.shape[0], math.prod(tensor.shape[1:])
    fans = {"fan_in": n, "fan_out": m, "fan_avg": (m + n) / 2}
    return gain_value(gain, zero_sum=True) ** 2 / fans[mode] * sinusoidal_mean_square(m, n)


def orthogonal(tensor: Tensor, *, gain: Gain = 1.0, **_: Any) -> float:
    """Gain^2 min(m, n) / (m n)."""
    m, n = tensor.shape[0], math.prod(tensor.shape[1:])
    return gain_value(gain) ** 2 / max(m, n)


def looks_linear(tensor: Tensor, *, gain: Gain = 1.0, position: str = "hidden", **_: Any) -> float:
    """Mean square of the orthogonal block that is mirrored."""
    m, n = tensor.shape[0], math.prod(tensor.shape[1:])
    rows, columns = POSITIONS[position]
    return gain_value(gain) ** 2 / max(m / rows, n / columns)


def siren(
    tensor: Tensor, *, first: bool = False, omega: float = 30.0, alpha: float = 1.0, **_: Any
) -> float:
    """A third of the bound's square."""
    n = math.prod(tensor.shape[1:])
    bound = alpha / n if first else alpha * math.sqrt(6 / n) / omega
    return bound**2 / 3


def diagonal_plus_noise(
    tensor: Tensor,
    *,
    activation: Any,
    depth: int | None = None,
    negative_rate: float | None = None,
    sigma: float | None = None,
    **_: Any,
) -> float:
    """(omega^2 + sigma_z^2) / n: every row has one diagonal entry."""
    omega, noise = omega_and_sigma(activation, depth, negative_rate, sigma)
    return (omega**2 + noise**2) / math.prod(tensor.shape[1:])


def isometric_diagonal(
    tensor: Tensor,
    *,
    activation: Any,
    depth: int | None = None,
    negative_rate: float | None = None,
    sigma: float | None = None,
    position: str = "hidden",
    **_: Any,
) -> float:
    """(omega^2 + sigma_z^2) / n, and the part 1 / k of it in rows that are means of k inputs."""
    omega, noise = omega_and_sigma(activation, depth, negative_rate, sigma, spread=True)
    m, channels = tensor.shape[:2]
    part = 1.0
    if position == "hidden" and m < channels:
        fewer, more = divmod(channels, m)
        part = ((m - more) / fewer + more / (fewer + 1)) / m
    return part * (omega**2 + noise**2) / math.prod(tensor.shape[1:])


def edge_of_chaos(
    tensor: Tensor, *, activation: Any, bias_variance: float = 0.0, **_: Any
) -> float:
    """sigma_w^2 / n."""
    return theory.edge_of_chaos(activation, bias_variance) / math.prod(tensor.shape[1:])


def zero(tensor: Tensor, **_: Any) -> float:
    """One 1 in each row, or the Hadamard matrix's constant at the kernel's centre."""
    m, n, taps = tensor.shape[0], tensor.shape[1], math.prod(tensor.shape[2:])
    if m <= n:
        return 1 / (n * taps)
    return 2.0 ** (1 - (m - 1).bit_length()) / taps


def blumenfeld(tensor: Tensor, **_: Any) -> float:
    """N entries of 1 / n in each row."""
    return 1 / (tensor.shape[1] ** 2 * math.prod(tensor.shape[2:]))


MeanSquare = Callable[..., float]
