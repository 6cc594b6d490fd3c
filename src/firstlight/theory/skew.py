"""Skewed neurons: those that are on, or off, for most inputs (arXiv 2505.12909)."""

from torch import Tensor

from firstlight.errors import OptionError


def skewed_share(preactivations: Tensor, alpha: float) -> float:
    """Share of neurons that are skewed of degree alpha.

    A neuron with pre-activation Z is skewed if |P(Z > 0) - 1/2| > alpha.

    Args:
        preactivations: shape (samples, neurons).
        alpha: degree, in (0, 0.5).

    Raises:
        OptionError: alpha is out of range, or the shape is not (samples, neurons).

    Example:
        >>> import torch
        >>> skewed_share(torch.tensor([[1.0, 1.0], [1.0, -1.0]]), alpha=0.3)
        0.5

    Reference: arXiv 2505.12909.
    """
    if not 0 < alpha < 0.5:
        raise OptionError(f"alpha must lie between 0 and 0.5, got {alpha!r}")
    on = on_pattern(preactivations)
    return float(((on.double().mean(0) - 0.5).abs() > alpha).double().mean())


def on_pattern(preactivations: Tensor) -> Tensor:
    """Check that the shape is (samples, neurons); return where the neurons are on.

    Example:
        >>> import torch
        >>> on_pattern(torch.tensor([[0.5, -2.0]]))
        tensor([[ True, False]])
    """
    if preactivations.ndim != 2 or preactivations.numel() == 0:
        raise OptionError(
            "expected pre-activations of shape (samples, neurons), "
            f"got {tuple(preactivations.shape)}"
        )
    return preactivations.detach() > 0
