"""Constant initialization: every unit computes the same feature (arXiv 2007.01038)."""

import torch
from torch import Tensor

from firstlight.init._tensor import centre_tap, part_of
from firstlight.init.block import Block
from firstlight.init.shards import blockwise


@blockwise
def blumenfeld_(tensor: Tensor, *, block: Block | None = None) -> Tensor:
    """Fill so that each output is the mean of the input channels.

        W[i, j, centre] = 1 / in,  zero elsewhere

    All outputs are identical, and what identical inputs hold passes on unchanged. Only noise
    (dropout, the rounding of parallel sums) can tell the units apart in training. This is the
    averaging layer of the paper's code. ConstNet as a whole is an architecture, not a fill: its
    residual branches and its classifier start at zero, for which there is
    ``torch.nn.init.zeros_``.

    Args:
        tensor: 2-D or more, any floating dtype, device and stride; layout (out, in, *kernel).
        block: which block of a larger tensor this is; None takes it for the whole.

    Returns:
        ``tensor``, filled in place.

    Raises:
        OptionError: the tensor cannot be filled.

    Example:
        >>> import torch
        >>> from firstlight.init import blumenfeld_
        >>> blumenfeld_(torch.empty(2, 4))
        tensor([[0.2500, 0.2500, 0.2500, 0.2500],
                [0.2500, 0.2500, 0.2500, 0.2500]])

    Reference: Blumenfeld, Gilboa and Soudry, arXiv 2007.01038.
    """
    part = part_of(tensor, "blumenfeld_", block)
    with torch.no_grad():
        tensor.zero_()
        centre_tap(tensor, part).fill_(1 / max(part.shape[1], 1))
    return tensor
