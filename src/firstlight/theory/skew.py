"""Skewed neurons: those that are on, or off, for most inputs (arXiv 2505.12909).

A neuron Z = sum_i W_i X_i sums many inputs, so it is close to Gaussian, and how often it is on
depends on its mean and variance over the inputs alone. Where all inputs share one mean, the mean
of Z is that times S, the sum of the neuron's weights.
"""

import math
from typing import TypeVar

import numpy as np
import torch
from scipy.special import ndtr, ndtri
from torch import Tensor

from firstlight.errors import OptionError, number, positive
from firstlight.theory._arguments import degree_of, each, whole

Values = TypeVar("Values", float, np.ndarray, Tensor)

#: Entries that are turned to float64 at once.
_BLOCK = 2**22


def skewed_share(preactivations: Tensor, alpha: float) -> float:
    """Share of neurons that are skewed of degree alpha.

    A neuron with pre-activation Z is skewed if |P(Z > 0) - 1/2| > alpha.

    Args:
        preactivations: shape (samples, neurons).
        alpha: degree, in (0, 0.5).

    Raises:
        OptionError: alpha is out of range, or the shape is not (samples, neurons).

    Example:
        >>> skewed_share(torch.tensor([[1.0, 1.0], [1.0, -1.0]]), alpha=0.3)
        0.5

    Reference: arXiv 2505.12909.
    """
    alpha = degree_of(alpha)
    on = on_pattern(preactivations)
    return float(((on.double().mean(0) - 0.5).abs() > alpha).double().mean())


def on_pattern(preactivations: Tensor) -> Tensor:
    """Check that the shape is (samples, neurons); return where the neurons are on.

    Example:
        >>> on_pattern(torch.tensor([[0.5, -2.0]]))
        tensor([[ True, False]])
    """
    if preactivations.ndim != 2 or preactivations.numel() == 0:
        raise OptionError(
            "expected pre-activations of shape (samples, neurons), "
            f"got {tuple(preactivations.shape)}"
        )
    return preactivations.detach() > 0


def skew_threshold(
    alpha: float, *, inputs: int, mean: float, std: float, weight_std: float
) -> float:
    """Row sum lambda beyond which a neuron is skewed of degree alpha (Theorem 1).

        |S| > lambda(alpha) = sigma theta sqrt(n) / |mu| * Phi^-1(1/2 + alpha)

    Holds as n grows, for weights and inputs that are each independent and of one distribution
    with finite variance; at n = 100 it is good to a few per cent.

    Args:
        alpha: degree, in (0, 0.5).
        inputs: n, 1 or more.
        mean: mu, mean of the inputs; at 0 no row sum skews a neuron, and lambda is infinite.
        std: sigma, standard deviation of the inputs, above 0.
        weight_std: theta, standard deviation of the weights, above 0.

    Raises:
        OptionError: an argument is out of range.

    Example:
        >>> round(skew_threshold(0.3, inputs=100, mean=0.4, std=0.6, weight_std=0.1), 4)
        1.2624

    Reference: arXiv 2505.12909, Theorem 1.
    """
    quantile = float(ndtri(0.5 + degree_of(alpha)))
    spread, mean = _spread(inputs, std, weight_std), number(mean, "mean")
    return spread / abs(mean) * quantile if mean else math.inf


def on_probability(
    row_sum: Values, *, inputs: int, mean: float, std: float, weight_std: float
) -> Values:
    """Probability P(Z > 0 | S) that a neuron with weights of sum S is on (Theorem 1).

        P(Z > 0 | S) = Phi(mu S / (sigma theta sqrt n))

    Holds under the same conditions as ``skew_threshold``. ``on_probability_of`` knows the weights
    themselves and needs no n so large that sum W^2 = n theta^2.

    Args:
        row_sum: S, a number, an array or a tensor of any shape.
        inputs: n, 1 or more.
        mean: mu, mean of the inputs.
        std: sigma, standard deviation of the inputs, above 0.
        weight_std: theta, standard deviation of the weights, above 0.

    Returns:
        A number, an array or a tensor like ``row_sum``, in float64.

    Raises:
        OptionError: an argument is out of range.

    Example:
        >>> round(on_probability(1.2624, inputs=100, mean=0.4, std=0.6, weight_std=0.1), 4)
        0.8

    Reference: arXiv 2505.12909, Theorem 1.
    """
    slope = number(mean, "mean") / _spread(inputs, std, weight_std)
    return each(lambda sums: ndtr(slope * sums), row_sum)


