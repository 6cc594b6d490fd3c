"""What a wide network puts between the samples that it is fitted to, from its kernel alone."""

import numpy as np
import torch
from torch import Tensor

from firstlight.fields.alpha.patches import Patches
from firstlight.theory import SineKernel

#: Logarithm of the least ridge: what some hundred steps do not resolve, nor float64.
_LEAST_RIDGE = -6.0
#: Larger ridges that are tried, by factors of the root of 10.
_STEPS = 10


def interpolation_errors(kernel: SineKernel, piece: Patches, goal: float) -> tuple[float, float]:
    """Mean squared errors on the asked samples, of the signal and of a draw of the start.

        f = K_* (K + ridge)^-1 y,  the best ridge on the way to the error ``goal`` on the known

    On the way: what a kernel cannot reach without breaking what lies between, a network reaches
    by other means.

    Args:
        kernel: of the network.
        piece: known and asked samples.
        goal: mean squared error on the known samples.
    """
    drawn, known = _tensors(kernel.both(piece.known[:, None] - piece.known[None]))
    beside, across = _tensors(kernel.both(piece.asked[:, None] - piece.known[None]))
    values, vectors = torch.linalg.eigh(known)
    values = values.clamp_min(0)
    middle = piece.known_values.mean((0, 1))
    targets = vectors.T @ _columns(piece.known_values - middle)
    asked, across = _columns(piece.asked_values - middle), across @ vectors
    least = _ridge(values, targets, goal)
    tried = [least * 10 ** (step / 2) for step in range(1 + _STEPS) if step == 0 or least < 1]
    errors = [
        float((across @ (targets / (values + ridge)[:, None]) - asked).square().mean())
        for ridge in tried
    ]
    error = min(errors)
    weights = across / (values + tried[errors.index(error)]) @ vectors.T
    variance = float(kernel.covariance(np.zeros((1, piece.known.shape[1])))[0])
    initial = variance + (weights * (weights @ drawn - 2 * beside)).sum(1).mean()
    return error, max(0.0, float(initial))


def _tensors(kernels: tuple[np.ndarray, np.ndarray]) -> tuple[Tensor, Tensor]:
    covariance, tangent = kernels
    return torch.from_numpy(covariance), torch.from_numpy(tangent)


def _columns(values: np.ndarray) -> Tensor:
    """(pieces, n, outputs) as (n, pieces * outputs)."""
    return torch.from_numpy(np.moveaxis(values, 1, 0).reshape(values.shape[1], -1))


def _ridge(values: Tensor, targets: Tensor, goal: float) -> float:
    """The ridge that leaves the error ``goal`` on the known samples, by halving its logarithm."""
    low, high, power = _LEAST_RIDGE, 3.0, targets.square().sum(1)
    for _ in range(40):
        middle = (low + high) / 2
        left = 10**middle / (values + 10**middle)
        error = float(left.square() @ power) / targets.shape[1] / len(targets)
        low, high = (low, middle) if error > goal else (middle, high)
    return 10**low
