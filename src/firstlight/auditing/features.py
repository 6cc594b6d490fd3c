"""Mean and variance of every input of a weight, as theory needs them."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Features:
    """Of each feature or channel over positions and samples.

    Attributes:
        mean: shape (features,), float64, on the CPU.
        variance: likewise.
    """

    mean: Tensor
    variance: Tensor

    def taps(self, inputs: int) -> "Features | None":
        """Repeat each channel for the taps of a kernel; None where that gives no ``inputs``.

        Example:
            >>> two = Features(torch.zeros(2), torch.ones(2))
            >>> two.taps(18).mean.shape, two.taps(3)
            (torch.Size([18]), None)
        """
        repeat, rest = divmod(inputs, len(self.mean))
        if rest or not repeat:
            return None
        every = (self.mean, self.variance)
        return Features(*(values.repeat_interleave(repeat) for values in every))


def features(x: Tensor, axis: int) -> Features:
    """Measure a signal whose features lie along ``axis``.

    Example:
        >>> found = features(torch.tensor([[1.0, 5.0], [3.0, 5.0]]), -1)
        >>> found.mean.tolist(), found.variance.tolist()
        ([2.0, 5.0], [1.0, 0.0])
    """
    x = x.detach()
    x = x if x.dtype == torch.float64 else x.float()
    others = [i for i in range(x.ndim) if i != axis % x.ndim]
    if not others:
        return Features(x.double().cpu(), torch.zeros(len(x), dtype=torch.float64))
    variance, mean = torch.var_mean(x, others, correction=0)
    return Features(mean.double().cpu(), variance.double().cpu())
