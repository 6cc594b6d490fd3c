"""Gradient control: sine networks whose gradients hold with depth (arXiv 2512.06427)."""

import math

from torch import Tensor

from firstlight.init._draw import draw
from firstlight.init._sine_law import sine_law
from firstlight.init._tensor import part_of
from firstlight.init.block import Block
from firstlight.init.shards import blockwise
from firstlight.init.stream import Randomness


@blockwise
def gradient_control_(
    tensor: Tensor,
    *,
    first: bool = False,
    omega: float = 30.0,
    alpha: float = 1.0,
    distribution: str = "uniform",
    generator: Randomness = None,
    block: Block | None = None,
) -> Tensor:
    """Fill for layers sin(omega (W x + b)) with zero biases, so that g = 1 in every layer.

        first layer:  U(-1/n, 1/n) alpha
        others:       U(-sqrt(3/n), sqrt(3/n)) alpha / omega

    n counts the inputs. As ``siren_``, with sqrt 3 in place of sqrt 6: then the variance of the
    pre-activations falls towards 0 and squared gradients neither grow nor shrink
    (``theory.sine_gradient_factor``). The first layer's omega is to be the sampling's Nyquist
    frequency.

    Args:
        tensor: 2-D or more, any floating dtype, device and stride; layout (out, in, *kernel).
        first: whether the layer reads the coordinates.
        omega: frequency factor of the sine, above 0; 1 for a plain sin(W x).
        alpha: weight scale, above 0; 1 is as published.
        distribution: "uniform", as published, or "normal" of the same variance.
        generator: source of randomness, a torch generator or a ``Stream``.
        block: which block of a larger tensor this is; None takes it for the whole.

    Returns:
        ``tensor``, filled in place.

    Raises:
        OptionError: the tensor cannot be filled, omega or alpha is not above 0, or another
            distribution.

    Example:
        >>> import torch
        >>> from firstlight.init import gradient_control_
        >>> w = gradient_control_(torch.empty(256, 12), omega=1.0)
        >>> bool(w.abs().max() <= 0.5)
        True

    Reference: arXiv 2512.06427.
    """
    part = part_of(tensor, "gradient_control_", block)
    law = sine_law(part.inputs, math.sqrt(3), first, omega, alpha, distribution)
    return draw(tensor, part, law, generator)
