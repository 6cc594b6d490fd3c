"""SIREN: weights for sine networks (arXiv 2006.09661), with weight scaling (arXiv 2410.04779)."""

import math

from torch import Tensor

from firstlight.init._draw import draw
from firstlight.init._sine_law import sine_law
from firstlight.init._tensor import part_of
from firstlight.init.block import Block
from firstlight.init.shards import blockwise
from firstlight.init.stream import Randomness


@blockwise
def siren_(
    tensor: Tensor,
    *,
    first: bool = False,
    omega: float = 30.0,
    alpha: float = 1.0,
    distribution: str = "uniform",
    generator: Randomness = None,
    block: Block | None = None,
) -> Tensor:
    """Fill for layers sin(omega (W x + b)).

        first layer:  U(-1/n, 1/n) alpha
        others:       U(-sqrt(6/n), sqrt(6/n)) alpha / omega

    n counts the inputs. The forward pass multiplies by omega, so the first layer's weights do not
    hold it. alpha = 1 is SIREN; weight scaling takes alpha > 1 for every layer but the last.

    Args:
        tensor: 2-D or more, any floating dtype, device and stride; layout (out, in, *kernel).
        first: whether the layer reads the coordinates.
        omega: frequency factor of the sine, above 0.
        alpha: weight scale, above 0; published for 1 and more.
        distribution: "uniform", as published, or "normal" of the same variance.
        generator: source of randomness, a torch generator or a ``Stream``; the values depend
            on no device, stride or block.
        block: which block of a larger tensor this is; None takes it for the whole.

    Returns:
        ``tensor``, filled in place.

    Raises:
        OptionError: the tensor cannot be filled, omega or alpha is not above 0, or another
            distribution.

    Example:
        >>> import torch
        >>> from firstlight.init import siren_
        >>> w = siren_(torch.empty(256, 6), omega=10.0, alpha=2.0)
        >>> bool(w.abs().max() <= 0.2)
        True

    Reference: Sitzmann et al., arXiv 2006.09661; weight scaling: arXiv 2410.04779.
    """
    part = part_of(tensor, "siren_", block)
    law = sine_law(part.inputs, math.sqrt(6), first, omega, alpha, distribution)
    return draw(tensor, part, law, generator)
