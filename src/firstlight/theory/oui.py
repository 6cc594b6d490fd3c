"""OUI, the overfitting-underfitting indicator: how differently samples switch neurons on."""

import torch
from torch import Tensor

from firstlight.errors import OptionError
from firstlight.theory.skew import on_pattern


def oui(preactivations: Tensor) -> float:
    """Mean over pairs of samples of min(1, 2 d / width), d the Hamming distance of on/off patterns.

    1 where every two samples differ in half of the neurons or more, 0 where all switch alike.

    Args:
        preactivations: shape (samples, neurons), two samples or more.

    Raises:
        OptionError: the shape is another.

    Example:
        >>> oui(torch.tensor([[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, -1.0]]))
        0.5

    Reference: arXiv 2505.12909.
    """
    on = on_pattern(preactivations).float()
    samples, width = on.shape
    if samples < 2:
        raise OptionError("oui compares samples in pairs, so it needs two or more; got 1")
    count = on.sum(1)  # exact in float32 up to widths of 2^24
    total = 0.0
    for rows in torch.arange(samples, device=on.device).split(1024):
        distance = count[rows, None] + count - 2 * on[rows] @ on.T
        total += float((2 * distance / width).clamp(max=1).double().sum())
    return total / (samples * (samples - 1))
