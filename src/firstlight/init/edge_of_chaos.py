"""Gaussian weights at the edge of chaos (arXiv 1606.05340, 1611.01232)."""

import math

from torch import Tensor

from firstlight import theory
from firstlight.init._draw import draw
from firstlight.init._tensor import part_of
from firstlight.init.block import Block
from firstlight.init.distributions import Normal
from firstlight.init.shards import blockwise
from firstlight.init.stream import Randomness


@blockwise
def edge_of_chaos_(
    tensor: Tensor,
    *,
    activation: theory.Activation,
    bias_variance: float = 0.0,
    generator: Randomness = None,
    block: Block | None = None,
) -> Tensor:
    """Fill with N(0, sigma_w^2 / fan_in), where sigma_w^2 = ``theory.edge_of_chaos(activation)``.

    At this variance two close inputs neither merge nor part as they pass through a wide network,
    and gradients neither vanish nor explode. Biases belong to it: N(0, bias_variance).

    Args:
        tensor: 2-D or more, any floating dtype, device and stride; layout (out, in, *kernel).
        activation: name or callable.
        bias_variance: variance of the biases, 0 or more.
        generator: source of randomness, a torch generator or a ``Stream``; the values depend
            on no device, stride or block.
        block: which block of a larger tensor this is; None takes it for the whole.

    Returns:
        ``tensor``, filled in place.

    Raises:
        OptionError: the tensor cannot be filled, or the activation has no edge of chaos there.

    Example:
        >>> import torch
        >>> from firstlight.init import edge_of_chaos_
        >>> w = edge_of_chaos_(torch.empty(512, 256), activation="relu")
        >>> round(float(w.var()) * 256, 1)
        2.0

    Reference: Poole et al., arXiv 1606.05340; Schoenholz et al., arXiv 1611.01232.
    """
    part = part_of(tensor, "edge_of_chaos_", block)
    std = math.sqrt(theory.edge_of_chaos(activation, bias_variance) / part.inputs)
    return draw(tensor, part, Normal(std), generator)
