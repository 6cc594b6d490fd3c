"""A parameter's gradient as a sum of outer products, so that no Jacobian is needed.

A layer computes y = W a + b at every position t of every group g, and so for each sample

    dF / dW[g] = sum_t  r[g, t] l[g, t]^T,     dF / db = sum_t dF / dy[t],

where l are the inputs (patches of an image, one-hot tokens, normalised activations) and r the
gradients in y.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Patches:
    """One use of one parameter.

    Attributes:
        left: gives l (samples, groups, positions, in) of a range of samples.
        right: turns gradients in y, of all samples, into r (samples, groups, positions, out).
        shape: groups, positions, in, out.
    """

    left: Callable[[slice], Tensor]
    right: Callable[[Tensor], Tensor]
    shape: tuple[int, int, int, int]


#: What a layer's rule yields: the tensors that it was given, and how their gradients are made.
Found = Iterator[tuple[Tensor | None, Patches]]


def elementwise(normal: Tensor, arrange: Callable[[Tensor], Tensor]) -> Patches:
    """Return the patches of a scale: a group for each feature, with one input and one output.

    Args:
        normal: what is scaled.
        arrange: brings it, and gradients, to (samples, features, positions).
    """
    left = arrange(normal).unsqueeze(-1)
    groups, positions = left.shape[1:3]
    return Patches(
        lambda block: left[block],
        lambda d: arrange(d).unsqueeze(-1),
        (groups, positions, 1, 1),
    )


def summed(width: int, total: Callable[[Tensor], Tensor]) -> Patches:
    """Return the patches of a bias: its gradient is the one in y, summed over positions.

    Args:
        width: features.
        total: sums gradients to (samples, features).
    """
    return Patches(
        lambda _: torch.ones(1, 1, 1, 1),
        lambda d: total(d)[:, None, None, :],
        (1, 1, 1, width),
    )


def by_groups(x: Tensor, groups: int) -> Tensor:
    """Return (samples, channels, *positions) as (samples, groups, positions, channels of one).

    Example:
        >>> by_groups(torch.ones(2, 6, 5, 5), 3).shape
        torch.Size([2, 3, 25, 2])
    """
    return x.reshape(len(x), groups, x.shape[1] // groups, -1).mT