def _spread(inputs: int, std: float, weight_std: float) -> float:
    """Standard deviation of Z given its weights: sigma theta sqrt(n)."""
    size = math.sqrt(whole(inputs, "inputs"))
    return positive(std, "std") * positive(weight_std, "weight_std") * size


def on_probability_of(
    weight: Tensor,
    mean: float | Tensor,
    variance: float | Tensor,
    bias: Tensor | None = None,
) -> Tensor:
    """Probability that each neuron is on, from its own weights (Theorem 1's general form).

        P(Z > 0 | W) = Phi((W mu + b) / sqrt(sum_j W_j^2 sigma_j^2))

    Exact for Gaussian inputs. Otherwise it holds for independent inputs under Lindeberg's
    condition: no single W_j X_j makes up a share of the variance that stays as n grows. Inputs
    that correlate, as pixels do, make Z vary more or less than this. A neuron that never varies
    gives 1 or 0 by its sign; at exactly 0 it gives 0, as Z > 0 is false.

    Args:
        weight: shape (m, n).
        mean: mu, of the inputs: a number, or shape (n,).
        variance: sigma^2, of the inputs, 0 or more: a number, or shape (n,).
        bias: b, shape (m,); None is 0.

    Returns:
        Shape (m,), float64, on the weight's device.

    Raises:
        OptionError: a shape does not fit, or a variance is negative.

    Example:
        >>> weight = torch.tensor([[1.0, -1.0], [1.0, 0.0], [0.0, 0.0]])
        >>> on_probability_of(weight, mean=1.0, variance=1.0).round(decimals=4)
        tensor([0.5000, 0.8413, 0.0000], dtype=torch.float64)

    Reference: arXiv 2505.12909, Theorem 3.
    """
    if weight.ndim != 2 or weight.numel() == 0:
        raise OptionError(f"expected a weight of shape (m, n), got {tuple(weight.shape)}")
    m, n = weight.shape
    mu, sigma2 = _vector(mean, n, "mean"), _vector(variance, n, "variance")
    if bool((sigma2 < 0).any()):
        raise OptionError("variance must be 0 or more")
    shift = torch.zeros(m, dtype=torch.float64) if bias is None else _vector(bias, m, "bias")
    parts = []
    for rows in weight.detach().split(max(1, _BLOCK // n)):
        # Apple's GPU has no float64.
        rows = (rows.cpu() if rows.device.type == "mps" else rows).double()
        on = rows.device
        parts.append(torch.stack([rows @ mu.to(on), rows.square() @ sigma2.to(on)]).cpu())
    centre, spread = torch.cat(parts, 1)
    centre += shift
    share = torch.special.ndtr(centre / spread.sqrt())
    share = torch.where(spread == 0, (centre > 0).double(), share)
    return share if weight.device.type == "mps" else share.to(weight.device)


def _vector(value: float | Tensor, size: int, what: str) -> Tensor:
    """Return a number or a vector as float64 of shape (size,), on the CPU."""
    if isinstance(value, Tensor):
        vector = value.detach().cpu().double()
    else:
        vector = torch.as_tensor(value, dtype=torch.float64, device="cpu")
    if vector.ndim > 1 or (vector.ndim == 1 and len(vector) != size):
        raise OptionError(f"{what} must have shape ({size},), got {tuple(vector.shape)}")
    return vector.expand(size)


def expected_skewed_share(alpha: float, *, mean: float, std: float) -> float:
    """Share of neurons with random weights that are skewed of degree alpha.

        2 Phi(-(sigma / |mu|) Phi^-1(1/2 + alpha))

    for independent weights of mean 0, whatever their variance, as the number of inputs grows.
    Inputs need not share a mean: then mu^2 is the mean over inputs of their squared means, and
    sigma^2 that of their variances. So it holds at any depth, with mu^2 = c and sigma^2 = 1 - c
    where c is the uncentred correlation of two samples' inputs; ``MeanField`` gives c.

    Args:
        alpha: degree, in (0, 0.5).
        mean: mu, mean of the inputs; at 0 no neuron is skewed.
        std: sigma, standard deviation of the inputs over samples, 0 or more.

    Raises:
        OptionError: an argument is out of range.

    Example:
        >>> # ReLU of N(0, 1) has mean 0.399 and standard deviation 0.584.
        >>> round(expected_skewed_share(0.1, mean=0.399, std=0.584), 3)
        0.711

    Reference: arXiv 2505.12909, Theorem 1.
    """
    quantile = float(ndtri(0.5 + degree_of(alpha)))
    mean, std = abs(number(mean, "mean")), number(std, "std")
    if std < 0:
        raise OptionError(f"std must be 0 or more, got {std!r}")
    return 2 * float(ndtr(-std / mean * quantile)) if mean else 0.0
