"""ZerO: identity and Hadamard matrices, nothing random (arXiv 2110.12661)."""

import torch
from torch import Tensor

from firstlight.init._tensor import centre_tap, part_of, write_rows
from firstlight.init.block import Block
from firstlight.init.shards import blockwise


@blockwise
def zero_(tensor: Tensor, *, block: Block | None = None) -> Tensor:
    """Fill with the identity, or with a piece of a Hadamard matrix where the outputs are more.

        m <= n:  W[i, j] = 1 where i = j, else 0
        m >  n:  W[i, j] = c (-1)^popcount(i & j),  c = 2^(-(k-1)/2),  k = ceil(log2 m)

    for m output and n input channels; a convolution holds W at its kernel's centre and zeros
    around it. c is the paper's (Algorithm 1), which gives the weights the variance 2^(1-k), He's
    2/m when m is a power of 2. The authors' notebook has 2^(-k/2), smaller by sqrt 2.

    Args:
        tensor: 2-D or more, any floating dtype, device and stride; layout (out, in, *kernel).
        block: which block of a larger tensor this is; None takes it for the whole.

    Returns:
        ``tensor``, filled in place.

    Raises:
        OptionError: the tensor cannot be filled.

    Example:
        >>> import torch
        >>> from firstlight.init import zero_
        >>> zero_(torch.empty(2, 3))
        tensor([[1., 0., 0.],
                [0., 1., 0.]])
        >>> zero_(torch.empty(8, 2)).unique()
        tensor([-0.5000,  0.5000])

    Reference: Zhao et al., "ZerO Initialization", arXiv 2110.12661.
    """
    part = part_of(tensor, "zero_", block)
    m, n = part.shape[:2]
    row, column = (torch.tensor(held, device="cpu") for held in part.index[:2])
    with torch.no_grad():
        tensor.zero_()
        matrix = centre_tap(tensor, part)
        if m <= n:
            return _set_identity(tensor, matrix, row, column)
    scale = 2.0 ** (-((m - 1).bit_length() - 1) / 2)

    def rows(start: int, stop: int) -> Tensor:
        return scale * (1 - 2 * _parity(row[start:stop, None] & column))

    write_rows(matrix, rows)
    return tensor


def _set_identity(tensor: Tensor, matrix: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """Set one where row and column of the whole are the same."""
    if matrix.numel():
        where = torch.searchsorted(column, row).clamp_(max=len(column) - 1)
        on = (column[where] == row).nonzero().flatten()
        matrix[on.to(matrix.device), where[on].to(matrix.device)] = 1
    return tensor


def _parity(x: Tensor) -> Tensor:
    """Number of ones in the binary form of each integer below 2^32, mod 2."""
    for shift in (16, 8, 4, 2, 1):
        x = x ^ (x >> shift)
    return (x & 1).double()
